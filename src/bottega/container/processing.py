"""Runs the program of a processing job: ``python -m bottega.container.processing PROGRAM
ARGUMENT...``.

The program expects its files under ``/opt/ml``. Where that cannot be the job's own, the paths in
its command are led to the folder that ``BOTTEGA_ML_ROOT`` names; paths inside the program are its
own affair.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bottega.container import pip_command
from bottega.container.entrypoint import become
from bottega.container.paths import ContainerPaths

_ML_ROOT = "/opt/ml/"


def main(command: Sequence[str]) -> int:
    """Become the program. Returns an exit code when it cannot be run."""
    paths = ContainerPaths.of()
    pip_command.offer(paths)
    root = paths.root
    if root == Path(_ML_ROOT):
        return become(command)
    return become(
        [
            f"{root}/{part.removeprefix(_ML_ROOT)}" if part.startswith(_ML_ROOT) else part
            for part in command
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
