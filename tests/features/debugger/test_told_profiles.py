"""A running training and its supervisor are told how it is profiled by now."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bottega.features.debugger.controller import DebuggerController
from bottega.jobs.debugging import session
from bottega.jobs.debugging.outputs import session_name
from bottega.jobs.debugging.places import TrainingPlaces
from bottega.studio import Studio
from bottega.testing.debugging import DebuggingStudio, rule


@pytest.fixture
def studio() -> Iterator[DebuggingStudio]:
    studio = Studio.temporary(preload=False)
    yield DebuggingStudio(studio)  # without controllers: nothing runs
    studio.close()


def test_rules_alone_have_a_job_profiled(studio: DebuggingStudio) -> None:
    ports = studio.ports
    studio.create("job")
    studio.call(
        "UpdateTrainingJob",
        TrainingJobName="job",
        ProfilerRuleConfigurations=[rule("CPUBottleneck")],
    )
    training = ports.store.get(session.TRAINING, "job")
    assert training.body["ProfilingStatus"] == "Enabled"
    places = TrainingPlaces.of(ports.config, training)
    inside = places.host("algo-1") / "input" / "config"
    inside.mkdir(parents=True)
    controller = DebuggerController(ports, lambda *_: {})
    controller._follow_profile(training)
    assert (places.profile("algo-1") / "interval").read_text() == "500"
    told = json.loads((inside / "profilerconfig.json").read_text())
    assert told["DisableProfiler"] is False
    assert session_name(training) in controller.pending()
