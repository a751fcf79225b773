"""The names of models: how the sources are shown, and, after an "@", which collection is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.openai_chat.refusals import FieldError
from api.ports import Library
from rag.inputs import excerpt
from rag.records import DEFAULT_COLLECTION

PLAIN = "cewen"
WITH_FOOTNOTES = "cewen-footnotes"
MODELS = (PLAIN, WITH_FOOTNOTES)
"""Of the collection "default"; those of another have its name after an "@"."""

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Model:
    """What the name of a model says.

    Attributes:
        name: As it was sent, and as replies repeat it.
        with_footnotes: Whether the sources follow the answer as text.
        collection: Which is asked; whether there is one shows when it is.
    """

    name: str
    with_footnotes: bool
    collection: str


def read_model(name: str, library: Library | None, *, must_exist: bool = False) -> Model:
    """The model of a name.

    Args:
        name: As it was sent.
        library: Where there are collections; None if it is not open.
        must_exist: Whether to look for the collection.

    Raises:
        FieldError: With code `model_not_found`.
    """
    kind, at, collection = name.partition("@")
    if kind not in MODELS or (at and not collection):
        raise model_not_found(name, library)
    model = Model(name, kind == WITH_FOOTNOTES, collection or DEFAULT_COLLECTION)
    if must_exist and model.collection not in {DEFAULT_COLLECTION, *_collections(library)}:
        raise model_not_found(name, library)
    return model


def listed(library: Library | None) -> Iterator[Model]:
    """All models, those of "default" first; only these while the library is not open."""
    for name in MODELS:
        yield Model(name, name == WITH_FOOTNOTES, DEFAULT_COLLECTION)
    for collection in _collections(library):
        for name in MODELS:
            yield Model(f"{name}@{collection}", name == WITH_FOOTNOTES, collection)


def model_not_found(name: str, library: Library | None) -> FieldError:
    """The refusal of a name, with some that exist."""
    names = [model.name for model in listed(library)]
    more = f"等 {len(names)} 个，见 GET /v1/models" if len(names) > _NAMED else ""
    return FieldError(
        f"没有名为{excerpt(name)}的模型，可用的有：{'、'.join(names[:_NAMED])}{more}。请改用其中之一。",
        code="model_not_found",
        param="model",
    )


def _collections(library: Library | None) -> list[str]:
    infos = library.collections() if library is not None else ()
    return [info.name for info in infos if info.name != DEFAULT_COLLECTION]
