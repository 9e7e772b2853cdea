"""``pip`` as a program in a job finds it: ``python -m bottega.container.pip_command ARGUMENT...``.

Images of SageMaker let a program install packages. Here the interpreter and its packages are
read-only, so ``pip install`` brings only what is missing, into the job's own folder, which its
Python processes look through first. Everything else is left to pip.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from bottega.container import pip_shadow
from bottega.container.failure import ScriptFailed
from bottega.container.paths import ContainerPaths
from bottega.container.requirements import install_missing

_SHADOW = os.path.dirname(pip_shadow.__file__)
"""First on ``PYTHONPATH``, so that ``python -m pip`` is this module, too."""
_ELSEWHERE = (
    *("-t", "--target", "--prefix", "--root", "--user", "-e", "--editable"),
    *("--dry-run", "-h", "--help"),
)
"""With one of these, ``pip install`` does something else than installing into the job's folder."""


def offer(paths: ContainerPaths) -> None:
    """Have ``pip`` and ``python -m pip`` be this module for every program started from here, and
    what they install where Python looks first."""
    own = paths.packages
    for folder in (paths.programs, own):
        folder.mkdir(parents=True, exist_ok=True)
    command = f"{shlex.quote(sys.executable)} -P -m bottega.container.pip_command"
    for name in ("pip", "pip3"):
        shim = paths.programs / name
        shim.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        shim.chmod(0o755)
    path, entries = os.environ.get("PATH", os.defpath), _python_path()
    if str(own) not in entries:
        entries.insert(0, str(own))
    os.environ.update(
        {
            "PATH": os.pathsep.join([str(paths.programs), f"{own}/bin", path]),
            "PYTHONPATH": os.pathsep.join([_SHADOW, *entries]),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
    )


def _python_path() -> list[str]:
    """The entries of ``PYTHONPATH`` that are not the shadow."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [entry for entry in entries if entry and entry != _SHADOW]


def main(arguments: Sequence[str]) -> int:
    """Do what pip was asked to; returns its exit code."""
    # What is started from here, the builds of packages too, is to find pip itself.
    os.environ["PYTHONPATH"] = os.pathsep.join(_python_path())
    paths = ContainerPaths.of()
    named = next((n for n, word in enumerate(arguments) if not word.startswith("-")), 0)
    wanted = [argument.partition("=")[0] for argument in arguments]
    if wanted[named : named + 1] != ["install"] or any(one in wanted for one in _ELSEWHERE):
        return subprocess.call([sys.executable, "-m", "pip", *arguments])
    try:
        rest = [*arguments[:named], *arguments[named + 1 :]]  # pip takes its own options there, too
        if not install_missing(rest, paths.packages):
            print("Everything that is asked for is installed already.", flush=True)
    except ScriptFailed as failed:
        return failed.exit_code  # pip has said why
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
