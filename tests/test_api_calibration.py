"""Calibrating over REST, by the client and by `cewen calibrate --url`, of a library that is in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from api.app import create_app
from api.cli.commands import app
from api.library.library import Library
from cewen import BadRequestError, Calibrated, NotFoundError
from tests.api_fakes import FakeLibrary, client_for
from tests.client_driver import KINDS, Opener, opener, serving_library
from tests.evals_server import serving_app
from tests.library_samples import WAIT_SECONDS, Gate, added, done, opened, upload
from tests.test_api_bad_input import check_refusal
from tests.test_cli_calibrate import KEPT, NOTES, answerable, unanswerable

PATH = "/v1/collections/default/calibration"
QUESTIONS = [*map(answerable, range(KEPT)), *map(unanswerable, range(KEPT))]
TYPED = answerable(0) | {"question": "《溪边记》的标题是什么？", "evidence": [["溪边记"]]}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "brooks.txt").write_text(NOTES, "utf-8")
    with opened(tmp_path, false_answer_rate=0.5) as made:
        yield made


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    with client_for(library) as made:
        yield made


def calibrated(client: TestClient, library: Library, **more: Any) -> dict[str, Any]:
    reply = client.post(PATH, json={"questions": QUESTIONS, **more})
    assert reply.status_code == 202, reply.text
    job = reply.json()["job"]
    assert (job["kind"], job["collection"]) == ("calibrate", "default")
    assert reply.headers["location"] == f"/v1/jobs/{job['job_id']}"
    done(library, library.job(job["job_id"]))
    ended = client.get(reply.headers["location"]).json()
    assert (ended["state"], ended["done"], ended["total"]) == ("done", len(QUESTIONS), len(QUESTIONS))
    found: dict[str, Any] = ended["calibrated"]
    return found


def metric(client: TestClient, name: str) -> list[str]:
    return [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]


def test_it_is_kept_told_of_and_forgotten_while_the_service_runs(
    client: TestClient, library: Library
) -> None:
    question = {"question": QUESTIONS[0]["question"]}
    plain = client.post("/v1/ask", json=question).json()
    assert client.get(PATH).json() == {"collection": "default", "calibration": None}
    before = metric(client, "cewen_answers_total")
    found = calibrated(client, library)
    assert (found["kept"], found["helps"], found["was_calibrated"]) == (True, True, False)
    assert (found["answerable"], found["unanswerable"], found["left_out"]) == (KEPT, KEPT, [])
    assert found["after"]["brier"] <= found["before"]["brier"]
    assert metric(client, "cewen_answers_total") == before  # no question of it counts as one
    told = client.get(PATH).json()["calibration"]
    assert told.pop("made_at")
    assert told == {
        "in_use": True,
        "documents": 1,
        "answerable": KEPT,
        "unanswerable": KEPT,
        "slope": found["slope"],
        "offset": found["offset"],
    }
    corrected = client.post("/v1/ask", json=question).json()
    assert (plain["calibration"], corrected["calibration"]) == ("none", "collection")
    assert client.get("/v1/collections").json()["collections"][0]["calibration"] == "collection"
    assert calibrated(client, library)["was_calibrated"]
    assert client.delete(PATH).json() == {"collection": "default", "forgotten": True}
    assert client.delete(PATH).json() == {"collection": "default", "forgotten": False}
    assert client.post("/v1/ask", json=question).json()["calibration"] == "none"
    assert client.get(PATH).json()["calibration"] is None


def test_it_is_there_after_a_change_and_a_restart(tmp_path: Path, library: Library) -> None:
    with client_for(library) as client:
        calibrated(client, library)
        added(library, upload(1))
        assert library.live().snapshot.calibration == "collection"
    with opened(tmp_path, false_answer_rate=0.5) as again:
        assert again.live().snapshot.calibration == "collection"
        assert again.calibration("default") is not None


def test_a_try_keeps_nothing(client: TestClient, library: Library) -> None:
    found = calibrated(client, library, keep=False)
    assert (found["helps"], found["kept"]) == (True, False)
    assert client.get(PATH).json()["calibration"] is None


def test_questions_that_are_not_the_judges_are_told_by_their_place(
    client: TestClient, library: Library
) -> None:
    reply = client.post(PATH, json={"questions": [TYPED, *QUESTIONS]})
    job = done(library, library.job(reply.json()["job"]["job_id"]))
    assert job.calibrated is not None
    assert job.calibrated.left_out == (1,)


def test_evidence_that_is_not_there_fails_the_job(client: TestClient, library: Library) -> None:
    wrong = answerable(0) | {"question": "桑溪的水车有几架？", "evidence": [["桑溪的水车"]]}
    reply = client.post(PATH, json={"questions": [*QUESTIONS, wrong]})
    ended = library.wait(reply.json()["job"]["job_id"], WAIT_SECONDS)
    assert (ended.state, ended.error_code) == ("failed", "evidence_not_found")
    assert f"第 {len(QUESTIONS) + 1} 题" in str(ended.error_message)
    assert client.get(PATH).json()["calibration"] is None


def test_one_that_is_called_off_changes_nothing(
    client: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, judged = Gate(), []
    judging = type(library.live().snapshot.engine.judging)
    judge = judging.judge

    def slow(*given: Any, **named: Any) -> Any:
        judged.append(given)
        if len(judged) == 3:
            gate()
        return judge(*given, **named)

    monkeypatch.setattr(judging, "judge", slow)
    job_id = client.post(PATH, json={"questions": QUESTIONS}).json()["job"]["job_id"]
    assert gate.reached.wait(WAIT_SECONDS)
    assert client.delete(f"/v1/jobs/{job_id}").json()["state"] == "cancelled"
    gate.open.set()
    library._jobs.close()  # waits for the lane
    assert len(judged) == 3
    assert client.get(PATH).json()["calibration"] is None


def test_a_collection_that_is_encoded_anew_meanwhile_keeps_none(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.library.collection.encoder_key", lambda _: "another")
    job = library.wait(library.calibrate("default", QUESTIONS, keep=True).job_id, WAIT_SECONDS)
    assert (job.state, job.error_code) == ("failed", "calibration_outdated")


def test_a_reader_may_try_and_not_keep(tmp_path: Path, library: Library) -> None:
    with opened(tmp_path, writable=False, false_answer_rate=0.5) as reading, client_for(reading) as client:
        check_refusal(client.post(PATH, json={"questions": QUESTIONS}), 503, "library_read_only")
        check_refusal(client.delete(PATH), 503, "library_read_only")
        assert calibrated(client, reading, keep=False)["kept"] is False
        done(library, library.calibrate("default", QUESTIONS, keep=True))
        assert client.get(PATH).json()["calibration"]["in_use"] is True


def test_large_questions_fit_and_no_more(client: TestClient) -> None:
    long = [unanswerable(0) | {"note": "字" * 200_000}]
    check_refusal(client.post(PATH, json={"questions": long}), 422, "invalid_questions")
    check_refusal(client.post(PATH, json={"questions": long * 3}), 413, "body_too_large")


# The client and the command.


@pytest.fixture(params=KINDS)
def open_client(request: pytest.FixtureRequest) -> Iterator[Opener]:
    with opener(request.param) as made:
        yield made


def test_both_clients(open_client: Opener) -> None:
    library = FakeLibrary()
    with serving_library(library) as url:
        client = open_client(url)
        assert client.calibration() is None
        job = client.wait_for(client.calibrate(QUESTIONS, keep=True))
        assert isinstance(job.calibrated, Calibrated)
        assert (job.calibrated.kept, job.calibrated.answerable, job.calibrated.left_out) == (True, KEPT, (1,))
        told = client.calibration("default")
        assert told is not None
        assert (told.in_use, told.answerable) == (True, KEPT)
        assert (client.forget_calibration(), client.forget_calibration()) == (True, False)
        with pytest.raises(BadRequestError) as caught:
            client.calibrate([])
        assert caught.value.code == "invalid_questions"
        for name in ("nope", "", "a/b"):
            with pytest.raises(NotFoundError):
                client.calibration(name)
        library.hold = True
        held = client.calibrate(QUESTIONS)
        assert client.jobs(states=("queued", "running"), limit=5) == (held,)
        assert client.jobs(states=["done"]) == ()
        with pytest.raises(NotFoundError):
            client.jobs(collection="nope")
        assert client.cancel(held).state == client.cancel(held.job_id).state == "cancelled"
        assert client.wait_for(held).state == "cancelled"
        with pytest.raises(NotFoundError):
            client.cancel("..")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["calibrate", *arguments], prog_name="cewen")


def test_the_command_has_a_service_do_it(library: Library, tmp_path: Path) -> None:
    rows = ["// 题目", *(json.dumps(one, ensure_ascii=False) for one in [TYPED, *QUESTIONS])]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(rows), "utf-8")
    with serving_app(create_app(lambda: library)) as url:
        tried = run(str(path), "--dry-run", "--json", "--url", url)
        assert tried.exit_code == 0, tried.stderr
        found = json.loads(tried.stdout)
        assert (found["kept"], found["left_out"]) == (False, [2])  # a line of the file
        kept = run(str(path), "--url", url)
        assert (kept.exit_code, "已存下" in kept.stdout, "第 2 行" in kept.stdout) == (0, True, True)
        assert library.live().snapshot.calibration == "collection"
        assert "已经去掉" in run("--reset", "--url", url).stdout
        assert json.loads(run("--reset", "--json", "--url", url).stdout)["reset"] is False
        path.write_text("{}\n", "utf-8")
        refused = run(str(path), "--url", url)
        assert (refused.exit_code, "第 1 行" in refused.stderr) == (1, True)
        assert run("--reset", "--collection", "nope", "--url", url).exit_code == 1
