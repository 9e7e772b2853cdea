"""XGBoost's hyperparameters: names, types and ranges as SageMaker documents them.

Light: the library is not imported. Two things differ from a plain pass-through. Defaults are not
filled in, so that the library's own apply (``base_score`` is estimated from the labels where
SageMaker's page says 0.5, which is what its newer images do too). And parameters that the current
library has no use for are accepted and ignored, with a line in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.hyperparameters import HyperparameterError, HyperparameterSchema
from bottega.algorithms.xgboost.metric_names import NAMES
from bottega.algorithms.xgboost.parameters import LINEAR_UPDATERS, PARAMETERS, TREE_UPDATERS


def _check_objective(found: Mapping[str, Any]) -> None:
    objective = found.get("objective", "reg:squarederror")
    if "num_class" in found and not objective.startswith("multi:"):
        message = (
            f"{found['num_class']} is only for multi:softmax and multi:softprob, not {objective}."
        )
        raise HyperparameterError("num_class", f"{message} Leave it out or change objective.")
    base = found.get("base_score")
    bounded = objective in ("binary:logistic", "reg:logistic", "binary:logitraw")
    if base is not None and bounded and not 0 < base < 1:
        raise HyperparameterError(
            "base_score", f"{base:g} is not in (0,1), as {objective} needs it."
        )


def _check_metrics(found: Mapping[str, Any]) -> None:
    objective = found.get("objective", "reg:squarederror")
    metrics = found.get("eval_metric", ())
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        message = f"auc can only be used with binary and rank objectives, not {objective}."
        raise HyperparameterError("eval_metric", message)
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise HyperparameterError("eval_metric", "aft-nloglik can only be used with survival:aft.")
    for metric in metrics:
        wanted = NAMES[metric.partition("@")[0]].objectives
        if wanted and not objective.startswith(wanted):
            kinds = " or ".join(wanted)
            message = f"{metric} can only be used with {kinds} objectives, not {objective}."
            raise HyperparameterError("eval_metric", message)


def _check_trees(found: Mapping[str, Any]) -> None:
    method = found.get("tree_method", "auto")
    if "monotone_constraints" in found and method == "approx":
        message = "not possible with tree_method approx; use hist or exact."
        raise HyperparameterError("monotone_constraints", message)
    if found.get("grow_policy") == "lossguide" and method == "exact":
        message = "lossguide is not possible with tree_method exact; use hist or approx."
        raise HyperparameterError("grow_policy", message)
    if found.get("max_depth") == 0 and method == "exact":
        message = "0 is not possible with tree_method exact; give a depth or use hist."
        raise HyperparameterError("max_depth", message)


def _check_updaters(found: Mapping[str, Any]) -> None:
    updaters = found.get("updater", ())
    if found.get("process_type") == "update":
        message = "update needs a model to update, which a training job has none of; leave it out."
        raise HyperparameterError("process_type", message)
    if not updaters:
        return
    linear = found.get("booster") == "gblinear"
    wrong = [name for name in updaters if (name in LINEAR_UPDATERS) != linear]
    if wrong:
        kinds = ", ".join(LINEAR_UPDATERS if linear else TREE_UPDATERS)
        message = (
            f"{wrong[0]!r} does not go with booster {found.get('booster', 'gbtree')}; use {kinds}."
        )
        raise HyperparameterError("updater", message)
    if sum(name.startswith(("grow_", "distcol")) for name in updaters) > 1:
        raise HyperparameterError("updater", "only one way to grow trees can be chosen.")


SCHEMA = HyperparameterSchema(
    parameters=PARAMETERS,
    rules=(_check_objective, _check_metrics, _check_trees, _check_updaters),
)
