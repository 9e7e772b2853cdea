"""A replay: a folder with everything that a job had, and a notebook that does it again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from bottega.errors import ClientFault
from bottega.sdk.replayed_programs import PythonProgram, python_program

if TYPE_CHECKING:
    from bottega.sdk.client import Client

MOST_BYTES = 5_000_000_000
_AT_ONCE = 8
_FOLDERS = ("code", "model", "output/data", "checkpoints", "input/data")
"""Of a training job."""
_NOTEBOOK = "replay.ipynb"

ReplayedKind = Literal["Training", "Processing"]


@dataclass(frozen=True)
class ReplayFolder:
    """What was made."""

    folder: Path
    notebook: Path
    notes: tuple[str, ...]
    """What is not there any more, or not as it was in the job; sentences."""
    secrets: tuple[str, ...]
    """Variables and hyperparameters whose values are not in the folder."""


def make_replay(
    client: Client,
    job: str,
    folder: str | os.PathLike[str],
    *,
    kind: ReplayedKind = "Training",
    host: str | None = None,
    most_bytes: int = MOST_BYTES,
) -> ReplayFolder:
    """Bring code, data and environment of a job that has ended into a folder.

    Args:
        folder: in which ``replay-<job>`` is made; with a number behind it where that is there.
        kind: what the job is.
        host: whose part is done again; the first one when absent.
        most_bytes: of data; a replay with more is refused.

    Raises:
        ClientFault: there is no such job, it has not ended, or its data are more than that; jobs of
            another kind have no replays.
    """
    if kind not in get_args(ReplayedKind):
        raise ClientFault(f"there are replays of Training and Processing jobs, and none of {kind}")
    request = {f"{kind}JobName": job, **({"HostName": host} if host else {})}
    found = client.call("bottega", f"Describe{kind}JobReplay", request)
    total = sum(channel["TotalBytes"] for channel in found["Channels"])
    if total > most_bytes:
        raise ClientFault(
            f"the data of {job} are {total:,} bytes, and at most {most_bytes:,} are copied; allow "
            "more, with most_bytes or --max-bytes"
        )
    parent = Path(os.fspath(folder)).expanduser().absolute()
    parent.mkdir(parents=True, exist_ok=True)
    from bottega.container.replay import ML_FOLDER

    # A draft beside its place, so that what is there is whole.
    draft = Path(tempfile.mkdtemp(prefix=f".replay-{job}-", dir=parent))
    try:
        notes = [*found["Notes"], *_fill(client, found, draft)]
        program = None
        if kind == "Processing":
            program = python_program(draft / ML_FOLDER, found["Command"])
            notes += program.notes
        target = _free_name(parent, f"replay-{job}")
        _describe(draft, job, found, program)
        explanation = _explanation(client, kind, job)
        text = _notebook(target, job, found, notes, explanation, program)
        (draft / _NOTEBOOK).write_text(text, encoding="utf-8")
        draft.chmod(0o700)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return ReplayFolder(
        target,
        target / _NOTEBOOK,
        tuple(notes),
        (*found["Secrets"], *found["SecretHyperParameters"]),
    )


def _free_name(parent: Path, name: str) -> Path:
    place, number = parent / name, 1
    while place.exists():
        number += 1
        place = parent / f"{name}-{number}"
    return place


def _fill(client: Client, found: Mapping[str, Any], draft: Path) -> list[str]:
    """Write files, data and code; returns what could not be brought, in sentences."""
    from bottega.container.replay import ML_FOLDER

    root = draft / ML_FOLDER
    for part in found.get("Folders", _FOLDERS):
        (root if part == "." else _inside(root, part)).mkdir(parents=True, exist_ok=True)
    for name, text in found["Files"].items():
        file = _inside(root, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    notes = []
    wanted = []
    for channel in found["Channels"]:
        base = _inside(root, channel.get("Folder") or f"input/data/{channel['ChannelName']}")
        base.mkdir(parents=True, exist_ok=True)
        wanted += [(one, _inside(base, one["Path"])) for one in channel["Objects"]]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        notes += [said for said in pool.map(lambda one: _fetch(client, *one), wanted) if said]
    return notes if "Folders" in found else [*notes, *_bring_code(client, found, root)]


def _inside(root: Path, name: str) -> Path:
    """A file below a folder. Raises: ClientFault for a name that leads out of it."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/"):
        raise ClientFault(f"{name!r} leads out of the folder of the replay")
    return root.joinpath(*parts)


