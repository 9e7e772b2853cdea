"""Requests to a K-Means model."""

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
from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import read_records
from bottega.algorithms.registry import algorithm

KMEANS = algorithm("kmeans")
CENTERS = np.array([[0, 0], [10, 0], [0, 20]], dtype=np.float32)
RECORDIO = "application/x-recordio-protobuf"


@pytest.fixture
def model(tmp_path: Path) -> Any:
    zip_artifact.save(tmp_path, "kmeans", {"k": 3, "feature_dim": 2}, {"centers": CENTERS})
    return KMEANS.load(tmp_path, {})


def record_bytes(rows: Any) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows)
    return buffer.getvalue()


ROWS = np.array([[13, 4], [0, 0]], dtype=np.float32)
EXPECTED = [(1.0, 5.0), (0.0, 0.0)]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", b"13,4\n0,0\n"),
        ("text/csv;label_size=0", b"13,4\n0,0"),
        (
            "application/json",
            b'{"instances": [{"features": [13, 4]}, {"data": {"features": {"values": [0, 0]}}}]}',
        ),
        (
            "application/json",
            b'{"instances": [{"features": [13, 4]},'
            b' {"data": {"features": {"keys": [], "shape": [2], "values": []}}}]}',
        ),
        ("application/jsonlines", b'{"features": [13, 4]}\n{"features": [0, 0]}\n'),
        (RECORDIO, record_bytes(ROWS)),
        (RECORDIO, record_bytes(sparse.csr_matrix(ROWS))),
    ],
)
def test_requests(model: Any, content_type: str, body: bytes) -> None:
    answer, media = KMEANS.predict(model, body, content_type, "application/json")
    assert media == "application/json"
    assert json.loads(answer) == {
        "predictions": [
            {"closest_cluster": cluster, "distance_to_cluster": distance}
            for cluster, distance in EXPECTED
        ]
    }


def test_answers(model: Any) -> None:
    def answer(accept: str) -> bytes:
        body, media = KMEANS.predict(model, b"13,4\n0,0\n", "text/csv", accept)
        assert media == (accept or "application/json")
        return body

    assert answer("text/csv") == b"1.0,5.0\n0.0,0.0\n"
    lines = answer("application/jsonlines").splitlines()
    assert json.loads(lines[0]) == {"closest_cluster": 1.0, "distance_to_cluster": 5.0}
    assert "predictions" in json.loads(answer(""))
    found = [decode_record(payload) for payload in read_records(io.BytesIO(answer(RECORDIO)))]
    assert [float(record.labels["closest_cluster"][0]) for record in found] == [1.0, 0.0]
    assert [float(record.labels["distance_to_cluster"][0]) for record in found] == [5.0, 0.0]


@pytest.mark.parametrize(
    ("status", "content_type", "body", "accept"),
    [
        (400, "text/csv", b"1,2,3", ""),
        (400, "text/csv", b"", ""),
        (400, "text/csv", b"nan,1", ""),
        (415, "text/csv", b"a,b", ""),
        (415, "image/png", b"1,2", ""),
        (406, "text/csv", b"1,2", "image/png"),
        (415, "application/json", b"{", ""),
        (400, "application/json", b"{}", ""),
        (415, RECORDIO, b"nonsense", ""),
    ],
)
def test_refusals(model: Any, status: int, content_type: str, body: bytes, accept: str) -> None:
    with pytest.raises(RequestError) as error:
        KMEANS.predict(model, body, content_type, accept)
    assert error.value.status == status


def test_many_rows_and_large_numbers(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    centers = (random.normal(size=(7, 5)) + 1e4).astype(np.float32)
    zip_artifact.save(tmp_path, "kmeans", {}, {"centers": centers})
    rows = (random.normal(size=(3000, 5)) + 1e4).astype(np.float32)
    closest, distances = KMEANS.load(tmp_path, {}).closest(rows)
    exact = np.sqrt(((rows[:, None].astype(float) - centers[None]) ** 2).sum(axis=2))
    np.testing.assert_array_equal(closest, exact.argmin(axis=1))
    np.testing.assert_allclose(distances, exact.min(axis=1))


def test_models_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="no file model_algo-1"):
        KMEANS.load(tmp_path, {})
    (tmp_path / "model_algo-1").write_bytes(b"PK but not really")
    with pytest.raises(CustomerError, match="no model of kmeans"):
        KMEANS.load(tmp_path, {})
    zip_artifact.save(tmp_path, "linear-learner", {}, {"centers": CENTERS})
    with pytest.raises(CustomerError, match="of linear-learner"):
        KMEANS.load(tmp_path, {})
    zip_artifact.save(tmp_path, "kmeans", {}, {"centers": CENTERS * np.nan})
    with pytest.raises(CustomerError, match="no numbers"):
        KMEANS.load(tmp_path, {})
