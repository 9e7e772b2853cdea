"""Which Python script the command of a processing job runs, so that a debugger can stand in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bottega.algorithms.base import CustomerError

_ML_ROOT = "/opt/ml/"
_PYTHON = re.compile(r"python[\d.]*")
_SHELL = re.compile(r"(?:ba)?sh")
_CHANGED = re.compile(r"^cd\s+(/opt/ml/\S+)\s*$", re.MULTILINE)
_UNPACKED = re.compile(r"^tar\s+-xzf\s+(\S+)\s*$", re.MULTILINE)
_CALLED = re.compile(r'^python[\d.]*\s+(\S+\.py)\s+"\$@"\s*$', re.MULTILINE)


@dataclass(frozen=True)
class PythonProgram:
    """A script, as far as there is one.

    Attributes:
        path: below the ML root; empty where the command runs no Python script that is known.
        arguments: the script's, with paths as the job had them.
        requirements: whether there is a ``requirements.txt`` beside it, for its replay to install.
        notes: sentences for the user.
    """

    path: str = ""
    arguments: tuple[str, ...] = ()
    requirements: bool = False
    notes: tuple[str, ...] = ()


def python_program(root: Path, command: Sequence[str]) -> PythonProgram:
    """The script that a command runs: itself, or by the shell script of a FrameworkProcessor, whose
    archive is unpacked then, as that shell script does it.

    Args:
        root: what stands for ``/opt/ml``; the job's inputs are there.
        command: as the job had it.
    """
    name, rest = PurePosixPath(command[0]).name, list(command[1:])
    while rest and rest[0] == "-u":
        rest.pop(0)
    if not rest:
        return PythonProgram()
    script, arguments = rest[0], tuple(rest[1:])
    if _PYTHON.fullmatch(name) and script.endswith(".py"):
        path = _below(script)
        return PythonProgram(path, arguments) if (root / path).is_file() else PythonProgram()
    if _SHELL.fullmatch(name) and (file := root / _below(script)).is_file():
        return _behind(root, file, arguments)
    return PythonProgram()


def _behind(root: Path, file: Path, arguments: tuple[str, ...]) -> PythonProgram:
    from bottega.container.archives import unpack

    text = file.read_text(encoding="utf-8", errors="replace")
    changed, called = _CHANGED.search(text), _CALLED.search(text)
    if changed is None or called is None:
        note = (
            f"Paths below /opt/ml that are written out in {file.name} are those of the job, and "
            "lead nowhere here; change them."
        )
        return PythonProgram(notes=(note,) if _ML_ROOT in text else ())
    folder = root / _below(changed[1].rstrip("/"))
    archive = _UNPACKED.search(text)
    if archive is not None and (packed := folder / archive[1]).is_file():
        try:
            unpack(packed, folder)
        except CustomerError as error:
            return PythonProgram(notes=(f"The code could not be unpacked: {error}",))
    script = folder / called[1]
    if not script.resolve().is_relative_to(root.resolve()) or not script.is_file():
        return PythonProgram(notes=(f"The script {called[1]} is not there.",))
    return PythonProgram(
        script.relative_to(root).as_posix(),
        arguments,
        requirements=(script.parent / "requirements.txt").is_file(),
    )


def _below(path: str) -> str:
    """A path of the job as one below its ML root; an empty one for a path elsewhere."""
    parts = PurePosixPath(path.removeprefix(_ML_ROOT)).parts
    inside = path.startswith(_ML_ROOT) and ".." not in parts
    return PurePosixPath(*parts).as_posix() if inside else ""
