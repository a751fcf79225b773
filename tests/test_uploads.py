"""The parts of `api.uploads` without a server: names, forms, and bodies to drafts."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api.uploads.form import MAX_FIELDS, MAX_FIELDS_BYTES, Form, parse_form
from api.uploads.reading import Draft, convert_draft, read_draft
from rag.errors import InputError
from rag.labels import MAX_LABEL_CHARS, UNNAMED, label_of, place_label
from tests.uploading import BOUNDARY, ESSAY, FORM, field, file_part, form, part

TYPE = FORM["Content-Type"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("灯塔.txt", "灯塔.txt"),
        ("../../etc/passwd\0.txt", "passwd.txt"),
        ("C:\\文稿\\灯塔.docx", "灯塔.docx"),
        ("a/b\\c/", "c"),
        ("  灯塔 .txt ", "灯塔 .txt"),
        ("灯\r\n塔\u2028.txt", "灯塔.txt"),
        ("灯塔\u202etxt.exe", "灯塔txt.exe"),
        ("", UNNAMED),
        ("..", UNNAMED),
        ("/", UNNAMED),
        (".txt", ".txt"),
        ("字" * 300 + ".docx", "字" * 250 + ".docx"),
        ("字" * 300, "字" * 255),
        ("a." + "b" * 300, "a." + "b" * 253),
        ("\ud800.txt", ".txt"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
    ],
)
def test_names(name: str, label: str) -> None:
    assert label_of(name) == label


@given(st.text(st.characters() | st.sampled_from("/\\.\0 \u202e\ud800"), max_size=400))
def test_any_name_becomes_a_label_and_a_label_stays(name: str) -> None:
    label = label_of(name)
    assert 1 <= len(label) <= MAX_LABEL_CHARS
    assert label.strip() == label
    assert not set(label) & {"/", "\\"}
    assert label not in {".", ".."}
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in label)
    assert label_of(label) == label


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("灯塔.txt", "灯塔.txt"),
        ("甲/乙/灯塔.txt", "甲/乙/灯塔.txt"),
        ("/../甲/./灯塔.txt", "甲/灯塔.txt"),
        ("甲\x1b[31m/\u202e乙\n/e\u0301.txt", "甲[31m/乙/\u00e9.txt"),
        ("字" * 200 + "/甲/" + "字" * 100 + ".txt", "甲/" + "字" * 100 + ".txt"),
        ("甲/", f"甲/{UNNAMED}"),
        ("..", UNNAMED),
    ],
)
def test_places_in_a_folder(place: str, label: str) -> None:
    assert place_label(place) == label
    assert place_label(label) == label


@given(st.text(st.characters() | st.sampled_from("/\\.\0 \u202e\ud800"), max_size=400))
def test_any_place_is_relative_and_stays(place: str) -> None:
    label = place_label(place)
    assert 1 <= len(label) <= MAX_LABEL_CHARS
    parts = label.split("/")
    assert "" not in parts
    assert not {".", ".."} & set(parts)
    assert parts[-1] == label_of(parts[-1])
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in label)
    assert place_label(label) == label


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=30)
VALUES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=3)


@given(
    content=st.binary(max_size=300) | st.sampled_from([b"\r\n--" + BOUNDARY.encode()[:-1], b"\r\n-", b"\r"]),
    filename=NAMES,
    tags=VALUES,
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
def test_what_is_sent_arrives(content: bytes, filename: str, tags: list[str], title: str) -> None:
    parts = [*(field("tags", tag) for tag in tags), file_part(content, filename), field("title", title)]
    # A file name that looks like a path of Windows loses the path; see `parse_options_header`.
    found = parse_form(form(*parts), TYPE)
    assert found == Form(filename, content, ({"tags": tags} if tags else {}) | {"title": [title]})


@given(cut=st.integers(min_value=0))
def test_a_form_that_is_cut_off_is_refused(cut: int) -> None:
    body = form(file_part(ESSAY), field("title", "灯塔"))
    whole = len(body) - 2  # the last line end may be missing
    with pytest.raises(InputError) as caught:
        parse_form(body[: cut % whole], TYPE)
    assert caught.value.code in {"malformed_multipart", "invalid_request"}


def refusal_of(body: bytes) -> str:
    """The code that a form is refused with; "" if it is not."""
    try:
        parse_form(body, TYPE)
    except InputError as error:
        return error.code
    return ""


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(noise: bytes) -> None:
    for body in (noise, form(noise), form(file_part(noise), noise)):
        assert refusal_of(body) in {"", "malformed_multipart", "invalid_request"}


FILE = file_part(ESSAY)
REFUSED = {
    "nothing": (b"", "malformed_multipart"),
    "no parts": (form(), "invalid_request"),
    "no end": (form(FILE, end=b"\r\n"), "malformed_multipart"),
    "another boundary": (form(FILE).replace(BOUNDARY.encode(), b"other"), "malformed_multipart"),
    "a part without headers": (form(FILE, b"\r\nx\r\n"), "malformed_multipart"),
    "a part without a name": (form(FILE, part("x", name=None)), "malformed_multipart"),
    "an attachment": (
        form(b'Content-Disposition: attachment; name="file"; filename="a.txt"\r\n\r\nx\r\n'),
        "malformed_multipart",
    ),
    "two dispositions": (
        form(file_part("x", more='Content-Disposition: form-data; name="title"\r\n')),
        "malformed_multipart",
    ),
    "base64": (form(file_part("eA==", more="Content-Transfer-Encoding: base64\r\n")), "malformed_multipart"),
    "ten headers": (
        form(file_part("x", more="".join(f"X-{n}: y\r\n" for n in range(10)))),
        "malformed_multipart",
    ),
    "an endless header": (form(file_part("x", more=f"X: {'y' * 10_000}\r\n")), "malformed_multipart"),
    "a field in GBK": (form(FILE, field("title", "灯塔".encode("gbk"))), "malformed_multipart"),
    "a file name in GBK": (form(file_part(ESSAY, "灯塔.txt".encode("gbk"))), "malformed_multipart"),
    "a surrogate in UTF-8": (form(FILE, field("title", b"\xed\xa0\x80")), "malformed_multipart"),
    "no file": (form(field("title", "灯塔")), "invalid_request"),
    "a file that is a field": (form(field("file", ESSAY)), "invalid_request"),
    "two files": (form(FILE, FILE), "invalid_request"),
    "another file": (form(FILE, part("x", name="cover", filename="a.png")), "invalid_request"),
    "a title as a file": (form(FILE, part("x", name="title", filename="a.txt")), "invalid_request"),
    "an unknown field": (form(FILE, field("titel", "x")), "invalid_request"),
    "a title twice": (form(FILE, field("title", "x"), field("title", "x")), "invalid_request"),
    "many fields": (form(FILE, *[field("tags", "x")] * MAX_FIELDS), "invalid_request"),
    "long fields": (form(FILE, *[field("tags", "x" * 40_000)] * 2), "too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_odd_forms_are_refused(name: str) -> None:
    body, code = REFUSED[name]
    with pytest.raises(InputError) as caught:
        parse_form(body, TYPE)
    assert caught.value.code == code
    assert any("\u4e00" <= char <= "\u9fff" for char in caught.value.message)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary*=utf-8''x",
        f"multipart/form-data; boundary={'x' * 71}",
    ],
)
def test_a_boundary_is_needed(content_type: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_form(form(FILE), content_type)
    assert caught.value.code == "malformed_multipart"


def test_limits_are_reached_before_they_are_passed() -> None:
    body = form(FILE, *[field("tags", "x")] * (MAX_FIELDS - 1))
    assert len(parse_form(body, TYPE).fields["tags"]) == MAX_FIELDS - 1
    said = [field(name, f"{name}{number}") for name in ("authors", "tags") for number in range(50)]
    told = [field(name, name) for name in ("collection", "title", "date", "source_url", "origin")]
    found = parse_form(form(FILE, *said, *told), TYPE).fields  # all that may be said of a file at once
    assert sum(map(len, found.values())) == 105
    body = form(FILE, field("title", "x" * MAX_FIELDS_BYTES))
    assert len(parse_form(body, TYPE).fields["title"][0]) == MAX_FIELDS_BYTES


def draft_of(body: bytes, content_type: str) -> Draft:
    return read_draft([body[:3], body[3:]], Headers({"content-type": content_type}))


def test_both_kinds_of_body_say_the_same() -> None:
    metadata = {
        "title": "灯塔",
        "authors": ["周望潮", "林听雨"],
        "date": "1907-05",
        "source_url": "https://example.org/a",
        "tags": ["航标", "海"],
    }
    sent = {"text": ESSAY, "name": "x/灯塔.txt", "collection": "sea", "metadata": metadata, "origin": "网站"}
    first = draft_of(json.dumps(sent).encode(), "application/json")
    parts = [field(name, str(metadata[name])) for name in ("title", "date", "source_url")]
    parts += [field(name, text) for name in ("authors", "tags") for text in metadata[name]]
    parts += [field("collection", "sea"), field("origin", "网站")]
    second = draft_of(form(*parts, file_part(ESSAY, "x/灯塔.txt")), TYPE)
    assert (first.name, first.collection) == ("灯塔.txt", "sea")
    assert convert_draft(first).source.metadata == convert_draft(second).source.metadata
    one, other = convert_draft(first), convert_draft(second)
    assert (one.origin, one.source.text, one.source.name) == (
        other.origin,
        other.source.text,
        other.source.name,
    )
    assert one.source.sha256 == other.source.sha256


def test_empty_fields_of_a_form_were_not_filled_in() -> None:
    empty = [
        field(name, " ")
        for name in ("collection", "title", "date", "source_url", "origin", "authors", "tags")
    ]
    assert draft_of(form(*empty, FILE), TYPE) == draft_of(form(FILE), TYPE)


def test_the_body_is_let_go() -> None:
    parts = [json.dumps({"text": ESSAY}).encode()]
    read_draft(parts, Headers({"content-type": "application/json"}))
    assert parts == []


def test_a_text_is_stored_as_it_came_but_for_a_byte_order_mark() -> None:
    odd = "\ufeff灯塔\r\n\x0c\t<html>  尾巴 \r"
    draft = draft_of(json.dumps({"text": odd, "name": "a.html"}).encode(), "application/json")
    upload = convert_draft(draft)
    assert upload.source.text == odd[1:]
    (told,) = upload.notes
    assert "U+FEFF" in told
    plain = draft_of(json.dumps({"text": odd[1:], "name": "a.html"}).encode(), "application/json")
    assert convert_draft(plain).notes == ()


OLD_LINES = "灯塔\r\r守塔人每天傍晚点灯。\r清晨熄灯。\r"


@pytest.mark.parametrize("text", [OLD_LINES, OLD_LINES.replace("\r", "\r\n"), "灯塔\r守塔人。\n", "灯塔。\r"])
def test_who_adds_a_text_without_line_feeds_is_told_that_it_is_one_line(text: str) -> None:
    sent = draft_of(json.dumps({"text": text, "name": "a.txt"}).encode(), "application/json")
    file = draft_of(form(file_part(text, "a.txt")), TYPE)
    for draft in (sent, file):
        upload = convert_draft(draft)
        assert upload.source.text == text
        assert ["换行符" in told for told in upload.notes] == ([True] if text == OLD_LINES else [])


def test_a_million_tiny_values_are_refused_before_they_are_made() -> None:
    body = b'{"text":' + b"[" * 1 + b"[]," * 1_000_000 + b"[]]}"
    with pytest.raises(InputError) as caught:
        draft_of(body, "application/json")
    assert caught.value.code == "invalid_request"
