"""Models without a script, each as its library wrote it, behind a framework image's handler."""

from __future__ import annotations

import io
import json
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression

from bottega.algorithms.base import CustomerError
from bottega.container.formats.recognition import Recognised, recognise
from bottega.container.inference import InferenceError, InferenceHandler, load_handler

ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0], [0.5, 9.0]])
CLASSES = np.array([0, 1, 1, 0])
JSON = "application/json"


def load(folder: Path, **environment: str) -> InferenceHandler:
    return load_handler("python", folder, environment)


def answer(handler: InferenceHandler, body: bytes, kind: str = JSON, accept: str = "") -> bytes:
    return handler.transform(body, kind, accept).body


def rows(array: np.ndarray = ROWS) -> bytes:
    return json.dumps(array.tolist()).encode()


@given(st.permutations(["model.pt", "model.pkl", "notes", "a/b/MLmodel", "code/model.onnx"]))
def test_recognition_does_not_depend_on_the_order(names: list[str]) -> None:
    assert recognise(names) == Recognised("scikit-learn", "model.pkl")


def test_two_mlflow_models_are_none() -> None:
    assert recognise(["a/MLmodel", "b/MLmodel"]) is None
    assert recognise(["MLmodel", "b/MLmodel"]) == Recognised("mlflow", ".")


@pytest.mark.parametrize("name", ["model.joblib", "model.pkl"])
def test_scikit_learn_predicts_as_the_estimator(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = LogisticRegression().fit(ROWS, CLASSES)
    (joblib.dump if name == "model.joblib" else dump_pickle)(model, tmp_path / name)

    handler = load(tmp_path)

    assert "runs whatever code its author put there" in capsys.readouterr().err
    assert json.loads(answer(handler, rows())) == model.predict(ROWS).tolist()
    found = json.loads(answer(handler, rows(), accept=f"{JSON};method=predict_proba"))
    assert found == model.predict_proba(ROWS).tolist()
    by_default = load(tmp_path, SAGEMAKER_PREDICT_METHOD="predict_proba")
    assert json.loads(answer(by_default, b"1,2\n", "text/csv")) == [found[0]]


def dump_pickle(model: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(model))


def test_scikit_learn_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    joblib.dump(LinearRegression().fit(ROWS, CLASSES), tmp_path / "model.joblib")
    handler = load(tmp_path)
    with pytest.raises(InferenceError, match="no method 'predict_proba'") as refused:
        answer(handler, rows(), accept=f"{JSON};method=predict_proba")
    assert refused.value.status == 406
    for body, status in ((b"[[1,2,3]]", 400), (b"[", 400)):
        with pytest.raises(InferenceError) as refused:
            answer(handler, body)
        assert refused.value.status == status
    with pytest.raises(CustomerError, match="SAGEMAKER_PREDICT_METHOD"):
        load(tmp_path, SAGEMAKER_PREDICT_METHOD="predict_proba")


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=["a", "b"])
    model = LinearRegression().fit(frame, [1.0, 2.0, 4.0, 0.0])
    joblib.dump(model, tmp_path / "model.joblib")
    handler = load(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = json.loads(answer(handler, b'[{"b": 2, "a": 1}]'))
        assert found == pytest.approx(model.predict(frame[:1]))
        assert json.loads(answer(handler, b"1,2", "text/csv")) == found
    with pytest.raises(InferenceError, match="lacks the columns b"):
        answer(handler, b'{"a": 1}')


def test_a_damaged_pickle_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"no pickle")
    with pytest.raises(CustomerError, match=r"model\.pkl cannot be loaded"):
        load(tmp_path)


def test_skops_loads_what_it_trusts(tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    model = LinearRegression().fit(ROWS, CLASSES)
    skops.dump(model, tmp_path / "model.skops")
    assert json.loads(answer(load(tmp_path), rows())) == pytest.approx(model.predict(ROWS))


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_mlflow_models_of_any_place(tmp_path: Path) -> None:
    sklearn = pytest.importorskip("mlflow.sklearn", reason="MLflow is not installed")
    model = LinearRegression().fit(pd.DataFrame(ROWS, columns=["a", "b"]), CLASSES)
    sklearn.save_model(model, tmp_path / "saved", serialization_format="cloudpickle")
    for folder in (tmp_path, tmp_path / "saved"):
        handler = load(folder)
        found = json.loads(answer(handler, b'{"a": 1, "b": 2}'))["predictions"]
        assert found == pytest.approx(model.predict(pd.DataFrame({"a": [1], "b": [2]})))
        with pytest.raises(InferenceError) as refused:
            answer(handler, b"x", "image/png")
        assert refused.value.status == 415


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_predicts_as_the_module(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Softmax(dim=1))
    torch.jit.save(torch.jit.trace(module, torch.zeros(1, 2)), tmp_path / "model.pt")
    handler = load(tmp_path)
    expected = module(torch.tensor(ROWS).float()).detach().numpy()
    np.testing.assert_allclose(json.loads(answer(handler, rows())), expected, rtol=1e-6)
    npy = answer(handler, rows(), accept="application/x-npy")
    np.testing.assert_allclose(np.load(io.BytesIO(npy)), expected, rtol=1e-6)
    with pytest.raises(InferenceError) as refused:
        answer(handler, b"[[1.0, 2.0, 3.0]]")
    assert refused.value.status == 400


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_weights_alone_need_a_script(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / "model.pth")
    with pytest.raises(CustomerError, match=r"is no TorchScript[\s\S]*model_fn"):
        load(tmp_path)


def test_onnx_predicts_what_the_model_says(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    (tmp_path / "model.onnx").write_bytes(ADD)
    handler = load(tmp_path)
    assert json.loads(answer(handler, rows())) == (ROWS + ROWS).tolist()
    assert json.loads(answer(handler, b"[1, 2]")) == [[2.0, 4.0]]
    assert json.loads(answer(handler, b'{"x": [[1, 2]]}')) == [[2.0, 4.0]]
    for body in (b'{"z": [1]}', b'[["a", "b"]]', b"[[1, 2, 3]]"):
        with pytest.raises(InferenceError) as refused:
            answer(handler, body)
        assert refused.value.status == 400


def test_a_damaged_onnx_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(CustomerError, match=r"model\.onnx (cannot be loaded|needs ONNX Runtime)"):
        load(tmp_path)


def test_a_folder_without_any_says_what_can_be_there(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match=r"MLmodel \(MLflow\), model\.onnx"):
        load(tmp_path)


def _field(number: int, content: bytes | str | int) -> bytes:
    """A field of a protocol buffer; lengths here are below 128."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    data = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2, len(data)]) + data


def _value(name: str) -> bytes:
    """A float tensor of any number of rows with two columns."""
    shape = _field(1, _field(2, "n")) + _field(1, _field(1, 2))
    tensor = _field(1, 1) + _field(2, shape)
    return _field(1, name) + _field(2, _field(1, tensor))


_NODE = _field(1, "x") + _field(1, "x") + _field(2, "y") + _field(4, "Add")
_GRAPH = _field(1, _NODE) + _field(2, "g") + _field(11, _value("x")) + _field(12, _value("y"))
ADD = _field(1, 8) + _field(7, _GRAPH) + _field(8, _field(2, 13))
"""An ONNX model ``y = x + x``, written by hand: the package onnx is not needed for it."""
