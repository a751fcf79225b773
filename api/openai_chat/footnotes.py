"""The sources as Markdown after the answer, for clients that show nothing but text.

What is quoted is escaped, so that it shows as it stands in the source whatever signs it holds. When a client
sends the conversation back, the block is taken off again: to a follow-up it is noise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from api.pages.links import Linker
from rag.records import Citation

_RULE = "---"
_HEADING = "**引文出处**"
_SIGNS = re.compile(r"[\\`*_{}\[\]<>|~$&]")
_LINE_START = re.compile(r"(\d{0,9})([#+=.)-])")
"""What would make a heading, a list or a rule of a line."""
_ENTRY = re.compile(r"\[\d+\] ")


def footnotes(citations: Sequence[Citation], link: Linker) -> str:
    """The block for these citations, with its empty line before; "" if there are none."""
    if not citations:
        return ""
    entries = (_entry(citation, link) for citation in citations)
    return "\n\n" + "\n\n".join((_RULE, _HEADING, *entries))


def without_footnotes(text: str) -> str:
    """A message of ours without its block; any other is given back as it is."""
    answer, heading, block = text.rpartition(_HEADING)
    answer = answer.rstrip()
    if heading and answer.endswith(f"\n{_RULE}") and _ENTRY.match(block.lstrip()):
        return answer.removesuffix(_RULE).rstrip()
    return text


def printed_lines(citation: Citation) -> str:
    """The printed lines of a citation, as people say them."""
    first, last = citation.start_line, citation.end_line
    return f"第{first}行" if first == last else f"第{first}–{last}行"


def _entry(citation: Citation, link: Linker) -> str:
    address = link(citation.url).replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    authors = "".join(f" · {escaped(author)}" for author in citation.authors)
    shown = f"[{escaped(citation.title)}]({address}){authors} · {printed_lines(citation)}"
    return f"[{citation.number}] {shown}\n> {escaped(citation.quote)}"


def escaped(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    text = _SIGNS.sub(r"\\\g<0>", " ".join(text.split()))
    opening = _LINE_START.match(text)
    return f"{opening[1]}\\{opening[2]}{text[opening.end() :]}" if opening else text
