"""The hyperparameters of K-Means, as SageMaker documents them."""

from __future__ import annotations

import json

from bottega.algorithms.hyperparameters import (
    Hyperparameter,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

METRICS = ("msd", "ssd")
_POSITIVE = Interval(1)
_INITS = ("random", "kmeans++")


def parse_metrics(text: str) -> tuple[str, ...]:
    """Read the value of ``eval_metrics``.

    Raises:
        ValueError: it is no JSON list of the metrics there are.
    """
    try:
        found = json.loads(text.replace('\\"', '"').replace("'", '"'))
    except ValueError as error:
        raise ValueError('is no JSON list such as ["msd","ssd"]') from error
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, list) or not names or not all(name in METRICS for name in names):
        raise ValueError('is not ["msd"], ["ssd"] or ["msd","ssd"]')
    return tuple(dict.fromkeys(names))


SCHEMA = HyperparameterSchema(
    (
        Hyperparameter(
            "k",
            "integer",
            "The number of clusters.",
            interval=_POSITIVE,
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "feature_dim",
            "integer",
            "The number of features of a row.",
            interval=_POSITIVE,
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "epochs",
            "integer",
            "How many passes over the data the streaming stage makes.",
            default="1",
            interval=_POSITIVE,
            tunable=TunableRange(1, 10),
            essential=True,
        ),
        Hyperparameter(
            "mini_batch_size",
            "integer",
            "How many rows the streaming stage takes at a time.",
            default="5000",
            interval=_POSITIVE,
            tunable=TunableRange(3000, 15000),
            essential=True,
        ),
        Hyperparameter(
            "init_method",
            "categorical",
            "How the streaming stage chooses its first centres among the first rows.",
            default="random",
            choices=_INITS,
            tunable=TunableRange(choices=_INITS),
            essential=True,
        ),
        Hyperparameter(
            "extra_center_factor",
            "integer",
            "The streaming stage keeps this many times k centres; auto chooses 4 to 10 by k.",
            default="auto",
            interval=_POSITIVE,
            also=("auto",),
            tunable=TunableRange(4, 10),
            essential=True,
        ),
        Hyperparameter(
            "half_life_time_size",
            "integer",
            "After this many further rows, what a row adds to its centre counts half; 0 for no "
            "decay.",
            default="0",
            interval=Interval(0),
        ),
        Hyperparameter(
            "local_lloyd_init_method",
            "categorical",
            "How the k centres of each attempt of the final stage are chosen at first.",
            default="kmeans++",
            choices=_INITS,
        ),
        Hyperparameter(
            "local_lloyd_max_iter",
            "integer",
            "The most iterations of Lloyd's method in the final stage.",
            default="300",
            interval=_POSITIVE,
        ),
        Hyperparameter(
            "local_lloyd_num_trials",
            "integer",
            "How many attempts the final stage makes, of which the best is taken; auto makes 10.",
            default="auto",
            interval=_POSITIVE,
            also=("auto",),
        ),
        Hyperparameter(
            "local_lloyd_tol",
            "continuous",
            "The final stage ends when an iteration lowers the loss by less than this share of it.",
            default="0.0001",
            interval=Interval(0, 1),
        ),
        Hyperparameter(
            "eval_metrics",
            "text",
            "What to report, as a JSON list: msd, the mean squared distance of rows to their "
            "centres, and ssd, the sum.",
            default='["msd"]',
            parse=parse_metrics,
        ),
        Hyperparameter(
            "force_dense",
            "text",
            "What SDK 2.x sends with every job; rows are dense here in any case.",
            hidden=True,
        ),
        Hyperparameter(
            "_tuning_objective_metric",
            "text",
            "The metric that a tuning job looks at.",
            hidden=True,
        ),
    )
)
