"""Image Classification as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel, MetricDefinition
from bottega.algorithms.image_classification.schema import SCHEMA
from bottega.algorithms.previous_model import MODEL_CHANNEL

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

CONTENT_TYPES = ("application/x-recordio", "application/x-image", "image/jpeg", "image/png")
_LISTS = ("application/x-image", "text/plain")


class ImageClassification(Algorithm):
    """Residual networks."""

    name = "image-classification"
    title = "Image Classification"
    summary = "Residual networks that tell what is on an image: one class, or several at a time."
    supervised = True
    reads_tables = False
    starting_values: ClassVar[Mapping[str, str]] = {"augmentation_type": "crop"}
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=CONTENT_TYPES,
            description="JPEG or PNG images to train on: RecordIO with labels, or files.",
        ),
        Channel(
            "validation",
            required=False,
            content_types=CONTENT_TYPES,
            description="Images to evaluate each epoch on; they decide which one is the model.",
        ),
        Channel(
            "train_lst",
            required=False,
            content_types=_LISTS,
            description="The .lst file when images are files: index, label, path, between tabs.",
        ),
        Channel(
            "validation_lst",
            required=False,
            content_types=_LISTS,
            description="The .lst file of the images of validation when they are files.",
        ),
        MODEL_CHANNEL,
    )
    metric_definitions = (
        MetricDefinition(
            "validation:accuracy", r"Epoch\[\d+\] Validation-accuracy=(\S+)", "Maximize"
        ),
        MetricDefinition("train:accuracy", r"Epoch\[\d+\] Train-accuracy=(\S+)", "Maximize"),
        MetricDefinition(
            "validation:top_k_accuracy",
            r"Epoch\[\d+\] Validation-top_k_accuracy_\d+=(\S+)",
            "Maximize",
        ),
        MetricDefinition(
            "train:top_k_accuracy", r"Epoch\[\d+\] Train-top_k_accuracy_\d+=(\S+)", "Maximize"
        ),
    )
    accepts = ("application/json", "application/jsonlines")
    extra = "deep"
    libraries = ("torch", "PIL")
    quick = False

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        return ("validation:accuracy",)

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.image_classification.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.image_classification.serving import Model

        return Model.load(model_dir, environment)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.image_classification.serving import predict

        return predict(model, body, content_type, accept)
