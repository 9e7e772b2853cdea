"""The packages a user's code asks for: installed for this job alone, and only where they are
missing.

pip resolves against what the interpreter has and says what is missing; only that goes into a folder
of the job. Since the interpreter may have imported other versions already, it is then replaced by a
fresh one (same process, same arguments) that sees the folder first.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bottega.container.failure import ScriptFailed

_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_TAIL = 2000
_INSTALLED = "BOTTEGA_REQUIREMENTS_INSTALLED"
"""Set in the fresh interpreter, so that pip is not asked again."""


def satisfied(requirements: Path) -> bool:
    """Whether this interpreter already has everything the file asks for.

    Lines that are more than ``name[extras] specifiers ; marker`` (options, URLs, other files) count
    as not satisfied: pip then decides.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for line in requirements.read_text(encoding="utf-8").splitlines():
        text = line.partition(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            return False
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        if wanted.url or wanted.extras:
            return False
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            return False
        if not wanted.specifier.contains(version, prereleases=True):
            return False
    return True


def install(requirements: Path, target: Path) -> bool:
    """Install what is missing into a folder; pip's output goes to the log.

    Returns:
        Whether anything was installed; then :func:`restart` has to follow.

    Raises:
        ScriptFailed: pip cannot satisfy the file.
    """
    if _INSTALLED in os.environ:
        return False
    if satisfied(requirements):
        print(f"{requirements.name}: everything is installed already.", flush=True)
        return False
    return install_missing(
        ["-r", requirements.name], target, requirements.parent, "InstallRequirementsError"
    )


def install_project(folder: Path, target: Path) -> bool:
    """Install the package that ``folder`` is the source of; otherwise as ``install``."""
    if _INSTALLED in os.environ:
        return False
    return install_missing([str(folder)], target, folder, "InstallModuleError")


def restart(module: str, packages: Path, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by a fresh interpreter, with ``packages`` first on its path."""
    path = [str(packages), *(entry for entry in sys.path if entry and entry != str(packages))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), _INSTALLED: "1"}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-P", "-u", "-m", module, *arguments], environment)


def install_missing(
    what: Sequence[str],
    target: Path,
    folder: Path | None = None,
    kind: str = "InstallRequirementsError",
) -> bool:
    """Install what pip finds missing of its arguments, such as ``["-r", "requirements.txt"]``.

    Args:
        target: where it goes.
        folder: where pip runs; None for the present one.
        kind: of the failure.

    Returns:
        Whether anything was missing.

    Raises:
        ScriptFailed: pip cannot do it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = ["install", "--dry-run", "--quiet", "--report", str(report), *what]
        _pip(command, folder, f"pip install {' '.join(what)}", kind)
        found = json.loads(report.read_text())["install"]
    if not found:
        return False
    names = ", ".join(f"{item['metadata']['name']} {item['metadata']['version']}" for item in found)
    print(f"Installing {names}", flush=True)
    sources = [source_of(item) for item in found]
    command = ["install", "--no-deps", "--root-user-action", "ignore", "--no-warn-script-location"]
    # Into a folder of its own: pip replaces whole folders of a target that has something already,
    # those that packages share too.
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as fresh:
        _pip(
            [*command, "--target", fresh, *sources],
            folder,
            f"pip install {' '.join(what)}",
            kind,
        )
        for item in found:
            _remove(item["metadata"]["name"], target)
        shutil.copytree(fresh, target, dirs_exist_ok=True)
    return True


def source_of(item: Mapping[str, Any]) -> str:
    """What an entry of pip's report is installed from, as an argument of pip."""
    info = item["download_info"]
    url = str(info["url"])
    if (vcs := info.get("vcs_info")) is not None:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if subdirectory := info.get("subdirectory"):
        return f"{item['metadata']['name']} @ {url}#subdirectory={subdirectory}"
    return f"{item['metadata']['name']} @ {url}" if vcs is not None else url


def _remove(name: str, target: Path) -> None:
    """Remove an earlier version of a package that was installed into the folder."""
    for found in importlib.metadata.distributions(name=name, path=[str(target)]):
        for file in found.files or ():
            path = Path(os.path.normpath(target / file))
            if path.is_relative_to(target):
                path.unlink(missing_ok=True)


def _pip(command: list[str], folder: Path | None, shown: str, kind: str) -> None:
    """Run pip with its output in the log; the end of it goes into the failure."""
    with subprocess.Popen(
        [sys.executable, *_PIP, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said = (said + line)[-_TAIL:]
        code = process.wait()
    if code:
        errors = [line for line in said.splitlines() if line.lower().startswith("error:")]
        message = "\n".join(errors or said.strip().splitlines()[-3:])
        raise ScriptFailed(kind, max(code, 1), message, shown)
