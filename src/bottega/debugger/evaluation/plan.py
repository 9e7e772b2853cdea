"""What the evaluating process is told: a file that is replaced when there is news."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "evaluation.json"
"""The plan's name in the process's input."""


@dataclass(frozen=True)
class RulePlan:
    """One rule to evaluate.

    Attributes:
        name: its RuleConfigurationName, which no other rule of the training has.
        rule: ``rule_to_invoke``.
        kind: ``Debugger``, ``Profiler`` or ``Custom``.
        parameters: RuleParameters.
        source: the file with a rule of the user's own, below the input; empty for a built-in one.
        others: folders with tensors of other trainings, below the input.
        output: the folder for what the rule writes, below the output.
    """

    name: str
    rule: str
    kind: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    others: tuple[str, ...] = ()
    output: str = ""


@dataclass(frozen=True)
class Training:
    """What a report says of the training itself.

    Attributes:
        name: the job's name.
        arn: its ARN.
        status: its TrainingJobStatus.
        started: when its processes were started, seconds since the epoch; None before.
        ended: when it ended; None while it runs.
        hosts: the names of its instances.
        instance_type: of its instances.
        hyperparameters: as its request had them.
    """

    name: str
    arn: str = ""
    status: str = "InProgress"
    started: float | None = None
    ended: float | None = None
    hosts: tuple[str, ...] = ()
    instance_type: str = ""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationPlan:
    """All of it.

    Attributes:
        training: the job.
        rules: in the order in which they are described.
        over: nothing more comes of the training: conclude.
        stopped: the names of rules that somebody has stopped.
    """

    training: Training
    rules: tuple[RulePlan, ...]
    over: bool = False
    stopped: tuple[str, ...] = ()

    def write(self, folder: Path) -> bool:
        """Leave it in a folder, whole at once; returns whether it was another one before."""
        target = folder / FILE
        content = json.dumps(asdict(self), indent=1)
        if target.is_file() and target.read_text() == content:
            return False
        draft = folder / f".{FILE}.draft"
        draft.write_text(content)
        os.replace(draft, target)
        return True

    @classmethod
    def read(cls, folder: Path) -> EvaluationPlan:
        """The plan that lies in a folder.

        Raises:
            FileNotFoundError: there is none.
        """
        document: dict[str, Any] = json.loads((folder / FILE).read_text())
        training = {**document["training"], "hosts": tuple(document["training"]["hosts"])}
        rules = tuple(
            RulePlan(**{**rule, "others": tuple(rule["others"])}) for rule in document["rules"]
        )
        return cls(Training(**training), rules, document["over"], tuple(document["stopped"]))
