"""What a CreateTrainingJob request asks of the Debugger and of the profiler.

SDK 2.x sends a DebugHookConfig and a ProfilerConfig with every job, whether anybody wants them or
not. So a hook is only set up for who names collections, hook parameters or rules; and a profile is
only taken for who says how, or names profiler rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bottega.debugger.rules.parameters import EVALUATORS_OWN

DEFAULT_TENSORS_PATH = "/opt/ml/output/tensors"
DEFAULT_TENSORBOARD_PATH = "/opt/ml/output/tensorboard"
PROFILER_PATH = "/opt/ml/output/profiler"
DEFAULT_INTERVAL_MILLISECONDS = 500
INTERVALS_MILLISECONDS = (100, 200, 500, 1000, 5000, 60000)

DEBUGGER_RULES, PROFILER_RULES = "DebugRuleConfigurations", "ProfilerRuleConfigurations"
STATUSES = {
    DEBUGGER_RULES: "DebugRuleEvaluationStatuses",
    PROFILER_RULES: "ProfilerRuleEvaluationStatuses",
}
"""The member of DescribeTrainingJob that says how the rules of a member of the request stand."""

Kind = Literal["Debugger", "Profiler", "Custom"]


@dataclass(frozen=True)
class RuleConfiguration:
    """One of DebugRuleConfigurations or ProfilerRuleConfigurations."""

    member: str
    """The member of the request it is in."""
    document: Mapping[str, Any]
    """As the request has it."""

    @property
    def name(self) -> str:
        """RuleConfigurationName."""
        return str(self.document["RuleConfigurationName"])

    @property
    def parameters(self) -> Mapping[str, str]:
        """RuleParameters."""
        found: Mapping[str, str] = self.document.get("RuleParameters", {})
        return found

    @property
    def rule(self) -> str:
        """The rule that is evaluated: ``rule_to_invoke``; empty where nothing says it."""
        return self.parameters.get("rule_to_invoke", "").strip()

    @property
    def source(self) -> str:
        """Where a rule of the user's own is written, ``s3://...``; empty for a built-in one."""
        return self.parameters.get("source_s3_uri", "").strip()

    @property
    def kind(self) -> Kind:
        from bottega.debugger.profiler_rules import registry

        if self.source:
            return "Custom"
        of_profile = self.member == PROFILER_RULES or self.rule in registry.BUILT_IN
        return "Profiler" if of_profile else "Debugger"

    @property
    def own_parameters(self) -> dict[str, str]:
        """The parameters that are the rule's and not its evaluator's."""
        return {
            name: text
            for name, text in self.parameters.items()
            if name.lower() not in EVALUATORS_OWN and not name.lower().startswith("other_trial")
        }

    @property
    def other_trials(self) -> list[str]:
        """The tensors to compare with, ``s3://...``: ``other_trial_0`` and so on, in order."""
        found = {
            name: uri.strip()
            for name, uri in self.parameters.items()
            if re.fullmatch(r"other_trials?(_?\d+)?", name.lower())
        }
        parts = [uri for name in sorted(found, key=_natural) for uri in found[name].split(",")]
        return [part.strip() for part in parts if part.strip()]


def _natural(name: str) -> tuple[int, str]:
    digits = re.search(r"\d+$", name)
    return (int(digits[0]) if digits else -1, name)


def rule_configurations(body: Mapping[str, Any]) -> Iterator[RuleConfiguration]:
    """The rules of a job, in the order in which they are described."""
    for member in STATUSES:
        for document in body.get(member, ()):
            yield RuleConfiguration(member, document)


def hook_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The DebugHookConfig that the training gets; None where nothing is to be saved.

    To the request's come the collections that its rules need and that it does not mention, as the
    SDK adds them.
    """
    needed = _collections_of_rules(body)
    rules = bool(body.get(DEBUGGER_RULES))
    given = body.get("DebugHookConfig", {})
    asked = given.get("CollectionConfigurations") or given.get("HookParameters")
    if not (asked or rules):
        return None
    collections = [dict(one) for one in given.get("CollectionConfigurations", ())]
    known = {one.get("CollectionName") for one in collections}
    for name, parameters in needed.items():
        if name not in known:
            collections.append({"CollectionName": name, "CollectionParameters": parameters})
    return {
        "S3OutputPath": body["OutputDataConfig"]["S3OutputPath"],
        "LocalPath": DEFAULT_TENSORS_PATH,
        **given,
        "CollectionConfigurations": collections,
    }


def _collections_of_rules(body: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    from bottega.debugger.rules import registry

    found: dict[str, dict[str, str]] = {}
    for rule in rule_configurations(body):
        if rule.kind == "Debugger" and (known := registry.BUILT_IN.get(rule.rule)) is not None:
            for name, parameters in known.collections.items():
                found.setdefault(name, dict(parameters))
    return found


def profiler_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ProfilerConfig that the training gets; None where it is not profiled."""
    given = body.get("ProfilerConfig", {})
    if given.get("DisableProfiler"):
        return None
    asked = given.get("ProfilingIntervalInMilliseconds") or given.get("ProfilingParameters")
    if not (asked or body.get(PROFILER_RULES)):
        return None
    return {
        "S3OutputPath": body["OutputDataConfig"]["S3OutputPath"],
        "ProfilingIntervalInMilliseconds": DEFAULT_INTERVAL_MILLISECONDS,
        **given,
        "DisableProfiler": False,
    }


