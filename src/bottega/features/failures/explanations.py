"""ExplainJobFailure: the cause of a failure, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from bottega.algorithms.images import DATA_WRANGLER, resolve
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.failures.causes import Cause
from bottega.failures.explanation import UNKNOWN, explain
from bottega.failures.job import FailedJob, JobKind
from bottega.features.failures import inspection
from bottega.features.failures.jobs import KINDS, Tail, find, machine, tails
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.failures import (
    ExplainJobFailureRequest,
    ExplainJobFailureResponse,
    FailureCause,
    FailureEvidence,
    FailureLastLine,
    FailureTraceback,
)
from bottega.storage.metadata import Resource, ResourceMissing

SHOWN_LINES = 20
_LAST_TRIAL = re.compile(r"The last one(?:, | was )(?P<job>[A-Za-z0-9][A-Za-z0-9-]*)")


@operation("ExplainJobFailure", service="bottega")
def explain_job_failure(
    context: Context, request: ExplainJobFailureRequest
) -> ExplainJobFailureResponse:
    """Look at what a failed job has left, and say why it failed."""
    ports = context.ports
    kind, name = request["JobKind"], request["JobName"]
    if kind == "HyperParameterTuning":
        kind, name = "Training", _failed_trial(ports, name)
    resource = find(ports, kind, name)
    exceeded = resource.body.get("SecondaryStatus") == "MaxRuntimeExceeded"
    if resource.status != "Failed" and not exceeded:
        raise ValidationException(
            f"The {kind.lower()} job {name} is {resource.status}; what can be explained is a job "
            "that failed, or that was stopped because of its MaxRuntimeInSeconds."
        )
    found = tails(ports.logs, KINDS[kind].log_group, resource)
    job = _failed_job(context, kind, resource, found, exceeded=exceeded)
    return _answer(
        job,
        explain(job),
        KINDS[kind].log_group,
        found,
        replayable=_is_replayable(kind, resource),
    )


def _is_replayable(kind: JobKind, resource: Resource) -> bool:
    """Whether the job ran a program that can run in a folder."""
    if kind != "Processing":
        return kind == "Training"
    image = str(resource.body["AppSpecification"]["ImageUri"])
    return not resource.private.get("docker") and resolve(image).name != DATA_WRANGLER


def _failed_trial(ports: Ports, name: str) -> str:
    """The training job that a failed tuning job names as the last that failed."""
    try:
        tuning = ports.store.get("HyperParameterTuningJob", name)
    except ResourceMissing as error:
        raise ValidationException(f"There is no tuning job {name!r}.") from error
    found = _LAST_TRIAL.search(tuning.body.get("FailureReason", ""))
    if found is None:
        raise ValidationException(
            f"The tuning job {name} is {tuning.status}, and not for a training job that failed."
        )
    return found["job"]


def _failed_job(
    context: Context, kind: JobKind, resource: Resource, found: list[Tail], *, exceeded: bool
) -> FailedJob:
    body, ports = resource.body, context.ports

    @cache
    def columns() -> Mapping[str, Any]:
        return inspection.columns(context, body)

    @cache
    def code_files() -> Any:
        return inspection.code_files(ports, body)

    return FailedJob(
        kind=kind,
        name=resource.name,
        reason=str(body.get("FailureReason", "")),
        request=body,
        logs={tail.stream: tail.lines for tail in found},
        time_ran_out=exceeded,
        machine=machine(ports.logs, [tail.stream for tail in found]),
        columns=columns,
        code_files=code_files,
    )


def _answer(
    job: FailedJob, cause: Cause, group: str, found: list[Tail], *, replayable: bool
) -> ExplainJobFailureResponse:
    answer: ExplainJobFailureResponse = {
        "JobKind": job.kind,
        "JobName": job.name,
        "Known": cause.code != UNKNOWN,
        "Cause": _cause(cause),
        "Traceback": {"Lines": []},
        "LastLines": _last_lines(job, found),
        "OutOfMemory": job.out_of_memory,
        "Replayable": replayable,
    }
    if found:
        answer["LogGroupName"] = group
    if job.exit_code is not None:
        answer["ExitCode"] = job.exit_code
    if job.signal is not None:
        answer["Signal"] = job.signal
    if job.error is not None:
        stream, error = job.error
        answer["ExceptionType"], answer["ExceptionMessage"] = error.type, error.message
        traceback: FailureTraceback = {"Lines": [line.text for line in error.whole]}
        if stream:
            traceback |= {"LogStreamName": stream, "Line": error.line.number}
        answer["Traceback"] = traceback
        if (frame := error.own_frame) is not None:
            answer["Location"] = {"File": frame.file, "Line": frame.line, "Code": frame.code}
            if frame.function and frame.function != "<module>":
                answer["Location"]["Function"] = frame.function
    return answer


def _cause(cause: Cause) -> FailureCause:
    answer: FailureCause = {
        "Code": cause.code,
        "Sentence": cause.sentence,
        "Confidence": cause.confidence,
        "Advice": [
            {"Text": one.text, "Code": one.code, "Language": one.language}
            if one.code
            else {"Text": one.text}
            for one in cause.advice
        ],
    }
    if (words := cause.evidence) is not None:
        evidence: FailureEvidence = {"Text": words.text}
        if words.stream:
            evidence |= {"LogStreamName": words.stream, "Line": words.line}
        answer["Evidence"] = evidence
    return answer


def _last_lines(job: FailedJob, found: list[Tail]) -> list[FailureLastLine]:
    """Those of the stream that has the traceback, else of the first host's."""
    stream = job.error[0] if job.error is not None else ""
    tail = next((one for one in found if one.stream == stream), found[0] if found else None)
    if tail is None:
        return []
    numbered = list(enumerate(tail.events, tail.first))[-SHOWN_LINES:]
    return [
        cast(
            FailureLastLine,
            {
                "LogStreamName": tail.stream,
                "Line": number,
                "Time": event.timestamp / 1000,
                "Text": event.message,
            },
        )
        for number, event in numbered
    ]
