"""What users say of a source, and filters over it."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.calendar_dates import first_day, is_date, last_day
from rag.errors import InputError
from rag.labels import without_turning
from rag.metadata import Filters, check_filters, check_metadata
from rag.reading.decoding import source_from_text
from rag.reading.documents import read_documents
from rag.records import Document, Metadata
from rag.text.folding import fold

PAGE = "山中制茶\n■李白云 杜甫\n茶起源于山中，人们采摘它。\n"


def document(metadata: Metadata | None = None, *, name: str = "茶.txt", text: str = PAGE) -> Document:
    (made,) = read_documents(replace(source_from_text(name, text), metadata=metadata or Metadata()))
    return made


def test_what_is_given_is_kept_but_for_space_at_its_ends() -> None:
    made = check_metadata(
        title=" 制茶记 ",
        authors=["陆青山", " 周海生"],
        date="2024-02-29",
        source_url="https://例子.cn:8443/a?b=c#d",
        tags=["ＡＩ", "茶"],
    )
    assert made == Metadata(
        "制茶记", ("陆青山", "周海生"), "2024-02-29", "https://例子.cn:8443/a?b=c#d", ("ＡＩ", "茶")
    )
    assert check_metadata() == Metadata()


def test_no_mark_turns_the_direction_of_what_is_shown() -> None:
    turned = "\u202e茶\u2066.txt\u200f"
    made = check_metadata(title=turned, authors=[turned], tags=[turned])
    assert made == Metadata("茶.txt", ("茶.txt",), tags=("茶.txt",))
    assert check_filters(titles=[turned], tags=[turned]).matches(document(made))
    printed = document(text=PAGE.replace("山中", "山中\u202e"))
    assert (printed.title, printed.label) == ("山中制茶", "山中制茶")
    assert printed.printed_title == "山中\u202e制茶"
    (untitled,) = read_documents(source_from_text("茶.txt", "茶起源于\u202e山中，人们采摘它，也喝它。\n"))
    assert untitled.label == "茶起源于山中，人们采摘它，也喝它。"


@pytest.mark.parametrize("held", ["caf\u00e9.txt", "cafe\u0301.txt"])
@pytest.mark.parametrize("wanted", ["caf\u00e9.txt", "cafe\u0301.txt"])
def test_a_name_is_one_name_in_composed_and_in_decomposed_characters(held: str, wanted: str) -> None:
    assert check_filters(names=[wanted]).matches(document(name=held))


def test_names_that_are_alike_when_folded_are_one() -> None:
    assert check_metadata(tags=["ＡＩ", "ai", "製茶", "制茶"]).tags == ("ＡＩ", "製茶")
    assert check_metadata(authors=["陸青山", "陆青山"]).authors == ("陸青山",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": "茶" * 301}, "301"),
        ({"title": " \u3000"}, "空的"),
        ({"title": "\u200b"}, "空的"),
        ({"title": "一行\n两行"}, "换行"),
        ({"title": "一行\u2028两行"}, "换行"),
        ({"title": "\ud800茶"}, "代理"),
        ({"title": "茶\x07茶"}, "控制字符"),
        ({"title": 7}, "int"),
        ({"authors": "陆青山"}, "列表"),
        ({"authors": None}, "列表"),
        ({"authors": ["陆"] * 51}, "51"),
        ({"authors": ["陆" * 101]}, "101"),
        ({"authors": ["陆青山", 3]}, "int"),
        ({"tags": ["茶" * 65]}, "65"),
        ({"tags": [f"茶{n}" for n in range(51)]}, "51"),
        ({"date": "2023-02-29"}, "日历"),
        ({"date": "0000"}, "日历"),
        ({"date": "2024-13"}, "日历"),
        ({"date": "24-01-01"}, "日历"),
        ({"date": "２０２４"}, "日历"),
        ({"date": "2024-01-01T00:00"}, "日历"),
        ({"source_url": "ftp://a.example/"}, "http"),
        ({"source_url": "javascript:alert(1)"}, "http"),
        ({"source_url": "//a.example/"}, "http"),
        ({"source_url": "http:///a"}, "主机名"),
        ({"source_url": "http://a b.example/"}, "空白"),
        ({"source_url": "http://a.example\\@b.example/"}, "反斜杠"),
        ({"source_url": "http://a.example:99999/"}, "合法"),
        ({"source_url": "http://[a.example/"}, "合法"),
        ({"source_url": "http://a.example/\u202e"}, "不可见"),
        ({"source_url": "http://a.example/" + "a" * 2000}, "2017"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_metadata(**fields)
    assert caught.value.code == "invalid_metadata"
    assert said in caught.value.message
    assert next(iter(fields)) in caught.value.message


def test_a_password_is_not_said_back() -> None:
    for url in ("http://user:geheim@a.example/", "http://geheim@a.example/"):
        with pytest.raises(InputError, match="密码") as caught:
            check_metadata(source_url=url)
        assert "geheim" not in caught.value.message


@given(st.text(max_size=60))
def test_any_text_is_kept_or_refused(text: str) -> None:
    made = Metadata()
    try:
        made = check_metadata(title=text, tags=[text, text])
    except InputError as error:
        error.message.encode()
    if made.title is None:
        return
    assert made.title == without_turning(text.strip()).strip()
    assert made.tags == (made.title,)
    assert made.title.isprintable() or fold(made.title)
    made.title.encode()


def test_the_only_document_of_a_source_is_shown_as_its_uploader_says() -> None:
    plain, given_all = document(), document(Metadata("新题", ("陆青山",)))
    assert (plain.title, plain.label, plain.authors) == ("山中制茶", "山中制茶", ("李白云", "杜甫"))
    assert (plain.printed_title, plain.printed_authors) == (plain.title, plain.authors)
    assert (given_all.title, given_all.label, given_all.authors) == ("新题", "新题", ("陆青山",))
    assert (given_all.printed_title, given_all.printed_authors) == (plain.title, plain.authors)
    assert given_all.typed_blocks == plain.typed_blocks
    assert document(Metadata(authors=("陆青山",))).title == "山中制茶"
    bare = document(Metadata(authors=("陆青山",)), text="茶起源于山中，人们采摘它。\n")
    assert (bare.title, bare.label) == (None, "陆青山：茶起源于山中，人们采摘它。")


def test_of_several_documents_only_what_the_page_does_not_print_is_filled_in() -> None:
    text = PAGE + "■李白云\n船坞里修着旧船，匠人很忙。\n"
    source = replace(source_from_text("x", text), metadata=Metadata("总题", ("陆青山",)))
    first, second = read_documents(source)
    assert (first.title, first.authors) == ("山中制茶", ("李白云", "杜甫"))
    assert (second.title, second.authors) == (None, ("李白云",))


TAGGED = document(
    Metadata(date="2024-05", source_url="https://a.example/essays/1", tags=("ＡＩ", "製茶")), name="a/茶.txt"
)


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, True),
        ({"document_ids": [TAGGED.document_id]}, True),
        ({"document_ids": ["no", TAGGED.source.source_id]}, True),
        ({"document_ids": ["no"]}, False),
        ({"titles": ["山中製茶"]}, True),
        ({"titles": ["山中"]}, False),
        ({"authors": ["杜甫 "]}, True),
        ({"authors": ["杜"]}, False),
        ({"tags": ["ai"]}, True),
        ({"tags": ["船", "制茶"]}, True),
        ({"tags": ["船"]}, False),
        ({"tags": ["ai"], "authors": ["没有"]}, False),
        ({"names": ["a/茶.txt"]}, True),
        ({"names": ["茶.txt"]}, False),
        ({"source_url": "https://a.example/"}, True),
        ({"source_url": "http://a.example/"}, False),
        ({"date_from": "2024"}, True),
        ({"date_to": "2024"}, True),
        ({"date_from": "2024-05-31", "date_to": "2024-05-31"}, True),
        ({"date_from": "2024-06"}, False),
        ({"date_to": "2024-04-30"}, False),
        ({"date_to": "2023"}, False),
    ],
)
def test_filters(fields: dict[str, Any], matches: bool) -> None:
    filters = check_filters(**fields)
    assert filters.matches(TAGGED) is matches
    assert filters.is_empty is (not fields)


def test_what_is_not_said_of_a_source_does_not_match() -> None:
    assert not check_filters(date_from="0001").matches(document())
    assert not check_filters(source_url="h").matches(document())
    assert not check_filters(tags=["茶"]).matches(document())
    untitled = document(text="茶起源于山中，人们采摘它。\n")
    assert check_filters(titles=[untitled.label]).matches(untitled)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tags": [str(n) for n in range(101)]}, "101"),
        ({"tags": [" "]}, "tags"),
        ({"authors": "杜甫"}, "列表"),
        ({"date_from": "2024-02-30"}, "date_from"),
        ({"date_from": "2024-02", "date_to": "2024-01-31"}, "晚于"),
        ({"source_url": ""}, "source_url"),
        ({"names": ["a\x00"]}, "names"),
    ],
)
def test_filters_that_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        check_filters(**fields)
    assert caught.value.code == "invalid_filters"


def told(**fields: Any) -> str:
    with pytest.raises(InputError) as caught:
        check_filters(**fields)
    return caught.value.message


def test_a_refusal_names_the_entry_and_the_field_as_it_was_sent() -> None:
    assert told(tags=["村志", ""]) == "筛选条件里的 tags 第 2 项是空的。不需要它时请去掉这一项。"
    assert told(tags=[""], called={"tags": "tag"}) == "筛选条件里的 tag 是空的。不需要它时请去掉这一项。"
    early = {"date_from": "2024", "date_to": "2023"}
    assert told(**early) == "筛选条件里的 date_from “2024” 晚于 date_to “2023”。请对调或改正。"
    called = {"date_from": "--date-from", "date_to": "--date-to"}
    assert "--date-from “2024” 晚于 --date-to “2023”" in told(**early, called=called)
    assert "的 --date-to “x” 看不懂" in told(date_to="x", called=called)
    with pytest.raises(InputError, match="authors 第 3 项有 101 个字符"):
        check_metadata(authors=["甲", "乙", "丙" * 101])


def as_text(day: datetime.date, precision: int) -> str:
    return day.isoformat()[: (4, 7, 10)[precision]]


def days_of(text: str) -> tuple[datetime.date, datetime.date]:
    """First and last day by the calendar: the second opinion."""
    parts = [int(part) for part in text.split("-")]
    first = datetime.date(*[*parts, 1, 1][:3])
    if len(parts) == 3:
        return first, first
    month = parts[1] if len(parts) == 2 else 12
    following = first.replace(month=month, day=28) + datetime.timedelta(days=4)
    return first, following - datetime.timedelta(days=following.day)


DAYS = st.builds(as_text, st.dates(datetime.date(1990, 1, 1), datetime.date(1992, 12, 31)), st.integers(0, 2))


@given(DAYS, DAYS, DAYS)
def test_time_agrees_with_the_calendar(date: str, begin: str, end: str) -> None:
    assert is_date(date)
    first, last = days_of(date)
    assert first_day(date) == first.isoformat()
    assert last_day(date) >= last.isoformat()
    made = document(Metadata(date=date))
    assert Filters(date_from=begin).matches(made) is (last >= days_of(begin)[0])
    assert Filters(date_to=end).matches(made) is (first <= days_of(end)[1])
    both = Filters(date_from=begin, date_to=end).matches(made)
    assert both is (last >= days_of(begin)[0] and first <= days_of(end)[1])
