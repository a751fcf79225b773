"""Answers, passages, documents and settings for people on a terminal. For programs there is `--json`.

Nothing is decided here: what is shown is what the records say. Texts are printed as they are; no markup
is read in them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from api.cli.parts import IndexSummary
from cewen import Answer, Citation, Document, Passage, SearchResult
from rag.settings import Settings, hide

_INDENT = 4
_MARK = r"\[[0-9]+\]"
_REASONS = {
    "off_topic": "与文库无关",
    "not_stated": "文中没有说",
    "false_premise": "前提与原文不符",
    "too_vague": "问题太笼统",
}
_MATCHES = {
    "exact": "逐字相同",
    "normalised": "只差书写形式",
    "supported": "转述",
}


def show_answer(console: Console, answer: Answer) -> None:
    """The answer with its citations, or the abstention with what comes nearest."""
    if answer.status == "answered":
        text = Text(answer.answer)
        text.highlight_regex(_MARK, "bold cyan")
        console.print(text)
        console.print()
        for citation in answer.citations:
            _show_citation(console, citation)
    else:
        why = _REASONS.get(answer.reason or "", "没有说明原因")
        opening = Text(f"不作答：{why}（{answer.reason}）", style="bold yellow")
        console.print(opening)
        console.print(Text(answer.answer))
        console.print()
        if answer.related:
            console.print(Text("最接近的段落（不是答案）", style="bold"))
        for passage in answer.related:
            _show_passage(console, passage)
    if answer.degraded is not None:
        console.print(Text(f"{answer.degraded.message}（{answer.degraded.code}）", style="yellow"))
    total = answer.timings_ms.get("total", 0.0)
    facts = f"可信度 {answer.confidence:.2f} · 生成器 {answer.generator} · {total:.0f} 毫秒"
    console.print(Text(f"{facts} · 指纹 {answer.fingerprint}", style="dim"))
    if answer.explain is not None:
        console.print(Text(json.dumps(answer.explain, ensure_ascii=False, indent=2), style="dim"))


def show_hits(console: Console, result: SearchResult) -> None:
    """Search results, best first."""
    if not result.hits:
        console.print(Text("没有合适的段落。", style="bold yellow"))
    for passage in result.hits:
        _show_passage(console, passage)
    console.print(Text(f"{len(result.hits)} 段 · 指纹 {result.fingerprint}", style="dim"))


def show_documents(console: Console, documents: Sequence[Document], *, total: int) -> None:
    """One block a document, of `total` that there are."""
    for document in documents:
        console.print(_head("", document.label, document.authors))
        tags = " ".join(f"#{tag}" for tag in document.tags)
        known = [document.affiliation, document.date, tags, document.source_url, f"编号 {document.id}"]
        _indented(console, " · ".join(part for part in known if part), "dim")
    shown = "" if len(documents) == total else f"，列出 {len(documents)} 篇"
    console.print(Text(f"共 {total} 篇{shown}", style="dim"))


def show_index(console: Console, summary: IndexSummary) -> None:
    """What was built or verified."""
    done = "已建好" if summary.built else "与语料和设置相符"
    rows = f"{summary.documents} 篇，{summary.chunks} 个段块，{summary.sentences} 个句子"
    console.print(Text(f"索引{done}：{rows}", style="bold green"))
    console.print(Text(f"指纹 {summary.fingerprint} · {summary.index_dir}", style="dim"))


def show_settings(console: Console, settings: Settings) -> None:
    """A table of variables, values and meanings; what differs from its default is marked."""
    table = Table(box=None, pad_edge=False)
    for heading in ("变量", "值", "", "含义"):
        table.add_column(heading, overflow="fold")
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        mark = "" if _plain(value) == _plain(field.default) else "已改"
        variable = Text(f"CEWEN_{name.upper()}", style="cyan")
        meaning = Text(field.description or "", style="dim")
        table.add_row(variable, Text(_plain(value)), Text(mark, style="yellow"), meaning)
    console.print(table)


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        return hide(value)
    return str(value.expanduser() if hasattr(value, "expanduser") else value)


def _show_citation(console: Console, citation: Citation) -> None:
    console.print(_head(f"[{citation.number}] ", citation.title, citation.authors))
    place = _place(citation.paragraph, citation.start_line, citation.end_line)
    _indented(
        console,
        f"{place} · {_MATCHES.get(citation.match, citation.match)} · 相关度 {citation.score:.2f}",
        "dim",
    )
    _indented(console, citation.quote, "green")
    if citation.url.startswith("http"):
        _indented(console, citation.url, "dim")
    console.print()


def _show_passage(console: Console, passage: Passage) -> None:
    console.print(_head(f"{passage.rank}. ", passage.title, passage.authors))
    place = _place(passage.paragraph, passage.start_line, passage.end_line)
    _indented(console, f"{place} · 相关度 {passage.score:.2f}", "dim")
    _indented(console, passage.text)
    console.print()


def _head(number: str, label: str, authors: Sequence[str]) -> Text:
    """Number, label and, where the label does not name them already, authors."""
    head = Text(number, style="bold cyan") + Text(label, style="bold")
    if authors and not all(author in label for author in authors):
        head.append(f" · {'、'.join(authors)}", style="not bold")
    return head


def _place(paragraph: int, start_line: int, end_line: int) -> str:
    lines = f"第 {start_line} 行" if start_line == end_line else f"第 {start_line}–{end_line} 行"
    return f"第 {paragraph} 段 · {lines}" if paragraph else f"标题、署名或附注 · {lines}"


def _indented(console: Console, text: str, style: str = "") -> None:
    if console.is_terminal:
        console.print(Padding(Text(text, style=style), (0, 0, 0, _INDENT)))
    else:
        console.print(Text(" " * _INDENT + text, style=style))
