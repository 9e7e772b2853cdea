"""Counters and the best trial, whatever happens and whenever the process dies."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bottega.features.training.entities import TrainingJob
from bottega.studio import Studio
from bottega.testing.tuning import TuningBench


class Tuning(RuleBasedStateMachine):
    """Whatever happens to training jobs, and whenever the process dies, the numbers agree."""

    studio: Studio
    number = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).number += 1
        self.name = f"m{self.number}"
        self.bench = TuningBench(self.studio)
        self.bench.create(self.name, trials=6, parallel=3)
        self.values: dict[str, float] = {}

    @rule()
    def step(self) -> None:
        self.bench.reconcile(self.name)

    @precondition(lambda self: self.bench.running(self.name))
    @rule(place=st.integers(0, 2), value=st.floats(-5, 5))
    def completes(self, place: int, value: float) -> None:
        running = self.bench.running(self.name)
        child = running[place % len(running)]
        self.values[child.name] = value
        self.bench.end(child, value)

    @precondition(lambda self: self.bench.running(self.name))
    @rule(place=st.integers(0, 2), silent=st.booleans())
    def fails(self, place: int, silent: bool) -> None:
        running = self.bench.running(self.name)
        child = running[place % len(running)]
        self.bench.end(child, status="Completed" if silent else "Failed")

    @rule()
    def dies(self) -> None:
        self.bench.restart()

    @precondition(lambda self: self.bench.job(self.name).status == "InProgress")
    @rule()
    def is_stopped(self) -> None:
        self.bench.call("StopHyperParameterTuningJob", HyperParameterTuningJobName=self.name)

    @invariant()
    def the_numbers_agree(self) -> None:
        shown = self.bench.describe(self.name)
        counted = sum(shown["TrainingJobStatusCounters"].values())
        assert counted == sum(shown["ObjectiveStatusCounters"].values())
        assert counted <= len(self.bench.records(self.name)) <= 6
        assert len(self.bench.running(self.name)) <= 3
        best = shown.get("BestTrainingJob")
        assert (best is None) == (shown["ObjectiveStatusCounters"]["Succeeded"] == 0)
        if best is not None:
            value = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
            assert value == self.values[best["TrainingJobName"]]

    def teardown(self) -> None:
        """It comes to an end, and then everything is known."""
        for _ in range(20):
            self.bench.reconcile(self.name)
            for child in self.bench.running(self.name):
                self.completes_with(child)
        shown = self.bench.describe(self.name)
        assert shown["HyperParameterTuningJobStatus"] in ("Completed", "Stopped", "Failed")
        assert shown["TrainingJobStatusCounters"]["InProgress"] == 0
        assert shown["ObjectiveStatusCounters"]["Pending"] == 0
        assert sum(shown["ObjectiveStatusCounters"].values()) == len(self.bench.records(self.name))
        assert shown["ObjectiveStatusCounters"]["Succeeded"] == len(self.values)
        if self.values:
            value = shown["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
            assert value["Value"] == min(self.values.values())

    def completes_with(self, child: TrainingJob) -> None:
        self.values[child.name] = 0.5
        self.bench.end(child, 0.5)


def test_the_numbers_always_agree(module_studio: Studio) -> None:
    Tuning.studio = module_studio
    run_state_machine_as_test(
        Tuning, settings=settings(max_examples=4, stateful_step_count=12, deadline=None)
    )
