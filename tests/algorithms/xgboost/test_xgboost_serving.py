"""Requests to XGBoost models, against what the library itself predicts."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from scipy import sparse

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.readers.record_protobuf import decode_record, encode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import frame, read_records
from bottega.algorithms.registry import algorithm

RNG = np.random.default_rng(3)
FEATURES = RNG.normal(size=(200, 5)).astype(np.float32)
FEATURES[RNG.uniform(size=FEATURES.shape) < 0.1] = np.nan
TARGET = np.nan_to_num(FEATURES[:, 0]) - np.nan_to_num(FEATURES[:, 1])
CLASSES = np.digitize(TARGET, [-0.7, 0.7])
LABELS = {"reg": TARGET, "binary": (TARGET > 0).astype(int), "multi": CLASSES}

RECORDIO = "application/x-recordio-protobuf"

Answer = Callable[..., tuple[bytes, str]]


def booster(objective: str, **parameters: object) -> xgboost.Booster:
    kind = objective.partition(":")[0]
    values = {"objective": objective, "nthread": 1, **parameters}
    if kind == "multi":
        values["num_class"] = 3
    return xgboost.train(values, xgboost.DMatrix(FEATURES, label=LABELS[kind]), 7)


def model_folder(folder: Path, *boosters: xgboost.Booster) -> Path:
    for number, found in enumerate(boosters):
        name = "xgboost-model" + (f"-{number}" if len(boosters) > 1 else "")
        (folder / name).write_bytes(bytes(found.save_raw("ubj")))
    return folder


def answerer(folder: Path, **environment: str) -> Answer:
    model = algorithm("xgboost").load(folder, environment)

    def answer(
        body: bytes | str, content_type: str = "text/csv", accept: str = ""
    ) -> tuple[bytes, str]:
        data = body.encode() if isinstance(body, str) else body
        return algorithm("xgboost").predict(model, data, content_type, accept)

    return answer


def csv(rows: np.ndarray) -> str:
    return "\n".join(
        ",".join("" if np.isnan(cell) else repr(float(cell)) for cell in row) for row in rows
    )


def libsvm(rows: np.ndarray) -> str:
    return "".join(
        "0 " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row) if not np.isnan(v)) + "\n"
        for row in rows
    )


def records(features: Any, labels: Any = None) -> bytes:
    file = io.BytesIO()
    write_rows(file, features, labels)
    return file.getvalue()


def answered(answer: tuple[bytes, str]) -> list[dict[str, list[float]]]:
    """The outputs in the Records of an answer."""
    body, kind = answer
    assert kind == RECORDIO
    found = [decode_record(payload) for payload in read_records(io.BytesIO(body))]
    return [{key: value.tolist() for key, value in record.labels.items()} for record in found]


def numbers(answer: tuple[bytes, str]) -> np.ndarray:
    return np.loadtxt(io.BytesIO(answer[0]), delimiter=",")


@pytest.mark.parametrize(
    ("objective", "parameters"),
    [
        ("reg:squarederror", {}),
        ("reg:squarederror", {"booster": "dart"}),
        ("reg:squarederror", {"booster": "gblinear"}),
        ("binary:logistic", {}),
        ("binary:hinge", {}),
        ("multi:softprob", {}),
        ("multi:softmax", {}),
    ],
)
@pytest.mark.parametrize("rows", [1, 50])
def test_csv_and_libsvm_equal_the_library(
    tmp_path: Path, objective: str, parameters: dict[str, str], rows: int
) -> None:
    trained = booster(objective, **parameters)
    answer = answerer(model_folder(tmp_path, trained))
    expected = trained.predict(xgboost.DMatrix(FEATURES[:rows]))
    for content_type, body in (("text/csv", csv), ("text/libsvm", libsvm), ("", csv)):
        got = numbers(answer(body(FEATURES[:rows]), content_type))
        np.testing.assert_allclose(got.reshape(expected.shape), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 50])
def test_records_equal_the_library(tmp_path: Path, rows: int) -> None:
    trained = booster("binary:logistic")
    answer = answerer(model_folder(tmp_path, trained))
    given = FEATURES[:rows]
    expected = trained.predict(xgboost.DMatrix(given))
    there = ~np.isnan(given)
    # What a sparse row does not hold is missing, as in libsvm.
    inside = sparse.csr_matrix((given[there], np.nonzero(there)), shape=given.shape)
    doubles = b"".join(frame(encode_record({"values": row.astype(float)})) for row in given)
    for body in (records(given), records(given, expected), records(inside), doubles):
        np.testing.assert_allclose(numbers(answer(body, RECORDIO)), expected, rtol=1e-6)


@pytest.mark.parametrize("objective", ["reg:squarederror", "multi:softprob"])
def test_answers_in_records(tmp_path: Path, objective: str) -> None:
    trained = booster(objective)
    answer = answerer(model_folder(tmp_path, trained))
    expected = trained.predict(xgboost.DMatrix(FEATURES)).reshape(len(FEATURES), -1)
    found = answered(answer(csv(FEATURES), accept=RECORDIO))
    np.testing.assert_allclose([row["score"] for row in found], expected, rtol=1e-6)
    assert all(list(row) == ["score"] for row in found)


def test_selected_content_in_records(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, booster("binary:logistic"))
    answer = answerer(folder, SAGEMAKER_INFERENCE_OUTPUT="predicted_label,labels,probabilities")
    expected = json.loads(answer(csv(FEATURES), accept="application/json")[0])["predictions"]
    for row, wanted in zip(answered(answer(csv(FEATURES), accept=RECORDIO)), expected, strict=True):
        assert row["predicted_label"] == [wanted["predicted_label"]]
        assert row["labels"] == [0, 1]
        assert row["probabilities"] == pytest.approx(wanted["probabilities"])


def test_many_rows_are_answered_as_few_are(tmp_path: Path) -> None:
    trained = booster("binary:logistic")
    answer = answerer(model_folder(tmp_path, trained))
    rows = np.tile(FEATURES, (30, 1))
    expected = trained.predict(xgboost.DMatrix(rows))
    np.testing.assert_allclose(numbers(answer(csv(rows))), expected, rtol=1e-6)


def test_threads_share_a_model(tmp_path: Path) -> None:
    trained = booster("reg:squarederror")
    answer = answerer(model_folder(tmp_path, trained))
    expected = trained.predict(xgboost.DMatrix(FEATURES))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: answer(csv(row[None]))[0], FEATURES))
    np.testing.assert_allclose([float(text) for text in found], expected, rtol=1e-6)


def test_csv_is_read_generously(tmp_path: Path) -> None:
    trained = booster("reg:squarederror")
    answer = answerer(model_folder(tmp_path, trained))
    expected = answer("1,2,,4,5")[0]
    for body in ("1,2,,4,5\n", "1;2;;4;5", ' 1, 2,NA,"4",5\r\n', "1\t2\t\t4\t5", "1,2,nan,4,5"):
        assert answer(body)[0] == expected, body


def test_answers_in_every_media_type(tmp_path: Path) -> None:
    answer = answerer(model_folder(tmp_path, booster("reg:squarederror")))
    body, kind = answer(csv(FEATURES[:2]))
    assert kind == "text/csv"
    scores = [float(line) for line in body.decode().splitlines()]
    assert body.endswith(b"\n")
    body, kind = answer(csv(FEATURES[:2]), accept="application/json")
    assert (json.loads(body), kind) == (
        {"predictions": [{"score": score} for score in scores]},
        "application/json",
    )
    body, kind = answer(csv(FEATURES[:2]), accept="application/jsonlines")
    assert kind == "application/jsonlines"
    assert [json.loads(line) for line in body.splitlines()] == [{"score": s} for s in scores]
    assert answer(csv(FEATURES[:2]), accept="image/png, text/csv;q=0.5")[1] == "text/csv"
    assert answer(csv(FEATURES[:2]), accept="*/*")[1] == "text/csv"


def test_probabilities_of_classes_are_a_line(tmp_path: Path) -> None:
    answer = answerer(model_folder(tmp_path, booster("multi:softprob")))
    lines = answer(csv(FEATURES[:4]))[0].decode().splitlines()
    assert [len(line.split(",")) for line in lines] == [3] * 4
    found = json.loads(answer(csv(FEATURES[:1]), accept="application/json")[0])
    assert sum(found["predictions"][0]["score"]) == pytest.approx(1, abs=1e-5)


def test_the_default_answer_can_be_set(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, booster("reg:squarederror"))
    answer = answerer(folder, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    assert answer("1,2,3,4,5")[1] == "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "words"),
    [
        ("1,2,3", "text/csv", "", 400, ("3", "5")),
        ("0 7:1", "text/libsvm", "", 400, ("8", "5")),
        ("1,2,x,4,5", "text/csv", "", 415, ("'x'", "line 1", "column 3")),
        ("1,2,3,4,5\n1,2", "text/csv", "", 415, ("line 2",)),
        ("1 2:x", "text/libsvm", "", 415, ("'2:x'",)),
        ("1,2,3,4,5", "text/libsvm", "", 415, ("text/csv",)),
        ("1,2,3,4,5", RECORDIO, "", 415, ("recordio-protobuf", "record 1")),
        (records(np.ones((1, 3))), RECORDIO, "", 400, ("3", "5")),
        ("{}", "application/json", "", 415, ("application/json", "text/csv")),
        ("1,2,3,4,5", "text/csv", "image/png", 406, ("image/png", "application/json")),
    ],
)
def test_refusals(
    tmp_path: Path,
    body: bytes | str,
    content_type: str,
    accept: str,
    status: int,
    words: tuple[str, ...],
) -> None:
    answer = answerer(model_folder(tmp_path, booster("reg:squarederror")))
    with pytest.raises(RequestError) as error:
        answer(body, content_type, accept)
    assert error.value.status == status
    for word in words:
        assert word in error.value.message


def test_nothing_is_answered_to_nothing(tmp_path: Path) -> None:
    answer = answerer(model_folder(tmp_path, booster("reg:squarederror")))
    assert answer(b"")[0] == b""
    assert answer(b" \n")[0] == b""


def test_selected_content_of_a_binary_model(tmp_path: Path) -> None:
    trained = booster("binary:logistic")
    folder = model_folder(tmp_path, trained)
    keys = "predicted_label, labels,probability,probabilities,raw_score"
    answer = answerer(folder, SAGEMAKER_INFERENCE_OUTPUT=keys)
    row = json.loads(answer(csv(FEATURES[:1]), accept="application/json")[0])["predictions"][0]
    score = float(trained.predict(xgboost.DMatrix(FEATURES[:1]))[0])
    assert list(row) == ["predicted_label", "labels", "probability", "probabilities", "raw_score"]
    assert row["predicted_label"] == int(score > 0.5)
    assert row["labels"] == [0, 1]
    assert row["probability"] == row["raw_score"] == pytest.approx(score)
    assert row["probabilities"] == pytest.approx([1 - score, score])
    answer = answerer(folder, SAGEMAKER_INFERENCE_OUTPUT="predicted_label,labels")
    assert answer(csv(FEATURES[:1]))[0] == f'{int(score > 0.5)},"[0, 1]"\n'.encode()


@pytest.mark.parametrize("objective", ["multi:softmax", "multi:softprob"])
def test_selected_content_of_classes(tmp_path: Path, objective: str) -> None:
    folder = model_folder(tmp_path, booster(objective))
    keys = "predicted_label,probability,probabilities"
    answer = answerer(folder, SAGEMAKER_INFERENCE_OUTPUT=keys)
    rows = json.loads(answer(csv(FEATURES), accept="application/json")[0])["predictions"]
    expected = booster("multi:softprob").predict(xgboost.DMatrix(FEATURES))
    assert [row["predicted_label"] for row in rows] == expected.argmax(axis=1).tolist()
    found = [row["probabilities"] for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert rows[0]["probability"] == max(rows[0]["probabilities"])


def test_selected_content_that_the_objective_has_not(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, booster("reg:squarederror"))
    with pytest.raises(CustomerError, match=r"'probability'.*predicted_score"):
        answerer(folder, SAGEMAKER_INFERENCE_OUTPUT="probability")
    hinge = model_folder(tmp_path, booster("binary:hinge"))
    with pytest.raises(CustomerError, match=r"'probability'.*raw_scores"):
        answerer(hinge, SAGEMAKER_INFERENCE_OUTPUT="probability")
    model_folder(tmp_path, booster("reg:squarederror"))
    answer = answerer(folder, SAGEMAKER_INFERENCE_OUTPUT="predicted_score")
    assert "predicted_score" in answer("1,2,3,4,5", accept="application/jsonlines")[0].decode()


def test_an_ensemble_is_averaged(tmp_path: Path) -> None:
    boosters = [booster("reg:squarederror", max_depth=depth) for depth in (2, 3, 4)]
    folder = model_folder(tmp_path, *boosters)
    data = xgboost.DMatrix(FEATURES)
    expected = np.mean([found.predict(data) for found in boosters], axis=0)
    np.testing.assert_allclose(numbers(answerer(folder)(csv(FEATURES))), expected, rtol=1e-5)
    alone = answerer(folder, SAGEMAKER_INFERENCE_ENSEMBLE="false")(csv(FEATURES))
    np.testing.assert_allclose(numbers(alone), boosters[0].predict(data), rtol=1e-6)


def test_an_ensemble_of_classes_votes(tmp_path: Path) -> None:
    boosters = [booster("multi:softmax", max_depth=depth, eta=0.1) for depth in (1, 2, 6)]
    votes = np.stack([found.predict(xgboost.DMatrix(FEATURES)) for found in boosters])
    expected = [np.bincount(column.astype(int)).argmax() for column in votes.T]
    answer = answerer(model_folder(tmp_path, *boosters))
    assert numbers(answer(csv(FEATURES))).tolist() == expected


def test_the_best_round_of_the_users_own_early_stopping_counts(tmp_path: Path) -> None:
    trained = booster("reg:squarederror")
    trained.set_attr(best_iteration="2")
    expected = trained.predict(xgboost.DMatrix(FEATURES), iteration_range=(0, 3))
    got = numbers(answerer(model_folder(tmp_path, trained))(csv(FEATURES)))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_json_and_pickled_models_load_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = booster("reg:squarederror")
    expected = trained.predict(xgboost.DMatrix(FEATURES))
    for content in (bytes(trained.save_raw("json")), pickle.dumps(trained)):
        (tmp_path / "xgboost-model").write_bytes(content)
        got = numbers(answerer(tmp_path)(csv(FEATURES)))
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert "is a pickle" in capsys.readouterr().out


def test_models_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="xgboost-model is needed"):
        answerer(tmp_path)
    (tmp_path / "xgboost-model").write_bytes(b"binf nonsense")
    with pytest.raises(CustomerError, match="cannot be loaded by this version"):
        answerer(tmp_path)
    (tmp_path / "xgboost-model").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CustomerError, match="holds a dict"):
        answerer(tmp_path)
