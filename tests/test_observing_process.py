"""`cewen serve` as a process: what it logs and how it ends, with a real socket and real signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mcp_wire import NEW, OLD, headers_of
from tests.observing_fakes import asks

PROJECT = Path(__file__).parent.parent
LIMIT_SECONDS = 30.0
SECRET = "芝麻开门私房话"
KEY = "k-geheim-1234"
SLOW = "清晨熄灯"

SERVE = """
import os
from api.cli.commands import app
from api.cli.parts import Parts
from tests.api_fakes import FakeEngine

class Engine(FakeEngine):
    def ask(self, question, **options):
        if "出错" in question:
            try:
                raise KeyError(question)
            except KeyError as error:
                raise ValueError(f"cannot read {question!r}") from error
        if question == "清晨熄灯":
            print("asked", flush=True)
            os.read(0, 1)
        return super().ask(question, **options)

    def stream(self, question, **options):
        def events():
            yield from FakeEngine.stream(self, question, **options)

        return events()

app(["serve", "--port", "0"], obj=Parts(open_engine=lambda settings, progress: Engine()))
"""


class Service:
    """A running service. `slow` answers are given once `release` is called."""

    def __init__(self, **settings: str) -> None:
        env = {name: text for name, text in os.environ.items() if not name.startswith("CEWEN_")}
        env |= {f"CEWEN_{name.upper()}": text for name, text in settings.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=PROJECT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        found = re.search(r"http://\S+", self.said())
        assert found
        self.url = found[0]
        headers = {"Authorization": f"Bearer {settings.get('api_key', 'none')}"}
        self.client = httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=LIMIT_SECONDS)
        while self.client.get("/readyz").status_code == 503:
            pass

    def said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().decode()

    def release(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Exit code and log."""
        self.client.close()
        _, err = self.process.communicate(timeout=LIMIT_SECONDS)
        return self.process.returncode, err.decode()


@contextmanager
def serving(**settings: str) -> Iterator[Service]:
    service = Service(**settings)
    try:
        yield service
    finally:
        service.client.close()
        service.process.kill()
        service.process.communicate()


