"""How a tuning job goes, and the table of all of them."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.tuning.progress import best_course
from bottega.features.tuning.records import TrialRecord
from bottega.jobs.trial_courses import ObjectiveCourse
from bottega.testing.tuning import TuningBench, ranges


def progress(bench: TuningBench, **request: Any) -> Any:
    return bench.call("DescribeTuningProgress", "bottega", TuningJobName="tune", **request)


def overviews(bench: TuningBench, **request: Any) -> Any:
    return bench.call("ListTuningOverviews", "bottega", **request)


def test_a_tuning_job_that_runs(bench: TuningBench) -> None:
    bench.create(
        trials=4,
        tuned=ranges(eta=(0.001, 0.5), max_depth=(2, 8), booster=["gbtree", "dart"]),
        config={
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": 4,
                "MaxParallelTrainingJobs": 2,
                "MaxRuntimeInSeconds": 3600,
            }
        },
    )
    bench.reconcile()
    first, _ = bench.running()
    bench.end(first, 2.0, 1.0)
    bench.reconcile()
    found = progress(bench)
    assert found["Trials"] == {
        "Total": 3,
        "InProgress": 2,
        "Completed": 1,
        "Stopped": 0,
        "Failed": 0,
        "Succeeded": 1,
        "Limit": 4,
    }
    assert found["Waiting"] == 2
    assert 3590 <= found["SecondsLeft"] <= 3600
    assert found["RandomSeed"] == 7
    assert (found["Best"]["Numbers"], found["Best"]["Best"]) == ([1], [1.0])
    assert found["BestTrial"]["TrainingJobName"] == first.name
    assert found["Objectives"] == [
        {
            "DefinitionName": "",
            "MetricName": "validation:rmse",
            "Type": "Minimize",
            "Algorithm": "xgboost",
        }
    ]
    eta, depth, booster = found["Parameters"]
    assert (eta["Name"], eta["Type"], eta["ScalingType"]) == ("eta", "Continuous", "Logarithmic")
    assert (depth["MinValue"], depth["MaxValue"], depth["ScalingType"]) == (2.0, 8.0, "Linear")
    assert booster["Values"] == ["gbtree", "dart"]
    assert "EndReason" not in found
    assert "Importance" not in eta


def test_importance_is_told_once_there_are_enough(bench: TuningBench) -> None:
    bench.create(trials=10, parallel=10)
    bench.reconcile()
    for child in bench.running():
        bench.end(child, float(child.hyperparameters["max_depth"]))
    bench.reconcile()
    found = {one["Name"]: one["Importance"] for one in progress(bench)["Parameters"]}
    assert found["max_depth"] > found["eta"]
    assert sum(found.values()) == pytest.approx(1)
    assert progress(bench)["EndReason"] == "All 10 training jobs were launched."


def record(number: int, ended: float, value: float) -> TrialRecord:
    course = ObjectiveCourse(1, [1], [value])
    return TrialRecord(
        number, "", {}, f"j{number}", "arn", 0.0, status="Completed", ended=ended, course=course
    )


def test_the_best_so_far_follows_the_ends() -> None:
    records = [record(1, 30.0, 5.0), record(2, 10.0, 7.0), record(3, 20.0, 6.0)]
    assert best_course(records, 10, maximize=False) == {
        "Numbers": [2, 3, 1],
        "Times": [10.0, 20.0, 30.0],
        "Values": [7.0, 6.0, 5.0],
        "Best": [7.0, 6.0, 5.0],
    }
    assert best_course(records, 10, maximize=True)["Best"] == [7.0, 7.0, 7.0]


def test_a_long_course_is_thinned() -> None:
    records = [record(n, float(n), float(n % 7)) for n in range(1, 200)]
    found = best_course(records, 10, maximize=True)
    assert len(found["Numbers"]) <= 10
    assert found["Best"][-1] == 6.0


def test_overviews(bench: TuningBench) -> None:
    bench.create("first", strategy="Grid", trials=None, tuned=ranges(booster=["gbtree", "dart"]))
    bench.create("second", trials=1, parallel=1)
    bench.reconcile("second")
    bench.end(bench.running("second")[0], 4.0)
    bench.reconcile("second")
    answer = overviews(bench, SortBy="Name", SortOrder="Ascending")
    assert answer["Total"] == 2
    first, second = answer["Tunings"]
    assert (first["Strategy"], first["Trials"]["Limit"]) == ("Grid", 2)
    assert "BestValue" not in first
    assert (second["Status"], second["BestValue"], second["Algorithm"]) == (
        "Completed",
        4.0,
        "xgboost",
    )
    assert second["BestTrainingJobName"] == bench.records("second")[0].job

    def named(**request: Any) -> list[str]:
        return [one["TuningJobName"] for one in overviews(bench, **request)["Tunings"]]

    assert named(Filter="strategy:grid") == ["first"]
    assert named(Filter="status:completed") == ["second"]
    assert named(Filter="sec") == ["second"]
    assert named(SortBy="BestValue") == ["second", "first"]
    assert named(SortBy="BestValue", SortOrder="Ascending") == ["second", "first"]
    assert named(SortBy="Trials", SortOrder="Ascending") == ["first", "second"]
    assert named(SortBy="Strategy", SortOrder="Ascending") == ["first", "second"]
    assert named(Offset=1, SortBy="Name") == ["first"]
    with pytest.raises(ValidationException):
        overviews(bench, Filter="colour:red")
    bench.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="second")
    assert named() == ["first"]


def test_lists_and_tags_of_tuning_jobs(bench: TuningBench) -> None:
    bench.create("one")
    bench.call(
        "CreateHyperParameterTuningJob",
        **bench.request("two"),
        Tags=[{"Key": "a", "Value": "b"}],
    )
    answer = bench.call("ListHyperParameterTuningJobs", NameContains="w")
    (found,) = answer["HyperParameterTuningJobSummaries"]
    assert found["HyperParameterTuningJobName"] == "two"
    assert found["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 4
    assert found["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 0}
    tags = bench.call("ListTags", ResourceArn=found["HyperParameterTuningJobArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    by_tag = {"Filters": [{"Name": "Tags.a", "Operator": "Equals", "Value": "b"}]}
    (hit,) = bench.call("Search", Resource="HyperParameterTuningJob", SearchExpression=by_tag)[
        "Results"
    ]
    assert hit["HyperParameterTuningJob"]["HyperParameterTuningJobName"] == "two"
