"""A tuning job step by step: what is started and stopped, how it ends, and what a kill leaves."""

from __future__ import annotations

import math
import re

import pytest

from bottega.errors import ResourceInUse, ResourceNotFound, ValidationException
from bottega.features.tuning import controller as tuning_controller
from bottega.storage.metadata import ResourceQuery
from bottega.testing.tuning import TuningBench, ranges


def statuses(bench: TuningBench, name: str = "tune") -> dict[str, int]:
    counters = bench.describe(name)["TrainingJobStatusCounters"]
    return {status: count for status, count in counters.items() if count}


def objectives(bench: TuningBench, name: str = "tune") -> dict[str, int]:
    counters = bench.describe(name)["ObjectiveStatusCounters"]
    return {status: count for status, count in counters.items() if count}


def run(bench: TuningBench, *values: float, name: str = "tune") -> None:
    """Let trials end one after the other, the oldest first, with these objectives."""
    for value in values:
        bench.reconcile(name)
        bench.end(bench.running(name)[0], value)
    bench.reconcile(name)


def test_trials_are_training_jobs_of_the_tuning_job(bench: TuningBench) -> None:
    kept = f"s3://{bench.ports.config.bucket}/kept"
    bench.create(Environment={"A": "b"}, CheckpointConfig={"S3Uri": f"{kept}/"})
    bench.call(
        "AddTags",
        ResourceArn=bench.job().arn,
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    bench.reconcile()
    first, second = bench.children()
    assert re.fullmatch(r"tune-001-[0-9a-f]{8}", first.name)
    assert re.fullmatch(r"tune-002-[0-9a-f]{8}", second.name)
    shown = bench.call("DescribeTrainingJob", TrainingJobName=first.name)
    assert shown["TuningJobArn"] == bench.job().arn
    given = shown["HyperParameters"]
    assert given["_tuning_objective_metric"] == "validation:rmse"
    assert given["num_round"] == "10"
    assert 0.01 <= float(given["eta"]) <= 0.5
    assert given["max_depth"] in "2345678"
    assert shown["Environment"] == {"A": "b"}
    assert shown["CheckpointConfig"]["S3Uri"] == f"{kept}/{first.name}"
    tags = bench.call("ListTags", ResourceArn=first.resource.arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]
    assert statuses(bench) == {"InProgress": 2}
    assert objectives(bench) == {"Pending": 2}
    assert "BestTrainingJob" not in bench.describe()
    static = bench.describe()["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static["_tuning_objective_metric"] == "validation:rmse"


@pytest.mark.parametrize(
    "given",
    [
        {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
        {
            "AllocationStrategy": "Prioritized",
            "InstanceConfigs": [
                {"InstanceType": name, "InstanceCount": 1, "VolumeSizeInGB": 5}
                for name in ("ml.c5.xlarge", "ml.m5.large")
            ],
        },
    ],
)
def test_resources_of_tuning_become_those_of_training(
    bench: TuningBench, given: dict[str, object]
) -> None:
    bench.create(
        ResourceConfig=None, HyperParameterTuningResourceConfig=given, StoppingCondition={}
    )
    bench.reconcile()
    wanted = {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5}
    assert bench.children()[0].body["ResourceConfig"] == wanted
    shown = bench.describe()["TrainingJobDefinition"]
    assert shown["HyperParameterTuningResourceConfig"] == given
    assert shown["ResourceConfig"] == wanted  # SDKs attach by it
    assert shown["StoppingCondition"]["MaxRuntimeInSeconds"] == 86_400


def test_it_goes_on_until_all_were_launched(bench: TuningBench) -> None:
    bench.create()
    run(bench, 3.0, 1.0, 2.0)
    assert statuses(bench) == {"Completed": 3, "InProgress": 1}
    assert bench.describe()["HyperParameterTuningJobStatus"] == "InProgress"
    run(bench, 4.0)
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Completed"
    assert statuses(bench) == {"Completed": 4}
    assert objectives(bench) == {"Succeeded": 4}
    best = shown["BestTrainingJob"]
    assert best["TrainingJobName"] == bench.records()[1].job
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Minimize",
        "MetricName": "validation:rmse",
        "Value": 1.0,
    }
    assert shown["HyperParameterTuningEndTime"] >= shown["CreationTime"]
    assert shown["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] == 2
    assert bench.reconcile() is None


def test_the_last_value_is_the_objective(bench: TuningBench) -> None:
    bench.create(trials=1, parallel=1)
    bench.reconcile()
    bench.end(bench.running()[0], 0.1, 0.7, 0.5)
    bench.reconcile()
    best = bench.describe()["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0.5


@pytest.mark.parametrize("stage", ["record", "child", "ended"])
def test_a_kill_doubles_no_trial_and_loses_none(
    bench: TuningBench, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Killed behind the record, behind the training job, or before its end was written."""
    bench.create(trials=3, parallel=1)
    if stage == "ended":
        bench.reconcile()
        bench.end(bench.running()[0], 1.0)
    else:
        monkeypatch.setattr(
            tuning_controller.TuningController,
            "_create" if stage == "record" else "_write",
            lambda *_: (_ for _ in ()).throw(SystemExit),
        )
        with pytest.raises(SystemExit):
            bench.reconcile()
        monkeypatch.undo()
    before = bench.records()[0]
    bench.restart()
    assert list(bench.controller.pending()) == ["tune"]
    bench.reconcile()
    assert bench.records()[0].parameters == before.parameters
    assert [child.name for child in bench.children()] == [one.job for one in bench.records()]
    assert len(bench.records()) == (2 if stage == "ended" else 1)
    run(bench, *([2.0, 3.0] if stage == "ended" else [1.0, 2.0, 3.0]))
    assert statuses(bench) == {"Completed": 3}
    value = bench.describe()["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert value["Value"] == 1.0


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_a_seed_gives_the_same_trials_also_after_a_kill(bench: TuningBench, strategy: str) -> None:
    found = []
    for name in ("one", "two"):
        bench.create(name, strategy=strategy, trials=7, parallel=1)
        for number in range(7):
            if name == "two":
                bench.restart()
            run(bench, 1.0 + number % 3, name=name)
        found.append([record.parameters for record in bench.records(name)])
    assert found[0] == found[1]


def test_failing_trials_are_counted_and_do_not_end_it(bench: TuningBench) -> None:
    bench.create(trials=4)
    bench.reconcile()
    first, second = bench.running()
    bench.end(first, 0.1, status="Failed")
    bench.end(second, status="Failed", reason="InternalServerError: lost")
    run(bench, 2.0, 3.0)
    assert statuses(bench) == {"Completed": 2, "NonRetryableError": 1, "RetryableError": 1}
    assert objectives(bench) == {"Succeeded": 2, "Failed": 2}
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Completed"
    value = shown["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert value == 2.0


def test_when_all_fail_it_fails_and_says_why(bench: TuningBench) -> None:
    bench.create(trials=20, parallel=2)
    for _ in range(5):
        bench.reconcile()
        bench.end(bench.running()[0], status="Failed", reason="AlgorithmError: no such column")
    bench.reconcile()
    last = bench.running()[0]
    assert last.status == "Stopping"
    assert bench.describe()["HyperParameterTuningJobStatus"] == "InProgress"
    bench.end(last, status="Stopped")
    bench.reconcile()
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Failed"
    assert "All 5 training jobs failed." in shown["FailureReason"]
    assert "AlgorithmError: no such column" in shown["FailureReason"]
    assert statuses(bench) == {"NonRetryableError": 5, "Stopped": 1}
    assert objectives(bench) == {"Failed": 6}


def test_many_failures_in_a_row_end_it_although_some_succeeded(bench: TuningBench) -> None:
    bench.create(trials=30, parallel=1)
    run(bench, 1.0)
    for _ in range(10):
        bench.end(bench.running()[0], status="Failed")
        bench.reconcile()
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Failed"
    assert "10 training jobs in a row failed" in shown["FailureReason"]
    assert shown["BestTrainingJob"]["TrainingJobName"] == bench.records()[0].job


@pytest.mark.parametrize("values", [[], [math.nan], [1.0, math.inf]])
def test_without_objectives_it_fails_and_says_which(
    bench: TuningBench, values: list[float]
) -> None:
    bench.create(trials=2)
    bench.reconcile()
    for child in bench.running():
        bench.end(child, *values)
    bench.reconcile()
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Failed"
    assert "No objective metrics found after running 2 training jobs" in shown["FailureReason"]
    assert "'validation:rmse'" in shown["FailureReason"]
    assert statuses(bench) == {"Completed": 2}
    assert objectives(bench) == {"Failed": 2}
    assert "BestTrainingJob" not in shown


def test_a_grid_is_tried_once_each(bench: TuningBench) -> None:
    bench.create(
        strategy="Grid",
        trials=None,
        parallel=3,
        tuned=ranges(booster=["gbtree", "dart"], tree_method=["hist", "exact", "approx"]),
    )
    run(bench, *range(1, 7))
    found = {(one.parameters["booster"], one.parameters["tree_method"]) for one in bench.records()}
    assert len(found) == len(bench.records()) == 6
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Completed"


def test_a_small_space_is_not_tried_twice(bench: TuningBench) -> None:
    bench.create(trials=9, tuned=ranges(max_depth=(2, 4)))
    run(bench, 1.0, 2.0, 3.0)
    assert sorted(one.parameters["max_depth"] for one in bench.records()) == ["2", "3", "4"]
    shown = bench.call("DescribeTuningProgress", "bottega", TuningJobName="tune")
    assert shown["Status"] == "Completed"
    assert "All 3 combinations" in shown["EndReason"]


def test_a_target_ends_it_and_stops_the_rest(bench: TuningBench) -> None:
    criteria = {"TargetObjectiveMetricValue": 1.5}
    bench.create(config={"TuningJobCompletionCriteria": criteria})
    run(bench, 1.2)
    (rest,) = bench.running()
    assert rest.status == "Stopping"
    assert bench.describe()["HyperParameterTuningJobStatus"] == "InProgress"
    bench.end(rest, 9.0, status="Stopped")
    bench.reconcile()
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Completed"
    assert statuses(bench) == {"Completed": 1, "Stopped": 1}
    assert objectives(bench) == {"Succeeded": 2}
    shown = bench.call("DescribeTuningProgress", "bottega", TuningJobName="tune")
    assert "the target was 1.5" in shown["EndReason"]
    assert shown["StoppedEarly"] == 0


def test_trials_that_do_not_improve_end_it(bench: TuningBench) -> None:
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    bench.create(trials=20, parallel=1, config={"TuningJobCompletionCriteria": criteria})
    run(bench, 1.0, 1.1, 1.2, 1.0)
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Completed"
    assert len(bench.records()) == 4


def test_convergence_is_told_and_ends_it_where_wanted(bench: TuningBench) -> None:
    wanted = {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
    bench.create(trials=22, parallel=1, config={"TuningJobCompletionCriteria": wanted})
    run(bench, *([1.0] * 18))
    assert "ConvergenceDetectedTime" not in bench.describe()["TuningJobCompletionDetails"]
    run(bench, 1.0)
    shown = bench.describe()
    details = shown["TuningJobCompletionDetails"]
    assert details["ConvergenceDetectedTime"] == bench.records()[18].ended
    assert shown["HyperParameterTuningJobStatus"] == "Completed"


def test_time_ends_it(bench: TuningBench) -> None:
    bench.create()
    job = bench.job()
    limit = {**bench.request()["HyperParameterTuningJobConfig"]["ResourceLimits"]}
    assert "MaxRuntimeInSeconds" not in limit
    plan = {**job.resource.private["plan"], "runtime_seconds": 0}
    bench.ports.store.update(job.with_private(plan=plan).resource)
    bench.reconcile()
    assert not bench.records()
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Completed"


def test_stopping_stops_the_trials(bench: TuningBench) -> None:
    bench.create()
    run(bench, 1.0)
    bench.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Stopping"
    bench.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    bench.restart()
    bench.reconcile()
    children = bench.running()
    assert [child.status for child in children] == ["Stopping", "Stopping"]
    for child in children:
        bench.end(child, status="Stopped")
    bench.reconcile()
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Stopped"
    assert statuses(bench) == {"Completed": 1, "Stopped": 2}
    assert objectives(bench) == {"Succeeded": 1, "Failed": 2}
    with pytest.raises(ValidationException) as error:
        bench.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    assert "in status Stopped" in error.value.message


def test_early_stopping_stops_what_is_worse_than_the_median(bench: TuningBench) -> None:
    bench.create(
        trials=5,
        parallel=1,
        direction="Maximize",
        metric="validation:auc",
        config={"TrainingJobEarlyStoppingType": "Auto"},
    )
    for _ in range(3):
        bench.reconcile()
        bench.end(bench.running()[0], 0.8, 0.9)
    bench.reconcile()
    (child,) = bench.running()
    bench.train(child, 0.85)
    bench.reconcile()
    assert bench.running()[0].status == "InProgress"
    bench.train(child, 0.85, 0.5)
    bench.reconcile()
    assert bench.running()[0].status == "Stopping"
    assert not bench.records()[3].over
    bench.end(child, 0.85, 0.5, status="Stopped")
    bench.reconcile()
    stopped = bench.records()[3]
    assert stopped.stopped_early
    assert stopped.objective == 0.5
    assert "median" in stopped.stop_reason
    assert statuses(bench) == {"Completed": 3, "Stopped": 1, "InProgress": 1}
    assert objectives(bench) == {"Succeeded": 4, "Pending": 1}


def test_hyperband_stops_at_rungs(bench: TuningBench) -> None:
    limits = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 3}}
    bench.create(strategy="Hyperband", trials=6, parallel=6, config={"StrategyConfig": limits})
    bench.reconcile()
    for place, child in enumerate(bench.running()):
        bench.train(child, float(place))
    bench.reconcile()
    stopping = [child.status == "Stopping" for child in bench.running()]
    assert any(stopping)
    assert not stopping[0]
    bench.train(bench.running()[0], 0.0, 0.0, 0.0)
    bench.reconcile()
    assert bench.running()[0].status == "InProgress"  # this may be its end: it saves its model
    bench.train(bench.running()[0], 0.0, 0.0, 0.0, 0.0)
    bench.reconcile()
    assert bench.running()[0].status == "Stopping"
    assert bench.records()[0].stop_reason == "It reached MaxResource (3)."


def test_a_training_job_wakes_its_tuning_job_alone(bench: TuningBench) -> None:
    bench.create(config={"TrainingJobEarlyStoppingType": "Auto"})
    bench.reconcile()
    bench.woken.clear()
    first, second = bench.running()
    bench.train(first, 1.0)
    assert bench.woken == ["tune"]
    bench.train(first, 1.0)  # nothing new
    assert bench.woken == ["tune"]
    bench.end(second, 1.0)
    assert bench.woken == ["tune", "tune"]


def test_a_training_job_that_is_refused_is_a_failed_trial(bench: TuningBench) -> None:
    bench.create(trials=3, parallel=1)
    run(bench, 1.0)
    bench.ports.objects.delete(bench.ports.config.bucket, ["tuning/train/a"])
    run(bench, 2.0)
    assert statuses(bench) == {"Completed": 2, "NonRetryableError": 1}
    record = bench.records()[2]
    assert record.failure.startswith("ClientError: No S3 objects found")
    (listed,) = [
        one
        for one in bench.call(
            "ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName="tune"
        )["TrainingJobSummaries"]
        if one["TrainingJobStatus"] == "Failed"
    ]
    assert listed["FailureReason"] == record.failure


def test_deleting_leaves_the_training_jobs(bench: TuningBench) -> None:
    bench.create(trials=1, parallel=1)
    with pytest.raises(ResourceInUse):
        bench.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    run(bench, 1.0)
    children = bench.children()
    bench.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="tune")
    for operation in (
        "DescribeHyperParameterTuningJob",
        "DeleteHyperParameterTuningJob",
        "StopHyperParameterTuningJob",
    ):
        with pytest.raises(ResourceNotFound):
            bench.call(operation, HyperParameterTuningJobName="tune")
    bench.reconcile()
    assert not bench.ports.store.outlines(ResourceQuery("TuningTrial"))
    for child in children:
        bench.call("DescribeTrainingJob", TrainingJobName=child.name)
    bench.create(trials=1, parallel=1)
    run(bench, 2.0)
    assert [child.name for child in bench.children()] != [child.name for child in children]


def test_what_a_killed_deletion_leaves_is_removed(bench: TuningBench) -> None:
    bench.create(trials=1, parallel=1)
    run(bench, 1.0)
    bench.ports.store.delete("HyperParameterTuningJob", "tune")
    bench.create(trials=1, parallel=1)
    bench.restart()
    run(bench, 2.0)
    assert [record.objective for record in bench.records()] == [2.0]
    bench.reconcile()
    assert len(bench.ports.store.outlines(ResourceQuery("TuningTrial"))) == 1
    bench.ports.store.delete("HyperParameterTuningJob", "tune")
    bench.restart()
    assert list(bench.controller.pending()) == ["tune"]
    assert bench.reconcile() is None
    assert not bench.ports.store.outlines(ResourceQuery("TuningTrial"))
    assert list(bench.controller.pending()) == []
