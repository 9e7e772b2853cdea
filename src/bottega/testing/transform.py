"""A studio for tests of batch transform: models made of a few lines, and short calls."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bottega.testing.hosting import HostingStudio, until

LINES = """
import json, os, sys, time

def model_fn(model_dir):
    return None

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    lines = text.split("\\n")
    if not lines[-1]:
        lines.pop()
    return "".join(f"<{line}>\\n" for line in lines), accept
"""
"""A script that answers every line with itself in angle brackets."""


def transform_request(
    name: str,
    model: str,
    source: str,
    target: str,
    *,
    content_type: str = "text/plain",
    accept: str = "",
    split: str = "Line",
    assemble: str = "Line",
    gzip: bool = False,
    instances: int = 1,
    **changes: Any,
) -> dict[str, Any]:
    """A CreateTransformJob request; ``changes`` replace or add top-level members."""
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": content_type,
            "SplitType": split,
            "CompressionType": "Gzip" if gzip else "None",
        },
        "TransformOutput": {"S3OutputPath": target, "AssembleWith": assemble},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": instances},
    }
    if accept:
        request["TransformOutput"]["Accept"] = accept
    return {**request, **changes}


@dataclass(frozen=True)
class TransformStudio:
    """A studio and what tests of batch transform ask of it."""

    hosting: HostingStudio
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, home: Path, **settings: Any) -> Iterator[Self]:
        """A studio at work; in the end, no job is left running."""
        with HostingStudio.opened(home, **settings) as hosting:
            found = cls(hosting)
            hosting.studio.start()
            try:
                yield found
            finally:
                found.stop_all()

    @classmethod
    @contextlib.contextmanager
    def still(cls, home: Path, **settings: Any) -> Iterator[Self]:
        """A studio whose controllers stand still."""
        with HostingStudio.opened(home, **settings) as hosting:
            yield cls(hosting)

    @property
    def studio(self) -> Any:
        return self.hosting.studio

    @property
    def bucket(self) -> str:
        return str(self.studio.ports.config.bucket)

    def call(self, operation: str, **request: Any) -> Any:
        """Call a control-plane operation as the owner."""
        return self.hosting.call(operation, **request)

    def put(self, prefix: str, files: Mapping[str, bytes | str]) -> str:
        """Store objects under a prefix; returns its URI."""
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            self.studio.ports.objects.put(self.bucket, f"{prefix}/{name}", data)
        return f"s3://{self.bucket}/{prefix}/"

    def model(self, name: str, script: str = LINES, **more: Any) -> str:
        """A model made of a script; returns its name."""
        return self.hosting.echo_model(name, script, **more)

    def create(
        self, model: str, files: Mapping[str, bytes | str], name: str = "", **changes: Any
    ) -> str:
        """Create a job over some files; returns its name."""
        name = name or f"job-{next(self._numbers)}"
        source = self.put(f"in/{name}", files)
        target = f"s3://{self.bucket}/out/{name}"
        self.call("CreateTransformJob", **transform_request(name, model, source, target, **changes))
        return name

    def describe(self, name: str) -> Any:
        """DescribeTransformJob."""
        return self.call("DescribeTransformJob", TransformJobName=name)

    def ended(self, name: str) -> Any:
        """Wait until a job has ended; returns its description."""
        until(lambda: self.describe(name)["TransformJobStatus"] not in ("InProgress", "Stopping"))
        return self.describe(name)

    def results(self, name: str) -> dict[str, bytes]:
        """The results of a job: name below S3OutputPath to content."""
        objects, prefix = self.studio.ports.objects, f"out/{name}/"
        found = {}
        for info in objects.each(self.bucket, prefix):
            with objects.open(self.bucket, info.key) as stream:
                found[info.key.removeprefix(prefix)] = stream.read()
        return found

    def run(self, model: str, files: Mapping[str, bytes | str], **changes: Any) -> dict[str, bytes]:
        """Run a job over some files to its good end; returns its results."""
        name = self.create(model, files, **changes)
        job = self.ended(name)
        assert job["TransformJobStatus"] == "Completed", job
        return self.results(name)

    def fail(self, model: str, files: Mapping[str, bytes | str], **changes: Any) -> str:
        """Run a job that fails; returns its FailureReason."""
        job = self.ended(self.create(model, files, **changes))
        assert job["TransformJobStatus"] == "Failed", job
        return str(job["FailureReason"])

    @property
    def work(self) -> Path:
        """The folder with the files of running jobs."""
        return Path(self.studio.ports.config.home) / "work" / "transform"

    def stop_all(self) -> None:
        """Stop every job that runs and wait until nothing of it is left."""
        listed = self.call("ListTransformJobs", StatusEquals="InProgress", MaxResults=100)
        for summary in listed["TransformJobSummaries"]:
            self.call("StopTransformJob", TransformJobName=summary["TransformJobName"])
        until(lambda: not self.work.is_dir() or not any(self.work.iterdir()))
