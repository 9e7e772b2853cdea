"""What CreateTrainingJob and UpdateTrainingJob refuse of the Debugger and the profiler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottega.debugger.rules.parameters import ParameterRefused
from bottega.debugger.tensors.configuration import ConfigurationError, HookConfiguration
from bottega.errors import ValidationException
from bottega.features.training.entities import KIND
from bottega.jobs.debugging.configuration import (
    DEFAULT_TENSORBOARD_PATH,
    DEFAULT_TENSORS_PATH,
    INTERVALS_MILLISECONDS,
    ActionsRefused,
    RuleConfiguration,
    actions_of,
    rule_configurations,
)
from bottega.jobs.output_places import check_bucket, check_folder
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.metadata import ResourceMissing
from bottega.storage.objects import BucketMissing, ObjectMissing

_CONFIGURATIONS = {
    "DebugHookConfig": DEFAULT_TENSORS_PATH,
    "ProfilerConfig": "",
    "TensorBoardOutputConfig": DEFAULT_TENSORBOARD_PATH,
}
"""Members with an S3OutputPath, and the LocalPath that each has when none is given."""


def check_debugger(ports: Ports, request: Mapping[str, Any], taken: Iterable[str]) -> None:
    """Refuse what could not be done.

    Args:
        request: CreateTrainingJob's, or a job with what UpdateTrainingJob changes of it.
        taken: folders that a job needs for other files.

    Raises:
        ValidationException: with what is wrong, where, and what to do.
    """
    for member, usual in _CONFIGURATIONS.items():
        given = request.get(member, {})
        if "S3OutputPath" in given:
            check_bucket(ports.objects, f"{member}.S3OutputPath", given["S3OutputPath"])
        if "LocalPath" in given:
            check_folder(f"{member}.LocalPath", given["LocalPath"], usual, taken)
    _check_hook(request.get("DebugHookConfig", {}))
    interval = request.get("ProfilerConfig", {}).get("ProfilingIntervalInMilliseconds")
    if interval is not None and interval not in INTERVALS_MILLISECONDS:
        known = ", ".join(map(str, INTERVALS_MILLISECONDS))
        raise ValidationException(
            f"ProfilerConfig.ProfilingIntervalInMilliseconds is {interval}; it must be one of "
            f"{known}."
        )
    names: set[str] = set()
    for rule in rule_configurations(request):
        if rule.name in names:
            raise ValidationException(
                f"There are two rules with the RuleConfigurationName {rule.name!r}, which names "
                "their status and their output. Give each rule a name of its own."
            )
        names.add(rule.name)
        _check_rule(ports, rule, str(request.get("TrainingJobName", "")))


def _check_hook(hook: Mapping[str, Any]) -> None:
    """Refuse parameters of the hook that cannot be understood."""
    try:
        HookConfiguration.read(hook)
    except ConfigurationError as error:
        raise ValidationException(str(error)) from error


def _check_rule(ports: Ports, rule: RuleConfiguration, training: str) -> None:
    where = f"{rule.member} ({rule.name})"
    if not rule.rule:
        raise ValidationException(
            f"{where}: RuleParameters has no rule_to_invoke. Say there which rule is to be "
            "evaluated, such as LossNotDecreasing."
        )
    try:
        actions_of(rule, training)
    except ActionsRefused as error:
        raise ValidationException(f"{where}: action_json cannot be read: {error}.") from error
    for other in rule.other_trials:
        if not other.startswith("s3://") and not _is_job(ports, other):
            raise ValidationException(
                f"{where}: {other!r} is no place of other tensors. Give the name of a training job "
                "that has saved some, or the S3 address of its debug-output."
            )
    if "S3OutputPath" in rule.document:
        check_bucket(ports.objects, f"{where}.S3OutputPath", rule.document["S3OutputPath"])
    if rule.source:
        _check_source(ports, where, rule.source)
        return
    try:
        _check_built_in(rule)
    except ParameterRefused as error:
        raise ValidationException(f"{where}: {error}") from error


def _is_job(ports: Ports, name: str) -> bool:
    try:
        ports.store.get(KIND, name)
    except ResourceMissing:
        return False
    return True


def _check_source(ports: Ports, where: str, uri: str) -> None:
    bucket, key = s3_uris.split(uri) if uri.startswith("s3://") else ("", "")
    try:
        ports.objects.info(bucket, key)
    except (BucketMissing, ObjectMissing) as error:
        raise ValidationException(
            f"{where}: source_s3_uri is {uri}, which does not exist. Upload the file with the rule "
            "first."
        ) from error


def _check_built_in(rule: RuleConfiguration) -> None:
    """Raises: ParameterRefused."""
    from bottega.debugger.profiler_rules import registry as profiler
    from bottega.debugger.rules import registry as debugger

    if rule.rule in profiler.BUILT_IN:
        profiler.built_in(rule.rule, rule.parameters)
    elif rule.kind == "Profiler":
        profiler.rule_class(rule.rule)
    else:
        debugger.built_in(rule.rule, rule.parameters)
