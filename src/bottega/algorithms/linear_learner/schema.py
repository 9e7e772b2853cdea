"""Linear Learner's hyperparameters: names, types and ranges as SageMaker documents them. Light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
LOSSES = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
    REGRESSOR: (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
}
"""The losses of each predictor type; the first is what ``auto`` stands for."""
CRITERIA = (
    "accuracy",
    "f1",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
    "cross_entropy_loss",
    "loss_function",
)

_POSITIVE = Interval(0, open_minimum=True)
_NOT_NEGATIVE = Interval(0)
_MOMENTS = Interval(0, 1, open_maximum=True)
_INSIDE_UNIT = Interval(0, 1, open_minimum=True, open_maximum=True)
_AUTO = ("auto",)
_IS_BINARY = Condition("predictor_type", (BINARY,))
_IS_MULTICLASS = Condition("predictor_type", (MULTICLASS,))
_IS_REGRESSOR = Condition("predictor_type", (REGRESSOR,))
_SCHEDULED = Condition("use_lr_scheduler", ("true", "True"))
_ADAM = Condition("optimizer", ("auto", "adam"))


def _boolean(text: str) -> bool:
    """``true`` and ``false``, in the letters of SageMaker's SDK (``True``) too."""
    words = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in words:
        raise ValueError("is neither true nor false")
    return words[text.lower()]


def _boolean_or_auto(text: str) -> bool | str:
    if text.lower() == "auto":
        return "auto"
    try:
        return _boolean(text)
    except ValueError as error:
        raise ValueError("is none of true, false and auto") from error


def _switch(name: str, description: str, default: str, **more: Any) -> Hyperparameter:
    auto = default == "auto" or name == "normalize_data"
    return Hyperparameter(
        name,
        "categorical",
        description,
        default,
        choices=("true", "false", "auto") if auto else ("true", "false"),
        parse=_boolean_or_auto if auto else _boolean,
        **more,
    )


def _integer(name: str, description: str, default: str | None, **more: Any) -> Hyperparameter:
    more.setdefault("interval", Interval(1))
    return Hyperparameter(name, "integer", description, default, **more)


def _number(
    name: str, description: str, default: str, interval: Interval, **more: Any
) -> Hyperparameter:
    more.setdefault("also", _AUTO if default == "auto" else ())
    return Hyperparameter(name, "continuous", description, default, interval=interval, **more)


def _tuned(minimum: float, maximum: float) -> TunableRange:
    return TunableRange(minimum=minimum, maximum=maximum, scaling="Logarithmic")


_TASK = (
    Hyperparameter(
        "predictor_type",
        "categorical",
        "What is predicted: one of two classes, one of several, or a number.",
        choices=(BINARY, MULTICLASS, REGRESSOR),
        required=True,
        essential=True,
    ),
    _integer(
        "num_classes",
        "How many classes there are; labels are 0 to num_classes - 1.",
        None,
        interval=Interval(3, 1_000_000),
        required_when=_IS_MULTICLASS,
        used_when=_IS_MULTICLASS,
        essential=True,
    ),
    _integer(
        "feature_dim",
        "How many features a row has; auto takes it from the data.",
        "auto",
        also=_AUTO,
    ),
    _integer("epochs", "The most passes over the training data.", "15", essential=True),
    _integer(
        "mini_batch_size",
        "How many rows one step learns from.",
        "1000",
        tunable=TunableRange(minimum=100, maximum=5000),
        essential=True,
    ),
    _integer(
        "num_models",
        "How many models with settings near the given ones to train at once and choose from; auto "
        "is 32, and 1 within a tuning job.",
        "auto",
        also=_AUTO,
    ),
    Hyperparameter(
        "loss",
        "categorical",
        "What is minimised; auto is logistic, softmax_loss or squared_loss by predictor_type.",
        "auto",
        choices=("auto", *(name for names in LOSSES.values() for name in names)),
    ),
)

