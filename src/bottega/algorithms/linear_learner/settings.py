"""The settings of a training: checked hyperparameters with every default and ``auto`` filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bottega.algorithms.linear_learner.schema import BINARY, LOSSES, MULTICLASS, REGRESSOR, SCHEMA

PARALLEL_MODELS = 32
"""How many models ``num_models=auto`` trains."""

_LAST_STEP_SHARE = 0.03
_GIVEN_STEP_FACTOR = 0.99
_BY_LOSS = ("cross_entropy_loss", "loss_function")


@dataclass(frozen=True)
class Settings:
    """What to train and how; None stands for what is found from the data or varied by model.

    Names are those of the hyperparameters.
    """

    predictor_type: str
    num_classes: int
    """1 for a regressor, and for a binary classifier, whose score is one number."""
    feature_dim: int | None
    epochs: int
    mini_batch_size: int
    num_models: int | None
    """None for 32, or fewer where 32 would need too much memory."""
    loss: str
    optimizer: str
    learning_rate: float | None
    wd: float | None
    l1: float | None
    momentum: float
    beta_1: float
    beta_2: float
    bias_lr_mult: float | None
    bias_wd_mult: float
    use_bias: bool
    init_method: str
    init_scale: float
    init_sigma: float
    init_bias: float
    use_lr_scheduler: bool
    lr_scheduler_step: int | None
    """None for once an epoch."""
    lr_scheduler_factor: float
    lr_scheduler_minimum_lr: float | None
    """None for a thousandth of the learning rate."""
    normalize_data: bool
    normalize_label: bool
    unbias_data: bool | None
    """None: when there is a bias, unless the data are sparse."""
    unbias_label: bool
    num_point_for_scaler: int
    num_calibration_samples: int | None
    positive_example_weight_mult: float | str
    balance_multiclass_weights: bool
    binary_classifier_model_selection_criteria: str
    target_recall: float
    target_precision: float
    f_beta: float
    accuracy_top_k: int
    margin: float
    quantile: float
    loss_insensitivity: float
    huber_delta: float
    early_stopping_patience: int
    early_stopping_tolerance: float
    stop_by_criteria: bool
    """Whether early stopping looks at the selection criteria rather than at the loss: when they
    were given."""

    @property
    def binary(self) -> bool:
        return self.predictor_type == BINARY

    @property
    def multiclass(self) -> bool:
        return self.predictor_type == MULTICLASS

    @property
    def regression(self) -> bool:
        return self.predictor_type == REGRESSOR


def resolve(hyperparameters: Mapping[str, str]) -> Settings:
    """Check the hyperparameters of a request and fill in what they leave open.

    Raises:
        HyperparameterError: one is at fault.
    """
    found = SCHEMA.check(hyperparameters)
    values: dict[str, Any] = {
        name: SCHEMA[name].convert(text) for name, text in SCHEMA.defaults().items()
    } | found
    values["num_classes"] = found.get("num_classes", 0)
    # Words that leave it to the training: None. The rest has a value that needs no data.
    kept = {"positive_example_weight_mult", "optimizer", "loss"}
    for name, value in values.items():
        if value == "auto" and name not in kept:
            values[name] = None
    predictor = values["predictor_type"]
    if predictor != MULTICLASS:
        # Other predictors ignore it, as SageMaker's do.
        values["num_classes"] = 1
    if values["loss"] == "auto":
        values["loss"] = LOSSES[predictor][0]
    if values["optimizer"] == "auto":
        values["optimizer"] = "adam"
    if "_tuning_objective_metric" in found:
        values["num_models"] = 1
    _fill(values, "momentum", 0.9)
    _fill(values, "beta_1", 0.9)
    _fill(values, "beta_2", 0.999)
    _fill(values, "bias_wd_mult", 0.0)
    _fill(values, "normalize_data", True)
    _fill(values, "normalize_label", True)
    _fill(values, "unbias_label", values["use_bias"])
    _fill(values, "lr_scheduler_factor", _factor(values))
    values["accuracy_top_k"] = min(values["accuracy_top_k"], max(1, values["num_classes"]))
    criteria = "binary_classifier_model_selection_criteria"
    values["stop_by_criteria"] = (
        predictor == BINARY and criteria in found and found[criteria] not in _BY_LOSS
    )
    return Settings(**{field.name: values[field.name] for field in fields(Settings)})


def _fill(values: dict[str, Any], name: str, value: Any) -> None:
    if values[name] is None:
        values[name] = value


def _factor(values: Mapping[str, Any]) -> float:
    if values["lr_scheduler_step"] is not None:
        return _GIVEN_STEP_FACTOR
    return float(_LAST_STEP_SHARE ** (1 / max(1, values["epochs"] - 1)))
