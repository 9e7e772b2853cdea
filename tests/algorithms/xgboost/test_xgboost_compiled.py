"""The compiled loop and joined requests give what the library gives, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bottega.algorithms.base import RequestError
from bottega.algorithms.registry import algorithm
from bottega.algorithms.xgboost import compiled as compiled_trees
from bottega.algorithms.xgboost import complete_trees
from bottega.algorithms.xgboost.compiled import CompiledTrees, NotCompiled, compiled

XGBOOST = algorithm("xgboost")
RNG = np.random.default_rng(11)
WIDTH = 5
FEATURES = RNG.normal(size=(300, WIDTH)).astype(np.float32)
FEATURES[RNG.uniform(size=FEATURES.shape) < 0.1] = np.nan
TARGET = np.nan_to_num(FEATURES[:, 0]) - np.nan_to_num(FEATURES[:, 1]) ** 2
CELLS = st.floats(width=32, allow_nan=True, allow_infinity=True) | st.sampled_from(
    [float(cell) for cell in FEATURES[:20].ravel()]
)
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("reg:squarederror", {}),
    ("reg:squarederror", {"num_parallel_tree": 3, "subsample": 0.5}),
    ("reg:absoluteerror", {}),
    ("reg:logistic", {}),
    ("binary:logistic", {}),
    ("binary:logistic", {"base_score": 0.2, "max_depth": 1}),
    ("binary:logitraw", {}),
    ("binary:hinge", {}),
    ("count:poisson", {}),
    ("reg:gamma", {}),
    ("reg:tweedie", {}),
    ("multi:softprob", {"num_class": 3}),
    ("multi:softmax", {"num_class": 3}),
]


def labels(objective: str) -> Any:
    if objective.startswith("multi:"):
        return np.digitize(TARGET, [-1.0, 0.3])
    if objective.startswith("binary:") or objective == "reg:logistic":
        return (TARGET > 0).astype(int)
    return np.exp(TARGET) if objective.startswith(("count:", "reg:gamma", "reg:tw")) else TARGET


def train(objective: str, **parameters: Any) -> xgboost.Booster:
    values = {"objective": objective, "nthread": 1, "max_depth": 4, **parameters}
    return xgboost.train(values, xgboost.DMatrix(FEATURES, label=labels(objective)), 13)


def loaded(folder: Path, booster: xgboost.Booster, **environment: str) -> Any:
    (folder / "xgboost-model").write_bytes(bytes(booster.save_raw("ubj")))
    return XGBOOST.load(folder, environment)


def csv(row: Any) -> bytes:
    return ",".join("" if np.isnan(cell) else repr(float(cell)) for cell in row).encode()


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]} {kind[1]}")
def booster(request: pytest.FixtureRequest) -> xgboost.Booster:
    objective, parameters = request.param
    return train(objective, **parameters)


@settings(max_examples=30, deadline=None)
@given(
    rows=arrays.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(WIDTH)), elements=CELLS)
)
def test_compiled_trees_equal_the_library(booster: xgboost.Booster, rows: np.ndarray) -> None:
    trees = CompiledTrees(booster, WIDTH, 0)

    found, expected = trees(rows), booster.inplace_predict(rows)

    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


def test_trees_too_deep_to_be_completed_are_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    booster = train("multi:softprob", num_class=3)
    completed = CompiledTrees(booster, WIDTH, 0)
    monkeypatch.setattr(complete_trees, "_DEEPEST", 2)
    walked = CompiledTrees(booster, WIDTH, 0)

    whole = np.nan_to_num(FEATURES)
    for rows in (FEATURES, whole, whole[:3], np.zeros((0, WIDTH), np.float32), -0.0 * whole[:5]):
        expected = booster.inplace_predict(rows) if len(rows) else walked(rows)
        assert completed(rows).tobytes() == expected.tobytes()
        assert walked(rows).tobytes() == expected.tobytes()


@settings(max_examples=30, deadline=None)
@given(mean=st.floats(0.0078125, 0.9921875, width=32))
@example(mean=0.46572357416152954)  # its logarithm is not the nearest float32
def test_margins_begin_where_the_library_s_do(mean: float) -> None:
    booster = train("binary:logistic", base_score=mean, max_depth=1, num_parallel_tree=1)

    found = CompiledTrees(booster, WIDTH, 0)(FEATURES)

    assert found.tobytes() == booster.inplace_predict(FEATURES).tobytes()


def test_only_the_rounds_that_count_are_used() -> None:
    booster = train("multi:softprob", num_class=3)

    found = CompiledTrees(booster, WIDTH, 4)(FEATURES)

    expected = booster.inplace_predict(FEATURES, iteration_range=(0, 4))
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("objective", "parameters", "reason"),
    [
        ("reg:squarederror", {"booster": "dart", "rate_drop": 0.5}, "the booster is dart"),
        ("reg:squarederror", {"booster": "gblinear", "max_depth": None}, "booster is gblinear"),
        ("survival:cox", {}, "the objective is survival:cox"),
    ],
)
def test_other_models_are_left_to_the_library(
    objective: str, parameters: dict[str, Any], reason: str
) -> None:
    values = {key: value for key, value in parameters.items() if value is not None}
    booster = xgboost.train(
        {"objective": objective, **values}, xgboost.DMatrix(FEATURES, np.exp(TARGET)), 3
    )

    with pytest.raises(NotCompiled, match=reason):
        CompiledTrees(booster, WIDTH, 0)


def test_a_model_with_other_numbers_than_the_library_is_refused() -> None:
    booster = train("reg:squarederror")

    def differently(rows: Any) -> Any:
        return np.nextafter(booster.inplace_predict(rows), np.float32(np.inf))

    with pytest.raises(NotCompiled, match="do not give the library's numbers"):
        compiled([booster], WIDTH, [0], [differently])


def test_compiling_says_what_predicts_and_changes_no_answer(
    booster: xgboost.Booster, tmp_path: Path
) -> None:
    model = loaded(tmp_path, booster)
    bodies = [csv(row) for row in FEATURES[:40]]
    before = [XGBOOST.predict(model, body, "text/csv", "") for body in bodies]

    said = XGBOOST.compile(model)

    assert said.startswith(("Compiled trees predict", "The XGBoost library predicts"))
    assert [XGBOOST.predict(model, body, "text/csv", "") for body in bodies] == before


def outcome(answer: object) -> object:
    """An answer as it is, a refusal as what it says."""
    return (answer.status, answer.message) if isinstance(answer, RequestError) else answer


BODIES = st.lists(
    st.sampled_from(
        [csv(row) for row in FEATURES[:8]]
        + [b"\n".join(map(csv, FEATURES[8:30])), b"", b"1,2", b"a,b,c,d,e", b"1;2;3;4;5", b"1,2,3"]
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("fast", [False, True], ids=["library", "compiled"])
@pytest.mark.parametrize(
    ("objective", "parameters"),
    [("binary:logistic", {}), ("multi:softprob", {"num_class": 3}), ("reg:squarederror", {})],
)
def test_joined_requests_are_answered_as_lone_ones(
    objective: str, parameters: dict[str, Any], fast: bool, tmp_path: Path
) -> None:
    model = loaded(tmp_path, train(objective, **parameters))
    if fast:
        XGBOOST.compile(model)

    def alone(body: bytes, accept: str) -> object:
        try:
            return XGBOOST.predict(model, body, "text/csv", accept)
        except RequestError as error:
            return outcome(error)

    @settings(max_examples=25, deadline=None)
    @given(bodies=BODIES, accept=st.sampled_from(["", "application/json", "image/png"]))
    def check(bodies: list[bytes], accept: str) -> None:
        together = XGBOOST.predict_many(model, bodies, "text/csv", accept)

        assert [outcome(answer) for answer in together] == [alone(body, accept) for body in bodies]

    check()


def test_requests_are_joined_until_the_model_is_compiled(tmp_path: Path) -> None:
    model = loaded(tmp_path, train("reg:squarederror"))
    before = XGBOOST.joins(model)
    said = XGBOOST.compile(model)

    assert before
    assert XGBOOST.joins(model) is not said.startswith("Compiled trees predict")


def test_the_library_takes_what_it_does_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    booster = train("reg:squarederror")

    def by_library(features: Any) -> Any:
        return booster.inplace_predict(features)

    def seconds(predict: Any, rows: Any) -> float:
        return len(rows) if isinstance(predict, CompiledTrees) else 100.0

    monkeypatch.setattr(compiled_trees, "_seconds", seconds)
    (trees,) = compiled([booster], WIDTH, [0], [by_library])
    assert trees.most_rows == 64
    monkeypatch.setattr(compiled_trees, "_seconds", lambda predict, rows: 1.0)
    (trees,) = compiled([booster], WIDTH, [0], [by_library])
    assert trees.most_rows == compiled_trees.MOST_ROWS
