"""DescribeTrainingJobDebugger: all that the Debugger knows of a training job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from bottega.compute.runner import Phase
from bottega.context import Context
from bottega.errors import ServiceUnavailable, ValidationException
from bottega.features.debugger import actions
from bottega.features.debugger.readers import DebugReaders, find_training
from bottega.jobs.debugging import configuration, session
from bottega.jobs.debugging.configuration import RuleConfiguration
from bottega.jobs.debugging.evaluations import RuleEvaluation, evaluation_name
from bottega.jobs.debugging.outputs import session_name
from bottega.jobs.debugging.places import EvaluationPlaces
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.debugger import (
    CollectionReport,
    DescribeTrainingJobDebuggerRequest,
    DescribeTrainingJobDebuggerResponse,
    RuleAction,
    RuleFinding,
    RuleParameter,
    RuleReport,
    RuleReportFile,
)
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.storage.objects import BucketMissing

_OUTCOMES: Mapping[str, Literal["Waiting", "InProgress", "Done", "Failed"]] = {
    actions.WAITING: "Waiting",
    actions.BEGUN: "InProgress",
    actions.DONE: "Done",
    actions.FAILED: "Failed",
}
_MOST_FILES = 100
_PAGES = ("profiler-report.html", "xgboost_report.html")
"""The pages to begin with."""


@operation("DescribeTrainingJobDebugger", service="bottega")
def describe_training_job_debugger(
    context: Context, request: DescribeTrainingJobDebuggerRequest
) -> DescribeTrainingJobDebuggerResponse:
    """Rules, tensors and profile; of a job without any, that there is none."""
    ports = context.ports
    training = find_training(context, request["TrainingJobName"])
    body = training.body
    evaluations = session.evaluations_of(ports, training)
    profiler = configuration.profiler_of(body)
    tensors = configuration.tensors_uri(body)
    answer: DescribeTrainingJobDebuggerResponse = {
        "TrainingJobName": training.name,
        "TrainingJobStatus": training.status,
        "Rules": [
            _rule(ports, training, rule, evaluations.get(rule.name))
            for rule in configuration.rule_configurations(body)
        ],
        "Collections": [],
        "Modes": [],
        "ProfilingStatus": "Disabled" if profiler is None else "Enabled",
        "ProfilerParameters": dict(body.get("ProfilerConfig", {}).get("ProfilingParameters", {})),
    }
    if evaluations:
        answer["EvaluatorStatus"], message = _evaluator(ports, training, evaluations)
        if message:
            answer["EvaluatorMessage"] = message
    if profiler is not None:
        interval = profiler["ProfilingIntervalInMilliseconds"]
        answer["ProfilingIntervalInMilliseconds"] = interval
    if uri := configuration.profile_uri(body):
        answer["ProfilerUri"] = uri
    if tensors:
        answer["TensorsUri"] = tensors
        _add_tensors(context, training, answer)
    return answer


def _add_tensors(
    context: Context, training: Resource, answer: DescribeTrainingJobDebuggerResponse
) -> None:
    hook = configuration.hook_of(training.body) or {}
    asked = {
        one.get("CollectionName", ""): dict(one.get("CollectionParameters", {}))
        for one in hook.get("CollectionConfigurations", ())
    }
    try:
        found = DebugReaders.of(context).tensors(training, "summary")
    except (ValidationException, ServiceUnavailable) as refusal:
        # Whoever asks for the rules shall have them, whatever became of the tensors.
        found = {"collections": {}, "modes": [], "steps": None, "tensors": None, "last_step": None}
        answer["TensorsMessage"] = refusal.message
    saved: Mapping[str, int] = found["collections"]
    reports: list[CollectionReport] = [
        {"Name": name, "TensorCount": saved.get(name, 0), "Parameters": asked.get(name, {})}
        for name in sorted({*asked, *saved})
        if name
    ]
    answer["Collections"] = reports
    answer["Modes"] = found["modes"]
    if found["tensors"] is not None:
        answer["StepCount"] = found["steps"]
        answer["TensorCount"] = found["tensors"]
    if found["last_step"] is not None:
        answer["LastStep"] = found["last_step"]


def _evaluator(
    ports: Ports, training: Resource, evaluations: Mapping[str, RuleEvaluation]
) -> tuple[Literal["Waiting", "Running", "Ended", "Failed"], str]:
    """How the evaluating process is."""
    name = session_name(training)
    try:
        entry = ports.store.get(session.KIND, name)
    except ResourceMissing:
        errors = [one.details for one in evaluations.values() if one.status == "Error"]
        if errors and len(errors) == len(evaluations):
            return "Failed", errors[0]
        return "Ended", ""
    attempt = int(entry.private.get("attempt", 0))
    places = EvaluationPlaces.of(ports.config, name)
    phase = ports.runner.state(places.supervisor(attempt)).phase
    again = f"It was started again {attempt} times." if attempt else ""
    if phase is Phase.ABSENT:
        return "Waiting", "It begins with the training."
    return ("Running" if phase is Phase.RUNNING else "Ended"), again


def _rule(
    ports: Ports, training: Resource, rule: RuleConfiguration, evaluation: RuleEvaluation | None
) -> RuleReport:
    if evaluation is None:  # the job was created just now
        evaluation = RuleEvaluation.begin(ports.config, training, rule, training.created)
    status = evaluation.as_status()
    result = evaluation.result
    shown: RuleReport = {
        "RuleConfigurationName": rule.name,
        "RuleName": rule.rule,
        "Kind": rule.kind,
        "Parameters": _parameters(rule),
        "Status": status["RuleEvaluationStatus"],
        "LastModifiedTime": status["LastModifiedTime"],
        "EvaluationJobName": evaluation_name(training.name, training.created, rule.name),
        "Findings": [_finding(one) for one in result.get("findings", ())],
        "FindingCount": int(result.get("count", 0)),
        "Actions": _actions(training, rule, evaluation),
        "Reports": _reports(ports, training, rule),
    }
    if details := status.get("StatusDetails"):
        shown["StatusDetails"] = details
    if (known := _class(rule)) is not None:
        shown["Description"] = known.looks_for
    if result.get("last_step") is not None:
        shown["LastStep"] = int(result["last_step"])
    if remark := result.get("remark"):
        shown["NotApplicable"] = str(remark)
    return shown


def _class(rule: RuleConfiguration) -> Any:
    """The class of a built-in rule; None for one of the user's own."""
    from bottega.debugger.profiler_rules import registry as profiler
    from bottega.debugger.rules import registry as debugger

    if rule.kind == "Custom":
        return None
    return profiler.BUILT_IN.get(rule.rule) or debugger.BUILT_IN.get(rule.rule)


