"""Checks of a reply that must never fail, made here against the untouched sources.

On purpose none of the product's own checking is used: where both agree, two implementations do. Each
check belongs to an invariant of the gate, reports every fault and counts what it looked at, so that
"nothing wrong" can be told from "nothing checked".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from evals.measures.citations import Statement, is_supported
from evals.service import Cited, Hit, Reply
from evals.sources import SourceText, squeeze

Invariant = Literal[
    "citations_verify", "answers_supported", "replies_consistent", "passages_verify", "search_and_ask_agree"
]
_REASONS = frozenset({"off_topic", "not_stated", "false_premise", "too_vague"})
_MARKS = re.compile(r"\[\d+\]")
_LINES = re.compile(r"#L(\d+)(?:-L(\d+))?$")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that must never happen, seen in one reply."""

    invariant: str
    message: str


@dataclass
class Findings:
    """What the checks of one question came to.

    Attributes:
        faults: In the order found.
        checked: For each invariant how many things were looked at.
    """

    faults: list[Fault] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    def note(self, invariant: Invariant, problems: Sequence[str]) -> None:
        """One thing was looked at; `problems` is empty if it is sound."""
        self.checked[invariant] = self.checked.get(invariant, 0) + 1
        self.faults.extend(Fault(invariant, problem) for problem in problems)


@dataclass(frozen=True)
class CorpusView:
    """The untouched texts and which document stands in which.

    Attributes:
        texts: By SHA-256.
        source_of: For each document id the SHA-256 of its source.
    """

    texts: Mapping[str, SourceText]
    source_of: Mapping[str, str]

    def slice_of(self, citation: Cited) -> str:
        """The cited text; empty if there is no such source."""
        source = self.texts.get(citation.source_sha256)
        return source.text[citation.start_char : citation.end_char] if source else ""

    def statements(self, reply: Reply) -> list[Statement]:
        """The sentences of an answer with the texts they cite."""
        by_number = {citation.number: citation for citation in reply.citations}
        made: list[Statement] = []
        for said in reply.sentences:
            cited = [by_number[number] for number in said.citations if number in by_number]
            sources = {citation.source_sha256 for citation in cited}
            texts = tuple(self.texts[name].text for name in sorted(sources) if name in self.texts)
            slices = tuple(self.slice_of(citation) for citation in cited)
            made.append(Statement(said.text, said.match == "exact", slices, texts))
        return made


def check_reply(reply: Reply, hits: Sequence[Hit], top_k: int, corpus: CorpusView) -> Findings:
    """Every check on one reply and on the search for the same question.

    Args:
        reply: What asking gave.
        hits: What searching for `reply.resolved_question` gave.
        top_k: How many hits were asked for.
        corpus: What to check against.
    """
    found = Findings()
    for citation in reply.citations:
        found.note("citations_verify", citation_problems(citation, corpus))
    for statement in corpus.statements(reply):
        said = statement.text[:60]
        problem = [] if is_supported(statement, statement.slices) else [f"引文里没有这句话的依据：{said!r}"]
        found.note("answers_supported", problem)
    found.note("replies_consistent", consistency_problems(reply))
    for hit in (*hits, *reply.related):
        found.note("passages_verify", _hit_problems(hit, corpus))
    _compare_scores(reply, hits, top_k, found)
    return found


