"""Prediction by a compiled loop, where it gives the library's numbers to the last bit.

Which models that is true of is not believed but tried, when a model is compiled: on rows with
values at, just below and just above the model's own thresholds, missing values and infinities. A
model that differs anywhere is left to the library.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bottega.algorithms.xgboost.complete_trees import columns, complete_trees

_TRANSFORMATIONS: Mapping[str, str] = {
    "reg:squarederror": "IDENTITY",
    "reg:squaredlogerror": "IDENTITY",
    "reg:absoluteerror": "IDENTITY",
    "reg:pseudohubererror": "IDENTITY",
    "rank:ndcg": "IDENTITY",
    "rank:map": "IDENTITY",
    "rank:pairwise": "IDENTITY",
    "binary:logitraw": "IDENTITY",
    "binary:logistic": "SIGMOID",
    "reg:logistic": "SIGMOID",
    "binary:hinge": "SIGN",
    "count:poisson": "EXPONENTIAL",
    "reg:gamma": "EXPONENTIAL",
    "reg:tweedie": "EXPONENTIAL",
    "multi:softprob": "SOFTMAX",
    "multi:softmax": "LARGEST",
}
MOST_ROWS = 2000
"""For more at a time the library takes several threads."""
_TRIED_ROWS = 512
_TIMED_ROWS = (1, 16, 64, 256, _TRIED_ROWS)
_TIMED_CALLS = 15


class NotCompiled(Exception):
    """A model that the library predicts. The message says why."""


class CompiledTrees:
    """The trees of one booster, predicted by the compiled loop; any thread may call it.

    Args:
        booster: on one thread.
        width: how many features a row has.
        rounds: how many rounds count; 0 means all.

    Raises:
        NotCompiled: it is a kind of model that the loop does not know.
    """

    def __init__(self, booster: Any, width: int, rounds: int) -> None:
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        objective = learner["objective"]["name"]
        gradient = learner["gradient_booster"]
        if gradient["name"] != "gbtree":
            raise NotCompiled(f"the booster is {gradient['name']}")
        if objective not in _TRANSFORMATIONS:
            raise NotCompiled(f"the objective is {objective}")
        model = gradient["model"]
        trees = model["trees"]
        if rounds:
            trees = trees[: model["iteration_indptr"][rounds]]
        groups = np.array(model["tree_info"][: len(trees)], dtype=np.int32)
        self.most_rows = MOST_ROWS
        """For more at a time the library is faster, as far as was tried."""
        self._outputs = max(1, int(learner["learner_model_param"]["num_class"]))
        if int(learner["learner_model_param"].get("num_target", "1")) > 1:
            raise NotCompiled("it has several targets")
        self._base = _base(learner["learner_model_param"]["base_score"], objective, self._outputs)
        nodes = _Nodes()
        for tree in trees:
            nodes.add(tree, width)
        self._groups = groups
        self._arrays = nodes.arrays()
        self.thresholds = nodes.thresholds

        from bottega.algorithms.xgboost import kernels

        self._transformation = getattr(kernels, _TRANSFORMATIONS[objective])
        self._walk: Callable[..., None] = kernels.predict
        self.complete = complete_trees(
            trees,
            max(nodes.depths, default=0),
            width=width,
            groups=groups,
            base=self._base,
            transformation=self._transformation,
        )
        """The same trees with every leaf at the same depth; None where that takes too much room."""

    def __call__(self, features: Any) -> Any:
        """Predict a ``float32`` array, rows x features, as ``Booster.inplace_predict`` does."""
        rows = np.ascontiguousarray(features)
        if self.complete is not None and (found := self.complete.predict(rows)) is not None:
            return found
        out = np.empty((features.shape[0], self._outputs), np.float32)
        self._walk(rows, *self._arrays, self._groups, self._base, self._transformation, out)
        return columns(out, self._transformation)


def compiled(
    boosters: Sequence[Any],
    width: int,
    rounds: Sequence[int],
    library: Sequence[Callable[[Any], Any]],
) -> tuple[CompiledTrees, ...]:
    """Compile a model, and try it against the library.

    Args:
        boosters: of the ensemble, on one thread each.
        width: how many features a row has.
        rounds: for each booster, how many rounds count.
        library: for each booster, how the library predicts rows.

    Returns:
        For each booster what predicts instead of it.

    Raises:
        NotCompiled: the library is to predict: the loop does not know such models, has not the
            same numbers, or is slower even for a single row.
    """
    found = tuple(
        CompiledTrees(booster, width, count)
        for booster, count in zip(boosters, rounds, strict=True)
    )
    for trees, by_library in zip(found, library, strict=True):
        rows = _trying_rows(trees.thresholds, width)
        expected = np.ascontiguousarray(by_library(rows), dtype=np.float32)
        given = np.ascontiguousarray(trees(rows))
        if expected.shape != given.shape or expected.tobytes() != given.tobytes():
            raise NotCompiled("the compiled trees do not give the library's numbers")
    whole = np.ascontiguousarray(np.nan_to_num(rows))
    most = 0
    for count in _TIMED_ROWS:
        some = whole[:count]
        if _seconds(found[-1], some) > _seconds(library[-1], some):
            break
        most = count
    if most == 0:
        raise NotCompiled("the compiled trees are slower")
    for trees in found:
        trees.most_rows = MOST_ROWS if most == _TIMED_ROWS[-1] else most
    return found


class _Nodes:
    """The nodes of all trees in arrays, siblings side by side."""

    def __init__(self) -> None:
        self.thresholds: dict[int, list[float]] = {}
        self._values: list[float] = []
        self._tests: list[int] = []
        self._children: list[int] = []
        self._roots: list[int] = []
        self.depths: list[int] = []

    def arrays(self) -> tuple[Any, ...]:
        """``values``, ``tests``, ``children``, ``roots`` and ``depths`` of the kernel."""
        return (
            np.array(self._values, np.float32),
            np.array(self._tests, np.int32),
            np.array(self._children, np.int32),
            np.array(self._roots, np.int32),
            np.array(self.depths, np.int32),
        )

    def add(self, tree: Mapping[str, Any], width: int) -> None:
        """Add one tree.

        Raises:
            NotCompiled: it has categories or vectors.
        """
        if any(tree.get("split_type", ())) or tree.get("categories_nodes"):
            raise NotCompiled("a feature has categories")
        if int(tree["tree_param"].get("size_leaf_vector", "1")) > 1:
            raise NotCompiled("its leaves are vectors")
        root = len(self._values)
        self._roots.append(root)
        self._append()
        level, depth = [(0, root)], 0
        while level:
            below: list[tuple[int, int]] = []
            for node, place in level:
                self._values[place] = tree["split_conditions"][node]
                left, right = tree["left_children"][node], tree["right_children"][node]
                if left < 0:
                    self._children[place] = place
                    continue
                feature = tree["split_indices"][node]
                if feature >= width:
                    raise NotCompiled("a tree looks at a feature that rows do not have")
                self.thresholds.setdefault(feature, []).append(self._values[place])
                missing_right = not tree["default_left"][node]
                self._tests[place] = feature * 4 + 2 * missing_right + 1
                self._children[place] = len(self._values)
                below += [(left, len(self._values)), (right, len(self._values) + 1)]
                self._append()
                self._append()
            level = below
            depth += bool(below)
        self.depths.append(depth)

    def _append(self) -> None:
        self._values.append(0.0)
        self._tests.append(0)
        self._children.append(0)


def _base(text: str, objective: str, outputs: int) -> Any:
    """Where margins begin. The file has the mean as the objective gives it, before the link."""
    from bottega.algorithms.xgboost import kernels

    given = np.array(json.loads(text if text.startswith("[") else f"[{text}]"), np.float32)
    kind = _TRANSFORMATIONS[objective]
    one = np.float32(1)
    if kind == "SIGMOID":
        given = one / given - one
        kernels.logarithms(given)
        given = -given
    elif kind == "EXPONENTIAL":
        kernels.logarithms(given)
    return np.array(np.broadcast_to(given, (outputs,)), dtype=np.float32)


def _trying_rows(thresholds: Mapping[int, Sequence[float]], width: int) -> Any:
    """Rows whose values lie on the model's thresholds and closely beside them, at random; and
    missing ones, infinities and zeros."""
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(_TRIED_ROWS, width)).astype(np.float32)
    for feature in range(width):
        known = np.array(thresholds.get(feature, (0.0,)), np.float32)
        chosen = chance.choice(known, _TRIED_ROWS)
        ways = (
            rows[:, feature] * (np.abs(known).max() + 1),
            chosen,
            np.nextafter(chosen, np.float32(-np.inf)),
            np.nextafter(chosen, np.float32(np.inf)),
            np.full(_TRIED_ROWS, np.nan, np.float32),
            np.where(chance.uniform(size=_TRIED_ROWS) < 0.5, np.inf, -np.inf),
            np.zeros(_TRIED_ROWS, np.float32),
        )
        way = chance.choice(len(ways), _TRIED_ROWS, p=(0.3, 0.25, 0.15, 0.15, 0.1, 0.02, 0.03))
        rows[:, feature] = np.choose(way, ways)
    return rows


def _seconds(predict: Callable[[Any], Any], row: Any) -> float:
    """How long one row takes, at best."""
    best = float("inf")
    for _ in range(_TIMED_CALLS):
        started = time.perf_counter()
        predict(row)
        best = min(best, time.perf_counter() - started)
    return best
