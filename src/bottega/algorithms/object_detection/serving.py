"""Answering requests: what is in an image, and where."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bottega.algorithms.base import RequestError
from bottega.algorithms.deep.device import serving_device
from bottega.algorithms.deep.pixels import Pixels, decode, normalise, resize, to_tensor
from bottega.algorithms.object_detection import artifact
from bottega.algorithms.object_detection.detection import see
from bottega.algorithms.object_detection.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.algorithms.object_detection.network import Detector

_IMAGES = ("application/x-image", "image/jpeg", "image/png")
_JSON, _LINES = "application/json", "application/jsonlines"
_DIGITS = 6


@dataclass(frozen=True)
class Model:
    """A network with its weights, ready to answer from several threads."""

    network: Detector
    place: Any
    nms_threshold: float

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str]) -> Model:
        """Load an artifact.

        Raises:
            CustomerError: it is none, or it is damaged.
        """
        network, values = artifact.load(folder)
        place = serving_device(environment)
        network.placed(place).eval()
        threshold = values.get("nms_threshold", SCHEMA["nms_threshold"].default)
        found = cls(network, place, float(str(threshold)))
        # The first pass prepares the convolutions, which takes longer than a request should.
        side = network.architecture.image_shape
        found._see(np.zeros((side, side, 3), dtype=np.uint8))
        return found

    def detections(self, data: bytes) -> NDArray[np.float32]:
        """The objects in a JPEG or PNG file: (k, 6) class, score and corners as parts of the
        image's width and height, the best score first.

        Raises:
            ValueError: it is no usable image; the message says why.
        """
        side = self.network.architecture.image_shape
        return self._see(resize(decode(data, at_least=side), side, side))

    def _see(self, picture: Pixels) -> NDArray[np.float32]:
        images = normalise(to_tensor(picture[None].copy(), self.place))
        return see(self.network, images, nms_threshold=self.nms_threshold)[0]


@dataclass(frozen=True)
class _Wanted:
    """The form of an answer."""

    media: str
    annotation: bool
    """Whether boxes are to be in pixels, in the form of an annotation file."""

    @property
    def answer(self) -> str:
        return f"{self.media};annotation=1" if self.annotation else self.media


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    wanted = _choose(accept)
    media = content_type.partition(";")[0].strip().lower() or _IMAGES[0]
    if media not in _IMAGES:
        raise RequestError(
            415, f"Content type {media} cannot be read; send one of {', '.join(_IMAGES)}."
        )
    if not body:
        raise RequestError(400, "The request is empty; send one JPEG or PNG image.")
    try:
        found = model.detections(body)
    except ValueError as error:
        raise RequestError(400, f"The image cannot be used: {error}.") from error
    document = _annotation(found, body) if wanted.annotation else _prediction(found)
    end = b"\n" if wanted.media == _LINES else b""
    return json.dumps(document).encode() + end, wanted.answer


def _prediction(found: NDArray[np.float32]) -> dict[str, Any]:
    rows = [[float(row[0]), *(round(float(value), _DIGITS) for value in row[1:])] for row in found]
    return {"prediction": rows}


def _annotation(found: NDArray[np.float32], data: bytes) -> dict[str, Any]:
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
    low = np.rint(found[:, 2:4] * (width, height)).astype(int)
    high = np.rint(found[:, 4:] * (width, height)).astype(int)
    annotations = [
        {
            "class_id": int(row[0]),
            "score": round(float(row[1]), _DIGITS),
            "left": left,
            "top": top,
            "width": right - left,
            "height": bottom - top,
        }
        for row, (left, top), (right, bottom) in zip(
            found, low.tolist(), high.tolist(), strict=True
        )
    ]
    size = {"width": width, "height": height, "depth": 3}
    return {"image_size": [size], "annotations": annotations}


def _choose(accept: str) -> _Wanted:
    """The form of the answer. Raises: RequestError 406."""
    for each in accept.lower().split(","):
        media, *parameters = (part.strip() for part in each.split(";"))
        annotation = "annotation=1" in [part.replace(" ", "") for part in parameters]
        if media in (_JSON, _LINES):
            return _Wanted(media, annotation)
        if media in ("", "*/*", "application/*"):
            return _Wanted(_JSON, annotation)
    raise RequestError(406, f"Accept {accept} cannot be given; ask for {_JSON} or {_LINES}.")
