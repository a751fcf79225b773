"""One line of a question file as other tools see it: the model and the JSON schema made from it.

`questions.schema.json` is that schema written out; a test keeps the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict, JsonValue

QuestionType = Literal[
    "number",
    "name",
    "list",
    "definition",
    "how",
    "why",
    "comparison",
    "authorship",
    "followup",
    "unanswerable",
]
TYPES: tuple[QuestionType, ...] = get_args(QuestionType)

_Word = Annotated[str, StringConstraints(pattern=r"^[^\s,:/]+$", max_length=64)]
_Solid = Annotated[str, StringConstraints(pattern=r"^\S+$")]
_Filled = Annotated[str, StringConstraints(min_length=1)]


def _rule(kind: str, then: JsonDict, otherwise: JsonDict | None = None) -> JsonDict:
    rule: JsonDict = {"if": {"properties": {"type": {"const": kind}}}, "then": then}
    return rule if otherwise is None else {**rule, "else": otherwise}


def _items(names: Sequence[str], limit: str, count: int) -> JsonDict:
    return {"properties": {name: {limit: count} for name in names}}


# What `QuestionLine._consistent` checks, for tools that read the JSON schema instead.
_JUDGED = ("evidence", "key_facts")
_RULES: list[JsonValue] = [
    _rule("unanswerable", _items(_JUDGED, "maxItems", 0), _items(_JUDGED, "minItems", 1)),
    _rule(
        "followup",
        {**_items(["history"], "minItems", 1), "required": ["history"]},
        _items(["standalone"], "maxLength", 0),
    ),
]


class HistoryTurn(BaseModel):
    """One message of the conversation before the question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant"]
    content: _Filled


class QuestionLine(BaseModel):
    """One line of a question file."""

    model_config = ConfigDict(
        extra="forbid", strict=True, title="Cewen evaluation question", json_schema_extra={"allOf": _RULES}
    )

    id: _Word = Field(description="Unique name without spaces, commas, colons or slashes")
    question: _Filled = Field(description="What is asked, as a person would type it", max_length=2000)
    type: QuestionType = Field(description="What is asked for; `unanswerable` if the corpus does not say")
    slices: list[_Word] = Field(
        default=[],
        description="Tags, each once; results are also reported for each",
        json_schema_extra={"uniqueItems": True},
    )
    history: list[HistoryTurn] = Field(default=[], max_length=20, description="The conversation before it")
    evidence: list[Annotated[list[_Solid], Field(min_length=1)]] = Field(
        description="Needed spans, each a list of alternatives: source text with all white space removed"
    )
    key_facts: list[Annotated[list[_Filled], Field(min_length=1)]] = Field(
        description="Facts the answer must name, each a list of accepted spellings"
    )
    reference: str = Field(default="", description="An answer a person would accept")
    standalone: str = Field(
        default="", max_length=2000, description="A follow-up as one would ask it without the conversation"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.type == "unanswerable" and (self.evidence or self.key_facts):
            raise ValueError("unanswerable 的题不能有 evidence 或 key_facts")
        if self.type != "unanswerable" and not (self.evidence and self.key_facts):
            raise ValueError("可回答的题要有 evidence 和 key_facts，各至少一项")
        if self.type == "followup" and not self.history:
            raise ValueError("followup 的题要有 history")
        if self.type != "followup" and self.standalone:
            raise ValueError("只有 followup 的题可以有 standalone")
        if len(set(self.slices)) != len(self.slices):
            raise ValueError("slices 里有重复")
        return self


def schema_json() -> str:
    """The JSON schema of a line: the content of `questions.schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **QuestionLine.model_json_schema()}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
