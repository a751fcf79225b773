"""A request and a reply for each operation of our own format, for the OpenAPI document.

An invented newspaper page about a lighthouse: texts of real corpora belong to their owners. A test checks
each against its schema, and the offsets against the page.
"""

from __future__ import annotations

import hashlib
from typing import Any

PAGE = """灯塔日报
■周望潮
望海角灯塔建于一九零七年，塔高三十
二米，由本地石匠用花岗岩砌成。守塔人每
天傍晚点灯，清晨熄灯。
"""
_SHA256 = hashlib.sha256(PAGE.encode()).hexdigest()
_DOCUMENT = f"{_SHA256[:12]}-1"
_TITLE = "周望潮：望海角灯塔…"
_QUOTE = "望海角灯塔建于一九零七年，塔高三十二米，由本地石匠用花岗岩砌成。"
_PARAGRAPH = f"{_QUOTE}守塔人每天傍晚点灯，清晨熄灯。"
_FINGERPRINT = "6f1f0c2a9b7d-1a2b3c4d"
_START = PAGE.index("望海角")
_END = PAGE.index("守塔人")
_LAST = len(PAGE) - 1
_WHERE = {"document_id": _DOCUMENT, "title": _TITLE, "authors": ["周望潮"], "paragraph": 1}
_URL = f"/documents/{_DOCUMENT}?chars={_START}-{_END}#L3-L4"

_CITATION: dict[str, Any] = {
    "number": 1,
    **_WHERE,
    "start_char": _START,
    "end_char": _END,
    "start_line": 3,
    "end_line": 4,
    "quote": _QUOTE,
    "source_sha256": _SHA256,
    "match": "exact",
    "url": _URL,
    "score": 0.97,
}
_HIT: dict[str, Any] = {
    "rank": 1,
    "score": 0.97,
    **_WHERE,
    "chunk_id": f"{_DOCUMENT}:{_START}-{_LAST}",
    "text": _PARAGRAPH,
    "start_char": _START,
    "end_char": _LAST,
    "start_line": 3,
    "end_line": 5,
    "url": f"/documents/{_DOCUMENT}?chars={_START}-{_LAST}#L3-L5",
}
_ABOUT: dict[str, Any] = {
    "id": _DOCUMENT,
    "source_id": _SHA256[:12],
    "name": "灯塔日报.txt",
    "date": None,
    "source_url": None,
    "tags": [],
    "title": None,
    "label": _TITLE,
    "authors": ["周望潮"],
    "affiliation": None,
    "source_sha256": _SHA256,
}
_ENTRY: dict[str, Any] = {
    **_ABOUT,
    "origin": "upload",
    "added_at": "2026-01-31T08:00:00Z",
    "original_sha256": "",
}
_COLLECTION_OUT: dict[str, Any] = {
    "name": "lighthouse",
    "created_at": "2026-01-31T07:59:00Z",
    "documents": 0,
    "sources": 0,
    "chunks": 0,
    "encoder": "bundled:multilingual-e5-small",
    "calibration": "general",
    "sequence": 0,
}
_JOB: dict[str, Any] = {
    "job_id": "j-4c1d9e",
    "kind": "add",
    "collection": "default",
    "state": "running",
    "done": 1,
    "total": 2,
    "source_id": _SHA256[:12],
    "document_ids": [_DOCUMENT],
    "created": True,
    "replaced": [],
    "notes": [],
    "error_code": None,
    "error_message": None,
    "kept": False,
    "calibrated": None,
}
_REINDEXING = {**_JOB, "kind": "reindex", "state": "queued", "done": 0, "source_id": None, "document_ids": []}
_CALIBRATING = {**_REINDEXING, "kind": "calibrate"}
_CALIBRATION: dict[str, Any] = {
    "in_use": True,
    "made_at": "2026-01-31T08:00:00+00:00",
    "documents": 1,
    "answerable": 20,
    "unanswerable": 20,
    "slope": 1.2,
    "offset": -0.3,
}
_ADDED: dict[str, Any] = {
    "source_id": _SHA256[:12],
    "documents": [_ENTRY],
    "created": True,
    "replaced": [],
    "notes": [],
}
_KEPT = {
    name: _CITATION[name] for name in ("document_id", "start_char", "end_char", "source_sha256", "quote")
}
_PARAGRAPH_OUT: dict[str, Any] = {
    "number": 1,
    "text": _PARAGRAPH,
    "start_char": _START,
    "end_char": _LAST,
    "start_line": 3,
    "end_line": 5,
}

