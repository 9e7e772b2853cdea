"""What is done when a rule fires: once, also after a kill in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bottega.errors import (
    AccessDeniedException,
    BottegaError,
    ServiceUnavailable,
    ValidationException,
)
from bottega.events import RuleNotified
from bottega.features.debugger import actions
from bottega.jobs.debugging.configuration import rule_configurations
from bottega.jobs.debugging.evaluations import KIND, RuleEvaluation
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.debugging import rule


class Bench:
    """A rule that has fired, and a service that stops trainings, or refuses to."""

    def __init__(self, studio: Studio, *wanted: dict[str, str]) -> None:
        self.ports = studio.ports
        self.stopped: list[str] = []
        self.refuses: BottegaError | None = None
        self.heard: list[RuleNotified] = []
        self.ports.events.subscribe(
            lambda event: self.heard.append(event) if isinstance(event, RuleNotified) else None
        )
        body = {
            "TrainingJobName": "job-1",
            "RoleArn": self.ports.config.role_arn,
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.ports.config.bucket}/o"},
            "DebugRuleConfigurations": [rule("Overfit", action_json=json.dumps(list(wanted)))],
        }
        self.training = self.job("job-1", body)
        (found,) = rule_configurations(body)
        begun = RuleEvaluation.begin(self.ports.config, self.training, found, 1.0)
        fired = begun.moved("IssuesFound", 2.0, "it fired").with_private(
            actions=actions.planned(found, "job-1"), result={"findings": [{"Message": "much"}]}
        )
        self.ports.store.create(fired.resource)
        self.name = fired.name

    def job(self, name: str, body: Mapping[str, Any], status: str = "InProgress") -> Resource:
        resource = Resource("TrainingJob", name, f"arn:{name}", status, 1.0, 1.0, body=body)
        return self.ports.store.create(resource)

    def call(self, service: str, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (service, name) == ("sagemaker", "StopTrainingJob")
        if self.refuses is not None:
            raise self.refuses
        self.stopped.append(request["TrainingJobName"])
        return {}

    @property
    def evaluation(self) -> RuleEvaluation:
        return RuleEvaluation(self.ports.store.get(KIND, self.name))

    def act(self) -> list[dict[str, Any]]:
        actions.act(self.ports, self.call, self.evaluation, self.training)
        return self.evaluation.actions

    def note(self, number: int, **values: Any) -> None:
        """As if a daemon had been killed there."""
        actions._note(self.ports, self.evaluation, number, **values)


STOP = {"name": "stoptraining", "training_job_prefix": "job-"}
MAIL = {"name": "email", "endpoint": "a@b.co"}


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio.temporary(preload=False)
    yield studio
    studio.close()


def test_each_action_is_done_once(studio: Studio) -> None:
    bench = Bench(studio, STOP, MAIL)
    stop, mail = bench.act()
    assert (stop["Outcome"], stop["Message"]) == ("Done", "stopped the training job job-1")
    assert mail["Outcome"] == "Done"
    assert bench.act() == [stop, mail]
    assert bench.stopped == ["job-1"]
    assert [one.address for one in bench.heard] == ["a@b.co"]


def test_only_one_job_may_have_the_prefix(studio: Studio) -> None:
    bench = Bench(studio, STOP)
    bench.job("job-2", {})
    (stop,) = bench.act()
    assert stop["Outcome"] == "Failed"
    assert "job-1" in stop["Message"]
    assert "job-2" in stop["Message"]
    assert bench.stopped == []


def test_jobs_that_have_ended_do_not_count(studio: Studio) -> None:
    bench = Bench(studio, STOP)
    bench.job("job-2", {}, "Completed")
    bench.job("other-job-3", {})
    assert bench.act()[0]["Outcome"] == "Done"
    assert bench.stopped == ["job-1"]


def test_the_same_job_is_stopped_after_a_kill(studio: Studio) -> None:
    bench = Bench(studio, STOP)
    bench.note(0, Outcome="Begun", Job="job-1")
    bench.job("job-2", {})  # begun meanwhile, with the same prefix
    assert bench.act()[0]["Outcome"] == "Done"
    assert bench.stopped == ["job-1"]


def test_a_training_that_has_ended_needs_no_stop(studio: Studio) -> None:
    bench = Bench(studio, STOP)
    bench.refuses = ValidationException("it is in status Stopped")
    (stop,) = bench.act()
    assert stop["Outcome"] == "Done"
    assert "it is in status Stopped" in stop["Message"]


def test_a_stop_that_may_not_be_is_not_done(studio: Studio) -> None:
    bench = Bench(studio, STOP)
    bench.refuses = AccessDeniedException("the Debugger may not")
    (stop,) = bench.act()
    assert (stop["Outcome"], stop["Message"]) == ("Failed", "job-1: the Debugger may not")


def test_a_stop_that_failed_is_tried_again(studio: Studio) -> None:
    bench = Bench(studio, STOP)
    bench.refuses = ServiceUnavailable("not now")
    with pytest.raises(ServiceUnavailable):
        bench.act()
    bench.refuses = None
    (stop,) = bench.act()
    assert stop["Outcome"] == "Done"
    assert bench.stopped == ["job-1"]


def test_a_message_is_not_sent_twice_after_a_kill(studio: Studio) -> None:
    bench = Bench(studio, MAIL)
    bench.note(0, Outcome="Begun")
    (mail,) = bench.act()
    assert mail["Outcome"] == "Failed"
    assert "may have arrived" in mail["Message"]
    assert bench.heard == []


def test_a_deleted_evaluation_is_left_alone(studio: Studio) -> None:
    bench = Bench(studio, MAIL)
    evaluation = bench.evaluation
    bench.ports.store.delete(KIND, bench.name)
    actions.act(bench.ports, bench.call, evaluation, bench.training)
    with pytest.raises(Exception, match=bench.name):
        bench.ports.store.get(KIND, bench.name)