_OPTIMISATION = (
    Hyperparameter(
        "optimizer",
        "categorical",
        "How weights follow the gradient; auto is adam.",
        "auto",
        choices=("auto", "adam", "sgd", "rmsprop"),
    ),
    _number(
        "learning_rate",
        "Size of a step.",
        "auto",
        _POSITIVE,
        tunable=_tuned(1e-5, 1),
        essential=True,
    ),
    _number(
        "wd",
        "Weight of the L2 penalty.",
        "auto",
        _NOT_NEGATIVE,
        tunable=_tuned(1e-7, 1),
        essential=True,
    ),
    _number(
        "l1",
        "Weight of the L1 penalty, which makes weights exactly 0.",
        "auto",
        _NOT_NEGATIVE,
        tunable=_tuned(1e-7, 1),
        essential=True,
    ),
    _number(
        "momentum",
        "How much of the last step sgd goes again; auto is 0.9.",
        "auto",
        _MOMENTS,
        used_when=Condition("optimizer", ("sgd",)),
    ),
    _number(
        "beta_1",
        "Decay of adam's mean of gradients; auto is 0.9.",
        "auto",
        _MOMENTS,
        used_when=_ADAM,
    ),
    _number(
        "beta_2",
        "Decay of adam's mean of squared gradients; auto is 0.999.",
        "auto",
        _MOMENTS,
        used_when=_ADAM,
    ),
    _number(
        "bias_lr_mult",
        "How many times as large the bias's step is; auto is 10 where that makes it no larger than "
        "0.1, else as much as makes it 0.1, and at least 1.",
        "auto",
        _POSITIVE,
    ),
    _number(
        "bias_wd_mult",
        "How many times as large the bias's L2 penalty is; auto is 0.",
        "auto",
        _NOT_NEGATIVE,
    ),
    _switch(
        "use_bias",
        "Whether the model has a bias.",
        "true",
        tunable=TunableRange(choices=("true", "false")),
    ),
    Hyperparameter(
        "init_method",
        "categorical",
        "Distribution of the first weights.",
        "uniform",
        choices=("uniform", "normal"),
    ),
    _number(
        "init_scale",
        "The first weights are uniform within minus and plus this.",
        "0.07",
        _POSITIVE,
        used_when=Condition("init_method", ("uniform",)),
    ),
    _number(
        "init_sigma",
        "Standard deviation of normal first weights.",
        "0.01",
        _POSITIVE,
        used_when=Condition("init_method", ("normal",)),
    ),
    _number("init_bias", "The first bias.", "0", Interval()),
    _switch("use_lr_scheduler", "Whether the step size falls with time.", "true"),
    _integer(
        "lr_scheduler_step",
        "After how many batches the step size falls; auto is once an epoch.",
        "auto",
        also=_AUTO,
        used_when=_SCHEDULED,
    ),
    _number(
        "lr_scheduler_factor",
        "What the step size is multiplied by; auto is what makes it 3 % in the last epoch, or 0.99 "
        "where lr_scheduler_step is given.",
        "auto",
        _INSIDE_UNIT,
        used_when=_SCHEDULED,
    ),
    _number(
        "lr_scheduler_minimum_lr",
        "The step size falls no lower; auto is a thousandth of learning_rate.",
        "auto",
        _POSITIVE,
        used_when=_SCHEDULED,
    ),
)

_DATA = (
    _switch("normalize_data", "Whether features are scaled to a standard deviation of 1.", "true"),
    _switch(
        "normalize_label",
        "Whether labels are scaled to a standard deviation of 1 while training; auto is true.",
        "auto",
        used_when=_IS_REGRESSOR,
    ),
    _switch(
        "unbias_data",
        "Whether features are shifted to a mean of 0; auto does so when the model has a bias and "
        "the data are not sparse.",
        "auto",
    ),
    _switch(
        "unbias_label",
        "Whether labels are shifted to a mean of 0 while training; auto does so when the model has "
        "a bias.",
        "auto",
        used_when=_IS_REGRESSOR,
    ),
    _integer("num_point_for_scaler", "From how many rows means and deviations are taken.", "10000"),
    _integer(
        "num_calibration_samples",
        "From how many rows of validation (of train without it) the threshold is found; auto is "
        "as many as fit in 64 MiB of scores.",
        "auto",
        also=_AUTO,
    ),
    _number(
        "positive_example_weight_mult",
        "Weight of rows of class 1; balanced gives both classes the same weight, auto tries "
        "several and takes the best.",
        "1.0",
        _POSITIVE,
        also=("balanced", "auto"),
        tunable=_tuned(1e-5, 1e5),
        used_when=_IS_BINARY,
    ),
    _switch(
        "balance_multiclass_weights",
        "Whether every class has the same weight, however many rows it has.",
        "false",
        used_when=_IS_MULTICLASS,
    ),
)

