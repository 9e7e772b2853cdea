"""Factorization Machines as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel
from bottega.algorithms.factorization_machines.metric_names import definitions, judged_by
from bottega.algorithms.factorization_machines.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

CONTENT_TYPES = ("application/x-recordio-protobuf",)


class FactorizationMachines(Algorithm):
    """Linear models with an interaction between each two features."""

    name = "factorization-machines"
    compiled = True
    title = "Factorization Machines"
    summary = (
        "Recommendations and click prediction: learns from rows with millions of features, nearly "
        "all of them zero, how each two of them act together."
    )
    supervised = True
    starting_values: ClassVar[Mapping[str, str]] = {
        "num_factors": "64",
        "predictor_type": "binary_classifier",
    }
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=CONTENT_TYPES,
            description="Rows to train on, with their labels; sparse ones are welcome.",
        ),
        Channel(
            "test",
            required=False,
            content_types=CONTENT_TYPES,
            description="Rows to evaluate the model on, in the same form.",
        ),
    )
    metric_definitions = definitions()
    accepts = ("application/json", "application/jsonlines", "application/x-recordio-protobuf")

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        return judged_by(hyperparameters.get("predictor_type", ""))

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.factorization_machines.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.factorization_machines.serving import Model

        return Model.load(model_dir)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.factorization_machines.serving import predict

        return predict(model, body, content_type, accept)
