"""The files of a model: weights of some epochs, and a description of what they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.deep.resnet import ResNet, resnet
from bottega.algorithms.image_classification.framing import Framing
from bottega.algorithms.image_classification.settings import Settings

PREFIX = "image-classification"
DESCRIPTION_SUFFIX = "-symbol.json"
_DESCRIPTION = PREFIX + DESCRIPTION_SUFFIX
_SHAPES = "model-shapes.json"


def network(settings: Settings) -> ResNet:
    """A fresh network for these settings."""
    return resnet(settings.num_layers, settings.num_classes, in_channels=settings.image_shape[0])


@dataclass(frozen=True)
class Description:
    """What ``image-classification-symbol.json`` says."""

    num_layers: int
    image_shape: tuple[int, int, int]
    num_classes: int
    multi_label: bool
    sides: tuple[int, int]
    """See :class:`Framing`."""
    params: str
    """The file of weights beside it that answers requests."""
    epoch: int
    """After how many epochs they were taken."""
    accuracy: float | None
    """On the channel validation; None without it."""

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Description:
        """Read it.

        Raises:
            ValueError: an entry is missing or is not what it has to be.
        """
        try:
            channels, height, width = (int(size) for size in document["image_shape"])
            low, high = (int(side) for side in document["shorter_side"])
            if document["network"] != "resnet":
                raise ValueError(f"the network is {document['network']!r}, not resnet")
            return cls(
                num_layers=int(document["num_layers"]),
                image_shape=(channels, height, width),
                num_classes=int(document["num_classes"]),
                multi_label=bool(document["multi_label"]),
                sides=(low, high),
                params=str(document["params"]),
                epoch=int(document["epoch"]),
                accuracy=document.get("validation_accuracy"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{_DESCRIPTION} does not describe a model: {error}") from error

    def text(self) -> str:
        """The content of the file."""
        document = {
            "network": "resnet",
            "num_layers": self.num_layers,
            "image_shape": self.image_shape,
            "num_classes": self.num_classes,
            "multi_label": self.multi_label,
            "shorter_side": self.sides,
            "params": self.params,
            "epoch": self.epoch,
            "validation_accuracy": self.accuracy,
        }
        return json.dumps(document, indent=2) + "\n"

    @property
    def framing(self) -> Framing:
        return Framing(self.image_shape, self.sides)

    def build(self) -> ResNet:
        """The network without its weights.

        Raises:
            ValueError: there is no such network.
        """
        return resnet(self.num_layers, self.num_classes, in_channels=self.image_shape[0])


class Artifact:
    """The model folder of a job, kept such that it can be served at any time.

    Args:
        folder: ``/opt/ml/model``.
        checkpoints: the checkpoint folder, which gets the same weights, so that a job that begins
            again has those from before; None for a job without.
    """

    def __init__(self, folder: Path, checkpoint_folder: Path | None) -> None:
        self._folder = folder
        self._copies = checkpoint_folder
        folder.mkdir(parents=True, exist_ok=True)

    def restore(self) -> None:
        """Bring the weights back that an interrupted job left in the checkpoint folder."""
        if self._copies is not None:
            for path in (*self._copies.glob(f"{PREFIX}-*"), *self._copies.glob(_SHAPES)):
                shutil.copyfile(path, self._folder / path.name)

    def path(self, epoch: int) -> Path:
        """Where the weights after so many epochs are."""
        return self._folder / f"{PREFIX}-{epoch:04d}.params"

    def save(self, model: Any, epoch: int) -> Path:
        """Write the weights after so many epochs; returns the file."""
        path = self.path(epoch)
        state = {name: value.detach().cpu() for name, value in model.state_dict().items()}
        checkpoints.save(state, path)
        self._copy(path)
        return path

    def describe(self, description: Description) -> None:
        """Say which weights are the model's."""
        shapes = json.dumps([{"name": "data", "shape": [1, *description.image_shape]}]) + "\n"
        for name, text in ((_SHAPES, shapes), (_DESCRIPTION, description.text())):
            _write(self._folder / name, text)
            self._copy(self._folder / name)

    def keep_only(self, epochs: set[int]) -> None:
        """Remove the weights after other epochs than these."""
        names = {self.path(epoch).name for epoch in epochs}
        for folder in (self._folder, self._copies):
            for path in folder.glob(f"{PREFIX}-*.params") if folder is not None else ():
                if path.name not in names:
                    path.unlink()

    def _copy(self, path: Path) -> None:
        if self._copies is None:
            return
        self._copies.mkdir(parents=True, exist_ok=True)
        draft = self._copies / f".{path.name}.draft"
        shutil.copyfile(path, draft)
        draft.replace(self._copies / path.name)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def check_matches(found: Description, settings: Settings) -> None:
    """Refuse to go on with a model of another kind.

    Raises:
        CustomerError: num_layers, image_shape or num_classes differ.
    """
    pairs = {
        "num_layers": (found.num_layers, settings.num_layers),
        "image_shape": (
            ",".join(map(str, found.image_shape)),
            ",".join(map(str, settings.image_shape)),
        ),
        "num_classes": (found.num_classes, settings.num_classes),
    }
    for name, (theirs, ours) in pairs.items():
        if theirs != ours:
            raise CustomerError(
                f"The model in the channel model has {name} {theirs}, and this job has {ours}. "
                "Incremental training needs the same num_layers, image_shape and num_classes."
            )
