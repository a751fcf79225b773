"""The gate's configuration: one TOML file that a person can read, checked before anything is asked.

A name that is no measure, a floor without a bound, a bound on a measure that has no interval: each is
refused with what was allowed, because a gate that misreads its limits is worse than none.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evals.aggregate import BODY, OVERALL
from evals.measures.catalogue import MEASURE_BY_NAME
from rag.errors import ConfigError

_NO_INTERVAL = ("answer_chars", "ece", "aurc")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _OnMeasure(_Part):
    name: str = Field(pattern=r"^[\w@.-]+$")
    group: str = OVERALL
    measure: str

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.measure not in MEASURE_BY_NAME:
            raise ValueError(f"没有指标 {self.measure!r}，可用的有：{'、'.join(MEASURE_BY_NAME)}")
        if self.group not in {OVERALL, BODY} and self.group.partition(":")[0] not in {
            "split",
            "type",
            "slice",
        }:
            raise ValueError(f"组名 {self.group!r} 应为 {OVERALL}、{BODY}、split:…、type:… 或 slice:…")
        return self


class Floor(_OnMeasure):
    """A limit that holds whatever the baseline says.

    Attributes:
        at_least: The low end of the interval must reach it.
        at_most: The high end must not pass it.
        on: "point" compares the value itself; the only choice for measures without an interval.
    """

    at_least: float | None = None
    at_most: float | None = None
    on: Literal["bound", "point"] = "bound"

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.name}：at_least 和 at_most 要且只要一个")
        if self.on == "bound" and self.measure in _NO_INTERVAL:
            raise ValueError(f'{self.name}：{self.measure} 没有置信区间，请写 on = "point"')
        return self


class Regression(_OnMeasure):
    """A paired exact test against the baseline.

    Attributes:
        alpha: Red if the measure got worse with a two-sided p-value of at most this.
    """

    alpha: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if not MEASURE_BY_NAME[self.measure].paired:
            raise ValueError(f"{self.name}：{self.measure} 不是逐题的指标，不能配对检验")
        return self


class GateConfig(_Part):
    """The whole file.

    Attributes:
        version: Of its format.
        baseline: File name beside it; None: nothing is compared (said openly, not by a missing file).
        frozen_questions: Split to SHA-256 that its file must have.
        required_measures: Must have a value over all questions.
        required_groups: Must have at least one question.
        alive: Arm to the raw values (`explain` of the best passage) that it must move: not one of them may be
            the same for all questions, as it is when an arm is dead.
        floor, regression: The limits.
        pinned: Ids of questions that must be right, always.
    """

    version: Literal[1]
    baseline: str | None = None
    frozen_questions: dict[str, str] = {}
    required_measures: list[str] = []
    required_groups: list[str] = []
    alive: dict[str, list[str]] = {}
    floor: list[Floor] = []
    regression: list[Regression] = []
    pinned: list[str] = []

    @model_validator(mode="after")
    def _sound(self) -> Self:
        unknown = [name for name in self.required_measures if name not in MEASURE_BY_NAME]
        if unknown:
            raise ValueError(f"没有指标 {unknown}，可用的有：{'、'.join(MEASURE_BY_NAME)}")
        for part in (self.floor, self.regression):
            names = [limit.name for limit in part]
            if len(set(names)) != len(names):
                raise ValueError(f"名称有重复：{names}")
        if self.regression and self.baseline is None:
            raise ValueError("有 regression 就要写 baseline")
        return self


def read_gate_config(path: Path) -> GateConfig:
    """Read and check a configuration.

    Raises:
        ConfigError: If it cannot be read or something in it is not allowed.
    """
    try:
        return GateConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"门禁配置 {path.name!r} 读不出来：{error}。") from error
    except ValidationError as error:
        faults = "；".join(
            ".".join(map(str, fault["loc"])) + "：" + fault["msg"].removeprefix("Value error, ")
            for fault in error.errors()
        )
        raise ConfigError(f"门禁配置 {path.name!r} 有误：{faults}。") from error
