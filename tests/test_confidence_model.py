"""The confidence models: the formulas against second oracles, and what the shipped file must hold."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rag
from rag.confidence.model import GROUPS, ConfidenceModel, logistic, shipped_models
from rag.confidence.reader import WEIGHTS_FILE
from rag.encoding.encoder import BUNDLED_ENCODER

POINTS = ((0.1, 0.8), (0.2, 0.6), (0.5, 0.3))
"""Rates and thresholds of an invented model."""


def model_of(points: tuple[tuple[float, float], ...] = POINTS) -> ConfidenceModel:
    return ConfidenceModel("words", np.array([0.5, -2.0, 1.0]), 0.25, points)


@given(st.floats(-25, 25))
def test_logistic_agrees_with_numpy_and_with_the_hyperbolic_tangent(logit: float) -> None:
    assert logistic(logit) == pytest.approx(float(1 / (1 + np.exp(-logit))), abs=5.1e-5)
    assert logistic(logit) == pytest.approx((1 + math.tanh(logit / 2)) / 2, abs=5.1e-5)
    assert logistic(logit) + logistic(-logit) == pytest.approx(1.0, abs=1.1e-4)


def test_logistic_by_hand() -> None:
    assert logistic(0.0) == 0.5
    assert logistic(math.log(3)) == 0.75
    assert logistic(-math.log(4)) == 0.2
    assert (logistic(1e9), logistic(-1e9)) == (1.0, 0.0)  # no overflow
    assert (logistic(math.inf), logistic(-math.inf)) == (1.0, 0.0)
    assert logistic(0.123456) == round(logistic(0.123456), 4) == 0.5308


def test_confidence_by_hand() -> None:
    # 0.5 * 2 - 2 * 0.5 + 1 * 1 + 0.25 = 1.25
    assert model_of().confidence(np.array([2.0, 0.5, 1.0])) == pytest.approx(
        1 / (1 + math.exp(-1.25)), abs=5e-5
    )
    assert model_of().confidence(np.zeros(3)) == pytest.approx(1 / (1 + math.exp(-0.25)), abs=5e-5)


@pytest.mark.parametrize(
    ("rate", "threshold"),
    [
        (1.0, 0.0),
        (2.0, 0.0),
        (0.0, math.inf),
        (-0.5, math.inf),
        (0.1, 0.8),
        (0.2, 0.6),
        (0.5, 0.3),
        (0.15, 0.7),
        (0.3, 0.5),  # a third of the way from .2 to .5
        (0.75, 0.15),  # half-way from the last point to (1, 0)
        (0.05, 0.9),  # half-way from (0, 1) to the first point
        (0.0001, 0.9998),
    ],
)
def test_a_threshold_is_interpolated(rate: float, threshold: float) -> None:
    assert model_of().threshold(rate) == pytest.approx(threshold)


def test_one_operating_point_is_enough() -> None:
    single = model_of(((0.2, 0.5),))
    assert [single.threshold(rate) for rate in (0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.75, 0.5, 0.25, 0.0])


@st.composite
def operating_points(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    rates = draw(st.lists(st.integers(1, 99), min_size=1, max_size=8, unique=True))
    thresholds = draw(st.lists(st.integers(0, 100), min_size=len(rates), max_size=len(rates)))
    ordered = zip(sorted(rates), sorted(thresholds, reverse=True), strict=True)
    return tuple((rate / 100, threshold / 100) for rate, threshold in ordered)


@given(operating_points(), st.floats(0.001, 0.999))
def test_interpolation_agrees_with_numpy(points: tuple[tuple[float, float], ...], rate: float) -> None:
    rates, thresholds = zip(*points, strict=True)
    expected = np.interp(rate, [0.0, *rates, 1.0], [1.0, *thresholds, 0.0])
    assert model_of(points).threshold(rate) == pytest.approx(float(expected), abs=1e-9)


@given(operating_points(), st.floats(-0.1, 1.1), st.floats(-0.1, 1.1))
def test_a_higher_rate_never_asks_for_more(
    points: tuple[tuple[float, float], ...], one: float, other: float
) -> None:
    lower, higher = sorted((one, other))
    assert model_of(points).threshold(higher) <= model_of(points).threshold(lower) + 1e-12


def test_shipped_models_fit_their_features() -> None:
    models = shipped_models()
    assert dict(models.by_name).keys() == GROUPS.keys()
    for name, features in GROUPS.items():
        model = models.by_name[name]
        assert model.name == name
        assert model.weights.shape == (len(features),)
        assert np.isfinite(model.weights).all()
        assert math.isfinite(model.offset)
    assert models.topic_weights.shape == (4,)
    assert math.isfinite(models.topic_offset)
    assert models is shipped_models()


@pytest.mark.parametrize("name", GROUPS)
def test_shipped_operating_points_ascend_in_rate_and_descend_in_threshold(name: str) -> None:
    points = shipped_models().by_name[name].operating_points
    rates, thresholds = zip(*points, strict=True)
    assert list(rates) == sorted(set(rates))
    assert list(thresholds) == sorted(thresholds, reverse=True)
    assert 0 < rates[0] <= rates[-1] < 1
    # A point above 1 would be one at which nothing is answered.
    assert all(0 < threshold <= 1.0001 for threshold in thresholds)


def test_shipped_models_say_what_they_were_fitted_on() -> None:
    provenance = shipped_models().provenance
    assert set(provenance) >= {
        "corpora",
        "corpora_sha256",
        "reading",
        "reading_sha256",
        "encoder",
        "encoder_revision",
        "reader",
        "cases",
        "out_of_fold_figures",
    }
    assert set(provenance["out_of_fold_figures"]) == set(GROUPS)
    assert set(provenance["cases"]) == {"essays", "reading"}
    stored = json.loads((files("rag.confidence") / "confidence.json").read_text(encoding="utf-8"))
    assert stored["provenance"] == provenance


def test_shipped_models_were_fitted_with_the_shipped_encoder_and_reader() -> None:
    provenance = shipped_models().provenance
    with (files("rag.confidence") / WEIGHTS_FILE).open("rb") as handle, np.load(handle) as data:
        assert provenance["reader"] == str(data["revision"])
    assert provenance["encoder"] == BUNDLED_ENCODER


@pytest.mark.parametrize("change", ["rename", "reorder", "drop"])
def test_models_of_other_features_are_refused(tmp_path: Path, change: str) -> None:
    # A copy of the package, because the file has one place and is read once a process.
    _copy_package(tmp_path)
    place = tmp_path / "rag" / "confidence" / "confidence.json"
    content = json.loads(place.read_text(encoding="utf-8"))
    features = content["models"]["words"]["features"]
    if change == "rename":
        features[0] = "lexical_summit"
    elif change == "reorder":
        features[0], features[1] = features[1], features[0]
    else:
        del content["models"]["words"]
    place.write_text(json.dumps(content), encoding="utf-8")
    code = "import rag.confidence.model as m; print(m.__file__); m.shipped_models()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.strip().startswith(str(tmp_path))
    assert done.returncode == 1
    assert "ConfigError: confidence.json 与当前特征不符，请用 python -m evals.fit 重新拟合。" in done.stderr


def _copy_package(target: Path) -> None:
    source = Path(str(rag.__file__)).parent
    shutil.copytree(source, target / "rag", ignore=shutil.ignore_patterns("*.npz", "__pycache__"))
