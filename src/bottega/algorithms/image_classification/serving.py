"""Answering requests with a trained model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.deep import checkpoints, pixels, pretrained
from bottega.algorithms.deep.device import serving_device
from bottega.algorithms.image_classification.artifact import DESCRIPTION_SUFFIX, Description
from bottega.algorithms.image_classification.framing import Framing

_IMAGES = ("application/x-image", "image/jpeg", "image/png")
_JSON, _LINES = "application/json", "application/jsonlines"
_ANY = ("", "*/*", "application/*")


@dataclass(frozen=True)
class Model:
    """A network with its weights, ready to answer from several threads."""

    network: Any
    framing: Framing
    multi_label: bool
    device: Any

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str]) -> Model:
        """Load an artifact.

        Raises:
            CustomerError: it is none, or it is damaged.
        """
        found = pretrained.read_artifact(folder, DESCRIPTION_SUFFIX)
        if found.description is None:
            raise CustomerError(
                f"The model has the weights {found.origin} but no file *{DESCRIPTION_SUFFIX} that "
                "describes them."
            )
        device = serving_device(environment)
        try:
            description = Description.parse(found.description)
            network = description.build()
            checkpoints.load_state(network, found.state, found.origin)
        except ValueError as error:
            raise CustomerError(f"The model cannot be loaded: {error}") from error
        network.to(device).eval()
        return cls(network, description.framing, description.multi_label, device)

    def probabilities(self, data: bytes) -> list[float]:
        """How likely each class is.

        Raises:
            ValueError: it is no usable image; the message says why.
        """
        picture = self.framing.cut(self.framing.prepare(data))
        with torch.inference_mode():
            batch = torch.from_numpy(picture.copy()).to(self.device).permute(2, 0, 1)[None]
            logits = self.network(pixels.normalise(batch)).double()
            scores = logits.sigmoid() if self.multi_label else logits.softmax(dim=1)
            found: list[float] = scores[0].cpu().tolist()
        return found


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    kind = _choose(accept)
    media = content_type.partition(";")[0].strip().lower() or _IMAGES[0]
    if media not in _IMAGES:
        raise RequestError(
            415, f"Content type {media} cannot be read; send one of {', '.join(_IMAGES)}."
        )
    if not body:
        raise RequestError(400, "The request is empty; send one JPEG or PNG image.")
    try:
        found = model.probabilities(body)
    except ValueError as error:
        raise RequestError(400, f"The image cannot be used: {error}.") from error
    if kind == _LINES:
        return json.dumps({"prediction": found}).encode() + b"\n", kind
    return json.dumps(found).encode(), kind


def _choose(accept: str) -> str:
    """The media type of the answer. Raises: RequestError 406."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for media in wanted:
        if media in (_JSON, _LINES):
            return media
        if media in _ANY:
            return _JSON
    raise RequestError(406, f"Accept {accept} cannot be given; ask for {_JSON} or {_LINES}.")
