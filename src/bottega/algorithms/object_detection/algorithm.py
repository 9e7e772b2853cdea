"""Object Detection as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import Algorithm, Channel, MetricDefinition
from bottega.algorithms.object_detection.schema import SCHEMA
from bottega.algorithms.previous_model import MODEL_CHANNEL

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

RECORDS = "application/x-recordio"
IMAGES = ("image/png", "image/jpeg", "application/x-image")
_NUMBER = r"[-+0-9.eE]+|nan|inf"


def _quality(what: str) -> str:
    return rf"#quality_metric: host=\S+, epoch=\S+, {what}"


class ObjectDetection(Algorithm):
    """Single shot multibox detectors."""

    name = "object-detection"
    title = "Object Detection"
    summary = "Finds the objects in images: what each one is, and the box around it."
    supervised = True
    reads_tables = False
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=(RECORDS, *IMAGES),
            description="Images to train on, as RecordIO with their boxes, or as files.",
        ),
        Channel(
            "validation",
            required=False,
            content_types=(RECORDS, *IMAGES),
            description="Images to judge each epoch on, in the same form; decides which is kept.",
        ),
        Channel(
            "train_annotation",
            required=False,
            content_types=IMAGES,
            description="One JSON for each image file of train, with the same stem.",
        ),
        Channel(
            "validation_annotation",
            required=False,
            content_types=IMAGES,
            description="One JSON for each image file of validation, with the same stem.",
        ),
        MODEL_CHANNEL,
    )
    metric_definitions = (
        MetricDefinition(
            "validation:mAP", _quality(rf"validation mAP <score>=\(({_NUMBER})\)"), "Maximize"
        ),
        MetricDefinition(
            "train:cross_entropy",
            _quality(rf"batch=\S+ train cross_entropy <loss>=({_NUMBER})"),
            "Minimize",
        ),
        MetricDefinition(
            "train:smooth_l1",
            _quality(rf"batch=\S+ train smooth_l1 <loss>=({_NUMBER})"),
            "Minimize",
        ),
        MetricDefinition(
            "train:progress",
            rf"#progress_metric: host=\S+, completed ({_NUMBER}) %",
            "Maximize",
        ),
        MetricDefinition(
            "train:throughput",
            rf"#throughput_metric: host=\S+, train throughput=({_NUMBER}) records/second",
            "Maximize",
        ),
    )
    accepts = ("application/json", "application/jsonlines")
    extra = "deep"
    libraries = ("torch", "PIL")
    quick = False

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.object_detection.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.object_detection.serving import Model

        return Model.load(model_dir, environment)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.object_detection.serving import predict

        return predict(model, body, content_type, accept)
