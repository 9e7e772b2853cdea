"""How an ended workload is told to the user: FailureReason in SageMaker's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bottega.compute.runner import HostResult, WorkloadState
from bottega.jobs.job_files import HostFolder, NoFile, Unreadable

LONGEST_REASON = 1024
_CLASSES = ("ClientError: ", "AlgorithmError: ", "InternalServerError: ")

LOST_WITHOUT_RETRY = (
    "InternalServerError: the job's supervisor was killed or the machine went down meanwhile. "
    "Start it again."
)
LOST = (
    "InternalServerError: the job's supervisor was killed or the machine went down meanwhile. "
    "Start it again; with a CheckpointConfig it goes on from its last checkpoint."
)


def failure_reason(
    state: WorkloadState,
    outputs: Mapping[str, HostFolder],
    last_words: Callable[[str], str] = lambda host: "",
) -> str:
    """Why the workload failed, in at most 1024 characters.

    Args:
        state: of a workload that ended without success.
        outputs: ``/opt/ml/output`` of each host, whose file ``failure`` says what went wrong.
        last_words: what a host said last, by its name, for a host that left no such file.
    """
    failed = [host for host in state.hosts if host.exit_code != 0]
    # A host that was only ended because another failed says less than the one that began it.
    failed.sort(key=lambda host: (host.exit_code is None and not host.out_of_memory, host.name))
    for host in failed:
        text = _failure_file(outputs.get(host.name))
        if text.startswith(_CLASSES):
            return text[:LONGEST_REASON]
        if text:
            ending = f", {_how(host)}"
            return f"AlgorithmError: {text}"[: LONGEST_REASON - len(ending)] + ending
    if not failed:
        return "AlgorithmError: "
    ending = f", {_how(failed[0])}"
    text, room = last_words(failed[0].name), LONGEST_REASON - len("AlgorithmError: " + ending)
    if len(text) > room:  # the end of a traceback says what it was
        text = f"...{text[len(text) - room + 3 :]}"
    return f"AlgorithmError: {text}{ending}"


def _failure_file(output: HostFolder | None) -> str:
    if output is None:
        return ""
    try:
        with output.open("failure") as stream:
            return stream.read(4 * LONGEST_REASON).decode("utf-8", "replace").strip()
    except (NoFile, Unreadable):
        return ""


def _how(host: HostResult) -> str:
    if host.out_of_memory:
        return "exit code: 137 (killed because memory ran out; use less data or a larger machine)"
    if host.signal is not None:
        return f"exit code: {128 + host.signal}"
    return f"exit code: {host.exit_code}"
