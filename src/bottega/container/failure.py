"""What a failed job leaves behind: the traceback in the log and the failure file.

The first 1024 characters of ``/opt/ml/output/failure`` become the job's FailureReason. A file that
begins with ``ClientError: ``, ``AlgorithmError: `` or ``InternalServerError: `` is taken as it is;
to any other the platform prepends ``AlgorithmError: `` and appends the exit code.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

# What is left of 1024 characters beside "AlgorithmError: " and ", exit code: 255".
LIMIT = 990
_COMMAND_LIMIT = 160
_MESSAGE_LIMIT = 400
_PACKAGE = str(Path(__file__).resolve().parents[1])


class ScriptFailed(Exception):
    """A program of the user, or one run for it, ended badly.

    Attributes:
        kind: ``ExecuteUserScriptError``, ``InstallRequirementsError`` or ``InstallModuleError``.
        exit_code: what the job ends with; never 0.
        message: the last thing it said.
        command: what was run.
        detail: the traceback or the last lines of its output.
    """

    def __init__(
        self, kind: str, exit_code: int, message: str, command: str, detail: str = ""
    ) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.exit_code = exit_code
        self.message = message
        self.command = command
        self.detail = detail

    def report(self) -> str:
        """The failure file: the facts, then as much of the end of the detail as fits."""
        head = (
            f"{self.kind}:\nExitCode {self.exit_code}\n"
            f'ErrorMessage "{_end(self.message, _MESSAGE_LIMIT)}"\n'
            f'Command "{_start(self.command, _COMMAND_LIMIT)}"'
        )
        room = LIMIT - len(head) - 2
        if not self.detail.strip() or room < 80:
            return head
        return f"{head}\n\n{_end(self.detail.strip(), room)}"


def write_failure(path: Path, text: str) -> None:
    """Leave the failure file, unless there is one: a script may have written its own."""
    if path.exists() and path.stat().st_size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8", errors="replace")
    temporary.replace(path)


def user_traceback(error: BaseException) -> str:
    """The traceback as the user's own interpreter would print it, without bottega's frames."""
    return "".join(traceback.format_exception(strip_frames(error))).rstrip() + "\n"


def last_words(error: BaseException) -> str:
    """The exception without its traceback, such as ``ValueError: no rows``."""
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]


def strip_frames(error: BaseException) -> BaseException:
    """Cut bottega's own frames off the outer end of a traceback, and return the exception."""
    for linked in _chain(error):
        frame = linked.__traceback__
        while frame is not None and _ours(frame.tb_frame.f_code.co_filename):
            frame = frame.tb_next
        linked.__traceback__ = frame
    return error


def print_traceback(error: BaseException) -> None:
    """Print the user's traceback to the log."""
    sys.stdout.flush()
    print(user_traceback(error), end="", file=sys.stderr, flush=True)


def _ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, "<frozen runpy", "<frozen importlib"))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [current.__cause__, current.__context__]


def _start(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _end(text: str, limit: int) -> str:
    return text if len(text) <= limit else "..." + text[-(limit - 3) :]
