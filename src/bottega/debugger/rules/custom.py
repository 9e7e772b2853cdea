"""Rules of users: classes that derive from smdebug's ``Rule``, from a file of theirs.

The file is the user's code, so :func:`load` belongs into the process that evaluates one training's
rules, never into the daemon.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bottega.debugger.findings import Finding
from bottega.debugger.rules import smdebug_modules
from bottega.debugger.rules.parameters import EVALUATORS_OWN, ParameterRefused
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import EVERY, Rule
from bottega.debugger.rules.smdebug_modules import RuleEvaluationConditionMet, UsersRule
from bottega.debugger.tensors.exceptions import (
    StepUnavailable,
    TensorUnavailable,
    TensorUnavailableForStep,
)
from bottega.debugger.tensors.trial import Trial
from bottega.nearest import ending

_MODULE = "bottega_users_rule"


@dataclass
class CustomRule(Rule):
    """A user's rule, shown steps like any other."""

    looks_for: ClassVar[str] = "What its own code says."
    advice: ClassVar[str] = "See the rule's source for what it looks at."
    frameworks: ClassVar[tuple[str, ...]] = EVERY

    users: UsersRule

    @property
    def name(self) -> str:
        return type(self.users).__name__

    def look(self, at: Reading) -> Finding | None:
        self.looked_at += 1
        self.users.req_tensors.clear()
        try:
            self.users.set_required_tensors(at.step)
            self.users.req_tensors.fetch()
            fired = self.users.invoke_at_step(at.step)
        except RuleEvaluationConditionMet:
            fired = True
        except (TensorUnavailable, TensorUnavailableForStep, StepUnavailable):
            # As in smdebug: a step that lacks what the rule wants is passed over.
            self.looked_at -= 1
            return None
        if not fired:
            return None
        return self.found(at, f"{self.name} returned True at step {at.step}.")


def load(
    source: Path,
    name: str,
    trial: Trial,
    parameters: Mapping[str, str],
    other_trials: Sequence[Trial] = (),
) -> CustomRule:
    """The rule of that name in a file, made with the texts of RuleParameters.

    Raises:
        ParameterRefused: there is no such class in it, it is no rule, or its constructor does not
            take these parameters.
        Exception: whatever the file's own code raises.
    """
    smdebug_modules.offer()
    specification = importlib.util.spec_from_file_location(_MODULE, source)
    if specification is None or specification.loader is None:
        raise ParameterRefused(f"{source.name} is no Python file; source_s3_uri has to name one.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[_MODULE] = module  # for dataclasses and pickles of the file
    specification.loader.exec_module(module)
    rules = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, UsersRule) and value is not UsersRule
    }
    if name not in rules:
        if not rules:
            raise ParameterRefused(
                f"{source.name} has no class that derives from smdebug.rules.rule.Rule."
            )
        raise ParameterRefused(
            f'{source.name} has no rule "{name}"{ending(name, rules)} It has {", ".join(rules)}.'
        )
    return CustomRule(_made(rules[name], trial, parameters, other_trials))


def _made(
    kind: type[UsersRule],
    trial: Trial,
    parameters: Mapping[str, str],
    other_trials: Sequence[Trial],
) -> UsersRule:
    arguments: dict[str, Any] = {
        key: value
        for key, value in parameters.items()
        if key not in EVALUATORS_OWN and not key.startswith("other_trial")
    }
    signature = inspect.signature(kind)
    takes = signature.parameters
    if "other_trials" in takes:
        arguments["other_trials"] = list(other_trials)
    elif "other_trial" in takes and other_trials:
        arguments["other_trial"] = other_trials[0]
    try:
        signature.bind(trial, **arguments)
    except TypeError as error:
        wanted = [key for key in takes if key not in ("base_trial", "other_trials", "action_str")]
        raise ParameterRefused(
            f"The rule {kind.__name__} cannot be made of these rule parameters: {error}. It takes "
            f"{', '.join(wanted) or 'none'}."
        ) from None
    made = kind(trial, **arguments)
    if not hasattr(made, "base_trial"):
        raise ParameterRefused(
            f"The constructor of {kind.__name__} does not call super().__init__(base_trial)."
        )
    return made
