"""Dify's external knowledge base: how its code registers an endpoint, and how it reads records.

Saving an endpoint sends a POST with the key and no body and fails on 403, 404 and 502 alone; at query time
whatever is not 200 is an empty result, and a record whose metadata is null raises.
"""

from __future__ import annotations

from typing import Any

from api.doctor.checks import judge_abstention, judge_links, judge_spans, judge_truth
from api.doctor.connection import ANY_KEY
from api.doctor.context import NONSENSE, Context
from api.doctor.model import Notes, Surface, shortened
from api.doctor.shapes import MetadataRead, RecordRead, RecordsRead, read_as
from api.doctor.spans import Cited, sha256_of

_ENDPOINTS = ("/dify/retrieval", "/retrieval")
_PASSAGES = "default"
_CITATIONS = "default.answer"
_TOP_K = 4
_REFUSED = frozenset({403, 404, 502})


def _examine(context: Context, notes: Notes) -> None:
    for path in _ENDPOINTS:
        _judge_registration(context, notes, path)
    for knowledge, what in ((_PASSAGES, "段落"), (_CITATIONS, "引文")):
        native = context.asked.answer
        most = max(_TOP_K, len(native.citations) if native else 0)
        records = _retrieve(context, knowledge, context.question, most)
        notes.show(*(f"{knowledge}：{each.title}｜{shortened(each.content, 60)}" for each in records))
        if context.answered and not records:
            advice = "中间的代理或网关改了请求或答复；Dify 只会说没有找到。"
            notes.lost("records", f"检索 {knowledge}", "这个问题有答案，却一条记录也没有", advice)
            continue
        cited = [_cited(record) for record in records]
        if knowledge == _CITATIONS:
            judge_spans(context, notes, [each for each, _ in cited], what=what)
        else:
            judge_truth(context, notes, [each for each, _ in cited], what=what)
        judge_links(context, notes, [(url, each) for each, url in cited], what=f"{what}的链接")
        _judge_hashes(notes, records, what)
    judge_abstention(context, notes, cited=len(_retrieve(context, _CITATIONS, NONSENSE, _TOP_K)), text=None)


def _judge_registration(context: Context, notes: Notes, path: str) -> None:
    what = f"登记端点（{path}）"
    key = {} if context.connection.api_key else {"Authorization": f"Bearer {ANY_KEY}"}
    status = context.connection.post(path, None, extra=key).status
    advice = "Dify 会说端点无效：这个部署没有这个接口，或代理没有转发这个路径、去掉了 Authorization。"
    fault = f"不带正文的 POST 答 {status}" if status in _REFUSED else ""
    notes.judge("registers", what, fault, advice)
    what = f"密钥不对时说得出来（{path}）"
    if not context.key_needed:
        notes.skip("refuses", what, "这个部署不要密钥")
        return
    status = context.connection.post(path, None, key="wrong").status
    advice = "Dify 只认 403；答别的，错的密钥也会登记成功，以后每次检索都是空的。代理或网关改了状态码。"
    notes.judge("refuses", what, "" if status == 403 else f"答 {status}，应答 403", advice)


def _retrieve(context: Context, knowledge: str, question: str, most: int) -> list[RecordRead]:
    what = f"检索 {knowledge}"
    setting = {"top_k": most, "score_threshold": 0.0}
    body: dict[str, Any] = {"knowledge_id": knowledge, "query": question, "retrieval_setting": setting}
    return read_as(RecordsRead, context.post_json(_ENDPOINTS[0], body, what), "records", what).records


def _judge_hashes(notes: Notes, records: list[RecordRead], what: str) -> None:
    """Can a program tell that the text of a record reached it as it was sent?"""
    wrong = [
        record
        for record in records
        if record.metadata.get("quote_sha256") != sha256_of(record.content.encode("utf-8", "surrogatepass"))
    ]
    fault = f"{len(wrong)}/{len(records)} 条不符" if wrong else ""
    advice = "中间的代理或网关改了文字或 metadata。"
    notes.judge("hashes", f"{what}的文字与 quote_sha256 相符", fault, advice)


def _cited(record: RecordRead) -> tuple[Cited, str]:
    """What a record claims, and where its link leads."""
    known = read_as(MetadataRead, record.metadata, "metadata", "记录的 metadata")
    lines = known.start_line, known.end_line
    place = known.document_id, known.start_char, known.end_char
    return Cited(*place, *lines, record.content, known.source_sha256), known.url


DIFY = Surface(
    "dify", "Dify 外部知识库", "Dify：端点是地址加 /dify，知识库 default 和 default.answer", _examine
)
