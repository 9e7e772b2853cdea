"""What a compiled model leaves to the router answers as it does, and is trusted with nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.base import RequestError
from bottega.algorithms.registry import algorithm
from bottega.algorithms.xgboost.complete_trees import CompleteTrees, read_trees
from bottega.algorithms.xgboost.near import read_near

XGBOOST = algorithm("xgboost")
WIDTH = 3
RNG = np.random.default_rng(5)
FEATURES = RNG.normal(size=(200, WIDTH)).astype(np.float32)
TARGET = FEATURES[:, 0] * 2 - FEATURES[:, 1] ** 2
CLASSES = np.digitize(TARGET, [-1.0, 0.3])
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "reg:squarederror": (TARGET, {}),
    "binary:logistic": (TARGET > 0, {}),
    "count:poisson": (np.exp(TARGET), {}),
    "multi:softprob": (CLASSES, {"num_class": 3}),
    "multi:softmax": (CLASSES, {"num_class": 3}),
}
NUMBERS = st.floats(width=32, allow_nan=False).map(repr) | st.sampled_from(
    ["", " 1", "nan", "0x1", "1_0", "-0", "+3", "1e400", "007", ".5", "5."]
)
BODIES = st.lists(
    st.lists(NUMBERS, min_size=WIDTH - 1, max_size=WIDTH + 1).map(",".join), max_size=4
).map(lambda lines: "\n".join(lines).encode())
ACCEPTS = st.sampled_from(
    [
        "",
        "*/*",
        "text/csv",
        "application/json",
        "application/jsonlines;q=0.5",
        "image/png",
        "text/*",
    ]
)
TYPES = st.sampled_from(["", "text/csv", "text/csv; charset=utf-8", "TEXT/CSV", "text/libsvm"])


def compiled_model(folder: Path, objective: str, rounds: int = 9, **environment: str) -> Any:
    labels, more = KINDS[objective]
    settings = {"objective": objective, "nthread": 1, "max_depth": 4, **more}
    booster = xgboost.train(settings, xgboost.DMatrix(FEATURES, label=labels), rounds)
    (folder / "xgboost-model").write_bytes(bytes(booster.save_raw("ubj")))
    model = XGBOOST.load(folder, environment)
    assert "Compiled trees predict" in XGBOOST.compile(model)
    return model


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A compiled model, and what it leaves to be predicted with elsewhere."""
    model = compiled_model(tmp_path_factory.mktemp("model"), request.param)
    return model, XGBOOST.near_model(XGBOOST.near(model))


@settings(max_examples=60, deadline=None)
@given(body=BODIES, content_type=TYPES, accept=ACCEPTS)
def test_it_answers_as_the_model_does_or_not_at_all(
    pair: Any, body: bytes, content_type: str, accept: str
):
    model, near = pair
    found = near.answer(body, content_type, accept)
    if found is not None:
        assert found == XGBOOST.predict(model, body, content_type, accept)


@pytest.mark.parametrize("accept", ["", "text/csv", "application/json", "application/jsonlines"])
def test_plain_rows_are_answered(pair: Any, accept: str):
    model, near = pair
    body = "\n".join(",".join(map(repr, map(float, row))) for row in FEATURES[:3]).encode()
    assert near.answer(body, "text/csv", accept) == XGBOOST.predict(model, body, "text/csv", accept)


def test_what_would_take_long_is_left_to_the_server(pair: Any):
    _, near = pair
    assert near.answer(b"1,2,3\n" * 200, "text/csv", "") is None


def test_writing_numbers_counts_too():
    one = read_near(b'{"accept": "text/csv"}\n' + small_trees().to_bytes())
    assert one.answer(b"1\n" * 20, "text/csv", "")
    assert one.answer(b"1\n" * 200, "text/csv", "") is None
    many = replace(small_trees(), base=np.zeros(1000, np.float32)).to_bytes()
    with pytest.raises(ValueError, match="1000 outputs are too many"):
        read_near(b'{"accept": "text/csv"}\n' + many)


def test_the_default_of_the_container_holds(tmp_path: Path):
    model = compiled_model(
        tmp_path, "reg:squarederror", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json"
    )
    body, kind = XGBOOST.near_model(XGBOOST.near(model)).answer(b"1,2,3", "text/csv", "") or (
        b"",
        "",
    )
    assert kind == "application/json"
    assert (body, kind) == XGBOOST.predict(model, b"1,2,3", "text/csv", "")


def test_selected_content_and_models_that_are_not_compiled_leave_nothing(tmp_path: Path):
    selecting = compiled_model(
        tmp_path, "binary:logistic", SAGEMAKER_INFERENCE_OUTPUT="predicted_label"
    )
    assert XGBOOST.near(selecting) == b""
    assert XGBOOST.near(XGBOOST.load(tmp_path, {})) == b""


def test_a_large_model_leaves_nothing(tmp_path: Path):
    assert XGBOOST.near(compiled_model(tmp_path, "reg:squarederror", rounds=6000)) == b""


def small_trees() -> CompleteTrees:
    """One tree of depth 1 over one feature."""
    from bottega.algorithms.xgboost.kernels import IDENTITY, SIDE

    return CompleteTrees(
        features=np.zeros(1 + SIDE, np.int32),
        keys=np.zeros(1 + SIDE, np.int32),
        leaves=np.array([1.0, 2.0], np.float32),
        depth=1,
        groups=np.zeros(1, np.int32),
        base=np.zeros(1, np.float32),
        transformation=IDENTITY,
        width=1,
    )