REQUESTS: dict[str, Any] = {
    "ask": {"question": "灯塔是哪一年建成的？"},
    "search": {"query": "灯塔 建成", "top_k": 1},
    "addDocument": {"text": PAGE, "name": "灯塔日报.txt", "metadata": {"date": "1907-05", "tags": ["航标"]}},
    "replaceDocument": {"text": PAGE, "name": "灯塔日报.txt"},
    "describeDocument": {"title": "望海角灯塔", "date": None},
    "createCollection": {"name": "lighthouse"},
    "resolveCitation": _KEPT,
    "reindex": {"collection": "default"},
    "calibrate": {
        "questions": [
            {"question": "灯塔是哪一年建成的？", "type": "date", "evidence": [["望海角灯塔建于一九零七年"]]},
            {"question": "灯塔的门票多少钱？", "type": "unanswerable"},
        ]
    },
    "sendFeedback": {"answer_id": "ans_5f0c7d", "verdict": "down", "note": "问的是重建的年份。"},
}
"""Request bodies by operation id."""

REPLIES: dict[str, Any] = {
    "ask": {
        "id": "a-5f0c7d",
        "status": "answered",
        "answer": f"{_QUOTE}[1]",
        "reason": None,
        "confidence": 0.96,
        "sentences": [{"text": _QUOTE, "citations": [1], "match": "exact"}],
        "citations": [_CITATION],
        "related": [],
        "resolved_question": "灯塔是哪一年建成的？",
        "generator": "extractive",
        "collection": "default",
        "fingerprint": _FINGERPRINT,
        "timings_ms": {"encode": 21.4, "search": 9.8, "judge": 240.1, "write": 12.0, "total": 283.5},
        "calibration": "general",
        "degraded": None,
    },
    "search": {"hits": [_HIT], "collection": "default", "fingerprint": _FINGERPRINT},
    "listDocuments": {"documents": [_ENTRY], "total": 1, "next_offset": None},
    "getDocument": {**_ENTRY, "paragraphs": [_PARAGRAPH_OUT]},
    "addDocument": _ADDED,
    "replaceDocument": {**_ADDED, "replaced": ["0f2b7c9d1a3e-1"]},
    "describeDocument": {"source_id": _SHA256[:12], "documents": [_ENTRY]},
    "removeDocument": {"source_id": _SHA256[:12], "document_ids": [_DOCUMENT]},
    "listCollections": {"collections": [_COLLECTION_OUT]},
    "createCollection": _COLLECTION_OUT,
    "removeCollection": _COLLECTION_OUT,
    "listJobs": {"jobs": [_JOB], "total": 1},
    "getJob": _JOB,
    "cancelJob": {**_JOB, "state": "cancelled", "notes": ["已取消：没有加入文库，收下的文字已经删去。"]},
    "retryJob": {"job": {**_JOB, "state": "queued", "done": 0}},
    "reindex": {"job": _REINDEXING},
    "calibrate": {"job": _CALIBRATING},
    "getCalibration": {"collection": "default", "calibration": _CALIBRATION},
    "forgetCalibration": {"collection": "default", "forgotten": True},
    "resolveCitation": {
        "status": "current",
        "document_id": _DOCUMENT,
        "message": "引文仍在原处，一字未改。",
        "replaced_by": [],
        "found_in": _DOCUMENT,
        **{name: _CITATION[name] for name in ("start_char", "end_char", "start_line", "end_line")},
        **{name: _CITATION[name] for name in ("quote", "url")},
    },
    "listExamples": {
        "questions": ["望海角灯塔建于哪一年？"],
        "collection": "default",
        "fingerprint": _FINGERPRINT,
    },
    "sendFeedback": {
        "id": "fb_91c2e4",
        "answer_id": "ans_5f0c7d",
        "verdict": "down",
        "recorded_at": "2026-01-31T08:00:00+00:00",
        "question_stored": False,
    },
    "healthz": {"status": "ok"},
    "readyz": {"status": "ready", "fingerprint": _FINGERPRINT},
}
"""Bodies of successful replies by operation id."""
