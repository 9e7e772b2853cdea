"""Runs the ContainerEntrypoint of a training job, with its pipes fed and a ``pip`` that installs:
``python -m bottega.container.entrypoint PROGRAM ARGUMENT...``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from bottega.container import pip_command, pipes
from bottega.container.debugging import children, session
from bottega.container.environment import ConfigurationMissing, TrainingEnvironment
from bottega.container.failure import write_failure
from bottega.container.paths import ContainerPaths

_CANNOT_RUN = 126
_NOT_FOUND = 127
"""As a shell says it."""


def main(command: Sequence[str]) -> int:
    """Start the feeder and become the program; an exit code when it cannot be run."""
    try:
        pipes.start(TrainingEnvironment.read())
    except ConfigurationMissing as error:
        print(error, file=sys.stderr, flush=True)
        write_failure(ContainerPaths.of().failure, f"InternalServerError: {error}")
        return 1
    pip_command.offer(ContainerPaths.of())
    if session.wanted(ContainerPaths.of()):
        children.offer()
    return become(command)


def become(command: Sequence[str]) -> int:
    """Run a program in the place of this process; an exit code when it cannot be run."""
    # Python ignores SIGPIPE for itself, and an ignored signal stays ignored in a new program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvp(command[0], list(command))
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        reason = os.strerror(error.errno or 0)
        print(f"bottega: cannot run {command[0]!r}: {reason}", file=sys.stderr, flush=True)
        return _NOT_FOUND if missing else _CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