def told_profiler_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ProfilerConfig that a training is told, which says so where it is not profiled; None
    where nobody mentioned a profile."""
    given = body.get("ProfilerConfig")
    off = None if given is None else {**given, "DisableProfiler": True}
    return profiler_of(body) or off


def tensorboard_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The TensorBoardOutputConfig, with its path; None where there is none."""
    given = body.get("TensorBoardOutputConfig")
    return {"LocalPath": DEFAULT_TENSORBOARD_PATH, **given} if given else None


def profiling_status(body: Mapping[str, Any]) -> str:
    """ProfilingStatus."""
    return "Disabled" if profiler_of(body) is None else "Enabled"


def is_debugged(body: Mapping[str, Any]) -> bool:
    """Whether there is anything to be done for the Debugger."""
    return any(
        found is not None for found in (hook_of(body), profiler_of(body), tensorboard_of(body))
    ) or any(rule_configurations(body))


def place(body: Mapping[str, Any], root: str, part: str) -> str:
    """``s3://.../<job>/<part>``, where a part of a job's output goes, without a slash at its end.

    Args:
        root: an S3OutputPath.
        part: ``debug-output``, ``profiler-output``, ``rule-output/<rule>``, ``tensorboard-output``.
    """
    return f"{root.rstrip('/')}/{body['TrainingJobName']}/{part}"


def tensors_uri(body: Mapping[str, Any]) -> str:
    """Where the job's tensors are; empty where none are saved."""
    hook = hook_of(body)
    return "" if hook is None else place(body, hook["S3OutputPath"], "debug-output")


def profile_uri(body: Mapping[str, Any]) -> str:
    """Where the job's profile is, also when it is switched off by now; empty where there is no
    place for one."""
    root = body.get("ProfilerConfig", {}).get("S3OutputPath")
    if profiler := profiler_of(body):
        root = profiler["S3OutputPath"]
    return place(body, root, "profiler-output") if root else ""


def rule_output_uri(body: Mapping[str, Any], rule: RuleConfiguration) -> str:
    """Where what a rule writes goes."""
    root = rule.document.get("S3OutputPath")
    if not root:
        config = "ProfilerConfig" if rule.member == PROFILER_RULES else "DebugHookConfig"
        root = body.get(config, {}).get("S3OutputPath")
    root = root or body["OutputDataConfig"]["S3OutputPath"]
    return place(body, root, f"rule-output/{rule.name}")


ActionName = Literal["StopTraining", "Email", "SMS"]


@dataclass(frozen=True)
class Action:
    """What is to be done when a rule fires."""

    name: ActionName
    target: str
    """The prefix of a job's name, an address, or a telephone number."""


class ActionsRefused(ValueError):
    """``action_json`` cannot be read; the message says why."""


def actions_of(rule: RuleConfiguration, training: str) -> list[Action]:
    """The actions of a rule.

    The SDK escapes the quotes of its JSON once more than JSON needs.

    Args:
        training: the job's name, for a StopTraining that names no prefix.

    Raises:
        ActionsRefused: it is no such JSON.
    """
    actions = []
    if text := rule.parameters.get("action_json", "").strip():
        found = _read(text)
        if isinstance(found, Mapping):
            found = [found]
        if not isinstance(found, list):
            raise ActionsRefused("it is no list of actions")
        actions = [_action(document, training) for document in found]
    if rule.rule == "StalledTrainingRule":
        wanted = rule.parameters.get("stop_training_on_fire", "").strip().lower()
        prefix = rule.parameters.get("training_job_name_prefix", "").strip()
        if wanted in ("true", "1", "yes"):
            actions.append(Action("StopTraining", prefix or training))
    return actions


def _read(text: str) -> Any:
    for form in (text, text.replace('\\"', '"')):
        try:
            return json.loads(form)
        except ValueError:
            continue
    raise ActionsRefused("it is not JSON")


def _action(document: Any, training: str) -> Action:
    if not isinstance(document, Mapping):
        raise ActionsRefused(f"{document!r} is no action")
    name = str(document.get("name", "")).lower()
    if name == "stoptraining":
        return Action("StopTraining", str(document.get("training_job_prefix") or training))
    if name not in ("email", "sms"):
        raise ActionsRefused(
            f"there is no action {document.get('name')!r}; there are stoptraining, email and sms"
        )
    target = str(document.get("endpoint", "")).strip()
    if not target:
        raise ActionsRefused(f"the action {name} has no endpoint")
    return Action("Email" if name == "email" else "SMS", target)
