"""``POST /bottega/deployments``: put the model of a job, a run or a version behind an endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler

if TYPE_CHECKING:
    from bottega.sdk.model_version import ModelVersion
    from bottega.sdk.session import Session
    from bottega.sdk.tracked_run import Run
    from bottega.sdk.training_job import TrainingJob

DEFAULT_INSTANCE = "ml.m5.large"
MOST_INSTANCES = 100
MEMORY_MB = 2048
"""Of a serverless model server."""
MOST_CONCURRENCY = 200


class DeploymentHandler(BottegaHandler):
    """Model, configuration and endpoint in one go."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"endpoint"}`` as soon as it is being created."""
        fields = self.read_fields(
            *("job", "run", "version", "name", "instance_type", "instance_count"),
            *("serverless_concurrency", "asynchronous", "capture_percent"),
        )
        kind = fields.one_of("job", "run", "version")
        what = fields.text(kind)
        settings = {
            "name": fields.text("name"),
            "instance_type": fields.optional_text("instance_type") or DEFAULT_INSTANCE,
            "instance_count": fields.number("instance_count", 1, most=MOST_INSTANCES),
        }
        if concurrency := fields.number("serverless_concurrency", 0, most=MOST_CONCURRENCY):
            settings["serverless"] = {
                "MemorySizeInMB": MEMORY_MB,
                "MaxConcurrency": concurrency,
            }
        # Answers and captured data go into the default bucket.
        percent = fields.number("capture_percent", 0, most=100)
        asynchronous = fields.flag("asynchronous")
        endpoint = await self.bottega.in_session(
            self.person,
            lambda session: _deploy(
                session, kind, what, settings | _places(session, settings, asynchronous, percent)
            ),
        )
        await self.finish(json.dumps({"endpoint": endpoint}))


def _places(
    session: Session, settings: dict[str, Any], asynchronous: bool, percent: int
) -> dict[str, Any]:
    """Where answers and captured data are kept, as far as there shall be any."""
    folder = f"s3://{session.config.bucket}/{settings['name']}"
    found: dict[str, Any] = {}
    if asynchronous:
        found["asynchronous"] = {
            "OutputConfig": {
                "S3OutputPath": f"{folder}/async/answers",
                "S3FailurePath": f"{folder}/async/failures",
            }
        }
    if percent:
        found["capture"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": f"{folder}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json", "application/jsonlines"],
            },
        }
    return found


def _deploy(session: Session, kind: str, what: str, settings: dict[str, Any]) -> str:
    found: Mapping[str, Callable[[str], TrainingJob | Run | ModelVersion]] = {
        "job": session.job,
        "run": session.run,
        "version": session.model_version,
    }
    return found[kind](what).deploy(**settings, wait=False).name


routes = [(r"/bottega/deployments", DeploymentHandler)]
