"""The evaluating process, step by step, and after it was killed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.evaluation.plan import EvaluationPlan, RulePlan, Training
from bottega.debugger.evaluation.program import Evaluation
from bottega.debugger.evaluation.results import (
    MOST_FINDINGS,
    BadResults,
    Found,
    Results,
    RuleResult,
)
from bottega.debugger.findings import Finding
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.writer import FolderSink, TensorWriter

LOSSES = RulePlan("Losses", "LossNotDecreasing", "Debugger", {"num_steps": "3"}, output="rules/0")
EXPLODING = RulePlan(
    "Exploding", "ExplodingTensor", "Debugger", {"collection_names": "losses"}, output="rules/1"
)
REPORT = RulePlan("Report", "ProfilerReport", "Profiler", output="rules/2")


class Bench:
    """The folder of one evaluation."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "input").mkdir(parents=True)
        (root / "output").mkdir()
        self.writer = TensorWriter(FolderSink(root / "input" / "tensors"))
        losses = Collection("losses")
        losses.tensor_names.add("loss")
        self.writer.collections([losses])
        self.step = 0

    def plan(self, *rules: RulePlan, over: bool = False, stopped: Sequence[str] = ()) -> None:
        training = Training("job", started=1.0, hosts=("algo-1",))
        EvaluationPlan(training, rules, over, tuple(stopped)).write(self.root / "input")

    def train(self, *losses: float) -> None:
        for loss in losses:
            step = self.writer.step(self.step, ModeKeys.TRAIN, self.step)
            step.add("loss", loss)
            step.close()
            self.step += 1

    def results(self) -> Results:
        return Results.read(self.root / "output")

    def statuses(self) -> dict[str, str]:
        return {name: rule.status for name, rule in self.results().rules.items()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "ml")


def test_rules_are_shown_steps_as_they_come(bench: Bench) -> None:
    bench.plan(LOSSES, EXPLODING)
    evaluation = Evaluation(bench.root)
    assert not evaluation.step()
    bench.train(1.0, 0.5)
    assert not evaluation.step()
    assert bench.statuses() == {"Losses": "InProgress", "Exploding": "InProgress"}
    bench.train(0.5, 0.5, 0.5, 0.5, 0.5)
    assert not evaluation.step()
    assert bench.statuses() == {"Losses": "IssuesFound", "Exploding": "InProgress"}
    bench.train(float("nan"))
    assert not evaluation.step()
    assert bench.statuses() == {"Losses": "IssuesFound", "Exploding": "IssuesFound"}
    (found,) = bench.results().rules["Exploding"].findings
    assert (found.finding.step, found.finding.tensors) == (7, ("loss",))


def test_the_end_is_said_when_all_was_seen(bench: Bench) -> None:
    bench.plan(LOSSES, REPORT)
    evaluation = Evaluation(bench.root)
    evaluation.step()
    bench.train(*(1 / (n + 1) for n in range(10)))
    bench.plan(LOSSES, REPORT, over=True)
    assert evaluation.step()
    assert bench.results().done
    assert bench.statuses() == {"Losses": "NoIssuesFound", "Report": "NoIssuesFound"}
    assert bench.results().rules["Losses"].last_step == 9
    assert (bench.root / "output/rules/2/profiler-output/profiler-report.html").is_file()


def test_a_rule_that_is_stopped_is_not_concluded(bench: Bench) -> None:
    bench.plan(LOSSES, EXPLODING, stopped=["Losses"])
    evaluation = Evaluation(bench.root)
    bench.train(1.0, 1.0, 1.0, 1.0, 1.0)
    evaluation.step()
    assert bench.statuses() == {"Losses": "Stopped", "Exploding": "InProgress"}
    bench.plan(LOSSES, EXPLODING, stopped=["Losses"], over=True)
    evaluation.step()
    assert bench.statuses() == {"Losses": "Stopped", "Exploding": "NoIssuesFound"}


