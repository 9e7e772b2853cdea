"""Requests to a model: what it is shown, and what it answers."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.object_detection import artifact
from bottega.algorithms.object_detection.detection import detect
from bottega.algorithms.object_detection.network import Architecture, Detector
from bottega.algorithms.registry import algorithm

OBJECT_DETECTION = algorithm("object-detection")
JSON, LINES = "application/json", "application/jsonlines"
pytestmark = pytest.mark.usefixtures("small_network")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artifact of a network that sees something everywhere, as it was never trained."""
    torch.manual_seed(1)
    model = Detector(Architecture("resnet-50", 2, 300, True))
    artifact.save(tmp_path, model.architecture, model.state_dict(), {"nms_threshold": 0.3})
    return tmp_path


@pytest.fixture
def model(folder: Path) -> Any:
    return OBJECT_DETECTION.load(folder, {"BOTTEGA_CPUS": "1"})


def ask(model: Any, body: bytes, content_type: str, accept: str) -> Any:
    answer, media = OBJECT_DETECTION.predict(model, body, content_type, accept)
    return json.loads(answer), media


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/x-image", ""])
@pytest.mark.parametrize("accept", ["", "*/*", JSON, "text/csv, application/json;q=0.5"])
def test_detections_as_fractions_the_surest_first(
    model: Any, made: Callable[..., Any], content_type: str, accept: str
) -> None:
    answer, media = ask(model, made(1).data, content_type, accept)
    assert media == JSON
    assert list(answer) == ["prediction"]
    rows = np.array(answer["prediction"])
    assert rows.shape[1] == 6
    assert set(rows[:, 0]) <= {0.0, 1.0}
    assert (np.diff(rows[:, 1]) <= 0).all()
    assert ((rows[:, 1] >= 0.01) & (rows[:, 1] <= 1)).all()
    assert ((rows[:, 2:] >= 0) & (rows[:, 2:] <= 1)).all()
    assert (rows[:, 4:] > rows[:, 2:4]).all()


def test_detections_in_pixels_of_the_image_that_was_sent(
    model: Any, made: Callable[..., Any]
) -> None:
    data = made(1).data
    plain, _ = ask(model, data, "image/jpeg", JSON)
    answer, media = ask(model, data, "image/jpeg", "application/json;annotation=1")
    assert media == "application/json;annotation=1"
    assert answer["image_size"] == [{"width": 160, "height": 120, "depth": 3}]
    assert len(answer["annotations"]) == len(plain["prediction"])
    kind, score, left, top, right, bottom = plain["prediction"][0]
    first = answer["annotations"][0]
    assert set(first) == {"class_id", "score", "left", "top", "width", "height"}
    assert (first["class_id"], first["score"]) == (int(kind), score)
    assert first["left"] == round(left * 160)
    assert first["top"] == round(top * 120)
    assert first["width"] == pytest.approx((right - left) * 160, abs=1)
    assert first["height"] == pytest.approx((bottom - top) * 120, abs=1)


def test_a_line_for_batch_transform(model: Any, made: Callable[..., Any]) -> None:
    answer, media = OBJECT_DETECTION.predict(model, made(1).data, "image/jpeg", LINES)
    assert media == LINES
    assert answer.count(b"\n") == 1
    assert answer.endswith(b"\n")
    assert json.loads(answer)["prediction"]