_SELECTION = (
    Hyperparameter(
        "binary_classifier_model_selection_criteria",
        "categorical",
        "What the threshold and the best of the models are chosen by.",
        "accuracy",
        choices=CRITERIA,
        used_when=_IS_BINARY,
        essential=True,
    ),
    _number(
        "target_recall",
        "The least recall, for precision_at_target_recall.",
        "0.8",
        _INSIDE_UNIT,
        used_when=Condition(
            "binary_classifier_model_selection_criteria", ("precision_at_target_recall",)
        ),
    ),
    _number(
        "target_precision",
        "The least precision, for recall_at_target_precision.",
        "0.8",
        _INSIDE_UNIT,
        used_when=Condition(
            "binary_classifier_model_selection_criteria", ("recall_at_target_precision",)
        ),
    ),
    _number(
        "f_beta", "How much more recall counts than precision in the F score.", "1.0", _POSITIVE
    ),
    _integer(
        "accuracy_top_k",
        "How many of the best classes top-k accuracy looks at.",
        "3",
        used_when=_IS_MULTICLASS,
    ),
    _number(
        "margin",
        "From which margin on hinge_loss is 0.",
        "1.0",
        _NOT_NEGATIVE,
        used_when=Condition("loss", ("hinge_loss",)),
    ),
    _number(
        "quantile",
        "Which quantile quantile_loss predicts.",
        "0.5",
        _INSIDE_UNIT,
        used_when=Condition("loss", ("quantile_loss",)),
    ),
    _number(
        "loss_insensitivity",
        "Errors up to this, in units of the label, cost nothing with the eps_insensitive losses.",
        "0.01",
        _POSITIVE,
        used_when=Condition(
            "loss", ("eps_insensitive_squared_loss", "eps_insensitive_absolute_loss")
        ),
    ),
    _number(
        "huber_delta",
        "From which error on, in units of the label, huber_loss grows linearly.",
        "1.0",
        _NOT_NEGATIVE,
        used_when=Condition("loss", ("huber_loss",)),
    ),
    _integer(
        "early_stopping_patience",
        "Stop after this many epochs without improvement.",
        "3",
    ),
    _number(
        "early_stopping_tolerance",
        "An improvement of less than this share of the best value counts as none.",
        "0.001",
        _POSITIVE,
    ),
    Hyperparameter(
        "_tuning_objective_metric",
        "text",
        "The metric that a tuning job watches; one model is trained then.",
        hidden=True,
    ),
)


def _check_loss(found: Mapping[str, Any]) -> None:
    loss, predictor = found.get("loss", "auto"), found["predictor_type"]
    if loss != "auto" and loss not in LOSSES[predictor]:
        message = f"{loss} does not go with predictor_type {predictor}; use auto or one of "
        raise HyperparameterError("loss", f"{message}{', '.join(LOSSES[predictor])}.")


def _check_top_k(found: Mapping[str, Any]) -> None:
    if found["predictor_type"] != MULTICLASS or "accuracy_top_k" not in found:
        return
    if found["accuracy_top_k"] > found["num_classes"]:
        raise HyperparameterError(
            "accuracy_top_k",
            f"{found['accuracy_top_k']} is more than num_classes, {found['num_classes']}.",
        )


SCHEMA = HyperparameterSchema(
    parameters=(*_TASK, *_OPTIMISATION, *_DATA, *_SELECTION), rules=(_check_loss, _check_top_k)
)