def _fetch(client: Client, place: Mapping[str, str], target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.get_object(place["Bucket"], place["Key"], target)
    except ClientFault as error:
        return f"s3://{place['Bucket']}/{place['Key']} could not be brought: {error}"
    return ""


def _bring_code(client: Client, found: Mapping[str, Any], root: Path) -> list[str]:
    from bottega.algorithms.base import CustomerError
    from bottega.container.archives import unpack

    archives = []
    if uri := found.get("CodeUri"):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        archive = root / "input" / "config" / "sourcedir.tar.gz"
        if said := _fetch(client, {"Bucket": bucket, "Key": key}, archive):
            archive.unlink(missing_ok=True)
            return [said]
        archives.append(archive)
    elif (channel := root / "input" / "data" / "code").is_dir():
        archives += sorted(channel.glob("*.tar.gz"))
        ignored = shutil.ignore_patterns("*.tar.gz")
        shutil.copytree(channel, root / "code", dirs_exist_ok=True, ignore=ignored)
    notes = []
    for archive in archives:
        try:
            unpack(archive, root / "code")
        except CustomerError as error:
            notes.append(f"The code could not be unpacked: {error}")
    return notes


def _describe(
    draft: Path, job: str, found: Mapping[str, Any], program: PythonProgram | None
) -> None:
    """Write what ``bottega.container.replay`` reads."""
    from bottega.container.replay import DESCRIPTION

    values = {
        "job": job,
        "image": found["Image"],
        "program": found.get("Program", "") or _only_program(draft, found),
        "command": found.get("Command", []),
        "variables": found["Variables"],
        "secrets": found["Secrets"],
        "secret_hyperparameters": found["SecretHyperParameters"],
    }
    if program is not None:
        values |= {
            "kind": "Processing",
            "program": program.path,
            "arguments": list(program.arguments),
        }
    (draft / DESCRIPTION).write_text(json.dumps(values, indent=2), encoding="utf-8")


def _only_program(draft: Path, found: Mapping[str, Any]) -> str:
    """The script of a channel ``code`` that names none, as the job found it."""
    if "Program" not in found:
        return ""
    names = sorted(path.name for path in (draft / "ml" / "code").glob("*.py"))
    return "train.py" if "train.py" in names or not names else names[0]


def _explanation(client: Client, kind: str, job: str) -> Mapping[str, Any] | None:
    """Why it failed; None for a job that did not."""
    try:
        return client.call("bottega", "ExplainJobFailure", {"JobKind": kind, "JobName": job})
    except ClientFault:
        return None


def _notebook(
    target: Path,
    job: str,
    found: Mapping[str, Any],
    notes: Sequence[str],
    explanation: Mapping[str, Any] | None,
    program: PythonProgram | None,
) -> str:
    """The notebook's text, in format 4."""
    where = "the code is in `ml/code`, the data are copies in `ml/input/data`"
    asks = found.get("Program") is not None and "CodeUri" in found
    if program is not None:
        where = "what it saw below `/opt/ml` are copies in `ml`"
        asks = program.requirements
    script = found.get("Program") or " ".join(found.get("Command", ())) or found["Image"]
    cells = [
        _prose(_introduction(job, script, where, notes, explanation)),
        _code(_entering(target, [*found["Secrets"], *found["SecretHyperParameters"]])),
    ]
    if asks:
        cells.append(_code("replay.install()  # what requirements.txt asks for and is not here"))
    cells += [
        _prose(f"Runs `{script}` as the job did. The names that the script leaves are in `names`."),
        _code("names = replay.run()"),
        _prose(_debugging(explanation)),
        _code("%debug"),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"replay-{number}"
    return json.dumps(
        {
            "cells": cells,
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    )


def _introduction(
    job: str,
    script: str,
    where: str,
    notes: Sequence[str],
    explanation: Mapping[str, Any] | None,
) -> str:
    lines = [f"# Replay of {job}", ""]
    if explanation is not None:
        cause = explanation["Cause"]
        lines += [f"**{cause['Code']}**: {cause['Sentence']}", ""]
        for one in cause["Advice"]:
            lines.append(f"- {one['Text']}")
            if code := one.get("Code"):
                indented = "\n".join(f"  {line}" for line in code.splitlines())
                lines.append(f"\n  ```{one.get('Language', '')}\n{indented}\n  ```\n")
        lines.append("")
    lines += [f"Of `{script}` {where}: change them as you like, and run again."]
    if notes:
        lines += ["", "What is not as it was:", "", *(f"- {note}" for note in notes)]
    return "\n".join(lines)


def _entering(target: Path, secrets: Sequence[str]) -> str:
    lines = ["from bottega.container.replay import Replay", ""]
    if secrets:
        asked = "".join(f"    {name!r}: getpass({name!r}),\n" for name in secrets)
        lines = ["from getpass import getpass", "", *lines]
        entering = f"replay.enter({{\n{asked}}})"
    else:
        entering = "replay.enter()"
    return "\n".join([*lines, f"replay = Replay.of({str(target)!r})", entering])


def _debugging(explanation: Mapping[str, Any] | None) -> str:
    place = (explanation or {}).get("Location")
    at = f" The job failed in line {place['Line']} of `{place['File']}`." if place else ""
    return (
        f"The debugger, where the last error was:{at} `u` and `d` go up and down, `p name` prints, "
        "`q` ends."
    )


def _prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text,
    }
