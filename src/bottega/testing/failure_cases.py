"""Small trainings that really fail, and what is to be said of each.

A folder has ``case.toml``, the script's folder ``code`` where there is one, and the files of each
channel in ``channels/<name>``.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottega.failures.job import FailedJob
from bottega.failures.tracebacks import Line
from bottega.testing.requests import SKLEARN_IMAGE, XGBOOST_IMAGE, channel, training_job


@dataclass(frozen=True)
class FailureCase:
    """One training that fails."""

    folder: Path
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def job(self) -> str:
        """The name of its training job."""
        return self.name.replace("_", "-")

    @property
    def cause(self) -> str:
        return str(self.settings["cause"])

    def code(self) -> bytes:
        """Its ``sourcedir.tar.gz``."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for path in sorted((self.folder / "code").rglob("*")):
                if path.is_file() and path.suffix != ".pyc":
                    tar.add(path, str(path.relative_to(self.folder / "code")))
        return buffer.getvalue()

    def channels(self) -> dict[str, dict[str, bytes]]:
        """The files of each channel, by name."""
        root = self.folder / "channels"
        return {
            folder.name: {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
            for folder in (sorted(root.iterdir()) if root.is_dir() else ())
        }

    def objects(self) -> dict[str, bytes]:
        """What has to be in the bucket, by key."""
        found = {
            f"failures/{self.name}/{name}/{file}": body
            for name, files in self.channels().items()
            for file, body in files.items()
        }
        if (self.folder / "code").is_dir():
            found[f"failures/{self.name}/sourcedir.tar.gz"] = self.code()
        return found

    def request(self, bucket: str, role: str) -> dict[str, Any]:
        """Its CreateTrainingJob request."""
        settings = self.settings
        prefix = f"s3://{bucket}/failures/{self.name}"
        values = dict(settings.get("hyperparameters", {}))
        if "image" not in settings:
            values["sagemaker_program"] = settings.get("program", "train.py")
            values["sagemaker_submit_directory"] = f"{prefix}/sourcedir.tar.gz"
        limit = settings.get("max_runtime", 600)
        channels = [
            channel(name, f"{prefix}/{name}/", settings.get("content_type", ""))
            for name in self.channels()
        ]
        return training_job(
            self.job,
            bucket,
            role,
            XGBOOST_IMAGE if settings.get("image") == "xgboost" else SKLEARN_IMAGE,
            HyperParameters=values,
            **({"InputDataConfig": channels} if channels else {}),
            StoppingCondition={"MaxRuntimeInSeconds": limit},
            Environment={"DATA_BUCKET": bucket},
        )

    def check(self, answer: Mapping[str, Any]) -> None:
        """Compare an answer of ExplainJobFailure with what is to be said."""
        cause, settings = answer["Cause"], self.settings
        told = json.dumps(cause, indent=1)
        assert cause["Code"] == self.cause, told
        assert answer["Known"] is (self.cause != "Unknown")
        expected = settings.get("confidence", "likely" if self.cause == "Unknown" else "certain")
        assert cause["Confidence"] == expected, told
        assert settings["evidence"] in cause["Evidence"]["Text"], told
        for words in settings["sentence"]:
            assert words in cause["Sentence"], told
        advice = "\n".join(f"{one['Text']}\n{one.get('Code', '')}" for one in cause["Advice"])
        for words in settings["advice"]:
            assert words in advice, told


def failure_cases(root: Path) -> list[FailureCase]:
    """The cases of a folder, by name."""
    return [
        FailureCase(file.parent, tomllib.loads(file.read_text(encoding="utf-8")))
        for file in sorted(root.glob("*/case.toml"))
    ]


CAPTURED = "captured.json"
_INSTALLED = re.compile(r'"[^"]*?/(?=(?:site-packages|lib/python3\.\d+)/)')
_PYTHON = re.compile(r"(?:/[\w.-]+)+/(?=python[\d.]*(?:[\s\"]|$))")


def capture(case: FailureCase, reason: str, lines: Sequence[str]) -> None:
    """Keep what a training left, without the places of one machine."""
    found = {"FailureReason": _anywhere(reason), "Log": [_anywhere(line) for line in lines]}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (case.folder / CAPTURED).write_text(f"{text}\n", encoding="utf-8")


def _anywhere(text: str) -> str:
    return _PYTHON.sub("/usr/bin/", _INSTALLED.sub('"/usr/', text))


def captured_job(case: FailureCase) -> FailedJob:
    """The failed job of a case as it was when it was captured."""
    found = json.loads((case.folder / CAPTURED).read_text(encoding="utf-8"))
    stream = f"{case.job}/algo-1-1"
    lines = [Line(number, text) for number, text in enumerate(found["Log"])]
    channels = {
        name: next(iter(files.values())).decode().partition("\n")[0].split(",")
        for name, files in case.channels().items()
    }
    code = case.folder / "code"
    return FailedJob(
        kind="Training",
        name=case.job,
        reason=found["FailureReason"],
        request=case.request("bucket", "arn:aws:iam::000000000000:role/role"),
        logs={stream: lines},
        time_ran_out=case.cause == "Timeout",
        columns=lambda: channels,
        code_files=lambda: sorted(
            path.relative_to(code).as_posix() for path in code.rglob("*") if path.is_file()
        ),
    )
