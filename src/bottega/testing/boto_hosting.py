"""Endpoints of a daemon of tests, through boto3 alone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import aiohttp

from bottega.credentials import Credentials
from bottega.sdk.signing import signed_headers
from bottega.testing.daemon import TestDaemon, eventually
from bottega.testing.hosting import ECHO, archive

_INSTANCES: Mapping[str, Any] = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


class BotoHosting:
    """What a client of AWS does with endpoints, in short calls."""

    def __init__(self, daemon: TestDaemon) -> None:
        self.daemon = daemon

    @cached_property
    def sagemaker(self) -> Any:
        return self.daemon.client("sagemaker")

    @cached_property
    def runtime(self) -> Any:
        return self.daemon.client("sagemaker-runtime")

    @cached_property
    def s3(self) -> Any:
        return self.daemon.client("s3")

    @cached_property
    def cloudwatch(self) -> Any:
        return self.daemon.client("cloudwatch")

    @cached_property
    def logs(self) -> Any:
        return self.daemon.client("logs")

    @property
    def bucket(self) -> str:
        return self.daemon.config.bucket

    def put(self, key: str, files: Mapping[str, bytes | str]) -> str:
        """Store a model archive; returns its URI."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=archive(files))
        return f"s3://{self.bucket}/{key}"

    def model(self, name: str, **more: Any) -> str:
        """A model; returns its name.

        Args:
            more: members of CreateModel: ``PrimaryContainer``, or ``Containers``.
        """
        role = self.daemon.environment()["BOTTEGA_ROLE_ARN"]
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, **more)
        return name

    def script(self, name: str, source: str = ECHO, **environment: str) -> str:
        """A model served by a script, beside a file ``answer`` with its name; returns its name."""
        uri = self.put(f"{name}.tar.gz", {"answer": name, "code/inference.py": source})
        container = {"Image": "python", "ModelDataUrl": uri, "Environment": environment}
        return self.model(name, PrimaryContainer=container)

    def config(self, name: str, *variants: Mapping[str, Any], **more: Any) -> str:
        """An endpoint configuration; returns its name.

        Args:
            variants: each gets one instance, where it does not say otherwise.
            more: members of CreateEndpointConfig.
        """
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                dict(one) if "ServerlessConfig" in one else {**_INSTANCES, **one}
                for one in variants
            ],
            **more,
        )
        return name

    def endpoint(self, name: str, *variants: Mapping[str, Any], **more: Any) -> str:
        """An endpoint and its configuration of the same name, in service."""
        self.config(name, *variants, **more)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.settled(name)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        """Wait until the endpoint is in service; returns its description.

        Raises:
            AssertionError: it failed.
        """

        def status() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return found if found["EndpointStatus"] in ("InService", "Failed") else None

        found: dict[str, Any] = eventually(status, f"endpoint {name} has settled")
        assert found["EndpointStatus"] == "InService", found
        return found

    def instances(self, endpoint: str) -> int:
        """How many instances the first variant has now."""
        found = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return int(found["ProductionVariants"][0].get("CurrentInstanceCount", 0))

    def invoke(self, endpoint: str, body: bytes | str = b"x", **more: Any) -> bytes:
        """Call InvokeEndpoint; returns the answer's body."""
        request = {"ContentType": "text/plain", **more}
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **request)
        return bytes(answer["Body"].read())

    def log(self, endpoint: str) -> str:
        """What the model servers of an endpoint wrote."""
        logs, group = self.logs, f"/aws/sagemaker/Endpoints/{endpoint}"
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        return "\n".join(
            event["message"]
            for stream in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        )

    def keys(self, prefix: str) -> list[str]:
        """Objects of the default bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def read(self, key: str) -> bytes:
        """An object of the default bucket."""
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    @contextlib.contextmanager
    def under_load(
        self, endpoint: str, *, callers: int = 4, pause: float = 0.0
    ) -> Iterator[list[tuple[int, str, str]]]:
        """Invoke an endpoint all the time, each caller as soon as it has an answer.

        Args:
            pause: seconds between the requests of one caller.

        Yields:
            What came back so far: status, variant and body.
        """
        found: list[tuple[int, str, str]] = []
        over = threading.Event()
        url = f"{self.daemon.url}/endpoints/{endpoint}/invocations"
        config = self.daemon.config
        keys = Credentials.load(config)

        def headers() -> dict[str, str]:
            plain = {"Content-Type": "text/plain"}
            return signed_headers(
                keys, "POST", url, plain, b"x", scope="sagemaker", region=config.region
            )

        async def caller(session: aiohttp.ClientSession) -> None:
            while not over.is_set():
                async with session.post(url, data=b"x", headers=headers()) as answer:
                    text = await answer.text()
                    variant = answer.headers.get("x-amzn-invoked-production-variant", "")
                    found.append((answer.status, variant, text))
                await asyncio.sleep(pause)

        async def run() -> None:
            async with aiohttp.ClientSession() as session:
                await asyncio.gather(*(caller(session) for _ in range(callers)))

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()