def test_a_large_image_and_a_png_are_seen_too(model: Any, made: Callable[..., Any]) -> None:
    stream = io.BytesIO()
    picture = Image.open(io.BytesIO(made(1).data)).resize((1600, 1200))
    picture.convert("RGBA").save(stream, "PNG")
    answer, _ = ask(model, stream.getvalue(), "image/png", "application/json;annotation=1")
    assert answer["image_size"] == [{"width": 1600, "height": 1200, "depth": 3}]
    assert answer["annotations"]


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "words"),
    [
        (b"", "image/jpeg", JSON, 400, "The request is empty"),
        (b"GIF89a", "image/jpeg", JSON, 400, "it is no JPEG or PNG image"),
        (b"{}", "application/json", JSON, 415, "send one of application/x-image"),
        (b"x", "image/jpeg", "text/csv", 406, "ask for application/json"),
    ],
)
def test_requests_that_cannot_be_answered(
    model: Any, body: bytes, content_type: str, accept: str, status: int, words: str
) -> None:
    with pytest.raises(RequestError) as error:
        OBJECT_DETECTION.predict(model, body, content_type, accept)
    assert error.value.status == status
    assert words in error.value.message


def test_a_cut_off_image_is_told(model: Any, made: Callable[..., Any]) -> None:
    with pytest.raises(RequestError, match="cannot be used: it is damaged") as error:
        OBJECT_DETECTION.predict(model, made(1).data[:900], "image/jpeg", JSON)
    assert error.value.status == 400


def test_many_threads_get_the_same_answer(model: Any, made: Callable[..., Any]) -> None:
    data = made(1).data
    expected, _ = OBJECT_DETECTION.predict(model, data, "image/jpeg", JSON)
    found: list[bytes] = []

    def request() -> None:
        found.append(OBJECT_DETECTION.predict(model, data, "image/jpeg", JSON)[0])

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_the_threshold_of_the_training_is_kept(model: Any, folder: Path) -> None:
    assert model.nms_threshold == 0.3
    (folder / artifact.HYPERPARAMETERS).unlink()
    assert OBJECT_DETECTION.load(folder, {}).nms_threshold == 0.45


def test_what_is_no_artifact(folder: Path, tmp_path: Path) -> None:
    def refused() -> str:
        with pytest.raises(CustomerError) as error:
            OBJECT_DETECTION.load(folder, {})
        return error.value.message

    symbol = json.loads((folder / artifact.SYMBOL).read_text())
    (folder / artifact.SYMBOL).write_text(json.dumps({**symbol, "num_classes": 5}))
    assert "have the shape" in refused() or "has the shape" in refused()
    (folder / artifact.SYMBOL).write_text(json.dumps({**symbol, "format": "another"}))
    assert "is no model of object detection" in refused()
    (folder / artifact.SYMBOL).write_text("{}")
    assert "does not describe a model of bottega" in refused()
    (folder / artifact.SYMBOL).unlink()
    (folder / artifact.PARAMS).unlink()
    assert "no file *-symbol.json" in refused()


def test_only_the_sure_are_told_and_each_once() -> None:
    defaults = torch.tensor([[0.5, 0.5, 0.2, 0.2], [0.51, 0.5, 0.2, 0.2], [0.2, 0.2, 0.1, 0.1]])
    logits = torch.log(torch.tensor([[[0.05, 0.9, 0.05], [0.2, 0.7, 0.1], [0.993, 0.004, 0.003]]]))
    found = detect(torch.zeros(1, 3, 4), logits, defaults, nms_threshold=0.45)[0]
    np.testing.assert_allclose(found, [[0, 0.9, 0.4, 0.4, 0.6, 0.6]], atol=1e-5)
    # Two classes at one place are two objects.
    logits = torch.log(torch.tensor([[[0.05, 0.9, 0.05], [0.2, 0.1, 0.7], [0.993, 0.004, 0.003]]]))
    found = detect(torch.zeros(1, 3, 4), logits, defaults, nms_threshold=0.45)[0]
    assert found[:, 0].tolist() == [0, 1]


def test_nothing_is_seen_where_the_network_is_sure_of_nothing() -> None:
    logits = torch.tensor([[[20.0, 0, 0]]]).expand(2, 5, 3)
    found = detect(torch.zeros(2, 5, 4), logits, torch.full((5, 4), 0.5), nms_threshold=0.45)
    assert [rows.shape for rows in found] == [(0, 6), (0, 6)]
