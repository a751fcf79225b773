"""What the doctor finds, as frozen records, and the notes it takes meanwhile. No network, no terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from api.doctor.context import Context

Level = Literal["ok", "lost", "skipped"]

# What a deployment sends is printed on a terminal; its control characters must not reach one.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_SHOWN_CHARS = 240


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: Which, for programs; stable.
        level: "lost" if a person or program behind this client goes without something; "skipped" if it
            could not be told.
        what: What was looked at, in Chinese.
        detail: What was seen.
        advice: Where it is lost: the likely cause and the next step.
    """

    check: str
    level: Level
    what: str
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class SurfaceReport:
    """One client against one surface.

    Attributes:
        name: For programs; stable.
        title: For people.
        client: Who reads this surface, and what of it.
        shown: What that client shows a person, line by line.
        findings: What was looked at.
    """

    name: str
    title: str
    client: str
    shown: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is lost."""
        return all(finding.level != "lost" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole examination.

    Attributes:
        url: The deployment.
        question: What was asked.
        status: "answered" or "abstained", as the native interface has it; None if it gave no answer.
        fingerprint: Of corpus, index, model and settings, where known.
        surfaces: In the order they were looked at.
    """

    url: str
    question: str
    status: str | None
    fingerprint: str | None
    surfaces: tuple[SurfaceReport, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is lost anywhere."""
        return all(surface.ok for surface in self.surfaces)


class LostError(Exception):
    """What a client needs did not come, so that there is nothing more to look at on this surface.

    Args:
        check: As in `Finding`.
        what: As in `Finding`.
        detail: As in `Finding`.
        advice: As in `Finding`.
    """

    def __init__(self, check: str, what: str, detail: str = "", advice: str = "") -> None:
        super().__init__(f"{what}：{detail}")
        self.finding = Finding(check, "lost", clean(what), clean(detail), advice)


@dataclass(slots=True)
class Notes:
    """What is written down about one surface while it is looked at."""

    shown: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def show(self, *lines: str) -> None:
        """Add lines that the client shows."""
        for line in lines:
            self.shown += [shortened(part) for part in line.split("\n") if part.strip()]

    def ok(self, check: str, what: str, detail: str = "") -> None:
        """Note that something is as it should be."""
        self.findings.append(Finding(check, "ok", what, clean(detail)))

    def lost(self, check: str, what: str, detail: str = "", advice: str = "") -> None:
        """Note that something is lost."""
        self.findings.append(Finding(check, "lost", what, clean(detail), advice))

    def skip(self, check: str, what: str, detail: str = "") -> None:
        """Note that something could not be told."""
        self.findings.append(Finding(check, "skipped", what, clean(detail)))

    def judge(self, check: str, what: str, fault: str, advice: str = "", *, seen: str = "") -> None:
        """Note a loss if there is a fault, else that all is well.

        Args:
            check: As in `Finding`.
            what: As in `Finding`.
            fault: What is wrong; "" for nothing.
            advice: As in `Finding`.
            seen: What to say where nothing is wrong.
        """
        if fault:
            self.lost(check, what, fault, advice)
        else:
            self.ok(check, what, seen)


@dataclass(frozen=True, slots=True)
class Surface:
    """A surface that can be looked at.

    Attributes:
        name, title, client: As in `SurfaceReport`.
        examine: Looks at it and takes notes; may raise `LostError`.
    """

    name: str
    title: str
    client: str
    examine: Callable[[Context, Notes], None]

    def report(self, context: Context) -> SurfaceReport:
        """Look at it."""
        notes = Notes()
        try:
            self.examine(context, notes)
        except LostError as error:
            notes.findings.append(error.finding)
        except RecursionError:
            notes.lost("shape", "答复", "嵌套得太深，没有客户端读得懂", "请看服务和代理的日志。")
        return SurfaceReport(self.name, self.title, self.client, tuple(notes.shown), tuple(notes.findings))


def clean(text: str) -> str:
    """Text on one line without anything that a terminal would act on."""
    return _CONTROL.sub(" ", text).strip()


def shortened(text: str, most: int = _SHOWN_CHARS) -> str:
    """The same, cut if it is long."""
    text = clean(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
