"""What all surfaces share: the way to the deployment, the question, and the native answer to compare with.

The native answer is the reference, not the truth: it is compared with only after its own citations have
been checked against the source, so that one fault there is not reported everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.doctor.connection import Connection, Key, Reply, excerpt
from api.doctor.links import Links
from api.doctor.model import LostError, clean
from api.doctor.shapes import AnswerRead, DocumentRead, DocumentsRead, ExamplesRead, read_as
from api.doctor.spans import Sources, cited_of
from rag.errors import ConfigError, InputError, UnavailableError

NONSENSE = "穿雨靴的木星昨天为什么用三角形的香蕉给海马理发？"
"""No text answers this. Whoever gets citations for it is being misled."""

EXTRACTIVE = "extractive"
"""The generator that writes the same every time."""

ASK = "/v1/ask"
_EXAMPLES = "/v1/examples"
_ASK_ONE = "可用 --question 写一个它的文库能回答的问题。"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the native interface said to a question.

    Attributes:
        answer: Its answer, if it gave one.
        lost: Why it gave none.
    """

    answer: AnswerRead | None
    lost: LostError | None


class Context:
    """One examination.

    Args:
        connection: To the deployment.
        question: "" for one of the deployment's own examples.

    Raises:
        InputError: If there is no question to ask.
        ConfigError: If the access key is not accepted.
        UnavailableError: If no service of ours can be reached there.
    """

    def __init__(self, connection: Connection, question: str = "") -> None:
        self.connection = connection
        self.links = Links(connection)
        self.documents = self._list()
        known = {document.id: document.source_sha256 for document in self.documents}
        self.sources = Sources(connection, known)
        self.key_needed = self._get("/v1/documents", "none").status in {401, 403}
        self.question = question or self._example()
        self.asked = self._ask(self.question)
        self.asked_again = self._ask(self.question)
        self.nonsense = self._ask(NONSENSE)

    @property
    def trusted(self) -> AnswerRead | None:
        """The native answer, if its citations have been found to be true."""
        answer = self.asked.answer
        if answer is None or (answer.status == "answered" and not (answer.sentences and answer.citations)):
            return None
        if any(self.sources.fault(cited_of(each)) for each in answer.citations):
            return None
        return answer

    @property
    def answered(self) -> bool:
        """Whether the native interface answers the question, every time that it gives an answer at all."""
        answers = [each.answer for each in (self.asked, self.asked_again) if each.answer]
        return self.asked.answer is not None and all(each.status == "answered" for each in answers)

    @property
    def repeatable(self) -> bool:
        """Whether the same question gets the same text again, so that texts may be compared."""
        one, other = self.asked.answer, self.asked_again.answer
        return bool(one and other and (one.answer, one.citations) == (other.answer, other.citations))

    @property
    def nonsense_abstained(self) -> bool:
        """Whether the native interface cites nothing for nonsense."""
        answer = self.nonsense.answer
        return answer is not None and answer.status == "abstained" and not answer.citations

    @property
    def computing_seconds(self) -> float:
        """How long the deployment itself says it takes to answer; 0.0 if it does not say."""
        answers = [each.answer for each in (self.asked, self.asked_again) if each.answer]
        return min((answer.timings_ms.get("total", 0.0) for answer in answers), default=0.0) / 1000

    def _get(self, path: str, key: Key) -> Reply:
        try:
            return self.connection.get(path, key=key)
        except LostError as error:
            finding = error.finding
            raise UnavailableError(
                f"连不上 {self.connection.base_url}：{finding.detail}。{finding.advice}"
            ) from error

    def _list(self) -> list[DocumentRead]:
        reply = self._get("/v1/documents", "own")
        if reply.status in {401, 403}:
            raise _key_error(reply, self.connection.api_key)
        if reply.status in {429, 503}:
            raise UnavailableError(
                f"{self.connection.base_url} 还不能作答（{reply.status}），请等它就绪再试：{excerpt(reply)}",
                code="not_ready",
            )
        try:
            reply.expect("documents", "列出文档")
            body = reply.json("documents", "列出文档")
            return read_as(DocumentsRead, body, "documents", "列出文档").documents
        except LostError as error:
            finding = error.finding
            raise UnavailableError(
                f"{self.connection.base_url} 上没有认出策问：{finding.detail}。{finding.advice}{self._hint()}"
            ) from error

    def _hint(self) -> str:
        """What a user may have meant who gave the address that some client is given."""
        last = self.connection.base_url.rpartition("/")[2]
        return f"地址不要带上 /{last}。" if last in {"v1", "dify", "mcp"} else ""

    def _example(self) -> str:
        try:
            reply = self.connection.get(_EXAMPLES)
            if reply.status in {404, 405}:
                missing = f"{_EXAMPLES} 答 {reply.status}：这个部署没有例题接口（版本旧），或代理没有转发它。"
                raise InputError(missing + _ASK_ONE)
            body = reply.expect("examples", "例题").json("examples", "例题")
            questions = read_as(ExamplesRead, body, "examples", "例题").questions
        except LostError as error:
            raise InputError(f"这个部署的例题读不到：{error.finding.detail}。{_ASK_ONE}") from error
        usable = [told for question in questions if (told := clean(question))]
        if not usable:
            raise InputError(
                "这个部署的例题是空的：服务刚启动时可能要等一会儿，过一分钟再试；"
                f"仍是空的，就是文库里生成不出例题。{_ASK_ONE}"
            )
        return usable[0]

    def _ask(self, question: str) -> Asked:
        try:
            return Asked(self.native(question), None)
        except LostError as error:
            return Asked(None, error)

    def native(self, question: str) -> AnswerRead:
        """Ask the native interface.

        Raises:
            LostError: If it gives no answer.
        """
        reply = self.connection.post(ASK, {"question": question}).expect("answer", "答复")
        return read_as(AnswerRead, reply.json("answer", "答复"), "answer", "答复")

    def post_json(self, path: str, body: dict[str, Any], what: str = "答复") -> Any:
        """POST to a surface, and give back the JSON of its 200.

        Raises:
            LostError: If there is none.
        """
        return self.connection.post(path, body).expect("answer", what).json("answer", what)


def _key_error(reply: Reply, api_key: str) -> ConfigError:
    if api_key:
        return ConfigError(
            f"这个部署不接受所给的密钥（{reply.status}）。请检查 CEWEN_API_KEY 或 --api-key；"
            "密钥没有错，就是代理去掉了 Authorization 请求头，或自己要登录。",
            code="api_key_invalid",
        )
    return ConfigError(
        f"这个部署要密钥（{reply.status}）。请设 CEWEN_API_KEY，或用 --api-key。", code="api_key_missing"
    )
