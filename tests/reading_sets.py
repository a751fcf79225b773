"""A small invented reading set, as `evals.fit` reads it: bays with a lighthouse, two passages each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from evals.fit.reader.pairs import Split, split_of

ANSWERS = {"keeper": "甲乙丙丁戊己庚辛壬癸", "oil": "子丑寅卯辰巳午未申酉戌亥"}


def titles_of(split: Split, count: int) -> list[str]:
    """Titles that fall to one side, the first of "东1湾", "东2湾" and so on."""
    every = (f"东{number}湾" for number in range(1, 10_000))
    chosen = [title for _, title in zip(range(40 * count), every, strict=False) if split_of(title) == split]
    return chosen[:count]


def rows_of_title(title: str, number: int) -> list[dict[str, Any]]:
    """Two passages about one bay and four questions about them; every answer is in one passage only."""
    keeper = f"{ANSWERS['keeper'][number % 10]}{ANSWERS['oil'][number % 12]}先生"
    year = 1700 + number
    lamp = (
        f"{title}的灯塔由{keeper}看守。守灯人每晚点灯两次，雨夜要点三次。"
        f"灯塔建立于{year}年，用的是山上的石头。"
    )
    ship = (
        f"修船的老工匠住在{title}的码头边上。他每年备足{number + 300}桶桐油。"
        f"增加桐油可以减少开裂的木头{number + 40}块船板。"
    )
    questions = [
        (f"{title}的灯塔由谁看守？", lamp, keeper),
        (f"{title}的灯塔建立于哪一年？", lamp, f"{year}年"),
        (f"{title}的工匠每年备足多少桶桐油？", ship, f"{number + 300}桶"),
        (f"{title}的桐油增加可以减少什么？", ship, f"{number + 40}块船板"),
    ]
    return [
        {
            "source": "cmrc-invented",
            "title": title,
            "passage_id": f"{title}-{passage == ship:d}",
            "passage": passage,
            "question": question,
            "question_en": f"What does {title} say, number {place}?" if place == 0 else None,
            "answers": [answer],
        }
        for place, (question, passage, answer) in enumerate(questions)
    ]


def write_reading_set(path: Path, *, each: int = 8) -> list[dict[str, Any]]:
    """Write `each` articles of every side of the split; returns the rows."""
    titles = [title for split in ("train", "calibration", "test") for title in titles_of(split, each)]
    rows = [row for number, title in enumerate(titles) for row in rows_of_title(title, number)]
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return rows
