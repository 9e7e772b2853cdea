"""K-Means as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel, MetricDefinition
from bottega.algorithms.kmeans.schema import METRICS, SCHEMA, parse_metrics
from bottega.algorithms.reports import quality_regex

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

CONTENT_TYPES = ("application/x-recordio-protobuf", "text/csv")


class KMeans(Algorithm):
    """Groups of rows that are alike."""

    name = "kmeans"
    compiled = True
    title = "K-Means"
    summary = "Finds groups of rows that are alike, without labels, in one pass over the data."
    supervised = False
    starting_values: ClassVar[Mapping[str, str]] = {"k": "10"}
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=CONTENT_TYPES,
            description="Rows to group; CSV without a label column is text/csv;label_size=0.",
        ),
        Channel(
            "test",
            required=False,
            content_types=CONTENT_TYPES,
            description="Rows to measure the groups on, in the same form.",
        ),
    )
    metric_definitions = tuple(
        MetricDefinition(
            f"{channel}:{metric}", quality_regex(f"{channel} {metric}", "loss"), "Minimize"
        )
        for channel in ("test", "train")
        for metric in METRICS
    )
    accepts = (
        "application/json",
        "application/jsonlines",
        "application/x-recordio-protobuf",
        "text/csv",
    )

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        try:
            metrics = parse_metrics(hyperparameters.get("eval_metrics") or '["msd"]')
        except ValueError:
            return ()
        return [f"{channel}:{metric}" for channel in ("test", "train") for metric in metrics]

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.kmeans.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.kmeans.serving import Model

        return Model.load(model_dir)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.kmeans.serving import predict

        return predict(model, body, content_type, accept)
