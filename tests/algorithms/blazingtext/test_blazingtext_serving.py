"""Requests and answers in each form."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.registry import algorithm

MODELS = Path(__file__).parent / "fasttext_models"
JSON, LINES = "application/json", "application/jsonlines"
TEXT = "the pilot of a cloud storm"
SEA = "the ship and harbour sailor wave"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("classifier")
    (folder / "model.bin").write_bytes((MODELS / "softmax.bin").read_bytes())
    return algorithm("blazingtext").load(folder, {})


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "vectors.bin").write_bytes((MODELS / "cbow_plain.bin").read_bytes())
    return algorithm("blazingtext").load(folder, {})


def ask(model: Any, body: Any, content_type: str = JSON, accept: str = "") -> tuple[Any, str]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return algorithm("blazingtext").predict(model, content, content_type, accept)


def test_labels_in_json(classifier: Any) -> None:
    body, kind = ask(classifier, {"instances": [TEXT, SEA], "configuration": {"k": 2}})
    assert kind == JSON
    answer = json.loads(body)
    assert [list(one) for one in answer] == [["label", "prob"]] * 2
    assert [len(one["label"]) for one in answer] == [2, 2]
    assert answer[0]["label"][0] == "__label__sky"
    assert answer[1]["label"][0] == "__label__sea"
    assert all(1 >= one["prob"][0] >= one["prob"][1] > 0 for one in answer)
    (one,) = json.loads(ask(classifier, {"instances": [TEXT]})[0])
    assert (one["label"], one["prob"]) == (["__label__sky"], answer[0]["prob"][:1])


def test_more_labels_than_there_are(classifier: Any) -> None:
    body, _ = ask(classifier, {"instances": [TEXT], "configuration": {"k": 99}})
    assert sum(json.loads(body)[0]["prob"]) == pytest.approx(1, abs=1e-6)


def test_labels_in_lines(classifier: Any) -> None:
    request = [{"source": TEXT, "k": 2}, {"source": SEA}]
    content = "\n\n".join(map(json.dumps, request)).encode()
    body, kind = ask(classifier, content, LINES, LINES)
    assert kind == LINES
    answers = [json.loads(line) for line in body.splitlines()]
    assert [len(one["prob"]) for one in answers] == [2, 1]
    assert answers[1]["label"] == ["__label__sea"]


@pytest.mark.parametrize("text", ["", " ", "\n", "\ud800 \0", "unknown", "x" * 10_000])
def test_every_text_has_a_label(text: str, classifier: Any) -> None:
    (one,) = json.loads(ask(classifier, {"instances": [text]})[0])
    assert one["label"][0].startswith("__label__")
    assert 0 < one["prob"][0] <= 1


def test_vectors_in_json_and_lines(vectors: Any) -> None:
    body, _ = ask(vectors, {"instances": ["ship", "étoile", "nowhere"]}, accept="*/*")
    answer = json.loads(body)
    assert [one["word"] for one in answer] == ["ship", "étoile", "nowhere"]
    assert answer[2]["vector"] == [0.0] * 4
    assert all(any(one["vector"]) and len(one["vector"]) == 4 for one in answer[:2])
    content = b'{"source": "ship"}\n{"source": "nowhere"}'
    lines = ask(vectors, content, LINES)[0].splitlines()
    assert [json.loads(line) for line in lines] == [answer[0], answer[2]]


def test_json_when_nothing_is_said(vectors: Any) -> None:
    assert ask(vectors, {"instances": []}, "", "") == (b"[]", JSON)
    assert ask(vectors, b" ", "", "") == (b"", JSON)


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "reason"),
    [
        (b"ship", "text/csv", "", 415, "text/csv is not supported"),
        (b"ship", JSON, "text/csv", 406, "text/csv is not supported"),
        (b"{}", JSON, LINES, 406, "answers in the form of the request"),
        (b"{}", LINES, JSON, 406, "answers in the form of the request"),
        (b"ship", JSON, "", 400, "The body is no JSON"),
        (b"[" * 100_000, JSON, "", 400, "The body is no JSON"),
        (b"\xff", JSON, "", 400, "The body is no JSON"),
        (b"[]", JSON, "", 400, 'a list of "instances"'),
        (b'{"instances": "ship"}', JSON, "", 400, 'a list of "instances"'),
        (b'{"instances": ["a", 1]}', JSON, "", 400, "Instance 1 must be a text; it is 1"),
        (b'{"instances": ["a"], "configuration": 2}', JSON, "", 400, '"configuration" must'),
        (b'{"instances": ["a"], "configuration": {"k": 0}}', JSON, "", 400, "k is 0"),
        (b'{"instances": ["a"], "configuration": {"k": "2"}}', JSON, "", 400, "k is '2'"),
        (b'{"instances": ["a"], "configuration": {"k": true}}', JSON, "", 400, "k is True"),
        (b'{"source": "a"}\noops', LINES, "", 400, "Line 2 is no JSON"),
        (b'{"source": "a"}\n{"text": "b"}', LINES, "", 400, "Line 2 must be a JSON object"),
    ],
)
def test_what_is_refused(
    body: bytes, content_type: str, accept: str, status: int, reason: str, classifier: Any
) -> None:
    with pytest.raises(RequestError) as error:
        ask(classifier, body, content_type, accept)
    assert error.value.status == status
    assert reason in error.value.message


def test_threads_get_the_same_answers(classifier: Any) -> None:
    texts = [f"{TEXT} {n}" for n in range(50)]
    expected = [ask(classifier, {"instances": [text]}) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: ask(classifier, {"instances": [text]}), texts * 4))
    assert found == expected * 4


def test_vectors_of_text_alone(tmp_path: Path) -> None:
    (tmp_path / "vectors.txt").write_text("2 3\nship 1 2 3\nhill 4 5 6.5\n")
    model = algorithm("blazingtext").load(tmp_path, {})
    body, _ = ask(model, {"instances": ["hill", "x"]})
    assert json.loads(body) == [
        {"vector": [4, 5, 6.5], "word": "hill"},
        {"vector": [0, 0, 0], "word": "x"},
    ]


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match=r"none of model\.bin"):
        algorithm("blazingtext").load(tmp_path, {})
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(CustomerError, match="no whole fastText model"):
        algorithm("blazingtext").load(tmp_path, {})


def test_answering_needs_no_compiler(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes((MODELS / "softmax.bin").read_bytes())
    program = f"""
import sys
from pathlib import Path
from bottega.algorithms.registry import algorithm
model = algorithm("blazingtext").load(Path({str(tmp_path)!r}), {{}})
print(algorithm("blazingtext").predict(model, b'{{"instances": ["{SEA}"]}}', "", "")[0].decode())
print([name for name in ("numba", "scipy", "sklearn", "pyarrow", "torch") if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    answer, imported = ended.stdout.splitlines()
    assert json.loads(answer)[0]["label"] == ["__label__sea"]
    assert imported == "[]"


def test_the_model_is_not_held_in_memory_twice(classifier: Any) -> None:
    # The matrix of a model is a view of its file: nothing is read before it is needed.
    assert not classifier._input.flags.owndata
    assert not classifier._input.flags.writeable
    assert np.isfinite(classifier._input).all()