def citation_problems(citation: Cited, corpus: CorpusView) -> list[str]:
    """What is wrong with a citation: source, characters, lines, link or score."""
    name = f"引文 [{citation.number}]"
    source = corpus.texts.get(citation.source_sha256)
    if source is None or corpus.source_of.get(citation.document_id) != citation.source_sha256:
        return [f"{name} 的来源 {citation.document_id!r} / {citation.source_sha256[:12]} 不在语料里"]
    start, end = citation.start_char, citation.end_char
    if not 0 <= start < end <= len(source.text):
        return [f"{name} 的区间 {start}–{end} 不在原文 0–{len(source.text)} 之内"]
    problems: list[str] = []
    held = squeeze(source.text[start:end])
    if not held or held != squeeze(citation.quote):
        problems.append(f"{name} 与原文 {start}–{end} 不符：引文 {citation.quote[:40]!r}，原文 {held[:40]!r}")
    lines = source.line_of(start), source.line_of(end - 1)
    if lines != (citation.start_line, citation.end_line):
        problems.append(
            f"{name} 的行号是 {citation.start_line}–{citation.end_line}，应为 {lines[0]}–{lines[1]}"
        )
    anchor = _LINES.search(citation.url)
    linked = (int(anchor[1]), int(anchor[2] or anchor[1])) if anchor else None
    if linked != lines or citation.document_id not in citation.url:
        problems.append(f"{name} 的链接 {citation.url!r} 没有指向这些行")
    if not 0 <= citation.score <= 1:
        problems.append(f"{name} 的分数 {citation.score!r} 不在 0–1 之间")
    return problems


def consistency_problems(reply: Reply) -> list[str]:
    """Where the parts of a reply contradict each other."""
    problems: list[str] = []
    numbers = [citation.number for citation in reply.citations]
    used = {number for said in reply.sentences for number in said.citations}
    if numbers != list(range(1, len(numbers) + 1)):
        problems.append(f"引文编号是 {numbers}，应从 1 起连续")
    if used != set(numbers):
        problems.append(f"句子用到的编号 {sorted(used)} 与引文编号 {numbers} 不同")
    if any(not said.citations for said in reply.sentences):
        problems.append("有句子没有引文")
    if not 0 <= reply.confidence <= 1:
        problems.append(f"confidence 是 {reply.confidence!r}，不在 0–1 之间")
    if reply.status == "answered":
        spoken = _bare(reply.answer)
        if not reply.sentences or spoken != _bare("".join(said.text for said in reply.sentences)):
            problems.append("answer 去掉角标后不等于各句相连")
        if reply.reason is not None or reply.related:
            problems.append("作答时不应有 reason 或 related")
    elif reply.sentences or reply.citations or reply.reason not in _REASONS:
        problems.append(f"弃答时不应有句子和引文，reason 应为 {sorted(_REASONS)} 之一，是 {reply.reason!r}")
    return problems


def _bare(text: str) -> str:
    return squeeze(_MARKS.sub("", text))


def _hit_problems(hit: Hit, corpus: CorpusView) -> list[str]:
    source = corpus.texts.get(corpus.source_of.get(hit.document_id, ""))
    if source is None:
        return [f"段块 {hit.chunk_id!r} 的来源不在语料里"]
    held = squeeze(source.text[hit.start_char : hit.end_char])
    lines = source.line_of(hit.start_char), source.line_of(hit.end_char - 1)
    if not held or held != squeeze(hit.text) or lines != (hit.start_line, hit.end_line):
        return [f"段块 {hit.chunk_id!r} 的文字或行号与原文 {hit.start_char}–{hit.end_char} 不符"]
    return []


def _compare_scores(reply: Reply, hits: Sequence[Hit], top_k: int, found: Findings) -> None:
    """The same passage must have the same score in the answer's citations, in `related` and in search."""
    scores = {hit.chunk_id: hit.score for hit in hits}
    for near in reply.related:
        other = scores.get(near.chunk_id)
        problem = [] if other == near.score else [f"{near.chunk_id}：ask 给 {near.score}，search 给 {other}"]
        found.note("search_and_ask_agree", problem)
    for citation in reply.citations:
        home = next((hit for hit in hits if _starts_in(citation, hit)), None)
        if home is None and (citation.paragraph == 0 or len(hits) >= top_k):
            continue  # a byline need not be a passage; and what search was not asked for cannot be compared
        other = home.score if home else None
        problem = [f"引文 [{citation.number}]：ask 给 {citation.score}，search 给 {other}"]
        found.note("search_and_ask_agree", [] if other == citation.score else problem)


def _starts_in(citation: Cited, hit: Hit) -> bool:
    return citation.document_id == hit.document_id and hit.start_char <= citation.start_char < hit.end_char
