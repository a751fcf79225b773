"""Every error code the service can send: status, meaning, and what the caller can do about it.

The table is the truth; `docs/errors.md` and the `/docs` page are compared with or made from it. Codes are
never renamed or reused.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.errors import (
    CewenError,
    GeneratorError,
    InputError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from rag.inputs import MAX_QUERY_CHARS, MAX_QUESTION_CHARS, MAX_TURN_CHARS


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the table.

    Attributes:
        status: HTTP status.
        meaning: What happened, in Chinese.
        action: What the caller can do, in Chinese.
    """

    status: int
    meaning: str
    action: str

    @property
    def type(self) -> str:
        """The broad class of the error, for programs that know no codes."""
        return _TYPES.get(self.status, "internal" if self.status >= 500 else "invalid_request")


_TYPES = {401: "authentication", 403: "authentication", 404: "not_found", 410: "not_found"}
_TYPES |= {413: "too_large", 429: "unavailable", 431: "too_large", 503: "unavailable"}

_CHECK_MODEL = "维护者检查语言模型的各项设置和该服务"
_SEE_LOG = "请把 request_id 交给维护者，服务日志里有详情"

CODES: dict[str, ErrorCode] = {
    "bad_request": ErrorCode(400, "请求不是合法的 HTTP 请求", "检查发送请求的程序"),
    "malformed_json": ErrorCode(400, "请求体不是 UTF-8 编码的合法 JSON", "按消息指出的位置改正后再发"),
    "duplicate_key": ErrorCode(400, "JSON 对象里同一个键出现了两次", "每个键只写一次"),
    "malformed_multipart": ErrorCode(
        400, "表单（multipart/form-data）不完整，或写得不对", "按消息改正后重新发送完整的请求"
    ),
    "invalid_condition": ErrorCode(400, "metadata_condition 里的条件看不懂", "按消息改正条件"),
    "api_key_missing": ErrorCode(401, "没有带访问密钥，或写法不对", "加上请求头 Authorization: Bearer 密钥"),
    "api_key_invalid": ErrorCode(401, "访问密钥不对", "向维护者要正确的密钥"),
    "scope_missing": ErrorCode(403, "密钥有效，但没有做这件事的权限", "向维护者要有此权限的密钥"),
    "foreign_page": ErrorCode(
        403,
        "别的网站的网页要改动文库，或用别的名字来访问只给本机用的服务",
        "要从自己的网页改动，请维护者设 CEWEN_PUBLIC_URL 或 CEWEN_CORS_ORIGINS，或者建密钥",
    ),
    "not_found": ErrorCode(404, "没有这个地址", "在 /docs 查看全部接口"),
    "document_not_found": ErrorCode(404, "没有这个编号的文档", "用 GET /v1/documents 查看现有文档"),
    "collection_not_found": ErrorCode(404, "没有这个名字的文库", "用 GET /v1/collections 查看现有的"),
    "job_not_found": ErrorCode(
        404, "没有这个编号的任务，或早已结束", "用 GET /v1/documents 看文档是否已在库里"
    ),
    "generator_not_found": ErrorCode(404, "没有这个名字的生成器", "去掉 generator 字段，使用默认的"),
    "model_not_found": ErrorCode(404, "没有这个名字的模型", "用 GET /v1/models 查看现有的"),
    "knowledge_not_found": ErrorCode(404, "没有这个编号的知识库", "改用消息里列出的编号"),
    "passage_not_found": ErrorCode(404, "没有这个编号的段落或文档", "用 search 返回的 id"),
    "key_not_found": ErrorCode(404, "没有这个编号的访问密钥", "用 cewen keys list 查看现有的"),
    "method_not_allowed": ErrorCode(405, "这个地址不支持该 HTTP 方法", "改用响应头 Allow 列出的方法"),
    "request_timeout": ErrorCode(408, "请求头或请求体没有在限定时间内发完", "检查网络，重新发送完整的请求"),
    "collection_exists": ErrorCode(409, "已有这个名字的文库", "换一个名字，或直接使用它"),
    "document_conflict": ErrorCode(
        409, "编号相同而内容不同的文稿在库里，或曾在库里", "改动文字（一个空格也行）后再添加"
    ),
    "job_cancelled": ErrorCode(409, "添加这份文稿的任务已被取消，没有加入文库", "需要时重新添加"),
    "job_ended": ErrorCode(
        409, "任务已经结束，或正在写入，来不及取消；要重试的没有留下文字", "用 GET /v1/jobs/{id} 看它的结果"
    ),
    "document_set_aside": ErrorCode(
        503,
        "处理这份文稿时服务一再中断，多半是内存不够；文字没有丢，搁在一边",
        "拆成几个文件再添加，再取消这个任务；或用 POST /v1/jobs/{id}/retry 再试一次",
    ),
    "calibration_outdated": ErrorCode(409, "标定期间文库换了编码模型，结果没有存下", "再标定一次"),
    "document_removed": ErrorCode(410, "这篇文档已从文库删除", "用 GET /v1/documents 查看现有文档"),
    "document_replaced": ErrorCode(
        410, "这篇文档已由新的版本取代", "用 POST /v1/citations/resolve 查引文现在的位置"
    ),
    "body_too_large": ErrorCode(413, "请求体超过字节上限", "缩短内容，或分几次发送"),
    "too_large": ErrorCode(413, "内容超过上限", "缩短内容后再试"),
    "document_too_large": ErrorCode(
        413, "文档超过 20 MB，或页数、展开后的大小、行和句子的个数超过上限", "拆成几个文件，或另存为 .txt"
    ),
    "unsupported_media_type": ErrorCode(415, "Content-Type 不是这个地址接受的", "按消息设置 Content-Type"),
    "unsupported_content_encoding": ErrorCode(415, "请求体经过压缩", "不压缩，去掉 Content-Encoding"),
    "unsupported_document": ErrorCode(
        415, "文档不是能读的类型，或扩展名与内容不符", "转成 .txt、.md、.html、.docx 或 .pdf，并改正扩展名"
    ),
    "unreadable_document": ErrorCode(
        422, "文档损坏、加密、没有文字层，或读它要用的时间或内存太多", "按消息重新导出，或另存为 .txt"
    ),
    "document_without_text": ErrorCode(422, "文稿里没有可读的正文", "检查文件是否完整、正文是否为空"),
    "invalid_metadata": ErrorCode(422, "书目信息里有不合要求的值", "按消息改正题目、作者、日期、网址或标签"),
    "invalid_filters": ErrorCode(422, "筛选条件里有不合要求的值", "按消息改正条件"),
    "invalid_collection_name": ErrorCode(
        422, "文库的名称不合要求", "用 1 到 64 个小写字母、数字、- 和 _，以字母或数字开头"
    ),
    "invalid_questions": ErrorCode(
        422, "标定的题目写得不对，或两种题没有各至少 15 题", "按消息逐题改正或补充"
    ),
    "evidence_not_found": ErrorCode(
        422, "标定的题目里有依据不在这个文库里", "按消息改正依据，或换成对应的文库"
    ),
    "invalid_request": ErrorCode(422, "字段缺失、类型不对、超出范围或不认识", "按消息逐项改正"),
    "invalid_text": ErrorCode(422, "文字里有控制字符或不成对的代理码位", "删去这些字符，用 UTF-8 重新编码"),
    "invalid_number": ErrorCode(422, "数字是 NaN、Infinity 或大到无法表示", "改用有限的数"),
    "empty_question": ErrorCode(422, "问题里没有可读的文字", "写出要问的内容"),
    "question_too_long": ErrorCode(422, f"问题超过 {MAX_QUESTION_CHARS} 个字符", "缩短问题"),
    "empty_query": ErrorCode(422, "检索词里没有可读的文字", "写出要找的内容"),
    "query_too_long": ErrorCode(422, f"检索词超过 {MAX_QUERY_CHARS} 个字符", "缩短检索词"),
    "empty_content": ErrorCode(422, "历史消息里没有可读的文字", "去掉空的消息"),
    "content_too_long": ErrorCode(
        422, f"一条历史消息超过 {MAX_TURN_CHARS} 个字符", "缩短该条消息，或少带几条历史"
    ),
    "rate_limited": ErrorCode(429, "一分钟内的请求太多", "按 Retry-After 稍后再试"),
    "headers_too_large": ErrorCode(431, "请求头超过字节上限", "去掉过大的 Cookie 或其他请求头"),
    "internal_error": ErrorCode(500, "服务内部出错", _SEE_LOG),
    "citation_mismatch": ErrorCode(500, "引文与原文核对不上，答复已被拦下", _SEE_LOG),
    "invalid_configuration": ErrorCode(500, "服务的设置有误", "维护者按日志改正设置后重新启动"),
    "encoder_unusable": ErrorCode(500, "编码模型无法使用", "维护者按日志检查模型后重新启动"),
    "index_damaged": ErrorCode(
        500, "索引缺失、损坏或不是本服务所建", "维护者删去索引目录后重新启动，会自动重建"
    ),
    "index_missing": ErrorCode(500, "还没有建索引", "维护者运行 cewen index"),
    "index_unwritable": ErrorCode(500, "索引文件夹写不进去", "维护者检查磁盘空间和权限后重新启动"),
    "index_mismatch": ErrorCode(500, "索引与现有文库、模型或设置不一致", "维护者重建索引"),
    "library_missing": ErrorCode(500, "还没有文库", "维护者启动服务或添加文档，文库就会建立"),
    "library_damaged": ErrorCode(500, "文库文件损坏", "维护者运行 cewen check，再从备份恢复"),
    "library_newer": ErrorCode(500, "文库文件是较新的版本写的", "维护者升级后重新启动"),
    "feedback_unusable": ErrorCode(500, "反馈文件读不了或写不进去", "维护者按日志检查磁盘空间、权限和文件"),
    "generator_unreachable": ErrorCode(503, "连不上语言模型服务", _CHECK_MODEL),
    "generator_timeout": ErrorCode(503, "语言模型没有在限定时间内答完", _CHECK_MODEL),
    "generator_rate_limited": ErrorCode(503, "语言模型服务说请求太多", "稍后再试，或提高该服务的额度"),
    "generator_refused": ErrorCode(503, "语言模型服务拒绝了请求", _CHECK_MODEL),
    "generator_failed": ErrorCode(503, "生成器或语言模型服务出错", _CHECK_MODEL),
    "generator_invalid_reply": ErrorCode(503, "语言模型服务的回复无法使用", _CHECK_MODEL),
    "generator_incomplete": ErrorCode(503, "生成器的回答不完整", "稍后再试，或调大长度限制"),
    "generator_cancelled": ErrorCode(503, "提问的一方已经离开，作答中止", "需要时重新提问"),
    "generator_found_no_answer": ErrorCode(503, "生成器认为段落没有回答，而判断认为有", "读摘录的原文"),
    "generator_unsupported": ErrorCode(503, "生成器写的句子都没有依据", "读摘录的原文；常如此则换更好的模型"),
    "not_ready": ErrorCode(503, "正在打开索引和模型", "按 Retry-After 稍后再试"),
    "startup_failed": ErrorCode(503, "索引或模型打不开，服务无法作答", "维护者按日志处理后重新启动"),
    "index_busy": ErrorCode(503, "另一个进程正在写索引", "等它结束后再试"),
    "library_busy": ErrorCode(
        503, "另一个进程正在写文库，或在恢复备份时打开着它", "通过它来改动，或等它结束后再试"
    ),
    "library_read_only": ErrorCode(503, "这个服务不能改动文库", "向管文库的那个服务提交改动"),
    "feedback_busy": ErrorCode(503, "另一个进程正在写反馈文件", "按 Retry-After 稍后再试"),
    "shutting_down": ErrorCode(503, "服务正在关闭，不再接受新的请求", "按 Retry-After 稍后再试"),
    "overloaded": ErrorCode(503, "同时到达的请求太多", "按 Retry-After 稍后再试"),
    "upload_abandoned": ErrorCode(503, "发送文稿的一方在收下以前已经离开", "需要时重新发送"),
    "unavailable": ErrorCode(503, "服务暂时不能作答", "按 Retry-After 稍后再试"),
    "answer_timeout": ErrorCode(504, "没有在限定时间内答完，已经中止", "稍后再试，或把问题问得更具体"),
    "library_unwritable": ErrorCode(507, "文库写不进去，没有改动", "维护者检查磁盘空间和权限后再试"),
}

_FOR_THE_OPERATOR = frozenset({"feedback_busy", "index_busy", "library_busy", "shutting_down"})

# For a code that is not in the table (a plug-in's own): its place in the error tree decides.
_FALLBACKS: tuple[tuple[type[CewenError], str], ...] = (
    (NotFoundError, "not_found"),
    (TooLargeError, "too_large"),
    (InputError, "invalid_request"),
    (GeneratorError, "generator_failed"),
    (UnavailableError, "unavailable"),
)


def row_of(error: CewenError) -> ErrorCode:
    """The table's row for an error: by its code or, for an unknown code, by its class."""
    if error.code in CODES:
        return CODES[error.code]
    for kind, code in _FALLBACKS:
        if isinstance(error, kind):
            return CODES[code]
    return CODES["internal_error"]


def told(code: str, row: ErrorCode, message: str) -> str:
    """What a caller is told: the message, or where that is for the operator what the table says.

    Messages about faults of ours, the disk and other processes name files and processes of the machine.
    """
    if row.status in {500, 507} or code in _FOR_THE_OPERATOR:
        return f"{row.meaning}。{row.action}。"
    return message
