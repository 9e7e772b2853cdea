"""Requests to a Factorization Machine."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bottega.algorithms import zip_artifact
from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.factorization_machines.weights import Weights
from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import read_records
from bottega.algorithms.registry import algorithm

FM = algorithm("factorization-machines")
RECORDIO = "application/x-recordio-protobuf"
WEIGHTS = Weights(
    bias=np.array([0.5], np.float32),
    linear=np.array([1, -1, 0], np.float32),
    factors=np.array([[1, 0], [2, 1], [0, 3]], np.float32),
)
ROWS = np.array([[1, 2, 0], [0, 1, 1]], dtype=np.float32)
# 0.5 + 1 - 2 + <(1,0),(2,1)> 1 2, and 0.5 - 1 + <(2,1),(0,3)>
MARGINS = [3.5, 2.5]
CHANCES = [1 / (1 + np.exp(-margin)) for margin in MARGINS]


@pytest.fixture
def regressor(tmp_path: Path) -> Any:
    WEIGHTS.save(tmp_path, "regressor")
    return FM.load(tmp_path, {})


@pytest.fixture
def classifier(tmp_path: Path) -> Any:
    WEIGHTS.save(tmp_path, "binary_classifier")
    return FM.load(tmp_path, {})


def record_bytes(rows: Any) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows)
    return buffer.getvalue()


REQUESTS = [
    ("application/json", b'{"instances": [{"features": [1, 2, 0]}, {"features": [0, 1, 1]}]}'),
    (
        "application/json",
        b'{"instances": [{"data": {"features": {"keys": [0, 1], "shape": [3], "values": [1, 2]}}},'
        b' {"data": {"features": {"keys": [1, 2], "shape": [3], "values": [1, 1]}}}]}',
    ),
    ("application/jsonlines", b'{"features": [1, 2, 0]}\n{"features": [0, 1, 1]}\n'),
    (RECORDIO, record_bytes(ROWS)),
    (RECORDIO, record_bytes(sparse.csr_matrix(ROWS))),
]


@pytest.mark.parametrize(("content_type", "body"), REQUESTS)
def test_requests_of_numbers(regressor: Any, content_type: str, body: bytes) -> None:
    answer, media = FM.predict(regressor, body, content_type, "application/json")
    assert media == "application/json"
    assert json.loads(answer) == {"predictions": [{"score": margin} for margin in MARGINS]}


@pytest.mark.parametrize(("content_type", "body"), REQUESTS)
def test_requests_of_classes(classifier: Any, content_type: str, body: bytes) -> None:
    answer, _ = FM.predict(classifier, body, content_type, "application/json")
    found = json.loads(answer)["predictions"]
    assert [row["predicted_label"] for row in found] == [1, 1]
    assert [row["score"] for row in found] == pytest.approx(CHANCES)


@pytest.mark.parametrize("row", [0, 1])
def test_one_sparse_row_alone(regressor: Any, row: int) -> None:
    body = record_bytes(sparse.csr_matrix(ROWS[row : row + 1]))
    answer, _ = FM.predict(regressor, body, RECORDIO, "application/jsonlines")
    assert json.loads(answer) == {"score": MARGINS[row]}


def test_answers(classifier: Any) -> None:
    content_type, body = REQUESTS[0]
    lines, media = FM.predict(classifier, body, content_type, "application/jsonlines")
    assert media == "application/jsonlines"
    assert json.loads(lines.splitlines()[1])["predicted_label"] == 1
    packed, media = FM.predict(classifier, body, content_type, RECORDIO)
    assert media == RECORDIO
    found = [decode_record(payload) for payload in read_records(io.BytesIO(packed))]
    assert [float(record.labels["score"][0]) for record in found] == pytest.approx(CHANCES)
    assert [float(record.labels["predicted_label"][0]) for record in found] == [1.0, 1.0]
    assert FM.predict(classifier, *reversed(REQUESTS[3]), "")[1] == RECORDIO


@pytest.mark.parametrize(
    ("status", "content_type", "body", "accept"),
    [
        (415, "text/csv", b"1,2,3", ""),
        (406, "application/json", REQUESTS[0][1], "text/csv"),
        (400, "application/json", b'{"instances": [{"features": [1, 2]}]}', ""),
        (400, "application/json", b'{"instances": []}', ""),
        (415, "application/json", b"{", ""),
        (415, RECORDIO, b"nonsense", ""),
        (400, RECORDIO, record_bytes(ROWS[:, :2]), ""),
    ],
)
def test_refusals(regressor: Any, status: int, content_type: str, body: bytes, accept: str) -> None:
    with pytest.raises(RequestError) as error:
        FM.predict(regressor, body, content_type, accept)
    assert error.value.status == status


def test_models_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="no file model_algo-1"):
        FM.load(tmp_path, {})
    arrays = {"bias": WEIGHTS.bias, "linear": WEIGHTS.linear[:2], "factors": WEIGHTS.factors}
    facts = {"predictor_type": "regressor"}
    zip_artifact.save(tmp_path, "factorization-machines", facts, arrays)
    with pytest.raises(CustomerError, match="do not fit together"):
        FM.load(tmp_path, {})