def _parameters(rule: RuleConfiguration) -> list[RuleParameter]:
    from bottega.debugger.rules.parameters import parameters_of

    given = rule.own_parameters
    lower = {name.lower() for name in given}
    found: list[RuleParameter] = [
        {"Name": name, "Value": text, "IsDefault": False} for name, text in given.items()
    ]
    known = _class(rule)
    for name, (_, default) in (parameters_of(known) if known else {}).items():
        if name.lower() not in lower and name != "scan_interval_us":
            found.append({"Name": name, "Value": _text(default), "IsDefault": True})
    return found


def _text(default: Any) -> str:
    if isinstance(default, (tuple, list)):
        return ",".join(map(str, default))
    return "" if default is None else str(default)


def _finding(one: Mapping[str, Any]) -> RuleFinding:
    shown: RuleFinding = {
        "Time": float(one.get("StartTime", one["Time"])),
        "Tensors": [str(name) for name in one.get("Tensors", ())],
        "Message": str(one.get("Message", "")),
    }
    if "Step" in one:
        shown["Step"] = int(one["Step"])
    if "EndTime" in one:
        shown["EndTime"] = float(one["EndTime"])
    if one.get("Advice"):
        shown["Advice"] = str(one["Advice"])
    return shown


def _actions(
    training: Resource, rule: RuleConfiguration, evaluation: RuleEvaluation
) -> list[RuleAction]:
    done = evaluation.actions or [
        {"Name": one.name, "Target": one.target, "Outcome": actions.WAITING}
        for one in configuration.actions_of(rule, training.name)
    ]
    found: list[RuleAction] = []
    for one in done:
        outcome = _OUTCOMES[one["Outcome"]]
        shown: RuleAction = {"Name": one["Name"], "Target": one["Target"], "Outcome": outcome}
        if "Time" in one:
            shown["Time"] = one["Time"]
        if "Message" in one:
            shown["Message"] = one["Message"]
        found.append(shown)
    return found


def _reports(ports: Ports, training: Resource, rule: RuleConfiguration) -> list[RuleReportFile]:
    """What the rule wrote, as far as it is in the store."""
    uri = configuration.rule_output_uri(training.body, rule)
    bucket, prefix = s3_uris.split(uri)
    try:
        page = ports.objects.page(bucket, prefix=f"{prefix}/", limit=_MOST_FILES)
    except BucketMissing:
        return []
    found = [
        {
            "Name": one.key[len(prefix) + 1 :],
            "S3Uri": f"s3://{bucket}/{one.key}",
            "Size": one.size,
        }
        for one in page.objects
    ]
    found.sort(key=lambda one: (not str(one["Name"]).endswith(_PAGES), one["Name"]))
    return cast("list[RuleReportFile]", found)
