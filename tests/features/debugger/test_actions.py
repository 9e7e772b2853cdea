"""What is done when a rule fires: once, also after a kill in the middle."""

from __future__ import annotations

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
from bottega.features.debugger import actions, outbox
from bottega.features.debugger.outbox import Letter
from bottega.jobs.debugging.evaluations import KIND, RuleEvaluation
from bottega.storage.metadata import Resource, ResourceQuery
from bottega.studio import Studio
from bottega.testing.debugging import fired_rule


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
        self.training, fired = fired_rule(self.ports, "job-1", *wanted)
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
        actions.note(self.ports, self.name, number, **values)

    @property
    def letters(self) -> list[Letter]:
        query = ResourceQuery(outbox.KIND)
        return [Letter.of(entry) for entry in self.ports.store.each(query)]


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
    assert mail["Outcome"] == "Begun"
    assert bench.act() == [stop, mail]
    assert bench.stopped == ["job-1"]
    (letter,) = bench.letters
    assert letter.message.text.endswith("much")
    assert letter.message.identity == letter.name == f"{bench.name}.1"
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


def test_a_message_is_handed_over_once_also_after_a_kill(studio: Studio) -> None:
    bench = Bench(studio, MAIL)
    evaluation = bench.evaluation
    bench.act()
    # Killed after the message was on the disk, and before it counted as begun.
    actions.act(bench.ports, bench.call, evaluation, bench.training)
    assert len(bench.letters) == 1
    assert len(bench.heard) == 1
    actions.end(bench.ports, bench.name, 0, actions.DONE, "mailed")
    # The messenger was faster than who handed it over.
    actions.act(bench.ports, bench.call, evaluation, bench.training)
    assert bench.evaluation.actions[0]["Outcome"] == "Done"


def test_a_deleted_evaluation_is_left_alone(studio: Studio) -> None:
    bench = Bench(studio, MAIL)
    evaluation = bench.evaluation
    bench.ports.store.delete(KIND, bench.name)
    actions.act(bench.ports, bench.call, evaluation, bench.training)
    with pytest.raises(Exception, match=bench.name):
        bench.ports.store.get(KIND, bench.name)
