"""From a failed job to its cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bottega.failures import (
    code,
    columns,
    devices,
    files,
    hyperparameters,
    memory,
    packages,
    platform,
    services,
    shapes,
)
from bottega.failures.causes import Cause, Rule, step
from bottega.failures.job import Evidence, FailedJob, Said

RULES: tuple[Rule, ...] = (
    *memory.RULES,
    *files.RULES,
    *packages.RULES,
    *code.RULES,
    *hyperparameters.RULES,
    *columns.RULES,
    *shapes.RULES,
    *devices.RULES,
    *services.RULES,
)
"""In this order: the first that matches the same words wins."""

FIRST: tuple[Callable[[FailedJob], Cause | None], ...] = (platform.time_ran_out,)
LAST: tuple[Callable[[FailedJob], Cause | None], ...] = (packages.not_installed, memory.killed)

_TYPE = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::|$)")
UNKNOWN = "Unknown"


def explain(job: FailedJob) -> Cause:
    """Why a job failed; with the code ``Unknown`` where that is not known.

    What ended the job is asked first, then what led to it, then the last lines of the log. A cause
    found in less than the decisive words is ``likely`` at best.
    """
    cause = _cause(job)
    # What others said, and is quoted at the end, may have no full stop.
    whole = cause.sentence.rstrip()
    return replace(cause, sentence=whole if whole.endswith((".", "?")) else f"{whole}.")


def _cause(job: FailedJob) -> Cause:
    for known in FIRST:
        if (cause := known(job)) is not None:
            return cause
    platform_rules = platform.RULES if _by_platform(job) else ()
    if (cause := _first(job, job.said, platform_rules)) is not None:
        return cause
    if (cause := _first(job, job.said, RULES)) is not None:
        return cause
    if (cause := _first(job, job.tail, [one for one in RULES if one.tail])) is not None:
        return cause
    for known in LAST:
        if (cause := known(job)) is not None:
            return replace(cause, evidence=cause.evidence or _ending(job))
    return _unknown(job)


def _by_platform(job: FailedJob) -> bool:
    """Whether the reason is one of the platform's, not a program's."""
    return job.reason_class in ("ClientError", "InternalServerError") and job.error is None


def _first(job: FailedJob, words: Sequence[Said], rules: Sequence[Rule]) -> Cause | None:
    for said in words:
        for one in rules:
            if one.errors and _error_name(said) not in one.errors:
                continue
            if (found := one.pattern.search(said.text)) is None:
                continue
            if (cause := one.explain(job, said, found)) is None:
                continue
            sure = cause.confidence if said.decisive else "likely"
            return replace(cause, evidence=cause.evidence or said.evidence, confidence=sure)
    return None


def _error_name(said: Said) -> str:
    if said.error is not None:
        return said.error.name
    found = _TYPE.match(said.text)
    return found[1] if found else ""


def _ending(job: FailedJob) -> Evidence:
    """The last line of the log that ended the job; the reason where there is no log."""
    return job.tail[0].evidence if job.tail else Evidence(job.reason)


def _unknown(job: FailedJob) -> Cause:
    """Nothing is known: that is said, with what there is to go by."""
    if job.error is not None:
        stream, error = job.error
        frame = error.own_frame
        where = f", in {frame.place}" if frame is not None else ""
        sentence = f"The program raised {error.name}{where}. What is behind it is not known here."
        evidence = Evidence(
            error.line.text, stream if error.line.number >= 0 else "", error.line.number
        )
    else:
        ended = job.exit_code
        how = f"The program ended with exit code {ended}" if ended else "The job failed"
        sentence = f"{how}, and what it said last names no cause that is known here."
        evidence = job.where(job.message.splitlines()[-1]) if job.message else _ending(job)
    return Cause(
        UNKNOWN,
        sentence,
        (
            step("Read the traceback and the last lines of the log, from the end."),
            step("Replay the job: the debugger opens at the failing line."),
        ),
        "likely",
        evidence,
    )
