"""Find the typed parts that a question about a document asks for, as an answer and as search passages.

`rag.answering.typed_parts` knows what such an answer says; here it is decided which documents are meant,
and the result is put into the shapes that every other answer has.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.citations import SourceLinks, cite_block
from rag.answering.gate import Checked, Verdict
from rag.answering.typed_parts import (
    TypedAnswer,
    answer_typed,
    asks_about_text,
    document_by_place,
    documents_by_note,
    documents_by_title,
    topic_of,
)
from rag.corpus import Corpus
from rag.question import Question
from rag.ranking.features import KIND_TESTS
from rag.records import AnswerSentence, Chunk, Citation, Passage
from rag.retrieval import Retrieved
from rag.scope import Scope
from rag.text.folding import fold

TYPED_SCORE = 1.0
"""Relevance of a typed part: it is read off the page, not estimated."""


class TypedLookup:
    """Answers questions about documents of one corpus.

    Args:
        corpus: The rows.
        links: Lead to its documents.
    """

    def __init__(self, corpus: Corpus, *, links: SourceLinks) -> None:
        self._corpus = corpus
        self._links = links

    def find(
        self, question: Question, found: Retrieved, scope: Scope, *, confident: bool
    ) -> TypedAnswer | None:
        """The answer from typed parts, or None if the question does not ask for one.

        Args:
            question: The question as asked.
            found: What searching its topic found.
            scope: The documents it names.
            confident: Whether what was found is about the topic, so that a topic points at a document.
        """
        if question.metadata is None:
            return None
        documents = self._corpus.documents
        named = (
            scope.document_ids
            or document_by_place(question, documents)
            or documents_by_title(question, self._corpus.names)
        )
        if not named and not asks_about_text(question, documents):
            return None
        meant = [
            self._corpus.document_by_id[i] for i in named or self._meant(question, found, confident=confident)
        ]
        typed = answer_typed(question.metadata, meant)
        test = KIND_TESTS.get(question.kind)
        if typed and test and not any(test(fold(said.text)) for said in typed.sentences):
            return TypedAnswer((), typed.missing or "原文印出的作者信息里没有这个数字。")
        return typed

    def _meant(self, question: Question, found: Retrieved, *, confident: bool) -> Sequence[str]:
        """Ids of the documents that are asked about without a name: by note, all of them, or the best."""
        if by_note := documents_by_note(question, self._corpus.documents):
            return by_note
        if not topic_of(question.folded):
            return [document.document_id for document in self._corpus.documents]
        if found.ranked and confident:
            return [found.best_document()]
        return []

    def cite(self, typed: TypedAnswer) -> Checked:
        """Sentences with checked citations of their blocks."""
        sentences: list[AnswerSentence] = []
        citations: list[Citation] = []
        for said in typed.sentences:
            numbers = []
            for block in said.blocks:
                numbers.append(len(citations) + 1)
                citation = cite_block(numbers[-1], block, said.document, score=TYPED_SCORE, links=self._links)
                citations.append(citation)
            sentences.append(AnswerSentence(said.text, tuple(numbers), "supported"))
        verdicts = tuple(Verdict(sentence.text, sentence.match) for sentence in sentences)
        return Checked(tuple(sentences), tuple(citations), verdicts, tuple(True for _ in sentences))

    def passages(self, typed: TypedAnswer) -> list[Passage]:
        """The blocks as search passages, ranked from 1 (they are no rows of the index: ordinal -1)."""
        passages: list[Passage] = []
        for said in typed.sentences:
            for block in said.blocks:
                document_id, span = said.document.document_id, block.span
                chunk_id = f"{document_id}:{span.start_char}-{span.end_char}"
                chunk = Chunk(-1, chunk_id, document_id, 0, block.text, 0, len(block.text), span)
                url = self._links.to(document_id, span)
                passages.append(Passage(len(passages) + 1, TYPED_SCORE, chunk, said.document, url))
        return passages
