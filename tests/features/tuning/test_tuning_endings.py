"""How a tuning job ends when its last trials run already, or tell nothing."""

from __future__ import annotations

import math
from dataclasses import replace

from bottega.features.tuning.records import trial_records
from bottega.testing.tuning import TuningBench


def test_a_target_reached_by_one_of_the_last_stops_the_others(bench: TuningBench) -> None:
    criteria = {"TargetObjectiveMetricValue": 1.5}
    bench.create(trials=2, config={"TuningJobCompletionCriteria": criteria})
    bench.reconcile()
    bench.reconcile()
    assert "launched" in bench.job().end_reason
    bench.end(bench.running()[0], 1.2)
    bench.reconcile()
    (rest,) = bench.running()
    assert rest.status == "Stopping"
    assert "the target was 1.5" in bench.job().end_reason


def test_time_ends_trials_that_all_run_already(bench: TuningBench) -> None:
    bench.create(trials=2)
    bench.reconcile()
    bench.reconcile()
    job = bench.job()
    assert "launched" in job.end_reason
    plan = {**job.resource.private["plan"], "runtime_seconds": 0}
    bench.ports.store.update(job.with_private(plan=plan).resource)
    bench.restart()
    bench.reconcile()
    assert [child.status for child in bench.running()] == ["Stopping", "Stopping"]
    for child in bench.running():
        bench.end(child, 1.0, status="Stopped")
    bench.reconcile()
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Completed"


def test_trials_that_were_all_stopped_for_telling_no_number_fail_it(bench: TuningBench) -> None:
    bench.create(trials=3, parallel=1, strategy="Hyperband")
    for number in range(3):
        bench.reconcile()
        record = replace(bench.records()[number], stop_reason="No number.", stopped_early=True)
        trial_records(bench.ports).write(bench.job(), record)
        bench.end(bench.running()[0], math.nan, status="Stopped")
    bench.reconcile()
    bench.reconcile()
    shown = bench.describe()
    assert shown["HyperParameterTuningJobStatus"] == "Failed"
    assert "None of them wrote the metric" in shown["FailureReason"]


def test_a_trial_whose_job_was_deleted_unseen_is_not_trained_again(bench: TuningBench) -> None:
    bench.create(trials=1, parallel=1)
    bench.reconcile()
    (child,) = bench.children()
    bench.end(child, 1.0)
    bench.call("DeleteTrainingJob", TrainingJobName=child.name)
    bench.restart()
    bench.reconcile()
    assert not bench.children()
    bench.reconcile()
    assert bench.describe()["HyperParameterTuningJobStatus"] == "Failed"
    assert "deleted before its end was seen" in bench.records()[0].failure
