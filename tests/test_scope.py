"""Which documents a question names."""

from __future__ import annotations

import pytest

from rag.corpus import Corpus, build_corpus
from rag.reading.decoding import source_from_text
from rag.scope import ScopeFinder

TEXT = (
    "山中制茶三法\n■李白云 杜甫\n茶起源于山中，人们采摘它。\n"
    "海上观星\n■欧阳海\n船坞里修着旧船，匠人很忙。\n"
    "■杜甫\n彗星每七十年来一次，人们记下了它。\n"
)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return build_corpus([source_from_text("page", TEXT)], chunk_max_chars=60)


@pytest.mark.parametrize(
    ("question", "documents", "rest"),
    [
        ("李白云怎么看采茶？", [0], "怎么看采茶?"),
        ("李白雲怎麼看採茶？", [0], "怎么看采茶?"),
        ("杜甫写了什么？", [0, 2], "写了什么?"),
        ("欧阳海和李白云各说什么？", [0, 1], "和 各说什么?"),
        ("《山中制茶三法》里怎么采茶？", [0], "《 》里怎么采茶?"),
        ("山中製茶，三法？", [0], None),
        ("What does Li Baiyun say of tea?", [0], None),
        ("Li Baiyun 怎么看茶？", [0], None),
        ("and Ouyang Hai?", [1], None),
        ("What about baiyun?", [], "What about baiyun?"),
        ("怎么采茶？", [], "怎么采茶？"),
        ("海上观星是什么？", [], "海上观星是什么？"),
    ],
)
def test_names_in_a_question(corpus: Corpus, question: str, documents: list[int], rest: str | None) -> None:
    scope = ScopeFinder(corpus).find(question)
    assert scope.document_ids == tuple(corpus.documents[n].document_id for n in documents)
    if rest is not None:
        assert scope.rest.strip() == rest


def test_a_question_of_nothing_but_a_name_keeps_it(corpus: Corpus) -> None:
    assert ScopeFinder(corpus).find("杜甫").rest == "杜甫"
    assert ScopeFinder(corpus).find("杜甫？").rest == "杜甫？"
