"""The requests of `evals.bench.soak`: a mix of all that a service is asked for, wrong things among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import httpx

_KEPT_DOCUMENTS = 30


class Mix:
    """One caller's requests, drawn one after the other; `step` sends the next and tells its status.

    Args:
        client: With the server's address.
        questions: Asked and searched for.
        seed: Of what comes when.
    """

    def __init__(self, client: httpx.Client, questions: Sequence[str], seed: int) -> None:
        self._client = client
        self._questions = questions
        self._random = Random(seed)  # noqa: S311 -- a mix, no secret
        self._seed = seed
        self._written = 0
        self._documents: list[str] = []
        self._answer_id = "ans_none"
        kinds: tuple[tuple[Callable[[], int], int], ...] = (
            (self._ask, 30),
            (self._stream, 8),
            (self._search, 20),
            (self._list, 10),
            (self._add, 8),
            (self._replace, 4),
            (self._delete, 6),
            (self._feedback, 6),
            (self._spoil, 8),
        )
        self._kinds = [kind for kind, _ in kinds]
        self._weights = [weight for _, weight in kinds]

    def step(self) -> int:
        """Send one request; its status, 0 if there was no reply."""
        (kind,) = self._random.choices(self._kinds, self._weights)
        try:
            return kind()
        except httpx.HTTPError:
            return 0

    def _question(self) -> str:
        return self._random.choice(self._questions)

    def _ask(self) -> int:
        reply = self._client.post("/v1/ask", json={"question": self._question()})
        if reply.status_code == 200:
            self._answer_id = reply.json()["id"]
        return reply.status_code

    def _stream(self) -> int:
        with self._client.stream(
            "POST", "/v1/ask", json={"question": self._question(), "stream": True}
        ) as reply:
            for _ in reply.iter_lines():
                pass
            return reply.status_code

    def _search(self) -> int:
        return self._client.post("/v1/search", json={"query": self._question()}).status_code

    def _list(self) -> int:
        return self._client.get("/v1/documents", params={"limit": 20}).status_code

    def _text(self) -> dict[str, str]:
        self._written += 1
        mark = f"{self._seed}.{self._written}"
        return {
            "text": f"第{mark}篇札记\n\n这一篇写于第{mark}天，说的是{self._question()}写到这里就停了。\n",
            "name": f"{mark}.txt",
        }

    def _add(self) -> int:
        if len(self._documents) >= _KEPT_DOCUMENTS:
            return self._delete()
        reply = self._client.post("/v1/documents", json=self._text())
        if reply.status_code in {200, 201}:
            self._documents.append(reply.json()["source_id"])
        return reply.status_code

    def _replace(self) -> int:
        if not self._documents:
            return self._add()
        place = self._random.randrange(len(self._documents))
        reply = self._client.put(f"/v1/documents/{self._documents[place]}", json=self._text())
        if reply.status_code in {200, 201}:
            self._documents[place] = reply.json()["source_id"]
        return reply.status_code

    def _delete(self) -> int:
        if not self._documents:
            return self._list()
        place = self._random.randrange(len(self._documents))
        return self._client.delete(f"/v1/documents/{self._documents.pop(place)}").status_code

    def _feedback(self) -> int:
        body = {"answer_id": self._answer_id, "verdict": self._random.choice(("up", "down")), "note": "。"}
        return self._client.post("/v1/feedback", json=body).status_code

    def _spoil(self) -> int:
        bodies = (b"", b"{", b'{"question":"\\ud800"}', b'{"question":""}', b'{"top_k":1e999}', b"[" * 5_000)
        headers = {"Content-Type": "application/json"}
        body = self._random.choice(bodies)
        return self._client.post("/v1/ask", content=body, headers=headers).status_code
