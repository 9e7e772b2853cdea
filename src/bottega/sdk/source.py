"""The user's code on its way to a job: a script, or a folder with one, as ``sourcedir.tar.gz``."""

from __future__ import annotations

import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bottega.sdk.client import Client
from bottega.sdk.data import DataError

DEFAULT_PROGRAM = "train.py"
INFERENCE_PROGRAM = "inference.py"
LEFT_OUT = frozenset({"__pycache__", ".git", ".ipynb_checkpoints", ".venv"})


@dataclass(frozen=True)
class Source:
    """Code to send: one file, or a folder with the program's path in it."""

    program: str
    path: Path

    @classmethod
    def of(cls, script: Path, source_dir: Path | None) -> Source:
        """Find the program.

        Args:
            script: a Python file; or a folder, whose ``train.py`` is the program.
            source_dir: the folder that is sent with it; the script is looked for there first.

        Raises:
            DataError: the program is not there.
        """
        if source_dir is None:
            if script.is_dir():
                source_dir, script = script, Path(DEFAULT_PROGRAM)
            elif script.is_file():
                return cls(script.name, script)
            else:
                raise DataError(f"the script {script} does not exist")
        if not source_dir.is_dir():
            raise DataError(f"source_dir: the folder {source_dir} does not exist")
        for file in (source_dir / script, script):
            if file.is_file() and file.resolve().is_relative_to(source_dir.resolve()):
                program = file.resolve().relative_to(source_dir.resolve())
                return cls(program.as_posix(), source_dir)
        found = ", ".join(sorted(path.name for path in source_dir.glob("*.py"))) or "no Python file"
        raise DataError(f"the script {script} is not in {source_dir}, which has {found}")

    def upload(self, client: Client, bucket: str, key: str) -> str:
        """Send it; returns the archive's URI."""
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            archive = Path(scratch) / "sourcedir.tar.gz"
            with tarfile.open(archive, "w:gz") as tar:
                name = "." if self.path.is_dir() else self.path.name
                tar.add(self.path, arcname=name, filter=_wanted)
            return client.put_object(bucket, key, archive)


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if Path(member.name).name in LEFT_OUT else member


def serving_program(client: Client, uri: str, trained_with: str) -> str:
    """What serves a model: ``inference.py`` where it lies beside the training script, else that
    one.

    Args:
        uri: the archive with the code.
        trained_with: the training script.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
        archive = Path(scratch) / "sourcedir.tar.gz"
        client.get_object(bucket, key, archive)
        with tarfile.open(archive) as tar:
            names = {member.name.removeprefix("./") for member in tar if member.isfile()}
    return INFERENCE_PROGRAM if INFERENCE_PROGRAM in names else trained_with
