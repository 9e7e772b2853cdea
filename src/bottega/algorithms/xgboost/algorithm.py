"""XGBoost as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel
from bottega.algorithms.xgboost.metric_names import definitions, parse_metrics
from bottega.algorithms.xgboost.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

CONTENT_TYPES = ("text/libsvm", "text/x-libsvm", "text/csv", "application/x-parquet")


class XGBoost(Algorithm):
    """Gradient boosted trees."""

    name = "xgboost"
    title = "XGBoost"
    summary = (
        "Gradient boosted trees, the first choice for tables: classification, regression and "
        "ranking."
    )
    supervised = True
    starting_values: ClassVar[Mapping[str, str]] = {"num_round": "100"}
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=CONTENT_TYPES,
            description="Rows to train on, the label first; libsvm when no content type is given.",
        ),
        Channel(
            "validation",
            required=False,
            content_types=CONTENT_TYPES,
            description="Rows to evaluate each round on, in the same form; decides early stopping.",
        ),
    )
    metric_definitions = definitions()
    accepts = ("text/csv", "application/json", "application/jsonlines")

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        try:
            metrics = parse_metrics(hyperparameters.get("eval_metric", ""))
        except ValueError:
            return ()
        # The last one decides early stopping.
        return [f"validation:{name.partition('@')[0]}" for name in reversed(metrics)]

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.xgboost.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.xgboost.serving import Model

        return Model.load(model_dir, environment)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.xgboost.serving import predict

        return predict(model, body, content_type, accept)
