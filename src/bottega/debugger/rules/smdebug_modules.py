"""The part of the package ``smdebug`` that files with rules import, over our trials."""

from __future__ import annotations

import importlib.util
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from bottega.debugger.tensors import exceptions
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.tensor import Tensor
from bottega.debugger.tensors.trial import Trial, create_trial


class RuleEvaluationConditionMet(Exception):
    """A rule's condition holds. A rule may raise it instead of returning True."""

    def __init__(self, rule_name: str = "", step: int | None = None, end_of_rule: bool = False):
        at = "" if step is None else f" at step {step}"
        super().__init__(
            f"Evaluation of the rule {rule_name}{at} resulted in the condition being met"
        )
        self.rule_name, self.step, self.end_of_rule = rule_name, step, end_of_rule


class UsersRule(ABC):
    """``smdebug.rules.rule.Rule``: what a user's rule derives from.

    Args:
        base_trial: the training that it looks at.
        action_str: accepted as smdebug does; actions are taken by whoever evaluates the rule.
        other_trials: trainings to compare with.
    """

    def __init__(
        self,
        base_trial: Trial,
        action_str: str = "",
        other_trials: Sequence[Trial] | None = None,
    ) -> None:
        self.base_trial = base_trial
        self.other_trials = other_trials
        self.trials = [base_trial, *(other_trials or ())]
        self.req_tensors = RequiredTensors(base_trial)
        self.logger = logging.getLogger("smdebug")
        self.rule_name = type(self).__name__
        self.report: dict[str, Any] = {
            "RuleTriggered": 0,
            "Violations": 0,
            "Details": {},
            "Datapoints": 0,
            "RuleParameters": "",
        }

    def set_required_tensors(self, step: int) -> None:  # noqa: B027 - rules need not
        """Say which tensors the step needs; a step without them is passed over."""

    @abstractmethod
    def invoke_at_step(self, step: int) -> bool:
        """Whether the rule fires at this global step."""


class RequiredTensors:
    """What a rule said that it needs at a step."""

    def __init__(self, base_trial: Trial) -> None:
        self._base = base_trial
        self._wanted: dict[tuple[int, str], tuple[Tensor, list[int]]] = {}

    def add(
        self,
        name: str,
        steps: Iterable[int],
        trial: Trial | None = None,
        should_match_regex: bool = False,
    ) -> None:
        """Need a tensor, or all that match, at these steps.

        Raises:
            TensorUnavailable: no step has written it.
        """
        of = trial or self._base
        for one in of.tensor_names(regex=name) if should_match_regex else [name]:
            _, known = self._wanted.setdefault((id(of), one), (of.tensor(one), []))
            known.extend(steps)

    def get(self, trial: Trial | None = None) -> list[Tensor]:
        """The tensors that were asked for, of the base trial without one."""
        of = id(trial or self._base)
        return [tensor for (owner, _), (tensor, _) in self._wanted.items() if owner == of]

    def get_names(self, trial: Trial | None = None) -> list[str]:
        """Their names."""
        return [tensor.name for tensor in self.get(trial)]

    def get_tensor_steps(self, name: str, trial: Trial | None = None) -> list[int]:
        """The steps that one of them was asked for."""
        return self._wanted[id(trial or self._base), name][1]

    def fetch(self) -> None:
        """See that all of them are there.

        Raises:
            TensorUnavailableForStep, StepUnavailable, StepNotYetAvailable: one is not.
        """
        for tensor, steps in self._wanted.values():
            for step in steps:
                tensor.workers(step)

    def clear(self) -> None:
        """Forget what was asked for."""
        self._wanted.clear()


def offer() -> None:
    """Make ``smdebug.rules``, ``smdebug.exceptions`` and ``smdebug.trials`` importable in this
    process. Other modules of smdebug are those that are installed, where it is."""
    parts: dict[str, dict[str, Any]] = {
        "smdebug.rules": {"Rule": UsersRule},
        "smdebug.rules.rule": {"Rule": UsersRule},
        "smdebug.rules.req_tensors": {"RequiredTensors": RequiredTensors},
        "smdebug.exceptions": {
            "RuleEvaluationConditionMet": RuleEvaluationConditionMet,
            **{
                name: value
                for name, value in vars(exceptions).items()
                if isinstance(value, type) and issubclass(value, exceptions.TensorError)
            },
        },
        "smdebug.trials": {"create_trial": create_trial, "Trial": Trial},
        "smdebug.modes": {"ModeKeys": ModeKeys},
        "smdebug.core.modes": {"ModeKeys": ModeKeys},
        "smdebug.core.logger": {"get_logger": lambda: logging.getLogger("smdebug")},
    }
    if "smdebug" not in sys.modules and importlib.util.find_spec("smdebug") is None:
        parts |= {"smdebug": {"modes": ModeKeys}, "smdebug.core": {}}
    for name in sorted(parts):
        module = ModuleType(name, "What rules of smdebug import, over bottega's trials.")
        module.__path__ = []
        vars(module).update(parts[name])
        sys.modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], last, module)
