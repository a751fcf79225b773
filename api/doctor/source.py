"""The source texts, against which anybody can check a citation. They must come byte for byte."""

from __future__ import annotations

from api.doctor.context import Context
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.spans import sha256_of, source_path

_MOST = 5
_ADVICE = "代理或 CDN 改了正文（换行、编码、压缩、插入内容）；请对 /v1/documents/ 关掉一切改写。"


def _examine(context: Context, notes: Notes) -> None:
    answer = context.asked.answer
    cited = list(dict.fromkeys(each.document_id for each in answer.citations)) if answer else []
    wanted = [each for each in cited if each in context.sources.known] or list(context.sources.known)[:1]
    if not wanted:
        notes.skip("source", "源文件一字不改", "文库里没有文档")
    for document_id in wanted[:_MOST]:
        fault = _fault(context, document_id)
        what = f"{shortened(document_id, 40)} 的源文件一字不改，不带密钥也取得到"
        notes.judge("source", what, fault, _ADVICE)
        if not fault:
            notes.show(f"{source_path(document_id)}：{len(context.sources.fetch(document_id).text)} 个字符")


def _fault(context: Context, document_id: str) -> str:
    try:
        reply = context.sources.fetch(document_id).expect("source", "源文件")
    except LostError as error:
        return error.finding.detail
    if reply.media_type != "text/plain":
        return f"Content-Type 是 {reply.media_type or '空的'}，应为 text/plain"
    have, wanted = sha256_of(reply.body), context.sources.known[document_id]
    if have != wanted:
        return f"收到 {len(reply.body)} 字节，SHA-256 是 {have[:12]}…，文库列表说的是 {shortened(wanted, 13)}"
    return ""


SOURCE = Surface("source", "原文", "要自己核对引文的人和程序：GET /v1/documents/{id}/source", _examine)
