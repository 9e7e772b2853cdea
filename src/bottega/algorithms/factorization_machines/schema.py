"""The hyperparameters of Factorization Machines, as SageMaker documents them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

BINARY, REGRESSOR = "binary_classifier", "regressor"
PARTS = ("bias", "linear", "factors")
_WHAT = {
    "bias": "the bias",
    "linear": "the linear weights",
    "factors": "the factors",
}
_LEARNING_RATES = {"bias": "0.1", "linear": "0.001", "factors": "0.0001"}
_DECAYS = {"bias": "0.01", "linear": "0.001", "factors": "0.00001"}
_SIGMAS = {"bias": "0.01", "linear": "0.01", "factors": "0.001"}
_PARAMETER_OF = {"normal": "sigma", "uniform": "scale", "constant": "value"}
_METHODS = tuple(_PARAMETER_OF)
_TUNABLE = TunableRange(1e-8, 512, scaling="Logarithmic")
_POSITIVE = Interval(1)
_NOT_NEGATIVE = Interval(0)
_ABOVE_ZERO = Interval(0, open_minimum=True)


def _of_part(part: str) -> Iterator[Hyperparameter]:
    what, method = _WHAT[part], f"{part}_init_method"
    yield Hyperparameter(
        f"{part}_lr",
        "continuous",
        f"The learning rate of {what}.",
        default=_LEARNING_RATES[part],
        interval=_NOT_NEGATIVE,
        tunable=_TUNABLE,
        essential=part != "bias",
    )
    yield Hyperparameter(
        f"{part}_wd",
        "continuous",
        f"The weight decay of {what}.",
        default=_DECAYS[part],
        interval=_NOT_NEGATIVE,
        tunable=_TUNABLE,
    )
    yield Hyperparameter(
        method,
        "categorical",
        f"How {what} begin{'s' if part == 'bias' else ''}: normally or uniformly distributed "
        "around 0, or with a constant.",
        default="normal",
        choices=_METHODS,
        tunable=TunableRange(choices=_METHODS),
    )
    yield Hyperparameter(
        f"{part}_init_sigma",
        "continuous",
        "The standard deviation of the normal distribution to begin with.",
        default=_SIGMAS[part],
        interval=_NOT_NEGATIVE,
        used_when=Condition(method, ("normal",)),
        tunable=_TUNABLE,
    )
    yield Hyperparameter(
        f"{part}_init_scale",
        "continuous",
        "The uniform distribution to begin with goes from minus to plus this.",
        interval=_NOT_NEGATIVE,
        required_when=Condition(method, ("uniform",)),
        used_when=Condition(method, ("uniform",)),
        tunable=_TUNABLE,
    )
    yield Hyperparameter(
        f"{part}_init_value",
        "continuous",
        "The constant to begin with.",
        required_when=Condition(method, ("constant",)),
        used_when=Condition(method, ("constant",)),
        tunable=_TUNABLE,
    )


def _check_factors_begin(found: Mapping[str, Any]) -> None:
    method = found.get("factors_init_method", "normal")
    name = f"factors_init_{_PARAMETER_OF[method]}"
    if found.get(name) == 0:
        message = "0 leaves the factors at 0 for ever, for their gradients are 0 too; give another."
        raise HyperparameterError(name, message)


SCHEMA = HyperparameterSchema(
    (
        Hyperparameter(
            "feature_dim",
            "integer",
            "The number of features of a row; millions are fine where rows are sparse.",
            interval=_POSITIVE,
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "num_factors",
            "integer",
            "How many factors each feature has; 2 to 1000, and 64 is a good start.",
            interval=_POSITIVE,
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "predictor_type",
            "categorical",
            "Whether labels are classes 0 and 1, or numbers.",
            choices=(BINARY, REGRESSOR),
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "epochs",
            "integer",
            "How many passes over the data are made.",
            default="1",
            interval=_POSITIVE,
            aliases=("epoch",),
            tunable=TunableRange(1, 1000),
            essential=True,
        ),
        Hyperparameter(
            "mini_batch_size",
            "integer",
            "How many rows each step of the training takes.",
            default="1000",
            interval=_POSITIVE,
            tunable=TunableRange(100, 10000),
            essential=True,
        ),
        *_of_part("bias"),
        *_of_part("linear"),
        *_of_part("factors"),
        Hyperparameter(
            "clip_gradient",
            "continuous",
            "Gradients are cut off at plus and minus this; without it they are not.",
            interval=_ABOVE_ZERO,
        ),
        Hyperparameter(
            "eps",
            "continuous",
            "What is added to a divisor of the optimizer that may be 0; 1e-8 without it.",
            interval=_ABOVE_ZERO,
        ),
        Hyperparameter(
            "rescale_grad",
            "continuous",
            "What the gradients of the rows of a batch, added up, are multiplied by; 1 over the "
            "rows of the batch without it.",
            interval=_ABOVE_ZERO,
        ),
        Hyperparameter(
            "_tuning_objective_metric",
            "text",
            "The metric that a tuning job looks at.",
            hidden=True,
        ),
    ),
    rules=(_check_factors_begin,),
)
