"""XGBoost's hyperparameters one by one; ``schema`` puts them together with the rules."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Literal

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    Interval,
    TunableRange,
)
from bottega.algorithms.xgboost.metric_names import parse_metrics, tuning_metric

OBJECTIVES = (
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)
TREE_UPDATERS = (
    "grow_colmaker",
    "distcol",
    "grow_histmaker",
    "grow_local_histmaker",
    "grow_quantile_histmaker",
    "grow_skmaker",
    "sync",
    "refresh",
    "prune",
)
LINEAR_UPDATERS = ("shotgun", "coord_descent")

_UNIT = Interval(0, 1)
_SHARE = Interval(0, 1, open_minimum=True)
_NOT_NEGATIVE = Interval(0)
_TREES = Condition("booster", ("gbtree", "dart"))
_DART = Condition("booster", ("dart",))
_LINEAR = Condition("booster", ("gblinear",))
_MULTICLASS = Condition("objective", ("multi:softmax", "multi:softprob"))
_GONE = "the current library has no such setting"


def _tuned(
    minimum: float, maximum: float, scaling: Literal["Auto", "Linear", "Logarithmic"] = "Linear"
) -> TunableRange:
    return TunableRange(minimum=minimum, maximum=maximum, scaling=scaling)


def _updaters(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    known = TREE_UPDATERS + LINEAR_UPDATERS
    if not found or (wrong := [name for name in found if name not in known]):
        names = ", ".join(known)
        raise ValueError(
            f"must be a comma-separated list of {names}{_named(wrong if found else [])}"
        )
    return found


def _named(wrong: list[str]) -> str:
    return f"; unknown: {', '.join(wrong)}" if wrong else ""


def _monotone(text: str) -> str:
    if not re.fullmatch(r"[(\[]\s*-?[01](\s*,\s*-?[01])*\s*,?\s*[)\]]", text):
        raise ValueError("must be a tuple of -1, 0 and 1, one for each feature, such as (1,0,-1)")
    return "(" + ",".join(re.findall(r"-?[01]", text)) + ")"


def _interactions(text: str) -> str:
    try:
        groups = json.loads(text)
    except json.JSONDecodeError:
        groups = None
    if not isinstance(groups, list) or not all(
        isinstance(group, list) and group and all(isinstance(i, int) and i >= 0 for i in group)
        for group in groups
    ):
        raise ValueError("must be a list of lists of feature numbers, such as [[0,1],[2,3,4]]")
    return json.dumps(groups)


def _integer(
    name: str,
    description: str,
    default: str | None = None,
    interval: Interval | None = None,
    **more: Any,
) -> Hyperparameter:
    return Hyperparameter(
        name, "integer", description, default, interval=interval or _NOT_NEGATIVE, **more
    )


def _continuous(
    name: str,
    description: str,
    default: str | None = None,
    interval: Interval = _NOT_NEGATIVE,
    **more: Any,
) -> Hyperparameter:
    return Hyperparameter(name, "continuous", description, default, interval=interval, **more)


def _choice(
    name: str, description: str, default: str | None, choices: tuple[str, ...], **more: Any
) -> Hyperparameter:
    return Hyperparameter(name, "categorical", description, default, choices=choices, **more)


def _text(
    name: str,
    description: str,
    parse: Callable[[str], Any],
    default: str | None = None,
    **more: Any,
) -> Hyperparameter:
    return Hyperparameter(name, "text", description, default, parse=parse, **more)


_LEARNING = (
    _integer(
        "num_round",
        "How many rounds of boosting to train.",
        interval=Interval(1),
        required=True,
        tunable=_tuned(1, 4000),
        essential=True,
    ),
    _choice("objective", "What is learned.", "reg:squarederror", OBJECTIVES, essential=True),
    _integer(
        "num_class",
        "How many classes there are.",
        interval=Interval(2),
        required_when=_MULTICLASS,
        used_when=_MULTICLASS,
        essential=True,
    ),
    _text(
        "eval_metric",
        "Metrics to print each round, separated by commas; the last one decides early stopping.",
        parse_metrics,
        essential=True,
    ),
    _integer(
        "early_stopping_rounds",
        "Stop when the last validation metric has not improved for this many rounds.",
        interval=Interval(1),
        essential=True,
    ),
    _integer(
        "csv_weights",
        "1 when the second column of CSV input holds the weight of each row.",
        "0",
        Interval(0, 1),
    ),
    _integer("seed", "Seed of the random numbers.", "0", Interval(-(2**31), 2**31 - 1)),
    _integer("nthread", "How many threads to use; all cores when absent.", None, Interval(1)),
    _integer("verbosity", "How much the library itself logs.", "1", Interval(0, 3)),
    _choice(
        "save_model_on_termination",
        "Whether a stopped job leaves the model of the last finished round.",
        "false",
        ("true", "false"),
    ),
    _choice(
        "booster",
        "Trees, trees with dropout, or a linear model.",
        "gbtree",
        ("gbtree", "gblinear", "dart"),
    ),
    _continuous(
        "base_score", "The prediction to start from; estimated from the labels when absent."
    ),
    _continuous(
        "scale_pos_weight",
        "Weight of positive rows, for unbalanced classes.",
        "1",
        Interval(0, open_minimum=True),
    ),
    _continuous(
        "tweedie_variance_power",
        "Variance of the Tweedie distribution; near 2 is gamma, near 1 is Poisson.",
        "1.5",
        Interval(1, 2, open_minimum=True, open_maximum=True),
        used_when=Condition("objective", ("reg:tweedie",)),
    ),
    _choice(
        "aft_loss_distribution",
        "Distribution of the noise in survival times.",
        "normal",
        ("normal", "logistic", "extreme"),
        used_when=Condition("objective", ("survival:aft",)),
    ),
    _continuous(
        "aft_loss_distribution_scale",
        "Scale of the noise in survival times.",
        "1",
        Interval(0, open_minimum=True),
        used_when=Condition("objective", ("survival:aft",)),
    ),
)

_TREE = (
    _continuous(
        "eta",
        "How much of each new tree is added.",
        "0.3",
        _UNIT,
        aliases=("learning_rate",),
        tunable=_tuned(0.1, 0.5),
        essential=True,
    ),
    _continuous(
        "gamma",
        "The least gain that makes a split worth it.",
        "0",
        aliases=("min_split_loss",),
        tunable=_tuned(0, 5),
    ),
    _integer(
        "max_depth",
        "How deep a tree may be; 0 is no limit.",
        "6",
        tunable=_tuned(0, 10),
        essential=True,
    ),
    _continuous(
        "min_child_weight",
        "The least sum of row weights in a leaf.",
        "1",
        tunable=_tuned(0, 120),
        essential=True,
    ),
    _continuous(
        "max_delta_step", "Limit of each leaf's value; 0 is no limit.", "0", tunable=_tuned(0, 10)
    ),
    _continuous(
        "subsample",
        "Share of the rows each tree sees.",
        "1",
        _SHARE,
        tunable=_tuned(0.5, 1),
        essential=True,
    ),
    _continuous(
        "colsample_bytree",
        "Share of the columns each tree sees.",
        "1",
        _SHARE,
        tunable=_tuned(0.5, 1),
        essential=True,
    ),
    _continuous(
        "colsample_bylevel",
        "Share of the columns each level sees.",
        "1",
        _SHARE,
        tunable=_tuned(0.1, 1),
    ),
    _continuous(
        "colsample_bynode",
        "Share of the columns each split sees.",
        "1",
        _SHARE,
        tunable=_tuned(0.1, 1),
    ),
    _continuous(
        "lambda",
        "L2 regularisation of weights.",
        "1",
        aliases=("reg_lambda",),
        tunable=_tuned(0, 1000),
    ),
    _continuous(
        "alpha",
        "L1 regularisation of weights.",
        "0",
        aliases=("reg_alpha",),
        tunable=_tuned(0, 1000),
    ),
    _choice(
        "tree_method",
        "How splits are found; gpu_hist is hist on a GPU.",
        "auto",
        ("auto", "exact", "approx", "hist", "gpu_hist"),
        used_when=_TREES,
    ),
    _choice(
        "grow_policy",
        "Where a tree grows first.",
        "depthwise",
        ("depthwise", "lossguide"),
        used_when=_TREES,
    ),
    _integer(
        "max_leaves", "How many leaves a tree may have; 0 is no limit.", "0", used_when=_TREES
    ),
    _integer(
        "max_bin", "How many bins a feature is cut into.", "256", Interval(2), used_when=_TREES
    ),
    _integer(
        "num_parallel_tree", "How many trees a round grows, for boosted forests.", "1", Interval(1)
    ),
    _choice(
        "sampling_method",
        "How rows are drawn; gradient_based needs a GPU.",
        "uniform",
        ("uniform", "gradient_based"),
        used_when=_TREES,
    ),
    _text(
        "monotone_constraints",
        "For each feature, whether the prediction may only rise (1), only fall (-1), or both (0).",
        _monotone,
        used_when=_TREES,
    ),
    _text(
        "interaction_constraints",
        "Groups of features that may meet in one branch.",
        _interactions,
        used_when=_TREES,
    ),
    _choice(
        "process_type",
        "Grow new trees, or update those of a model.",
        "default",
        ("default", "update"),
    ),
    _integer("refresh_leaf", "Whether an update changes leaf values too.", "1", Interval(0, 1)),
    _choice(
        "sample_type",
        "How dropped trees are chosen.",
        "uniform",
        ("uniform", "weighted"),
        used_when=_DART,
    ),
    _choice(
        "normalize_type",
        "How dropped trees are weighed.",
        "tree",
        ("tree", "forest"),
        used_when=_DART,
    ),
    _continuous("rate_drop", "Share of the trees to drop.", "0", _UNIT, used_when=_DART),
    _integer(
        "one_drop", "Whether at least one tree is dropped.", "0", Interval(0, 1), used_when=_DART
    ),
    _continuous("skip_drop", "How likely a round drops nothing.", "0", _UNIT, used_when=_DART),
    _continuous(
        "lambda_bias",
        "L2 regularisation of the bias.",
        "0",
        _UNIT,
        used_when=_LINEAR,
        deprecated=_GONE,
    ),
    _text(
        "updater",
        "How trees or the linear model are updated.",
        _updaters,
        "grow_colmaker,prune",
    ),
)

_RETIRED = (
    _integer("silent", "Whether to log nothing.", "0", Interval(0, 1), deprecated="use verbosity"),
    _choice(
        "predictor",
        "Where predictions are computed.",
        "auto",
        ("auto", "cpu_predictor", "gpu_predictor"),
        deprecated="predictions run on the device that trains",
    ),
    _continuous(
        "sketch_eps",
        "Accuracy of the approximate split finder.",
        "0.03",
        Interval(0, 1, open_minimum=True, open_maximum=True),
        deprecated=f"{_GONE}; use max_bin (about 1/sketch_eps)",
    ),
    _choice(
        "dsplit", "How hosts share the data.", "row", ("row", "col"), deprecated="hosts share rows"
    ),
    _choice(
        "deterministic_histogram",
        "Whether histograms are built in a fixed order.",
        "true",
        ("true", "false"),
        deprecated="histograms are always deterministic",
    ),
    _choice(
        "single_precision_histogram",
        "Whether histograms use single precision.",
        "false",
        ("true", "false"),
        deprecated=_GONE,
    ),
    _continuous(
        "prob_buffer_row",
        "Share of rows kept in a buffer.",
        None,
        Interval(0, 1, open_minimum=True),
        deprecated=_GONE,
    ),
    _choice(
        "use_dask_gpu_training",
        "Whether Dask spreads the work over GPUs.",
        "false",
        ("true", "false"),
        deprecated="hosts work together by themselves",
    ),
)

_HIDDEN = (
    _integer("_kfold", "Train on this many folds.", None, Interval(2), hidden=True),
    _integer("_num_cv_round", "How often to repeat the folds.", "1", Interval(1), hidden=True),
    _text(
        "_tuning_objective_metric", "The metric that tuning looks at.", tuning_metric, hidden=True
    ),
)

PARAMETERS = _LEARNING + _TREE + _RETIRED + _HIDDEN
