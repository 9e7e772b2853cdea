"""The part of an XGBoost model that predicts a few plain rows of CSV where a request comes in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bottega.algorithms.base import RequestError
from bottega.algorithms.records.media_types import CSV, media_of
from bottega.algorithms.xgboost import answers
from bottega.algorithms.xgboost.complete_trees import CompleteTrees, read_trees

if TYPE_CHECKING:
    from bottega.algorithms.xgboost.serving import Model

_MOST_STEPS = 20_000
"""Nodes that the rows of a request may pass together: some fifty microseconds."""
_SMALL_BODY = 1 << 13
_MOST_FEATURES = _SMALL_BODY // 8


@dataclass(frozen=True)
class NearTrees:
    """Complete trees, and how their answers are written."""

    trees: CompleteTrees
    default_accept: str

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str] | None:
        """See :class:`.NearModel`."""
        from bottega.algorithms.readers.number_kernels import numbers

        if len(body) > _SMALL_BODY:
            return None
        try:
            kind = answers.choose(accept, self.default_accept)
            if media_of(content_type, (CSV,)) != CSV:
                return None
        except RequestError:
            return None
        rows = numbers(body, self.trees.width)
        if rows is None or rows.shape[0] * self.trees.steps > _MOST_STEPS:
            return None
        scores = self.trees.predict(rows)
        return None if scores is None else (answers.encode(scores, kind), kind)


def near(model: Model) -> bytes:
    """What :func:`read_near` makes a model of; empty where the compiled model has no such part."""
    trees = model.complete_trees()
    if trees is None or trees.steps > _MOST_STEPS or trees.width > _MOST_FEATURES:
        return b""
    return json.dumps({"accept": model.default_accept}).encode() + b"\n" + trees.to_bytes()


def read_near(content: bytes) -> NearTrees:
    """A model of what :func:`near` wrote.

    Raises:
        ValueError: it is something else.
    """
    head, _, trees = content.partition(b"\n")
    settings = json.loads(head)
    accept = settings.get("accept") if isinstance(settings, dict) else None
    if not isinstance(accept, str):
        raise ValueError("it does not say in which form its answers are")
    found = NearTrees(read_trees(trees), accept)
    if found.trees.width > _MOST_FEATURES:
        raise ValueError(f"rows have {found.trees.width} features")
    zeros = b",".join([b"0"] * found.trees.width)
    if found.answer(zeros, CSV, "") is None:  # which also loads the kernels, here and now
        raise ValueError("it cannot answer a row of zeros")
    return found
