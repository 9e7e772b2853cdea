"""The training jobs of a tuning job, as AWS lists them and as the table shows them."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import ResourceNotFound, ValidationException
from bottega.testing.tuning import TuningBench


@pytest.fixture
def tuned(bench: TuningBench) -> TuningBench:
    """Five trials: 3.0, failed, 1.0, 2.0 stopped, and one that runs and is at 0.5."""
    bench.create(trials=5, parallel=5)
    bench.reconcile()
    first, second, third, fourth, fifth = bench.running()
    bench.end(first, 4.0, 3.0)
    bench.end(second, status="Failed")
    bench.end(third, 1.0)
    bench.end(fourth, 2.0, status="Stopped")
    bench.train(fifth, 0.7, 0.5)
    bench.reconcile()
    return bench


def listed(bench: TuningBench, **request: Any) -> Any:
    return bench.call(
        "ListTrainingJobsForHyperParameterTuningJob",
        HyperParameterTuningJobName="tune",
        **request,
    )


def numbers(answer: Any) -> list[int]:
    return [int(one["TrainingJobName"].split("-")[1]) for one in answer["TrainingJobSummaries"]]


def trials(bench: TuningBench, **request: Any) -> Any:
    return bench.call("ListTuningTrials", "bottega", TuningJobName="tune", **request)


def test_training_jobs_without_an_objective_come_last(tuned: TuningBench) -> None:
    by = {"SortBy": "FinalObjectiveMetricValue"}
    up = numbers(listed(tuned, **by, SortOrder="Ascending"))
    down = numbers(listed(tuned, **by, SortOrder="Descending"))
    assert up[:3] == [3, 4, 1]
    assert down[:3] == [1, 4, 3]
    assert set(up[3:]) == set(down[3:]) == {2, 5}


def test_a_summary(tuned: TuningBench) -> None:
    answer = listed(tuned, SortBy="Name", SortOrder="Ascending")
    assert numbers(answer) == [1, 2, 3, 4, 5]
    first, second, *_, last = answer["TrainingJobSummaries"]
    assert first["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 3.0
    assert first["ObjectiveStatus"] == "Succeeded"
    assert first["TuningJobName"] == "tune"
    assert set(first["TunedHyperParameters"]) == {"eta", "max_depth"}
    assert first["TrainingEndTime"] >= first["TrainingStartTime"]
    assert second["ObjectiveStatus"] == "Failed"
    assert second["FailureReason"]
    assert last["ObjectiveStatus"] == "Pending"
    assert "FinalHyperParameterTuningJobObjectiveMetric" not in last


def test_pages(tuned: TuningBench) -> None:
    request: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Ascending", "MaxResults": 2}
    found: list[list[int]] = []
    token: dict[str, str] = {}
    while True:
        answer = listed(tuned, **request, **token)
        found.append(numbers(answer))
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert found == [[1, 2], [3, 4], [5]]
    with pytest.raises(ValidationException):
        listed(tuned, SortBy="Name", **token)
    assert numbers(listed(tuned, StatusEquals="Stopped")) == [4]


def test_an_unknown_tuning_job(bench: TuningBench) -> None:
    with pytest.raises(ResourceNotFound):
        listed(bench)
    with pytest.raises(ResourceNotFound):
        trials(bench)


def test_trials_of_the_table(tuned: TuningBench) -> None:
    answer = trials(tuned)
    assert answer["Total"] == 5
    first, _, third, _, last = answer["Trials"]
    assert first["Course"] == {"Steps": [1, 2], "Values": [4.0, 3.0]}
    assert (first["Epochs"], first["Objective"], first["Best"]) == (2, 3.0, False)
    assert third["Best"]
    assert (last["Objective"], last["ObjectiveStatus"]) == (0.5, "Pending")
    assert last["Course"]["Values"] == [0.7, 0.5]
    assert "Course" not in trials(tuned, CoursePoints=0)["Trials"][0]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"SortOrder": "Descending"}, [5, 4, 3, 2, 1]),
        ({"SortBy": "Objective"}, [5, 3, 4, 1, 2]),
        ({"SortBy": "Objective", "SortOrder": "Descending"}, [1, 4, 3, 5, 2]),
        ({"Filter": "status:failed,stopped"}, [2, 4]),
        ({"Filter": "objective:succeeded", "SortBy": "Status"}, [1, 3, 4]),
        ({"Filter": "tune-003"}, [3]),
        ({"Filter": "definition:other"}, []),
        ({"Offset": 1, "MaxResults": 2}, [2, 3]),
    ],
)
def test_windows(tuned: TuningBench, request_: dict[str, Any], expected: list[int]) -> None:
    assert [one["Number"] for one in trials(tuned, **request_)["Trials"]] == expected


def test_sorting_by_a_parameter(tuned: TuningBench) -> None:
    found = trials(tuned, SortBy="Parameter", SortParameter="eta")["Trials"]
    values = [float(one["Parameters"]["eta"]) for one in found]
    assert values == sorted(values)
    with pytest.raises(ValidationException) as error:
        trials(tuned, SortBy="Parameter", SortParameter="etaa")
    assert "did you mean eta?" in error.value.message


def test_a_deleted_training_job_leaves_its_trial(tuned: TuningBench) -> None:
    gone = tuned.records()[2].job
    tuned.call("DeleteTrainingJob", TrainingJobName=gone)
    tuned.restart()
    third = trials(tuned)["Trials"][2]
    assert (third["Deleted"], third["Objective"], third["Best"]) == (True, 1.0, True)
    assert 3 in numbers(listed(tuned))
    assert tuned.describe()["BestTrainingJob"]["TrainingJobName"] == gone
