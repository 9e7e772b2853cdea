"""XGBoost as a built-in algorithm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel, NearModel, RequestError
from bottega.algorithms.xgboost.data import CONTENT_TYPES
from bottega.algorithms.xgboost.metric_names import definitions, parse_metrics
from bottega.algorithms.xgboost.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment


class XGBoost(Algorithm):
    """Gradient boosted trees."""

    name = "xgboost"
    title = "XGBoost"
    compiled_serving = True
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
    accepts = (
        "text/csv",
        "application/json",
        "application/jsonlines",
        "application/x-recordio-protobuf",
    )

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        try:
            metrics = parse_metrics(hyperparameters.get("eval_metric", ""))
        except ValueError:
            return ()
        # The last one decides early stopping.
        return [f"validation:{name.partition('@')[0]}" for name in reversed(metrics)]

    def leading_columns(self, hyperparameters: Mapping[str, str]) -> tuple[str, ...]:
        return ("label", "weight") if hyperparameters.get("csv_weights") == "1" else ("label",)

    def unfit_label(self, label: float, hyperparameters: Mapping[str, str]) -> str:
        objective = hyperparameters.get("objective", "reg:squarederror")
        classes = hyperparameters.get("num_class", "")
        if not math.isfinite(label):
            said = "is not a number that can be learned"
        elif objective in ("binary:logistic", "reg:logistic") and not 0 <= label <= 1:
            said = "is outside [0,1]"
        elif objective in ("binary:hinge", "binary:logitraw") and label not in (0, 1):
            said = "is neither 0 nor 1"
        elif (
            objective.startswith("multi:")
            and classes.isdigit()
            and (not 0 <= label < int(classes) or label != int(label))
        ):
            said = f"is not a whole number in [0,{classes}), the range of num_class={classes},"
        else:
            return ""
        return f"{said} for {objective}"

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.xgboost.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.xgboost.serving import Model

        return Model.load(model_dir, environment)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.xgboost.serving import predict

        return predict(model, body, content_type, accept)

    def compile(self, model: Any) -> str:
        said: str = model.compile()
        return said

    def near(self, model: Any) -> bytes:
        from bottega.algorithms.xgboost.near import near

        return near(model)

    def near_model(self, content: bytes) -> NearModel:
        from bottega.algorithms.xgboost.near import read_near

        return read_near(content)

    def joins(self, model: Any) -> bool:
        return bool(model.joins)

    def predict_many(
        self, model: Any, bodies: Sequence[bytes], content_type: str, accept: str
    ) -> list[tuple[bytes, str] | RequestError]:
        from bottega.algorithms.xgboost.serving import predict_many

        return predict_many(model, bodies, content_type, accept)
