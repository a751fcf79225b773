"""Generators of third parties, found through the entry-point group `cewen.generators`.

An entry point names a callable without arguments that gives an `AnswerGenerator`; the entry's name is the
name by which the generator is chosen. A plug-in is loaded when the service starts; one that cannot be loaded
is left out and logged, unless it is the default, in which case the service does not start.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from rag.answering.generator import AnswerGenerator
from rag.errors import ConfigError

GROUP = "cewen.generators"

_log = logging.getLogger(__name__)


def load_plugins(
    reserved: Collection[str], *, needed: str, found: Collection[EntryPoint] | None = None
) -> dict[str, AnswerGenerator]:
    """All plug-in generators that can be loaded, by name.

    Args:
        reserved: Names that no plug-in may take.
        needed: The default generator's name; if a plug-in has it, it must load.
        found: Entry points to use instead of those that are installed.

    Raises:
        ConfigError: If the default generator is a plug-in and cannot be loaded.
    """
    points = entry_points(group=GROUP) if found is None else found
    generators: dict[str, AnswerGenerator] = {}
    for point in sorted(points, key=lambda point: point.name):
        if point.name in reserved:
            _log.warning("generator plug-in %r is left out: the name is taken", point.name)
            continue
        try:
            generators[point.name] = _loaded(point)
        except Exception as error:  # a third party's code may raise anything when it is imported
            if point.name == needed:
                raise ConfigError(
                    f"CEWEN_GENERATOR={needed!r} 的插件 {point.value!r} 无法加载：{error}。请检查它的安装。"
                ) from error
            _log.warning("generator plug-in %r is left out: %s", point.name, type(error).__name__)
    return generators


def _loaded(point: EntryPoint) -> AnswerGenerator:
    generator = point.load()()
    if not callable(getattr(generator, "generate", None)) or not isinstance(
        getattr(generator, "name", None), str
    ):
        raise TypeError(f"{point.value} gives {type(generator).__name__}, which has no name and generate()")
    made: AnswerGenerator = generator
    return made
