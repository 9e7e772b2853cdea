"""How predictions are written: CSV, JSON, JSON lines or RecordIO, plain or as selected."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.record_writing import label_records
from bottega.algorithms.records.media_types import CSV, JSON, JSONLINES, RECORDIO, wanted_media

if TYPE_CHECKING:
    from bottega.algorithms.xgboost.serving import Model

ACCEPTED = (CSV, JSON, JSONLINES, RECORDIO)

_CLASS_KEYS = (
    "predicted_label",
    "labels",
    "probability",
    "probabilities",
    "raw_score",
    "raw_scores",
)
_SELECTABLE = {
    "reg:": ("predicted_score",),
    "count:": ("predicted_score",),
    "binary:logitraw": ("predicted_label", "labels", "raw_score", "raw_scores"),
    "binary:hinge": ("predicted_label", "labels", "raw_score", "raw_scores"),
    "binary:": _CLASS_KEYS,
    "multi:": _CLASS_KEYS,
}


def choose(accept: str, default: str) -> str:
    """The media type of the answer.

    Raises:
        RequestError: 406 when none of those wanted can be given.
    """
    return wanted_media(accept, default, ACCEPTED)


def encode(scores: Any, kind: str) -> bytes:
    """Plain predictions: a line, or an entry of ``predictions``, for each row."""
    values = scores.tolist()
    if kind == CSV:
        if scores.ndim == 1:
            return ("\n".join(map(repr, values)) + "\n").encode()
        return ("\n".join(",".join(map(repr, row)) for row in values) + "\n").encode()
    if kind == RECORDIO:
        return label_records({"score": scores})
    return _as_json([{"score": value} for value in values], kind)


def check_output(keys: Sequence[str], objective: str) -> None:
    """Refuse selected content that the objective does not give.

    Raises:
        CustomerError: ``SAGEMAKER_INFERENCE_OUTPUT`` names it.
    """
    if not keys:
        return
    known = next((found for name, found in _SELECTABLE.items() if objective.startswith(name)), ())
    if wrong := [key for key in keys if key not in known]:
        allowed = ", ".join(known) or "nothing"
        raise CustomerError(
            f"SAGEMAKER_INFERENCE_OUTPUT has {wrong[0]!r}, which {objective} does not give; "
            f"it gives {allowed}."
        )


def needs_margin(model: Model) -> bool:
    """Whether the probabilities have to be computed from margins: multi:softmax predicts labels."""
    return model.objective == "multi:softmax" and bool(
        {*model.output} - {"predicted_label", "labels"}
    )


def encode_selected(model: Model, scores: Any, margin: Any, kind: str) -> bytes:
    """Predictions with the content that ``SAGEMAKER_INFERENCE_OUTPUT`` selects, in its order."""
    columns = _columns(model, scores, margin)
    rows = [
        dict(zip(model.output, values, strict=True))
        for values in zip(*(columns[key] for key in model.output), strict=True)
    ]
    if kind == RECORDIO:
        return label_records({key: np.array(columns[key]) for key in model.output})
    if kind != CSV:
        return _as_json(rows, kind)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row.values() for row in rows)
    return text.getvalue().encode()


def _columns(model: Model, scores: Any, margin: Any) -> dict[str, list[Any]]:
    """Each selectable content, by row. ``raw_score`` of binary:logistic is the probability, as in
    SageMaker's image."""
    objective, values = model.objective, scores.astype(np.float64)
    if not objective.startswith(("binary:", "multi:")):
        return {"predicted_score": values.tolist()}
    if objective.startswith("binary:"):
        threshold = 0.0 if objective == "binary:logitraw" else 0.5
        labels = (values > threshold).astype(int)
        pairs = np.stack([1.0 - values, values], axis=1)
        best = values
        classes = 2
    else:
        classes = model.classes
        pairs = _softmax(margin) if margin is not None else values
        labels = values.argmax(axis=1) if values.ndim == 2 else values.astype(int)
        best = pairs.max(axis=1) if pairs.ndim == 2 else pairs
    return {
        "predicted_label": labels.tolist(),
        "labels": [list(range(classes))] * len(labels),
        "probability": best.tolist(),
        "probabilities": pairs.tolist(),
        "raw_score": best.tolist(),
        "raw_scores": pairs.tolist(),
    }


def _softmax(margin: Any) -> Any:
    powers = np.exp(margin.astype(np.float64) - margin.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _as_json(rows: list[dict[str, Any]], kind: str) -> bytes:
    if kind == JSON:
        return json.dumps({"predictions": rows}).encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
