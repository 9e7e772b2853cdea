"""Requests to models of Linear Learner, in every form, and their artifacts."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bottega.algorithms import zip_artifact
from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.linear_learner import artifact
from bottega.algorithms.linear_learner.artifact import LinearModel
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm

RNG = np.random.default_rng(4)
WIDTH = 3
ROWS = RNG.normal(size=(4, WIDTH)).astype(np.float32)
WEIGHTS = RNG.normal(size=(WIDTH, 3))
BIAS = np.array([0.5, -1.0, 0.25])
RECORDIO = "application/x-recordio-protobuf"


def linear(predictor: str = "binary_classifier", loss: str = "logistic", cut: float = 0.3) -> Any:
    columns = 3 if predictor == "multiclass_classifier" else 1
    return LinearModel(
        WEIGHTS[:, :columns].copy(), BIAS[:columns].copy(), predictor, loss, cut, {"wd": 0.1}
    )


def served(folder: Path, model: LinearModel) -> Any:
    artifact.save(folder, model)
    return algorithm("linear-learner").load(folder, {})


def ask(
    model: Any, body: bytes | str, content_type: str = "application/json", accept: str = ""
) -> tuple[bytes, str]:
    raw = body.encode() if isinstance(body, str) else body
    return algorithm("linear-learner").predict(model, raw, content_type, accept)


def instances(rows: np.ndarray) -> str:
    return json.dumps({"instances": [{"features": row.tolist()} for row in rows]})


def records(rows: Any) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows)
    return buffer.getvalue()


def test_two_classes(tmp_path: Path) -> None:
    body, media = ask(served(tmp_path, linear()), instances(ROWS))
    assert media == "application/json"
    margins = ROWS.astype(np.float64) @ WEIGHTS[:, 0] + BIAS[0]
    found = json.loads(body)
    assert list(found) == ["predictions"]
    for item, margin in zip(found["predictions"], margins, strict=True):
        assert list(item) == ["score", "predicted_label"]
        assert item["score"] == pytest.approx(1 / (1 + np.exp(-margin)))
        # The threshold that training found counts, not a half.
        assert item["predicted_label"] == int(margin > 0.3)
        assert isinstance(item["predicted_label"], int)


def test_hinge_scores_are_margins(tmp_path: Path) -> None:
    body, _ = ask(served(tmp_path, linear(loss="hinge_loss")), instances(ROWS))
    margins = ROWS.astype(np.float64) @ WEIGHTS[:, 0] + BIAS[0]
    scores = [item["score"] for item in json.loads(body)["predictions"]]
    assert scores == pytest.approx(margins.tolist())


def test_several_classes(tmp_path: Path) -> None:
    model = served(tmp_path, linear("multiclass_classifier", "softmax_loss"))
    found = json.loads(ask(model, instances(ROWS))[0])["predictions"]
    margins = ROWS.astype(np.float64) @ WEIGHTS + BIAS
    shares = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    assert [item["predicted_label"] for item in found] == shares.argmax(axis=1).tolist()
    np.testing.assert_allclose([item["score"] for item in found], shares)


def test_numbers(tmp_path: Path) -> None:
    model = served(tmp_path, linear("regressor", "squared_loss"))
    found = json.loads(ask(model, instances(ROWS))[0])["predictions"]
    margins = ROWS.astype(np.float64) @ WEIGHTS[:, 0] + BIAS[0]
    assert found == [{"score": pytest.approx(margin)} for margin in margins.tolist()]


def test_every_form_of_a_request_gives_the_same(tmp_path: Path) -> None:
    model = served(tmp_path, linear())
    holes = ROWS.copy()
    holes[0, 1] = holes[2, 0] = 0
    dense = [{"data": {"features": {"values": row.tolist()}}} for row in holes]
    kept = [np.flatnonzero(row) for row in holes]
    few = [
        {"data": {"features": {"keys": k.tolist(), "shape": [3], "values": row[k].tolist()}}}
        for k, row in zip(kept, holes, strict=True)
    ]
    lines = "".join(json.dumps(item) + "\n" for item in few)
    table = "\n".join(",".join(map(repr, row.tolist())) for row in holes)
    bodies: list[tuple[bytes | str, str]] = [
        (json.dumps({"instances": dense}), "application/json"),
        (json.dumps({"instances": few}), "application/json"),
        (lines, "application/jsonlines"),
        (table, "text/csv"),
        (table, "text/csv;label_size=0"),
        (records(holes), RECORDIO),
        (records(sparse.csr_matrix(holes)), RECORDIO),
    ]
    expected = ask(model, instances(holes), accept="application/json")[0]
    for body, content_type in bodies:
        found = json.loads(ask(model, body, content_type, "application/json")[0])
        for one, other in zip(
            found["predictions"], json.loads(expected)["predictions"], strict=True
        ):
            assert one == pytest.approx(other, rel=1e-6)


def test_every_form_of_an_answer(tmp_path: Path) -> None:
    from bottega.algorithms.readers.record_protobuf import decode_record

    model = served(tmp_path, linear("multiclass_classifier", "softmax_loss"))
    plain = json.loads(ask(model, instances(ROWS))[0])["predictions"]
    body, media = ask(model, instances(ROWS), accept="application/jsonlines")
    assert media == "application/jsonlines"
    assert [json.loads(line) for line in body.splitlines()] == plain
    body, media = ask(model, instances(ROWS), accept="text/csv")
    assert media == "text/csv"
    assert len(body.splitlines()) == 4
    # RecordIO is answered with RecordIO.
    body, media = ask(model, records(ROWS), RECORDIO)
    assert media == RECORDIO
    size = int.from_bytes(body[4:8], "little")
    first = decode_record(body[8 : 8 + size])
    np.testing.assert_allclose(first.labels["score"], plain[0]["score"], rtol=1e-6)
    assert first.labels["predicted_label"].tolist() == [plain[0]["predicted_label"]]


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        ('{"instances": [{"features": [1, 2]}]}', "application/json", "", 400),
        ('{"instances": []}', "application/json", "", 400),
        ('{"rows": []}', "application/json", "", 400),
        ('{"instances": [{"features": [1, 2, NaN]}]}', "application/json", "", 400),
        ("{", "application/json", "", 415),
        ("1,2,x", "text/csv", "", 415),
        ("1,2", "text/csv", "", 400),
        ("", "text/csv", "", 400),
        ("1,2,3", "image/png", "", 415),
        ("1,2,3", "text/csv", "image/png", 406),
        ("nonsense", RECORDIO, "", 415),
    ],
)
def test_bad_requests(
    tmp_path: Path, body: str, content_type: str, accept: str, status: int
) -> None:
    model = served(tmp_path, linear())
    with pytest.raises(RequestError) as error:
        ask(model, body, content_type, accept)
    assert error.value.status == status


def test_many_threads_at_once(tmp_path: Path) -> None:
    model = served(tmp_path, linear())
    expected = ask(model, instances(ROWS))
    wrong: list[Any] = []

    def many() -> None:
        for _ in range(50):
            if ask(model, instances(ROWS)) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_documented_loader(tmp_path: Path) -> None:
    artifact.save(tmp_path, linear())
    model = np.load(tmp_path / "model_algo-1")
    margins = ROWS @ model["weights"] + model["bias"]
    facts = json.loads(model["model.json"])
    model.close()
    np.testing.assert_allclose(margins[:, 0], ROWS @ WEIGHTS[:, 0] + BIAS[0])
    assert facts["predictor_type"] == "binary_classifier"
    assert facts["threshold"] == pytest.approx(1 / (1 + np.exp(-0.3)))
    assert facts["hyperparameters"] == {"wd": 0.1}


def test_an_artifact_comes_back_as_it_was(tmp_path: Path) -> None:
    artifact.save(tmp_path, linear(cut=-1e6))
    found = artifact.load(tmp_path)
    np.testing.assert_array_equal(found.weights, WEIGHTS[:, :1])
    assert (found.cut, found.threshold, found.width) == (-1e6, pytest.approx(0), 3)
    assert not [path for path in tmp_path.iterdir() if path.name != "model_algo-1"]


def test_what_is_no_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="has no file model_algo-1"):
        artifact.load(tmp_path)
    path = tmp_path / "model_algo-1"
    path.write_bytes(b"nonsense")
    with pytest.raises(CustomerError, match="is no model of linear-learner"):
        artifact.load(tmp_path)
    artifact.save(tmp_path, linear())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CustomerError, match="is no model of linear-learner"):
        artifact.load(tmp_path)
    for facts, arrays in (
        ({"predictor_type": "regressor"}, {"weights": WEIGHTS, "bias": BIAS}),
        ({}, {"weights": WEIGHTS, "bias": BIAS[:2]}),
    ):
        zip_artifact.save(tmp_path, "linear-learner", facts, arrays)
        with pytest.raises(CustomerError, match="is no model of linear-learner"):
            artifact.load(tmp_path)
    zip_artifact.save(tmp_path, "kmeans", {}, {"weights": WEIGHTS, "bias": BIAS})
    with pytest.raises(CustomerError, match="of kmeans"):
        artifact.load(tmp_path)
