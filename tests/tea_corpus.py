"""A small invented corpus, as files and as an engine over the counting encoder."""

from __future__ import annotations

from pathlib import Path

from api.assembly import open_engine
from rag.engine import Engine
from rag.reading.decoding import source_from_text
from rag.records import Source
from rag.settings import Settings
from tests.counting_encoder import CountingEncoder

TEA = """制茶三法

■陆青山

山上的茶园去年种下茶树1200株，采茶工人有36名。制茶要经过三道工序。一是晒青。茶叶摊在竹席上晒半个时辰。二是炒青。铁锅要烧到发白才能下茶。三是揉捻。揉得越细茶汤越浓。

茶汤之所以发苦，是因为水太烫。所谓回甘，是指茶咽下以后口中生出的甜味。

（作者单位：云岭茶叶学校）
"""
SHIPS = """■周海生 冯远帆

船靠风行，风来自海上的温差。老船工看星认路，也看水色。修船用的桐油每年要备足八桶。

灯塔为夜里的船指路。守灯人每晚点灯两次，雨夜要点三次。

（作者系东港海事学院教授）
"""


def tea_sources() -> tuple[Source, ...]:
    return (source_from_text("tea.txt", TEA), source_from_text("ships.txt", SHIPS))


def tea_settings(folder: Path, **changes: object) -> Settings:
    # The reader belongs to the bundled encoder, which these tests do without.
    return Settings(index_dir=folder / "built", reader="off", _env_file=None, **changes)  # type: ignore[arg-type,call-arg]


def tea_engine(folder: Path, **changes: object) -> Engine:
    return open_engine(tea_settings(folder, **changes), encoder=CountingEncoder(), sources=tea_sources())
