"""What is known of a failed job: the rules look at this and at nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from bottega.failures.tracebacks import HEADER, Line, Traceback, tracebacks

JobKind = Literal["Training", "Processing", "Transform"]
TAIL_LINES = 5
"""How many last lines of a log may say why a program without a traceback ended."""

_CLASS = re.compile(r"(AlgorithmError|ClientError|InternalServerError): ?")
_EXIT = re.compile(r",? ?exit code: (\d+)(?: \((?P<note>[^()]*)\))?\s*(?:\(.*\))?$", re.DOTALL)
_SCRIPT = re.compile(
    r"(?P<kind>\w+):\nExitCode (?P<code>\d+)\nErrorMessage \"(?P<message>.*?)\"(?:\nCommand \"|$)",
    re.DOTALL,
)
_OUT_OF_MEMORY = "killed because memory ran out"
_LEAST_WORDS = 6
"""Shorter lines are in many texts by chance."""
_KEPT_WORDS = 120
"""Of a long line a reason may have the end only."""


def _nothing() -> Mapping[str, Sequence[str]]:
    return {}


@dataclass(frozen=True)
class Machine:
    """Facts of the machine that a job ran on; None where they are not known."""

    memory: int | None = None
    """Bytes that the machine has."""
    peak_memory: int | None = None
    """The most bytes that a host of the job was seen to use."""


@dataclass(frozen=True)
class Evidence:
    """The words that a cause was found in."""

    text: str
    stream: str = ""
    """The log stream; empty where the words are in the FailureReason."""
    line: int = -1
    """The number of the line in the stream, from 0."""


@dataclass(frozen=True)
class Said:
    """Something that was said about the end of a job."""

    text: str
    evidence: Evidence
    error: Traceback | None = None
    decisive: bool = True
    """Whether it is what ended the job, not only something that came before."""


@dataclass(frozen=True)
class FailedJob:
    """A job that failed, or that was stopped by its own limit."""

    kind: JobKind
    name: str
    reason: str
    """Its FailureReason; empty for one that did not fail."""
    request: Mapping[str, Any]
    """What Describe shows."""
    logs: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    """The last lines of each stream, by the stream's name."""
    time_ran_out: bool = False
    """Whether it was stopped because of its MaxRuntimeInSeconds."""
    machine: Machine = Machine()
    columns: Callable[[], Mapping[str, Sequence[str]]] = _nothing
    """The names of the columns of each channel's first table, where that has names."""
    code_files: Callable[[], Sequence[str]] = tuple
    """The names of the files in the user's code."""

    # -- the request ------------------------------------------------------------------------------

    @property
    def channels(self) -> dict[str, str]:
        """The URI of each input, by the name of the channel."""
        found = {}
        for channel in self.request.get("InputDataConfig", ()):
            source = channel.get("DataSource", {}).get("S3DataSource", {})
            found[str(channel["ChannelName"])] = str(source.get("S3Uri", ""))
        for one in self.request.get("ProcessingInputs", ()):
            found[str(one["InputName"])] = str(one.get("S3Input", {}).get("S3Uri", ""))
        return found

    @property
    def hyperparameters(self) -> dict[str, str]:
        """The user's own, as text and without the quotes of those that were sent as JSON."""
        return {
            name: str(value).strip('"')
            for name, value in self.request.get("HyperParameters", {}).items()
            if not name.startswith(("sagemaker_", "_tuning_"))
        }

    @property
    def script(self) -> str:
        """The user's program; empty for a built-in algorithm."""
        return str(self.request.get("HyperParameters", {}).get("sagemaker_program", "")).strip('"')

    @property
    def isolated(self) -> bool:
        """Whether it was to have no network."""
        config = self.request.get("NetworkConfig", {})
        return bool(
            self.request.get("EnableNetworkIsolation") or config.get("EnableNetworkIsolation")
        )

    @property
    def max_runtime(self) -> int:
        """Its MaxRuntimeInSeconds; 0 where there is none."""
        return int(self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 0))

    @property
    def instance(self) -> str:
        """Its instance type, such as ``ml.m5.large``."""
        resources = self.request.get("ResourceConfig") or self.request.get("TransformResources")
        if resources is None:
            resources = self.request.get("ProcessingResources", {}).get("ClusterConfig", {})
        return str(resources.get("InstanceType", ""))

    # -- the reason -------------------------------------------------------------------------------

    @cached_property
    def reason_class(self) -> str:
        """``AlgorithmError``, ``ClientError`` or ``InternalServerError``; empty for none."""
        found = _CLASS.match(self.reason)
        return found[1] if found else ""

    @cached_property
    def exit_code(self) -> int | None:
        """What the program ended with: 128 and the signal's number where a signal ended it."""
        found = _EXIT.search(self.reason)
        if found is None and (script := _SCRIPT.search(self.reason)) is not None:
            return int(script["code"])
        return int(found[1]) if found else None

    @property
    def signal(self) -> int | None:
        """The signal that ended the program."""
        code = self.exit_code
        return code - 128 if code is not None and 128 < code < 128 + 65 else None

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel killed it for its memory."""
        return _OUT_OF_MEMORY in self.reason

    @cached_property
    def program_error(self) -> str:
        """``ExecuteUserScriptError``, ``InstallRequirementsError`` or ``InstallModuleError``."""
        found = _SCRIPT.search(self.reason)
        return found["kind"] if found else ""

    @cached_property
    def message(self) -> str:
        """What the reason says besides its class and the exit code."""
        if (script := _SCRIPT.search(self.reason)) is not None:
            return script["message"].strip()
        text = self.reason[len(found[0]) :] if (found := _CLASS.match(self.reason)) else self.reason
        return _EXIT.sub("", text).strip()

    # -- what was said ----------------------------------------------------------------------------

    @cached_property
    def _errors(self) -> list[tuple[str, Traceback]]:
        """The last traceback of each stream."""
        found = []
        for stream, lines in self.logs.items():
            if errors := tracebacks(lines):
                found.append((stream, errors[-1]))
        return found

    @cached_property
    def error(self) -> tuple[str, Traceback] | None:
        """The traceback that ended the job and its stream, which is empty where only the reason
        has it.

        A traceback in a log may be of an error that was caught. So it counts where the reason
        names it, or where the reason says nothing and the log ends with it.
        """
        for stream, error in self._errors:
            words = (error.line.text, error.message, *error.following[:3])
            if any(self._names(word.strip()) for word in words):
                return stream, error
        if HEADER in self.reason:
            lines = [Line(-1, text) for text in self.message.splitlines()]
            lines = lines or [Line(-1, text) for text in self.reason.splitlines()]
            if found := tracebacks(lines):
                return "", found[-1]
        if not self.message:
            return next((one for one in self._errors if one[1].last), None)
        return None

    def _names(self, words: str) -> bool:
        """Whether the reason has these words, or the end of them where it was cut."""
        return len(words) >= _LEAST_WORDS and words[-_KEPT_WORDS:] in self.reason

    @cached_property
    def said(self) -> list[Said]:
        """Everything that may name the cause, what counts most first."""
        found: list[Said] = []
        if self.error is not None:
            stream, error = self.error
            found.append(_of_error(stream, error, decisive=True))
            while error.earlier is not None and error.link == "cause":
                error = error.earlier
                found.append(_of_error(stream, error, decisive=False))
            return found
        if self.message:
            found.append(Said(self.message, self.where(self.message.splitlines()[-1])))
        return found

    @cached_property
    def tail(self) -> list[Said]:
        """The last lines of the log that ended the job, the last one first; none where a
        traceback tells."""
        if self.error is not None:
            return []
        found = []
        for stream, lines in self.logs.items():
            full = [line for line in lines if line.text.strip()]
            for line in reversed(full[-TAIL_LINES:]):
                evidence = Evidence(line.text, stream, line.number)
                found.append(Said(line.text, evidence, decisive=False))
        return found

    def where(self, text: str) -> Evidence:
        """The last line of the logs that has a text; the reason where none has it."""
        wanted = text.strip()
        if len(wanted) >= _LEAST_WORDS:
            for stream, lines in self.logs.items():
                for line in reversed(lines):
                    if wanted in line.text:
                        return Evidence(line.text, stream, line.number)
        return Evidence(wanted or self.reason)


def _of_error(stream: str, error: Traceback, *, decisive: bool) -> Said:
    line = error.line
    evidence = Evidence(line.text, stream if line.number >= 0 else "", line.number)
    return Said(error.text, evidence, error, decisive)
