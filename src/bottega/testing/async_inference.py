"""Asynchronous endpoints in a studio of tests."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bottega.storage import s3_uris
from bottega.storage.objects import ObjectMissing
from bottega.testing.hosting import HostingStudio, until

SCRIPT = """
import json, os, time

def model_fn(model_dir):
    return open(model_dir + "/answer").read()

def transform_fn(model, data, content_type, accept):
    text = data if isinstance(data, str) else bytes(data).decode()
    if text == "raise":
        raise LookupError("no such customer")
    if text == "sleep":
        time.sleep(3)
    if text.startswith("wait for "):
        for _ in range(2000):  # not for ever, as it keeps its server from ending
            if os.path.exists(text.removeprefix("wait for ")):
                break
            time.sleep(0.01)
    return f"{model}: {text}"
"""
"""A script that answers with the request, fails, or takes its time, as the request says."""


@dataclass(frozen=True)
class AsyncStudio:
    """A studio and what tests of asynchronous inference ask of it."""

    hosting: HostingStudio

    @property
    def bucket(self) -> str:
        return self.hosting.studio.ports.config.bucket

    def config(self, name: str, **client: Any) -> dict[str, Any]:
        """An AsyncInferenceConfig whose objects lie under the endpoint's name."""
        topic = "arn:aws:sns:us-east-1:000000000000:"
        return {
            "OutputConfig": {
                "S3OutputPath": f"s3://{self.bucket}/{name}/out/",
                "S3FailurePath": f"s3://{self.bucket}/{name}/failed",
                "NotificationConfig": {
                    "SuccessTopic": f"{topic}well",
                    "ErrorTopic": f"{topic}badly",
                    "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
                },
            },
            "ClientConfig": client or {"MaxConcurrentInvocationsPerInstance": 2},
        }

    def deploy(self, name: str, *, instances: int = 1, **client: Any) -> None:
        """A model, a configuration and an endpoint of one name, in service."""
        self.hosting.echo_model(name, SCRIPT)
        variant = {
            "VariantName": "v0",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": instances,
        }
        self.hosting.call(
            "CreateEndpointConfig",
            EndpointConfigName=name,
            ProductionVariants=[variant],
            AsyncInferenceConfig=self.config(name, **client),
        )
        self.hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        self.hosting.wait(name, "InService")

    def invoke(self, endpoint: str, body: bytes | str | None = None, **more: Any) -> Any:
        """Call InvokeEndpointAsync as the owner."""
        request: dict[str, Any] = {"EndpointName": endpoint, "ContentType": "text/plain", **more}
        if body is not None:
            request["Body"] = body.encode() if isinstance(body, str) else body
        studio = self.hosting.studio
        return studio.registry.call(
            "sagemaker-runtime", "InvokeEndpointAsync", request, studio.owner("sdk")
        )

    def read(self, uri: str) -> bytes | None:
        """An object's bytes; None where there is none."""
        try:
            stream = self.hosting.studio.ports.objects.open(*s3_uris.split(uri))
        except ObjectMissing:
            return None
        with closing(stream):
            return stream.read()

    def answered(self, endpoint: str) -> None:
        """Wait until an endpoint has no backlog."""
        until(lambda: endpoint not in self.hosting.studio.ports.inference_queue.backlogs())

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Every object under a prefix, by key."""
        objects = self.hosting.studio.ports.objects
        keys = [info.key for info in objects.each(self.bucket, prefix)]
        return {key: self.read(f"s3://{self.bucket}/{key}") or b"" for key in keys}
