"""The measurement of streams: its arithmetic on lines of both formats."""

from __future__ import annotations

from time import perf_counter

import pytest

from evals.bench.streaming import StreamTimes, has_text, medians, summed_up, timed_lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (": answering", False),
        ("", False),
        ("event: delta", False),
        ('data: {"citations": []}', False),
        ('data: {"text": "灯"}', True),
        ('data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}', False),
        ('data: {"choices": [{"delta": {"content": "灯"}}]}', True),
        ('data: {"choices": [], "usage": {}}', False),
        ("data: [DONE]", False),
    ],
)
def test_lines_that_bring_text(line: str, expected: bool) -> None:
    assert has_text(line) is expected


def test_times_are_in_order() -> None:
    lines = iter([": answering", "", 'data: {"text": "灯"}', "", 'data: {"id": "a"}'])
    times = timed_lines(lines, perf_counter())
    assert 0 < times.first_byte <= times.first_text <= times.end


def test_a_stream_without_text_has_its_text_at_the_end() -> None:
    times = timed_lines(iter([": answering"]), perf_counter())
    assert times.first_text == times.end > 0


def test_the_report_by_hand() -> None:
    rows = [StreamTimes(1, 40, 50), StreamTimes(3, 60, 70), StreamTimes(2, 50, 60)]
    assert medians(rows) == StreamTimes(2, 50, 60)
    report = summed_up([100.0, 50.0, 200.0], rows, rows)
    assert (report.requests, report.whole_p50_ms) == (3, 100.0)
    assert (report.first_byte_ratio, report.first_text_ratio) == (0.02, 0.5)
