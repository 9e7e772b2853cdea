"""The part of an XGBoost model that predicts a few plain rows of CSV where a request comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import RequestError
from bottega.algorithms.records.media_types import CSV, media_of
from bottega.algorithms.xgboost import answers
from bottega.algorithms.xgboost.complete_trees import CompleteTrees, read_trees

if TYPE_CHECKING:
    from bottega.algorithms.xgboost.serving import Model

_MOST_STEPS = 20_000
"""Nodes that the rows of a request may pass together: some tens of microseconds."""
_STEPS_PER_NUMBER = 400
"""What it takes to write a predicted number, as JSON lines at worst."""
_SMALL_BODY = 1 << 13
_MOST_FEATURES = _SMALL_BODY // 8
_LONGEST_HEAD = 256


@dataclass(frozen=True)
class NearTrees:
    """Complete trees, and how their answers are written."""

    trees: CompleteTrees
    default_accept: str
    numbers: Callable[[bytes, int], Any]
    """Reads plain CSV."""

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str] | None:
        """See :class:`.NearModel`."""
        if len(body) > _SMALL_BODY:
            return None
        try:
            kind = answers.choose(accept, self.default_accept)
            if media_of(content_type, (CSV,)) != CSV:
                return None
        except RequestError:
            return None
        rows = self.numbers(body, self.trees.width)
        if rows is None or rows.shape[0] * _steps(self.trees) > _MOST_STEPS:
            return None
        scores = self.trees.predict(rows)
        return None if scores is None else (answers.encode(scores, kind), kind)


def near(model: Model) -> bytes:
    """What :func:`read_near` makes a model of; empty where the compiled model has no such part."""
    trees = model.complete_trees()
    if trees is None or _unfit(trees) or model.default_accept not in answers.ACCEPTED:
        return b""
    return json.dumps({"accept": model.default_accept}).encode() + b"\n" + trees.to_bytes()


def read_near(content: bytes) -> NearTrees:
    """A model of what :func:`near` wrote.

    Raises:
        ValueError: it is something else.
    """
    from bottega.algorithms.readers.number_kernels import numbers

    end = content.find(b"\n", 0, _LONGEST_HEAD)
    settings = json.loads(content[: max(end, 0)])
    accept = settings.get("accept") if isinstance(settings, dict) else None
    if accept not in answers.ACCEPTED:
        raise ValueError("it does not say in which form its answers are")
    trees = read_trees(content[end + 1 :])
    if unfit := _unfit(trees):
        raise ValueError(unfit)
    found = NearTrees(trees, accept, numbers)
    if found.answer(b",".join([b"0"] * trees.width), CSV, "") is None:
        raise ValueError("it cannot answer a row of zeros")
    return found


def _steps(trees: CompleteTrees) -> int:
    """What one row takes, from its text to the text of its answer."""
    return trees.steps + _STEPS_PER_NUMBER * trees.outputs


def _unfit(trees: CompleteTrees) -> str:
    """Why not even one row can be predicted in time; empty where it can."""
    if trees.width > _MOST_FEATURES:
        return f"rows have {trees.width} features"
    if _steps(trees) > _MOST_STEPS:
        return f"{trees.steps} steps and {trees.outputs} outputs are too many"
    return ""
