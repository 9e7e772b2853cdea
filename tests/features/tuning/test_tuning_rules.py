"""What CreateHyperParameterTuningJob refuses, and that nothing is left of it then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bottega.errors import ResourceInUse, ResourceLimitExceeded, ValidationException
from bottega.storage.metadata import ResourceQuery
from bottega.testing.requests import SKLEARN_IMAGE
from bottega.testing.tuning import TuningBench, definition, ranges

SCRIPT = {
    "TrainingImage": SKLEARN_IMAGE,
    "TrainingInputMode": "File",
    "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*)"}],
}
PROGRAM = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"s3://b/c.tar.gz"'}


def config(**values: Any) -> dict[str, Any]:
    return {"config": values}


def tuned(**values: Any) -> dict[str, Any]:
    return {"tuned": ranges(**values)}


REFUSED: list[tuple[dict[str, Any], str]] = [
    (tuned(eta=(0.5, 0.1)), "eta: MinValue 0.5 is greater than MaxValue 0.1"),
    (tuned(eta=(0.0, 0.1, "Logarithmic")), "Logarithmic scaling needs a MinValue greater than 0"),
    (tuned(eta=(0.0, 1.0, "ReverseLogarithmic")), "ReverseLogarithmic scaling needs a range with"),
    (tuned(max_depth=(1, 3, "ReverseLogarithmic")), "only for continuous ranges"),
    (tuned(), "no hyperparameter is tunable"),
    (tuned(booster=["gbtree", "gbtree"]), "has a value twice"),
    (tuned(booster=["gbtree", "forest"]), "'forest' is not one of"),
    (tuned(max_deth=(1, 3)), "Did you mean max_depth?"),
    (tuned(eta=(0.1, 7.0)), "7.0 is not in [0,1]"),
    (tuned(max_depth=(2.0, 8.0)), "max_depth of the algorithm xgboost is an integer"),
    (tuned(num_round=(1, 3)), "cannot be both static and tunable"),
    (
        {"tuned": {"IntegerParameterRanges": [{"Name": "a", "MinValue": "x", "MaxValue": "2"}]}},
        "MinValue of hyperparameter a is 'x'; it must be a number",
    ),
    (
        {"tuned": {"IntegerParameterRanges": [{"Name": "a", "MinValue": "1.5", "MaxValue": "2"}]}},
        "it must be a whole number",
    ),
    (
        {
            "tuned": {
                **ranges(eta=(0.1, 0.2)),
                "CategoricalParameterRanges": [{"Name": "eta", "Values": ["0.1"]}],
            }
        },
        "hyperparameter eta has 2 ranges",
    ),
    (
        {
            "tuned": {
                **ranges(eta=(0.1, 0.2)),
                "AutoParameters": [{"Name": "max_depth", "ValueHint": "6"}],
            }
        },
        "AutoParameters needs Autotune",
    ),
    ({"metric": "validation:speed"}, "[validation:speed], isn't valid for the [xgboost] algorithm"),
    ({"strategy": "Grid"}, "takes categorical ranges only"),
    (
        {"strategy": "Grid", "trials": 3, **tuned(booster=["gbtree", "dart"])},
        "the grid has 2 combinations",
    ),
    (
        {"strategy": "Hyperband", **config(TrainingJobEarlyStoppingType="Auto")},
        "must be Off with the strategy Hyperband",
    ),
    (
        config(StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 1}}),
        "is given with the strategy Random",
    ),
    (
        {
            "strategy": "Hyperband",
            **config(
                StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 9}}
            ),
        },
        "MinResource must be less than MaxResource",
    ),
    ({"ResourceConfig": None}, "exactly one of ResourceConfig and HyperParameterTuningResource"),
    (
        {"ResourceConfig": None, "HyperParameterTuningResourceConfig": {"VolumeSizeInGB": 3}},
        "needs InstanceType and InstanceCount, or InstanceConfigs",
    ),
    ({"AlgorithmSpecification": SCRIPT, "metric": "other"}, "is not among the MetricDefinitions"),
    ({"InputDataConfig": None}, "needs a channel 'train'"),
    ({"OutputDataConfig": {"S3OutputPath": "s3://nowhere-x/y"}}, "'nowhere-x' does not exist"),
    (
        {"AlgorithmSpecification": {"TrainingImage": "a/b:1", "TrainingInputMode": "File"}},
        "a/b:1",
    ),
    (config(TrainingJobEarlyStoppingType="Sometimes"), "enum value set"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_it_is_refused_without_a_trace(
    bench: TuningBench, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationException) as error:
        bench.create(**changes)
    assert words in error.value.message
    for kind in ("HyperParameterTuningJob", "TuningTrial", "TrainingJob"):
        assert not bench.ports.store.outlines(ResourceQuery(kind))


def several(bench: TuningBench, **changes: Any) -> dict[str, Any]:
    """A request of two definitions."""
    found = bench.request()
    del found["TrainingJobDefinition"]
    for member in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        del found["HyperParameterTuningJobConfig"][member]
    settings = bench.ports.config
    found["TrainingJobDefinitions"] = [
        definition(
            settings.bucket,
            settings.role_arn,
            **{
                "DefinitionName": name,
                "TuningObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
                "HyperParameterRanges": ranges(eta=(0.1, 0.3)),
                **changes,
            },
        )
        for name in ("one", "two")
    ]
    return found


Spoil = Callable[[dict[str, Any]], Any]
FORMS: list[tuple[Spoil, str]] = [
    (lambda r: r.update(TrainingJobDefinition=r["TrainingJobDefinitions"][0]), "exactly one of"),
    (lambda r: r["TrainingJobDefinitions"][1].pop("TuningObjective"), "[1]: TuningObjective is re"),
    (lambda r: r["TrainingJobDefinitions"][1].update(DefinitionName="one"), "'one' is given twice"),
    (
        lambda r: r["HyperParameterTuningJobConfig"].update(ParameterRanges=ranges(eta=(0.1, 0.2))),
        "ParameterRanges is for a single TrainingJobDefinition",
    ),
    (
        lambda r: r["TrainingJobDefinitions"][1].update(
            TuningObjective={"Type": "Maximize", "MetricName": "validation:auc"}
        ),
        "TuningObjective.Type must be the same",
    ),
]


@pytest.mark.parametrize(("spoil", "words"), FORMS, ids=[words for _, words in FORMS])
def test_forms_of_definitions(bench: TuningBench, spoil: Spoil, words: str) -> None:
    request = several(bench)
    spoil(request)
    with pytest.raises(ValidationException) as error:
        bench.call("CreateHyperParameterTuningJob", **request)
    assert words in error.value.message


def test_several_definitions_are_taken_in_turns(bench: TuningBench) -> None:
    bench.call("CreateHyperParameterTuningJob", **several(bench))
    bench.reconcile()
    assert [record.definition for record in bench.records()] == ["one", "two"]
    shown = bench.describe()
    assert "TrainingJobDefinition" not in shown
    assert [one["DefinitionName"] for one in shown["TrainingJobDefinitions"]] == ["one", "two"]


@pytest.mark.parametrize(
    "changes",
    [
        {"trials": 751, "strategy": "Bayesian"},
        {"trials": 10_001},
        {"parallel": 101},
        {
            "AlgorithmSpecification": {
                **SCRIPT,
                "MetricDefinitions": [{"Name": f"m{n}", "Regex": "(.*)"} for n in range(21)],
            },
            "metric": "m1",
        },
    ],
)
def test_limits(bench: TuningBench, changes: dict[str, Any]) -> None:
    with pytest.raises(ResourceLimitExceeded):
        bench.create(**changes)


def test_hyperparameters_are_counted(bench: TuningBench) -> None:
    static = {f"a{number}": "1" for number in range(70)}
    many = {f"b{number}": (0.1, 0.2) for number in range(30)}
    script: dict[str, Any] = {"AlgorithmSpecification": SCRIPT, "metric": "score"}
    with pytest.raises(ValidationException) as error:
        bench.create(**script, tuned=ranges(**many), StaticHyperParameters={**static, **PROGRAM})
    assert "there are 103 static and tunable hyperparameters" in error.value.message
    with pytest.raises(ValidationException) as error:
        bench.create(**script, tuned=ranges(**many, c=(1, 2)), StaticHyperParameters=PROGRAM)
    assert "31 hyperparameters are tunable" in error.value.message


def test_a_name_is_used_once(bench: TuningBench) -> None:
    bench.create()
    with pytest.raises(ResourceInUse) as error:
        bench.create("TUNE", tuned=ranges(eta=(0.2, 0.3)))
    assert "must be unique" in error.value.message
    assert bench.job().plan.definitions[0].ranges[0].name == "eta"
    assert len(bench.ports.store.outlines(ResourceQuery("HyperParameterTuningJob"))) == 1


def test_autotune_decides_what_is_open(bench: TuningBench) -> None:
    request = bench.request(trials=None, strategy="Bayesian")
    automatic = [{"Name": "eta", "ValueHint": "0.3"}, {"Name": "max_depth", "ValueHint": "6"}]
    request["HyperParameterTuningJobConfig"]["ParameterRanges"] = {"AutoParameters": automatic}
    bench.call("CreateHyperParameterTuningJob", **request, Autotune={"Mode": "Enabled"})
    plan = bench.job().plan
    assert [searched.name for searched in plan.definitions[0].ranges] == ["eta", "max_depth"]
    assert plan.early_stopping
    assert plan.most_trials == 20
    assert bench.describe()["Autotune"] == {"Mode": "Enabled"}
    shown = bench.call("DescribeTuningProgress", "bottega", TuningJobName="tune")
    assert shown["Trials"]["Limit"] == 20


def test_a_grid_cannot_be_made_of_ranges_that_autotune_chooses(bench: TuningBench) -> None:
    request = bench.request(trials=None, strategy="Grid")
    request["HyperParameterTuningJobConfig"]["ParameterRanges"] = {
        "AutoParameters": [{"Name": "eta", "ValueHint": "0.3"}]
    }
    with pytest.raises(ValidationException) as error:
        bench.call("CreateHyperParameterTuningJob", **request, Autotune={"Mode": "Enabled"})
    assert "AutoParameters" in error.value.message
    assert "Grid" in error.value.message


def test_a_seed_is_chosen_and_kept(bench: TuningBench) -> None:
    request = bench.request()
    del request["HyperParameterTuningJobConfig"]["RandomSeed"]
    bench.call("CreateHyperParameterTuningJob", **request)
    seed = bench.job().plan.seed
    bench.reconcile()
    assert bench.job().plan.seed == seed
    assert "RandomSeed" not in bench.describe()["HyperParameterTuningJobConfig"]