def test_trees_are_read_as_they_were_written():
    trees = read_trees(small_trees().to_bytes())
    assert trees.predict(np.array([[-1.0], [1.0]], np.float32)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": np.full(17, 1, np.int32)}, "features are not all from 0 to 0"),
        ({"features": np.full(17, -1, np.int32)}, "features are not all"),
        ({"features": np.zeros(16, np.int32)}, "17 inner nodes"),
        ({"keys": np.zeros(18, np.int32)}, "17 inner nodes"),
        ({"leaves": np.zeros(3, np.float32)}, "2 leaves"),
        ({"groups": np.ones(1, np.int32)}, "groups are not all"),
        ({"groups": np.zeros(2, np.int32)}, "inner nodes"),
        ({"base": np.zeros(0, np.float32)}, "no outputs"),
        ({"groups": np.zeros(0, np.int32)}, "no trees"),
        ({"depth": 11}, "11 deep"),
        ({"depth": -1}, "-1 deep"),
        ({"depth": 2}, "51 inner nodes"),
        ({"depth": 1.0}, "not whole"),
        ({"depth": True}, "not whole"),
        ({"transformation": 6}, "no transformation 6"),
        ({"width": 0}, "no features"),
    ],
)
def test_what_would_read_beyond_an_array_is_refused(change: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        read_trees(replace(small_trees(), **change).to_bytes())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[]\n", "no trees"),
        (b'{"depth": 1}\n', "no trees"),
        (b'{"depth":1,"transformation":0,"width":1,"sizes":[1]}\n', "5 sizes"),
        (b'{"depth":1,"transformation":0,"width":1,"sizes":[1,1,1,1,"1"]}\n', "not whole"),
        (b'{"depth":1,"transformation":0,"width":1,"sizes":[-1,1,1,1,1]}\n123456789012', "bytes"),
        (b'{"depth":1,"transformation":0,"width":1,"sizes":[9,9,9,9,9]}\n', "0 bytes instead of"),
    ],
)
def test_other_heads_are_refused(content: bytes, words: str):
    with pytest.raises(ValueError, match=words):
        read_trees(content)


class Strict(np.ndarray):
    """An array that also refuses to be read from its end."""

    def __getitem__(self, index: Any) -> Any:
        assert np.min(index) >= 0
        return super().__getitem__(index)


def predict_strictly(trees: CompleteTrees) -> None:
    """Run the loop as Python, which checks the bounds that the compiled one does not."""
    from bottega.algorithms.xgboost import kernels

    parts = [getattr(trees, name).view(Strict) for name in ("features", "keys", "leaves")]
    groups, base = trees.groups.view(Strict), trees.base.view(Strict)
    for count in (1, 9):
        rows = RNG.normal(size=(count, trees.width)).astype(np.float32)
        out = np.empty((count, trees.outputs), np.float32)
        assert kernels.predict_complete.py_func(
            rows, *parts, trees.depth, groups, base, trees.transformation, out
        )


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 20),
    depth=st.integers(0, 4),
    width=st.integers(1, 3),
    outputs=st.integers(1, 3),
    seed=st.integers(0, 2**32),
)
def test_whatever_is_accepted_is_read_within_bounds(
    count: int, depth: int, width: int, outputs: int, seed: int
):
    from bottega.algorithms.xgboost.kernels import IDENTITY, SIDE

    chance = np.random.default_rng(seed)
    inner = 2**depth - 1
    trees = CompleteTrees(
        features=chance.integers(0, width, (count + SIDE) * inner, np.int32),
        keys=chance.integers(-(2**31), 2**31, (count + SIDE) * inner, np.int32),
        leaves=chance.normal(size=count * (inner + 1)).astype(np.float32),
        depth=depth,
        groups=chance.integers(0, outputs, count, np.int32),
        base=np.zeros(outputs, np.float32),
        transformation=IDENTITY,
        width=width,
    )
    predict_strictly(read_trees(trees.to_bytes()))


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 330), patch=st.binary(min_size=1, max_size=8))
def test_damaged_content_is_refused_or_harmless(cut: int, patch: bytes):
    content = b'{"accept": "text/csv"}\n' + small_trees().to_bytes()
    damaged = content[:cut] + patch + content[cut + len(patch) :]
    try:
        near = XGBOOST.near_model(damaged)
    except ValueError:
        return
    predict_strictly(near.trees)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"{}\n", b"[]\n", b'{"accept": 1}\n', b"\x00\n"),
        b'{"accept": "text/csv\\r\\nset-cookie: a=b"}\n' + small_trees().to_bytes(),
        b"[" * 1_000_000,
        b'{"accept": "text/csv"}\n' + b"[" * 1_000_000,
    ],
)
def test_other_content_is_refused(content: bytes):
    with pytest.raises(ValueError):  # noqa: PT011
        XGBOOST.near_model(content)


def test_very_wide_rows_are_refused():
    wide = replace(small_trees(), width=2**40).to_bytes()
    with pytest.raises(ValueError, match="rows have 1099511627776 features"):
        XGBOOST.near_model(b'{"accept": "text/csv"}\n' + wide)


def test_other_algorithms_leave_nothing():
    linear = algorithm("linear-learner")
    assert linear.near(object()) == b""
    with pytest.raises(ValueError, match="model servers only"):
        linear.near_model(b"x")


def test_a_refusal_of_the_model_is_left_to_it(pair: Any):
    model, near = pair
    assert near.answer(b"1,2", "text/csv", "") is None
    with pytest.raises(RequestError):
        XGBOOST.predict(model, b"1,2", "text/csv", "")