def test_a_rule_that_comes_later_sees_everything(bench: Bench) -> None:
    bench.plan(EXPLODING)
    evaluation = Evaluation(bench.root)
    bench.train(1.0, 1.0, 1.0, 1.0, 1.0)
    evaluation.step()
    bench.plan(EXPLODING, LOSSES)
    evaluation.step()
    assert bench.statuses() == {"Exploding": "InProgress", "Losses": "IssuesFound"}


def test_what_cannot_be_made_is_an_error_of_its_own(bench: Bench) -> None:
    wrong = RulePlan("Wrong", "LossNotDecreasing", "Debugger", {"num_steps": "many"})
    gone = RulePlan("Gone", "Mine", "Custom", source="code/0/mine.py")
    bench.plan(wrong, gone, EXPLODING)
    evaluation = Evaluation(bench.root)
    evaluation.step()
    assert bench.statuses() == {"Wrong": "Error", "Gone": "Error", "Exploding": "InProgress"}
    assert "num_steps" in bench.results().rules["Wrong"].details
    assert "mine.py" in bench.results().rules["Gone"].details


def test_broken_files_are_an_error_of_the_rules_that_read_them(bench: Bench) -> None:
    bench.plan(EXPLODING, REPORT)
    evaluation = Evaluation(bench.root)
    bench.train(1.0)
    evaluation.step()
    folder = bench.root / "input" / "tensors" / "index" / "000000000"
    (folder / "000000000007_worker_0.json").write_text("{")
    evaluation.step()
    assert bench.statuses() == {"Exploding": "Error", "Report": "InProgress"}


@settings(max_examples=15, deadline=None)
@given(
    losses=st.lists(st.sampled_from([2.0, 1.0, 0.5, 0.25, float("inf")]), min_size=1, max_size=12),
    kills=st.lists(st.integers(0, 12), max_size=3),
)
def test_kills_change_nothing_that_was_found(
    tmp_path_factory: pytest.TempPathFactory, losses: list[float], kills: list[int]
) -> None:
    """An evaluation that is killed after any steps ends as one that never was."""
    ends = []
    for interrupted in (False, True):
        bench = Bench(tmp_path_factory.mktemp("kills") / "ml")
        bench.plan(LOSSES, EXPLODING)
        evaluation = Evaluation(bench.root)
        for number, loss in enumerate(losses):
            bench.train(loss)
            evaluation.step()
            if interrupted and number in kills:
                evaluation = Evaluation(bench.root)
        bench.plan(LOSSES, EXPLODING, over=True)
        evaluation.step()
        ends.append(
            {
                name: (
                    rule.status,
                    rule.details,
                    rule.count,
                    [one.finding for one in rule.findings],
                )
                for name, rule in bench.results().rules.items()
            }
        )
    assert ends[0] == ends[1]


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    finding = Found(Finding("Rule", "what", "do", step=3, start=1.0, end=2.0), 5.0)
    rule = RuleResult("IssuesFound", "details", last_step=9).with_findings([finding] * 150)
    assert (len(rule.findings), rule.count) == (MOST_FINDINGS, 150)
    results = Results({"one": rule, "two": RuleResult(remark="nothing")}, done=True)
    results.write(tmp_path)
    assert Results.read(tmp_path) == results
    assert Results.read(tmp_path / "none") == Results()


@given(st.one_of(st.binary(max_size=60), st.from_regex(rb'\{"rules": \{.{0,40}\}\}')))
def test_other_bytes_are_no_results(content: bytes) -> None:
    try:
        Results.parse(content)
    except BadResults:
        return


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("count", "Infinity"),
        ("last_step", "1e400"),
        ("findings", "[" * 100_000),
        ("findings", '[{"Time": NaN}]'),
        ("findings", '[{"Time": 1, "StartTime": "inf"}]'),
    ],
)
def test_what_no_rule_says_is_no_result(member: str, value: str) -> None:
    whole = json.dumps({"done": False, "rules": {"Rule": RuleResult().to_json()}})
    before = json.dumps({member: RuleResult().to_json()[member]})[1:-1]
    with pytest.raises(BadResults):
        Results.parse(whole.replace(before, f'"{member}": {value}').encode())
