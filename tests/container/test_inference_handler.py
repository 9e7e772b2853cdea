"""Models behind a handler: a built-in algorithm, or the user's script with or without defaults."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest
import xgboost
from scipy import sparse
from sklearn.linear_model import LinearRegression

from bottega.algorithms.base import CustomerError
from bottega.container import inference_script
from bottega.container.inference import InferenceError, InferenceHandler, load_handler

FEATURES = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
LABELS = FEATURES @ [2.0, -1.0] + 1

MODEL_FN = """
import os
import joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""


@pytest.fixture(autouse=True)
def path_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scripts are imported into this process: their modules and folders go again."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in ("inference", "serve", "serving_part"):
        if name not in before:
            sys.modules.pop(name, None)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    joblib.dump(LinearRegression().fit(FEATURES, LABELS), tmp_path / "model.joblib")
    return tmp_path


def handler(
    model: Path, code: str, image: str = "scikit-learn", **environment: str
) -> InferenceHandler:
    (model / "code").mkdir(exist_ok=True)
    (model / "code" / "inference.py").write_text(textwrap.dedent(code))
    return load_handler(image, model, {"BOTTEGA_ML_ROOT": str(model.parent), **environment})


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    sparse.save_npz(buffer, sparse.csr_matrix(array))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps(FEATURES.tolist()).encode()),
        ("text/csv", b"1,2\n3,4\n5,7\n"),
        ("text/csv; charset=utf-8", b"1,2\r\n3,4\r\n5,7"),
        ("application/x-npy", npy(FEATURES)),
        ("application/x-npz", npz(FEATURES)),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-npy", "*/*", ""])
def test_every_default_format(model: Path, content_type: str, body: bytes, accept: str) -> None:
    response = handler(model, MODEL_FN).transform(body, content_type, accept)
    assert response.status == 200
    if response.content_type == "text/csv":
        found = np.loadtxt(io.BytesIO(response.body))
    elif response.content_type == "application/x-npy":
        found = np.load(io.BytesIO(response.body))
    else:
        assert response.content_type == "application/json"
        found = np.array(json.loads(response.body))
    np.testing.assert_allclose(found, LABELS)
    if accept in ("application/json", "text/csv", "application/x-npy"):
        assert response.content_type == accept


def test_one_row_of_csv_is_a_table(model: Path) -> None:
    response = handler(model, MODEL_FN).transform(b"1,2", "text/csv", "text/csv")
    assert float(response.body) == pytest.approx(1.0)


def test_every_function_of_the_script_is_used(model: Path) -> None:
    code = (
        MODEL_FN
        + """
def input_fn(request_body, content_type):
    assert isinstance(request_body, str) and content_type == "text/csv"
    return [[float(cell) for cell in request_body.split("|")]]

def predict_fn(data, model):
    return {"answer": model.predict(data)[0]}

def output_fn(prediction, accept):
    return f"<{prediction['answer']:.1f}>", "text/html"
"""
    )
    response = handler(model, code).transform(b"1|2", "text/csv", "application/json")
    assert (response.body, response.content_type) == (b"<1.0>", "text/html")


def test_functions_may_take_the_context(model: Path) -> None:
    code = """
def model_fn(model_dir, context):
    return context.system_properties["model_dir"]

def input_fn(body, content_type, context):
    return context.get_request_content_type()

def predict_fn(data, model, context):
    return [model, data, context.accept]

def output_fn(prediction, accept, context=None):
    import json
    assert context is not None
    return json.dumps(prediction)
"""
    response = handler(model, code).transform(b"\x00", "application/x-image", "application/json")
    assert json.loads(response.body) == [str(model), "application/x-image", "application/json"]


def test_transform_fn_replaces_the_three(model: Path) -> None:
    code = (
        MODEL_FN
        + """
def transform_fn(model, data, content_type, accept):
    return data[::-1], accept
"""
    )
    response = handler(model, code).transform(b"abc", "text/plain", "text/plain")
    assert (response.body, response.content_type) == (b"cba", "text/plain")
    with pytest.raises(CustomerError, match="transform_fn replaces all three"):
        handler(model, code + "\ndef predict_fn(data, model): pass\n")


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("b'raw'", b"raw"),
        ("'text'", b"text"),
        ("{'a': __import__('numpy').arange(2)}", b'{"a": [0, 1]}'),
        ("__import__('numpy').float32(1.5)", b"1.5"),
        ("__import__('pandas').DataFrame({'a': [1]})", b'[{"a": 1}]'),
        ("[1, (2, 3)]", b"[1, [2, 3]]"),
    ],
)
def test_what_a_script_may_return(model: Path, value: str, body: bytes) -> None:
    code = f"""
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept): return {value}
"""
    response = handler(model, code).transform(b"", "text/csv", "application/json")
    assert response.body == body


def test_the_scripts_exceptions_are_answers_with_its_traceback(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = handler(model, MODEL_FN + "\ndef predict_fn(data, model):\n    raise KeyError('x')\n")
    with pytest.raises(InferenceError) as error:
        found.transform(b"[[1, 2]]", "application/json", "")
    assert error.value.status == 500
    assert error.value.message.startswith("Traceback (most recent call last):\n")
    assert error.value.message.endswith("KeyError: 'x'\n")
    assert "src/bottega" not in error.value.message
    assert capsys.readouterr().err == error.value.message
    # The next request is answered as if nothing had been.
    with pytest.raises(InferenceError):
        found.transform(b"[[1, 2]]", "application/json", "")


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "words"),
    [
        (b"x", "image/png", "", 415, ("image/png", "input_fn")),
        (b"[[1, 2]]", "application/json", "image/png", 406, ("image/png", "output_fn")),
        (b"{", "application/json", "", 400, ("application/json",)),
        (b"1,2\n3", "text/csv", "", 400, ("different numbers",)),
        (b"\xff", "text/csv", "", 400, ("text/csv",)),
        (b"x", "application/x-npy", "", 400, ("application/x-npy",)),
        (npy(np.array([{}], dtype=object)), "application/x-npy", "", 400, ("allow_pickle",)),
    ],
)
def test_refusals(
    model: Path,
    body: bytes,
    content_type: str,
    accept: str,
    status: int,
    words: tuple[str, ...],
) -> None:
    with pytest.raises(InferenceError) as error:
        handler(model, MODEL_FN).transform(body, content_type, accept)
    assert error.value.status == status
    for word in words:
        assert word in error.value.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", ("no model_fn",)),
        ("def broken(:", ("cannot be imported", "SyntaxError")),
        ("import no_such_module", ("cannot be imported", "no_such_module")),
        ("def model_fn(model_dir): 1 / 0", ("model_fn failed", "ZeroDivisionError")),
    ],
)
def test_scripts_that_cannot_be_loaded(model: Path, code: str, words: tuple[str, ...]) -> None:
    with pytest.raises(CustomerError) as error:
        handler(model, code)
    for word in words:
        assert word in str(error.value)


def test_the_program_and_its_folder_can_be_named(model: Path, tmp_path: Path) -> None:
    code = tmp_path / "elsewhere"
    code.mkdir()
    (code / "serve.py").write_text("from serving_part import model_fn, transform_fn")
    (code / "serving_part.py").write_text(
        "def model_fn(d): return 1\ndef transform_fn(m, data, c, a): return data\n"
    )
    variables = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": str(code)}
    assert load_handler("python", model, variables).transform(b"x", "text/csv", "").body == b"x"
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as tar:
        for path in code.iterdir():
            tar.add(path, path.name)
    variables["SAGEMAKER_SUBMIT_DIRECTORY"] = str(tmp_path / "sourcedir.tar.gz")
    assert load_handler("python", model, variables).transform(b"x", "text/csv", "").body == b"x"


def test_submit_directory_inside_the_model(model: Path) -> None:
    (model / "code").mkdir()
    (model / "code" / "serve.py").write_text(MODEL_FN)
    variables = {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }
    assert load_handler("scikit-learn", model, variables).quick is False
    variables["SAGEMAKER_PROGRAM"] = "other.py"
    with pytest.raises(CustomerError, match=r"other\.py is not in the code, which has: serve\.py"):
        load_handler("scikit-learn", model, variables)


def test_a_framework_without_a_script(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match=r"code/inference\.py"):
        load_handler("scikit-learn", tmp_path, {})
    with pytest.raises(CustomerError, match="no folder 'code'"):
        load_handler("scikit-learn", tmp_path, {"SAGEMAKER_PROGRAM": "serve.py"})


@pytest.fixture
def booster(tmp_path: Path) -> xgboost.Booster:
    found = xgboost.train({"nthread": 1}, xgboost.DMatrix(FEATURES, label=LABELS), 3)
    (tmp_path / "xgboost-model").write_bytes(bytes(found.save_raw("ubj")))
    return found


def test_the_built_in_algorithm_answers(tmp_path: Path, booster: xgboost.Booster) -> None:
    found = load_handler("xgboost", tmp_path, {})
    assert found.quick
    expected = booster.predict(xgboost.DMatrix(FEATURES))
    response = found.transform(b"1,2\n3,4\n5,7", "text/csv", "application/json")
    scores = [row["score"] for row in json.loads(response.body)["predictions"]]
    assert scores == pytest.approx(expected.tolist(), rel=1e-6)
    assert found.transform(b"", "text/csv", "").status == 204
    with pytest.raises(InferenceError) as error:
        found.transform(b"1,2,3", "text/csv", "")
    assert error.value.status == 400


def test_a_script_in_the_xgboost_image_has_its_defaults(
    tmp_path: Path, booster: xgboost.Booster
) -> None:
    expected = booster.predict(xgboost.DMatrix(FEATURES))
    found = handler(tmp_path, "def predict_fn(d, m): return m.predict(d) + 1", "xgboost")
    assert not found.quick
    response = found.transform(b"1,2\n3,4\n5,7", "text/csv", "")
    assert response.content_type == "text/csv"
    np.testing.assert_allclose(np.loadtxt(io.BytesIO(response.body)), expected + 1, rtol=1e-6)
    response = found.transform(b"0 0:1 1:2", "text/libsvm", "application/json")
    assert json.loads(response.body) == pytest.approx([expected[0] + 1], rel=1e-6)


def test_satisfied_requirements_of_a_script(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / "code").mkdir()
    (model / "code" / "requirements.txt").write_text("numpy\n")
    handler(model, MODEL_FN)
    assert "everything is installed already" in capsys.readouterr().out


def test_requirements_that_cannot_be_had(model: Path) -> None:
    (model / "code").mkdir()
    (model / "code" / "requirements.txt").write_text("--no-index\nbottega-no-such-package\n")
    with pytest.raises(CustomerError, match="bottega-no-such-package"):
        handler(model, MODEL_FN)


def test_missing_requirements_start_the_server_anew(
    model: Path, tmp_path: Path, make_wheel: Callable[..., Path]
) -> None:
    (model / "code").mkdir()
    wheel = make_wheel("bottegatestdouble", "1", "FACTOR = 2")
    wanted = f"--no-index\nbottegatestdouble @ {wheel.as_uri()}\n"
    (model / "code" / "requirements.txt").write_text(wanted)
    (model / "code" / "inference.py").write_text(
        "from bottegatestdouble import FACTOR\n"
        "def model_fn(d): return FACTOR\n"
        "def transform_fn(m, data, c, a): return str(m * int(data))\n"
    )
    (tmp_path / "fakeserver.py").write_text(
        "import os, pathlib, sys\n"
        "from bottega.container.inference import load_handler\n"
        "print('started', sys.argv[1:])\n"
        f"found = load_handler('python', pathlib.Path({str(model)!r}), os.environ,"
        " restart_module='fakeserver')\n"
        "print(found.transform(b'21', 'text/csv', '').body)\n"
    )
    path = os.pathsep.join([str(tmp_path), *(entry for entry in sys.path if entry)])
    ended = subprocess.run(
        [sys.executable, "-m", "fakeserver", "--flag"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": path,
            "BOTTEGA_ML_ROOT": str(tmp_path / "ml"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines.count("started ['--flag']") == 2
    assert lines[-1] == "b'42'"


def test_the_context_answers_headers() -> None:
    context = inference_script.InferenceContext({}, "text/csv", "application/json")
    assert context.get_request_header(0, "Content-Type") == "text/csv"
    assert context.get_request_header(0, "ACCEPT") == "application/json"
    assert context.get_request_header(0, "X-Other") == ""
