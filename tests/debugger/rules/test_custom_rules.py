"""Rules from a user's file, written for smdebug, work on our trials."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.debugger.rules.custom import load
from bottega.debugger.rules.parameters import ParameterRefused
from bottega.testing.rule_trials import first_finding, trial_of_steps

SOURCE = """
from smdebug.exceptions import RuleEvaluationConditionMet
from smdebug.rules.rule import Rule
import smdebug.rules


class Large(Rule):
    def __init__(self, base_trial, threshold=10.0):
        super().__init__(base_trial)
        self.threshold = float(threshold)

    def set_required_tensors(self, step):
        self.req_tensors.add("x", steps=[step])

    def invoke_at_step(self, step):
        for tensor in self.req_tensors.get():
            self.report["Datapoints"] += 1
            if tensor.reduction_value(step, "mean", abs=True) > self.threshold:
                return True
        return False


class Raises(smdebug.rules.Rule):
    def invoke_at_step(self, step):
        for name in self.base_trial.tensor_names(regex="x"):
            if self.base_trial.tensor(name).value(step) > 3:
                raise RuleEvaluationConditionMet(self.rule_name, step)


class Compares(Rule):
    def __init__(self, base_trial, other_trials):
        super().__init__(base_trial, other_trials=other_trials)

    def invoke_at_step(self, step):
        (other,) = self.other_trials
        return self.base_trial.tensor("x").value(step) != other.tensor("x").value(step)


class Forgets(Rule):
    def __init__(self, base_trial):
        pass

    def invoke_at_step(self, step):
        return False


class NoRule:
    pass
"""


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "rules.py"
    path.write_text(SOURCE)
    before = set(sys.modules)
    yield path
    for name in set(sys.modules) - before:
        if name.startswith(("smdebug", "bottega_users_rule")):
            del sys.modules[name]


TRIAL = trial_of_steps([{"x": 1.0}, {"y": 0.0}, {"x": -6.0}, {"x": 6.0}])


def test_a_rule_fires_at_its_step(source: Path) -> None:
    rule = load(source, "Large", TRIAL, {"rule_to_invoke": "Large", "threshold": "5"})
    finding = first_finding(rule, TRIAL)
    assert finding is not None
    assert (finding.rule, finding.step) == ("Large", 2)
    assert rule.users.report["Datapoints"] == 2
    assert rule.looked_at == 2


def test_a_rule_that_does_not_fire_finds_nothing(source: Path) -> None:
    assert first_finding(load(source, "Large", TRIAL, {}), TRIAL) is None


def test_a_rule_may_raise_that_its_condition_is_met(source: Path) -> None:
    finding = first_finding(load(source, "Raises", TRIAL, {}), TRIAL)
    assert finding is not None
    assert finding.step == 3


def test_a_rule_gets_other_trials(source: Path) -> None:
    other = trial_of_steps([{"x": 1.0}, {"x": 1.0}, {"x": 1.0}])
    finding = first_finding(load(source, "Compares", TRIAL, {"other_trial": "j"}, [other]), TRIAL)
    assert finding is not None
    assert finding.step == 2


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("Lorge", {}, "did you mean Large?"),
        ("NoRule", {}, 'no rule "NoRule"'),
        ("Large", {"limit": "5"}, "It takes threshold."),
        ("Forgets", {}, "super().__init__(base_trial)"),
    ],
)
def test_what_cannot_be_made_is_refused(
    source: Path, name: str, parameters: dict[str, str], words: str
) -> None:
    with pytest.raises(ParameterRefused) as refused:
        load(source, name, TRIAL, parameters)
    assert words in str(refused.value)


def test_a_file_without_rules_is_refused(source: Path) -> None:
    source.write_text("x = 1\n")
    with pytest.raises(ParameterRefused, match="has no class that derives"):
        load(source, "Large", TRIAL, {})


def test_errors_of_the_rule_come_through(source: Path) -> None:
    source.write_text(SOURCE.replace("return True", "return 1 / 0"))
    rule = load(source, "Large", TRIAL, {"threshold": "5"})
    with pytest.raises(ZeroDivisionError):
        first_finding(rule, TRIAL)