def accepts(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", trust_env=False, timeout=LIMIT_SECONDS)
    except httpx.TransportError:
        return False
    return True


def ask_everywhere(client: httpx.Client) -> None:
    """Secrets in questions, addresses, headers and keys, where answers, refusals and faults come of them."""
    for question in (SECRET, f"{SECRET}出错", f"{SECRET}\x07", SECRET * 400):
        for path, body, headers in asks(question).values():
            client.post(path, params={"q": SECRET}, json=body, headers=headers)
    client.post("/v1/search", params={"q": SECRET}, json={"query": SECRET})
    client.post("/v1/ask", json={"question": SECRET, "generator": SECRET, "history": SECRET})
    client.post("/v1/ask", json={"question": "灯", "generator": SECRET, "stream": True})
    client.post("/v1/ask", content=f'{{"question": "{SECRET}'.encode())
    client.post("/v1/chat/completions", json={"model": SECRET, "messages": []})
    client.post("/dify/retrieval", json={"knowledge_id": SECRET, "query": SECRET})
    for params in (
        SECRET,
        {"name": SECRET},
        {"name": "ask", "arguments": SECRET},
        {"name": "ask", SECRET: 1},
    ):
        for revision in (OLD, NEW):
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            client.post("/mcp", json=call, headers=headers_of("tools/call", "ask", revision=revision))
            call = {"jsonrpc": "2.0", "method": f"notifications/{SECRET}", "params": params}
            client.post("/mcp", json=call, headers=headers_of("tools/call", "ask", revision=revision))
    client.post("/mcp", content=f'{{"{SECRET}'.encode(), headers=headers_of("tools/call", "ask"))
    client.get(f"/{SECRET}", headers={"Accept": "text/html", "Cookie": f"a={KEY}"})
    client.get(f"/v1/documents/{SECRET}")
    client.get("/v1/documents", headers={"Authorization": f"Bearer {KEY}x", "X-Request-ID": f"{KEY} {KEY}"})


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_log_holds_ids_and_no_text(log_format: str) -> None:
    with serving(api_key=KEY, log_level="debug", log_format=log_format) as service:
        ask_everywhere(service.client)
        service.client.get("/v1/documents", headers={"X-Request-ID": "mine-1"})
        service.process.send_signal(signal.SIGTERM)
        code, log = service.end()
    assert code == 0
    for kept_out in (SECRET, "芝麻", "私房话", KEY, "geheim", "%E8%8A%9D", "\\u829d", "?q", "q="):
        assert kept_out not in log, kept_out
    # What was kept out are the words, not the facts.
    assert log.count("builtins.ValueError") >= 4
    assert log.count("builtins.KeyError") >= 4
    assert "/v1/chat/completions" in log
    assert "mine-1" in log
    rows = log.splitlines()
    if log_format == "text":
        assert any('"POST /v1/ask HTTP/1.1" 200' in row for row in rows)
        return
    records = [json.loads(row) for row in rows]
    check_records(records)


def check_records(records: list[dict[str, Any]]) -> None:
    for record in records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
        assert record["level"] in {"debug", "info", "warning", "error"}
        assert record["logger"]
        assert record["message"]
    access = [record for record in records if record["logger"] == "api.access"]
    (mine,) = [record for record in access if record["request_id"] == "mine-1"]
    assert mine["duration_ms"] >= 0
    told = {name: mine[name] for name in ("surface", "method", "path", "status")}
    assert told == {"surface": "native", "method": "GET", "path": "/v1/documents", "status": 200}
    assert any(record["path"] == "-" and record["status"] == 404 for record in access)
    faults = [record for record in records if "exception" in record]
    assert faults
    assert all(record["request_id"] for record in faults)
    assert {record["request_id"] for record in faults} <= {record["request_id"] for record in access}


def test_what_was_accepted_is_finished_and_the_rest_refused() -> None:
    replies: list[httpx.Response] = []
    with serving(drain_seconds="300", max_concurrent="4") as service:

        def ask(*, stream: bool) -> None:
            with httpx.Client(base_url=service.url, trust_env=False, timeout=LIMIT_SECONDS) as client:
                replies.append(client.post("/v1/ask", json={"question": SLOW, "stream": stream}))

        threads = [threading.Thread(target=ask, kwargs={"stream": stream}) for stream in (False, True)]
        for thread in threads:
            thread.start()
            assert service.said() == "asked\n"
        service.process.send_signal(signal.SIGTERM)
        while (ready := service.client.get("/readyz")).status_code == 200:
            pass
        assert ready.json()["error"]["code"] == "shutting_down"
        refused = service.client.post("/v1/ask", json={"question": "灯"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert service.client.get("/healthz").status_code == 200
        assert "cewen_shutting_down 1.0" in service.client.get("/metrics").text
        assert replies == []
        # Asked again, it closes its doors although five minutes have not passed.
        service.process.send_signal(signal.SIGTERM)
        while accepts(service.url):
            pass
        for _ in threads:
            service.release()
        for thread in threads:
            thread.join(LIMIT_SECONDS)
        code, log = service.end()
    assert code == 0
    assert [reply.status_code for reply in replies] == [200, 200]
    assert all("守塔人每天傍晚点灯，清晨熄灯。" in reply.text for reply in replies)
    assert sum("event: done" in reply.text for reply in replies) == 1
    assert "Traceback" not in log


def test_json_holds_what_people_are_told_at_a_start_that_fails() -> None:
    script = SERVE.replace("Engine()))", "1 / 0))")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=os.environ | {"CEWEN_LOG_FORMAT": "json"},
        capture_output=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    first, *_ = done.stderr.decode().splitlines()
    record = json.loads(first)
    assert (record["level"], record["logger"]) == ("error", "api.engine_slot")
    assert "ZeroDivisionError" in record["exception"]
