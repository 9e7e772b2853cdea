"""Linear Learner as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel
from bottega.algorithms.linear_learner.metric_names import definitions, judged_by
from bottega.algorithms.linear_learner.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

CONTENT_TYPES = ("application/x-recordio-protobuf", "text/csv")


class LinearLearner(Algorithm):
    """Linear models of classes or numbers."""

    name = "linear-learner"
    compiled = True
    title = "Linear Learner"
    summary = (
        "Linear and logistic regression: fast, even on data that do not fit in memory, and easy to "
        "explain."
    )
    supervised = True
    starting_values: ClassVar[Mapping[str, str]] = {"predictor_type": "binary_classifier"}
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=CONTENT_TYPES,
            description="Rows to train on, with their labels.",
        ),
        Channel(
            "validation",
            required=False,
            content_types=CONTENT_TYPES,
            description="Rows to stop, to calibrate and to choose the best model by.",
        ),
        Channel(
            "test",
            required=False,
            content_types=CONTENT_TYPES,
            description="Rows to evaluate the chosen model on.",
        ),
    )
    metric_definitions = definitions()
    accepts = (
        "application/json",
        "application/jsonlines",
        "application/x-recordio-protobuf",
        "text/csv",
    )

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        return judged_by(
            hyperparameters.get("predictor_type", ""),
            hyperparameters.get("binary_classifier_model_selection_criteria", "accuracy"),
        )

    def unfit_label(self, label: float, hyperparameters: Mapping[str, str]) -> str:
        if said := super().unfit_label(label, hyperparameters):
            return said
        predictor = hyperparameters.get("predictor_type", "")
        classes = hyperparameters.get("num_classes", "")
        if predictor == "binary_classifier" and label not in (0, 1):
            return f"is neither 0 nor 1 for {predictor}"
        if predictor == "multiclass_classifier" and classes.isdigit():
            whole = label == int(label)
            if not (whole and 0 <= label < int(classes)):
                return f"is not a whole number in [0,{classes}), as num_classes={classes} needs it"
        return ""

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.linear_learner.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.linear_learner.serving import Model

        return Model.load(model_dir)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.linear_learner.serving import predict

        return predict(model, body, content_type, accept)
