"""Years: which a question names, and which a text speaks of without writing them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.folding import fold
from rag.text.years import prints_year, speaks_of_year, years_asked


@pytest.mark.parametrize(
    ("question", "years"),
    [
        ("2021年每株补助多少？", ("2021",)),
        ("２０２１ 年每株补助多少？", ("2021",)),
        ("二〇二一年每株补助多少？", ("2021",)),
        ("二零二一年每株补助多少？", ("2021",)),
        ("一九九八年和2003年的水位各是多少？", ("1998", "2003")),
        ("2021年度的预算是多少？", ("2021",)),
        ("2023年后补助改成多少？", ("2023",)),
        ("到2030年要建多少里？", ("2030",)),
        ("2021年与2021年底", ("2021",)),
        # No year: a number of years, a decade, an amount, two digits, a number of another size.
        ("这座桥有1500年历史吗？", ()),
        ("一千年前这里是什么？", ()),
        ("两千年后这里是什么？", ()),
        ("距今1200年的窑", ()),
        ("近1300年的窑", ()),
        ("1950年代种什么？", ()),
        ("2021株树补助多少？", ()),
        ("21年补助多少？", ()),
        ("0.2021年", ()),
        ("12021年", ()),
        ("3021年", ()),
    ],
)
def test_the_years_that_a_question_names(question: str, years: tuple[str, ...]) -> None:
    assert years_asked(fold(question)) == years


@pytest.mark.parametrize(
    ("text", "held", "not_held"),
    [
        ("2021年5月", "2021", "2020"),
        ("二〇二一年五月", "2021", "2022"),
        ("2019—2023年", "2019 2020 2021 2023", "2018 2024"),
        ("2019至2023年", "2021", "2018 2024"),
        ("2019年3月到2023年5月", "2021", "2018 2024"),
        ("二〇一九年至二〇二三年", "2021", "2018 2024"),
        ("2019~2023", "2021", "2018"),
        ("1998-99年", "1998 1999", "2000 1997"),
        ("上世纪五十年代", "1950 1954 1959", "1949 1960 1854 2054"),
        ("20世纪80年代", "1980 1985", "1979 1990 1885 2085"),
        ("1980年代", "1980 1985", "1990 1885"),
        ("八十年代初", "1985 1885", "1979 1990"),
        ("五六十年代", "1950 1969", "1949 1970"),
        ("上世纪50至60年代", "1950 1969", "1949 1970"),
        ("1950年代到1960年代", "1953 1967", "1949 1970"),
        ("五十年代、六十年代", "1955 1965", "1975"),
        ("本世纪初", "2000 2008", "2015 1905"),
        ("上世纪末", "1995", "1989 2095"),
        ("十九世纪末", "1895", "1995"),
        ("98年发大水", "1998", "1997"),
        ("九八年发大水", "1998", "1997"),
        ("21年3月", "2021", "2022"),
        ("民国二十一年", "1932", "1931 2021"),
        ("民国元年", "1912", "1911"),
        # Numbers of years.
        ("干了二十一年", "", "2021 1921"),
        ("干了21年", "", "2021"),
        ("一百九十八年", "", "1998"),
        ("98年级", "1998", "1997"),
        ("电话 20192023", "2019", "2021"),
    ],
)
def test_a_text_that_speaks_of_a_year(text: str, held: str, not_held: str) -> None:
    for open_too in (False, True):
        for year in held.split():
            assert speaks_of_year(fold(text), year, open_too=open_too), year
        for year in not_held.split():
            assert not speaks_of_year(fold(text), year, open_too=open_too), year


@pytest.mark.parametrize(
    ("text", "held", "not_held"),
    [
        ("2019年起每株补十元", "2019 2021 2024", "2018"),
        ("2019年3月以来", "2021", "2018"),
        ("2019年以后", "2021", "2018"),
        ("2019年至今", "2021", "2018"),
        ("2019年以前", "2018 1999", "2020"),
        ("2019年前", "2018", "2020"),
        ("2019年底之前", "2018", "2020"),
    ],
)
def test_spans_without_an_end_count_where_they_may(text: str, held: str, not_held: str) -> None:
    for year in held.split():
        assert speaks_of_year(fold(text), year, open_too=True), year
        assert speaks_of_year(fold(text), year, open_too=False) is (year == "2019"), year
    for year in not_held.split():
        assert not speaks_of_year(fold(text), year, open_too=True), year


def test_a_page_that_prints_a_year() -> None:
    for text in ("周刊　第6版　2025年3月", "２０２５．３", "二〇二五年", "二零二五年", "二○二五"):
        assert prints_year(text, "2025")
        assert not prints_year(text, "2026")
    assert not prints_year("电话 12025、20251", "2025")


@given(st.text("9٣๓²1920零〇一九十上本初末民国元世纪年代月起前-至 ", max_size=30), st.integers(1000, 2099))
@example("9٣年", 1993)
@example("٩٠年代", 1990)
def test_no_text_is_too_odd(text: str, year: int) -> None:
    for each in (text, fold(text)):
        years_asked(each)
        speaks_of_year(each, str(year), open_too=True)
        prints_year(each, str(year))
