"""Answers of a trained model, and requests that have none."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.deep import pixels
from bottega.algorithms.image_classification.algorithm import ImageClassification
from bottega.algorithms.image_classification.artifact import Artifact, Description

ALGORITHM = ImageClassification()


def artifact(folder: Path, **changes: Any) -> Path:
    """A network of three classes that nothing was taught."""
    values = {
        "num_layers": 20,
        "image_shape": (3, 8, 8),
        "num_classes": 3,
        "multi_label": False,
        "sides": (8, 8),
        "params": "image-classification-0001.params",
        "epoch": 1,
        "accuracy": 0.5,
    }
    description = Description(**(values | changes))
    torch.manual_seed(0)
    found = Artifact(folder, None)
    found.save(description.build(), 1)
    found.describe(description)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Any:
    return ALGORITHM.load(artifact(tmp_path / "model"), {})


@pytest.mark.parametrize("content_type", ["image/png", "application/x-image", "image/jpeg", ""])
@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html, application/json"])
def test_probabilities_as_an_array(model: Any, picture: Any, content_type: str, accept: str):
    body, kind = ALGORITHM.predict(model, picture(0), content_type, accept)
    assert kind == "application/json"
    found = json.loads(body)
    assert len(found) == 3
    assert sum(found) == pytest.approx(1)


def test_a_line_for_batch_transform(model: Any, picture: Any):
    body, kind = ALGORITHM.predict(model, picture(0), "image/png", "application/jsonlines")
    assert kind == "application/jsonlines"
    assert body.endswith(b"}\n")
    assert body.count(b"\n") == 1
    assert list(json.loads(body)) == ["prediction"]


def test_several_labels_are_independent(tmp_path: Path, picture: Any):
    model = ALGORITHM.load(artifact(tmp_path / "model", multi_label=True), {})
    found = json.loads(ALGORITHM.predict(model, picture(0), "image/png", "")[0])
    assert all(0 < value < 1 for value in found)
    assert sum(found) != pytest.approx(1, abs=1e-6)


def test_the_answer_is_that_of_the_network(model: Any, picture: Any):
    with Image.open(io.BytesIO(picture(1))) as image:
        raw = np.array(image)[None]
    with torch.inference_mode():
        batch = pixels.to_tensor(raw, torch.device("cpu"))
        logits = model.network(pixels.normalise(batch))[0].double()
    expected = logits.softmax(dim=0).tolist()
    found = json.loads(ALGORITHM.predict(model, picture(1), "image/png", "")[0])
    assert found == pytest.approx(expected, abs=1e-6)


def jpeg(height: int, width: int, mode: str = "RGB") -> bytes:
    draw = np.random.default_rng(0)
    image = Image.fromarray(draw.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (700, 500), (8, 8)])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_any_size_and_mode_is_answered(model: Any, size: tuple[int, int], mode: str):
    found = json.loads(ALGORITHM.predict(model, jpeg(*size, mode), "image/jpeg", "")[0])
    assert sum(found) == pytest.approx(1)


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        (b"", "image/png", "", 400),
        (b"no image", "image/png", "", 400),
        (jpeg(30, 30)[:-100], "image/jpeg", "", 400),
        (b'{"instances": []}', "application/json", "", 415),
        (jpeg(8, 8), "text/csv", "", 415),
        (jpeg(8, 8), "image/jpeg", "text/csv", 406),
    ],
)
def test_requests_without_an_answer(
    model: Any, body: bytes, content_type: str, accept: str, status: int
):
    with pytest.raises(RequestError) as caught:
        ALGORITHM.predict(model, body, content_type, accept)
    assert caught.value.status == status
    assert caught.value.message


def test_many_threads_get_their_own_answers(model: Any, picture: Any):
    pictures = [picture(n % 3, n) for n in range(24)]
    alone = [ALGORITHM.predict(model, each, "image/png", "")[0] for each in pictures]
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda each: ALGORITHM.predict(model, each, "image/png", "")[0], pictures)
        )
    for one, other in zip(alone, together, strict=True):
        assert json.loads(one) == pytest.approx(json.loads(other), abs=1e-6)


def test_folders_without_a_model(tmp_path: Path):
    with pytest.raises(CustomerError, match="no file"):
        ALGORITHM.load(tmp_path, {})
    folder = artifact(tmp_path / "model")
    description = folder / "image-classification-symbol.json"
    document = json.loads(description.read_text())
    for change, reason in (
        ({"num_layers": 32}, "another network"),
        ({"num_layers": 33}, "33 layers"),
        ({"params": "gone.params"}, "gone.params, which is not there"),
        ({"image_shape": "large"}, "does not describe a model"),
        ({"network": "vgg"}, "'vgg', not resnet"),
    ):
        description.write_text(json.dumps(document | change))
        with pytest.raises(CustomerError, match=reason):
            ALGORITHM.load(folder, {})
    description.unlink()
    with pytest.raises(CustomerError, match=r"no file .*symbol\.json that describes"):
        ALGORITHM.load(folder, {})
