"""Rules that cannot be evaluated, or not to the end, do not keep their job's session for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import create_autospec

import pytest

from bottega.compute.runner import IsolationUnavailable, Phase, Runner, WorkloadState
from bottega.features.debugger.controller import MOST_ATTEMPTS, DebuggerController
from bottega.jobs.debugging import session
from bottega.jobs.debugging.evaluations import KIND, first_statuses
from bottega.jobs.debugging.outputs import session_name
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.studio import Studio
from bottega.testing.debugging import rule


class Bench:
    """A profiled training that is over, and a runner that says what the test wants."""

    def __init__(self, studio: Studio) -> None:
        self.runner = create_autospec(Runner, instance=True)
        self.runner.shows_mounts.return_value = False
        self.ports = replace(studio.ports, runner=self.runner)
        config = self.ports.config
        body: dict[str, Any] = {
            "TrainingJobName": "job",
            "RoleArn": config.role_arn,
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
            "OutputDataConfig": {"S3OutputPath": f"s3://{config.bucket}/out"},
            "ProfilerRuleConfigurations": [rule("First", "IOBottleneck"), rule("CPUBottleneck")],
            "SecondaryStatus": "Completed",
            "SecondaryStatusTransitions": [{"Status": "Training"}],
        }
        body |= first_statuses(config, "job", 7.0, body)
        made = Resource("TrainingJob", "job", "arn:job", "Completed", 7.0, 7.0, body=body)
        self.training = self.ports.store.create(made)
        session.begin(self.ports, self.training)
        self.name = session_name(self.training)
        self.controller = DebuggerController(self.ports, lambda *_: {})

    def follow(self, looks: int = 4 + MOST_ATTEMPTS) -> list[str]:
        """Look until nothing is left to do; the statuses of the rules then."""
        for _ in range(looks):
            if self.controller.reconcile(self.name) is None:
                break
        else:
            raise AssertionError("the session goes on for ever")
        with pytest.raises(ResourceMissing):
            self.ports.store.get(session.KIND, self.name)
        job = self.ports.store.get("TrainingJob", "job")
        return [one["RuleEvaluationStatus"] for one in job.body["ProfilerRuleEvaluationStatuses"]]


@pytest.fixture
def bench() -> Iterator[Bench]:
    studio = Studio.temporary(preload=False)
    yield Bench(studio)
    studio.close()


def test_where_nothing_can_be_started(bench: Bench) -> None:
    bench.runner.state.return_value = WorkloadState(Phase.ABSENT)
    bench.runner.start.side_effect = IsolationUnavailable("no namespaces here")
    assert bench.follow() == ["Error", "Error"]
    status = bench.ports.store.get("TrainingJob", "job").body["ProfilerRuleEvaluationStatuses"][0]
    assert status["StatusDetails"] == "ClientError: no namespaces here"


@pytest.mark.parametrize("fired", [False, True])
def test_where_the_process_ends_again_and_again(bench: Bench, fired: bool) -> None:
    bench.runner.state.return_value = WorkloadState(Phase.ENDED)
    if fired:
        found = session.evaluations_of(bench.ports, bench.training)["First"]
        bench.ports.store.modify(
            KIND, found.name, lambda _: found.moved("IssuesFound", 8.0, "it fired").resource
        )
    assert bench.follow() == ["IssuesFound" if fired else "Error", "Error"]
