"""XGBoost's hyperparameters."""

from __future__ import annotations

import pytest

from bottega.algorithms.hyperparameters import HyperparameterError
from bottega.algorithms.xgboost.schema import SCHEMA


def check(**values: str) -> dict[str, object]:
    return SCHEMA.check({"num_round": "10", **values})


def test_every_default_is_in_its_own_range() -> None:
    for name, text in SCHEMA.defaults().items():
        SCHEMA[name].convert(text)


def test_every_tunable_range_is_inside_the_range() -> None:
    tunable = [parameter for parameter in SCHEMA.parameters if parameter.tunable is not None]
    assert len(tunable) == 12
    for parameter in tunable:
        for bound in (parameter.tunable.minimum, parameter.tunable.maximum):
            parameter.convert(f"{bound:g}")


def test_values_of_a_usual_job() -> None:
    found = check(
        objective="multi:softprob",
        num_class="3",
        learning_rate="0.1",
        reg_lambda="2",
        eval_metric="mlogloss,merror",
        monotone_constraints="(1, 0,-1)",
        interaction_constraints="[[0,1],[2]]",
        tree_method="hist",
        seed="-4",
    )
    assert found["eta"] == 0.1
    assert found["lambda"] == 2
    assert found["eval_metric"] == ("mlogloss", "merror")
    assert found["monotone_constraints"] == "(1,0,-1)"
    assert found["interaction_constraints"] == "[[0, 1], [2]]"
    assert found["seed"] == -4


@pytest.mark.parametrize(
    "values",
    [
        {"predictor": "cpu_predictor"},
        {"sketch_eps": "0.1"},
        {"single_precision_histogram": "true"},
        {"deterministic_histogram": "false"},
        {"updater": "grow_colmaker,prune"},
        {"dsplit": "row"},
        {"prob_buffer_row": "1.0"},
        {"tree_method": "gpu_hist"},
        {"silent": "0"},
        {"objective": "reg:linear"},
        {"eval_metric": "rmse,mae,r2,mse"},
        {"objective": "binary:logistic", "eval_metric": "error@0.7,auc"},
        {"objective": "rank:ndcg", "eval_metric": "ndcg@2,map@3-"},
        {"_tuning_objective_metric": "validation:rmse"},
        {"_kfold": "5", "_num_cv_round": "2"},
    ],
)
def test_what_sagemaker_takes_is_taken(values: dict[str, str]) -> None:
    check(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"num_round": "0"}, ("num_round", "[1,∞)")),
        ({"subsample": "0"}, ("subsample", "(0,1]")),
        ({"objective": "multi:softmax"}, ("num_class", "required", "multi:softmax")),
        ({"num_class": "3"}, ("num_class", "3", "reg:squarederror")),
        ({"objective": "nonsense"}, ("objective", "'nonsense'", "reg:squarederror")),
        ({"eval_metric": "auc"}, ("eval_metric", "auc", "binary")),
        ({"eval_metric": "accuracy"}, ("eval_metric", "accuracy", "binary")),
        ({"eval_metric": "gini"}, ("eval_metric", "'gini'", "rmse")),
        ({"eval_metric": "rmse@3"}, ("eval_metric", "'rmse@3'", "ndcg@<n>")),
        ({"eval_metric": "aft-nloglik"}, ("aft-nloglik", "survival:aft")),
        ({"objective": "binary:logistic", "base_score": "1"}, ("base_score", "(0,1)")),
        ({"tweedie_variance_power": "2"}, ("tweedie_variance_power", "(1,2)")),
        ({"monotone_constraints": "(2)"}, ("monotone_constraints", "-1, 0 and 1")),
        ({"interaction_constraints": "[0,1]"}, ("interaction_constraints", "list of lists")),
        ({"updater": "nonsense"}, ("updater", "nonsense")),
        ({"updater": "shotgun"}, ("updater", "gbtree")),
        ({"updater": "grow_colmaker,grow_histmaker"}, ("updater", "only one")),
        ({"process_type": "update"}, ("process_type", "model")),
        ({"tree_method": "exact", "grow_policy": "lossguide"}, ("grow_policy", "exact")),
        ({"max_depht": "3"}, ("max_depht", "Did you mean max_depth?")),
        ({"_tuning_objective_metric": "validation:gini"}, ("validation:<metric>",)),
    ],
)
def test_refusals(values: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(HyperparameterError) as error:
        check(**values)
    for word in words:
        assert word in str(error.value)
