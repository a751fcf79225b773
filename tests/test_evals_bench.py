"""The latency measurement: its arithmetic, and a server process that is one of ours."""

from __future__ import annotations

import sys

import pytest

from evals.bench.latency import summed_up, time_both
from evals.bench.server_process import started
from rag.errors import UnavailableError

SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_): pass
held = bytearray(64 * 2**20)
server = http.server.HTTPServer(("127.0.0.1", 0), Ready)
print(f"starting\\nhttp://127.0.0.1:{server.server_port} is ours", flush=True)
server.serve_forever()
"""


def test_both_are_done_in_turn_after_a_warm_up() -> None:
    done: list[str] = []
    asked, encoded = time_both(["a", "b"], lambda question: done.append(f"ask {question}"), done.append)
    assert done == ["ask a", "a", "ask b", "b"] * 2
    assert len(asked) == len(encoded) == 2
    assert min(*asked, *encoded) >= 0


def test_the_report_by_hand() -> None:
    report = summed_up([10.0, 30.0, 20.0], [5.0, 4.0, 9.0], 1.234, 3 * 2**20)
    assert (report.requests, report.ask_p50_ms, report.encode_p50_ms, report.ratio) == (3, 20.0, 5.0, 4.0)
    assert (report.ask_p95_ms, report.cold_start_seconds, report.peak_rss_mib) == (29.0, 1.23, 3.0)
    assert report.cores >= 1


def test_a_server_is_started_waited_for_and_weighed() -> None:
    with started([sys.executable, "-c", SERVER]) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.cold_start_seconds > 0
        assert server.peak_rss_bytes == 0
    assert 64 * 2**20 < server.peak_rss_bytes < 512 * 2**20


def test_a_server_that_ends_at_once_is_said() -> None:
    with (
        pytest.raises(UnavailableError, match="没有打印地址"),
        started([sys.executable, "-c", "print('no')"]),
    ):
        pass


def test_a_server_that_ends_before_it_is_ready_is_said() -> None:
    command = [sys.executable, "-c", "print('http://127.0.0.1:9', flush=True)"]
    with pytest.raises(UnavailableError, match="没有准备好"), started(command):
        pass
