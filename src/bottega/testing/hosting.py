"""A studio for tests of hosting: real ports, models made of a few lines, and short calls."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bottega.config import Config
from bottega.errors import BottegaError, ValidationException
from bottega.serving.router import router_of
from bottega.studio import Studio

ECHO = """
def model_fn(model_dir):
    return open(model_dir + "/answer").read()

def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()

def predict_fn(data, model):
    if data == "raise":
        raise LookupError("no such customer")
    if data == "die":
        import os
        os._exit(9)
    return f"{model}: {data}"

def output_fn(prediction, accept):
    return prediction
"""
"""A script whose predictions name the model they come from."""


def archive(files: Mapping[str, bytes | str]) -> bytes:
    """A tar.gz of the given files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


@dataclass(frozen=True)
class HostingStudio:
    """A studio and what tests of hosting ask of it."""

    studio: Studio

    @classmethod
    @contextlib.contextmanager
    def opened(cls, home: Path, **settings: Any) -> Iterator[Self]:
        """Open a home without starting the controllers."""
        config = Config.load(home, environment={}, **{"tracking": False, **settings})
        studio = Studio.open(config)
        try:
            yield cls(studio)
        finally:
            studio.close()
            studio.endpoints.close()

    def call(self, operation: str, **request: Any) -> Any:
        """Call a control-plane operation as the owner."""
        return self.studio.registry.call("sagemaker", operation, request, self.studio.owner("sdk"))

    def ask(self, operation: str, **request: Any) -> Any:
        """Call an operation that AWS does not have, as the owner."""
        return self.studio.registry.call("bottega", operation, request, self.studio.owner("sdk"))

    def invoke(self, endpoint: str, body: bytes | str, **more: Any) -> Any:
        """Call InvokeEndpoint as the owner."""
        (answer,) = self.invoke_together(endpoint, [body], **more)
        return answer

    def invoke_together(
        self, endpoint: str, bodies: Sequence[bytes | str], **more: Any
    ) -> list[Any]:
        """Call InvokeEndpoint for each body, all at the same time."""
        context = self.studio.owner("sdk")
        requests = [
            {
                "EndpointName": endpoint,
                "Body": body.encode() if isinstance(body, str) else body,
                "ContentType": "text/plain",
                **more,
            }
            for body in bodies
        ]

        async def call() -> list[Any]:
            invoke = self.studio.registry.call_async
            try:
                return await asyncio.gather(
                    *(invoke("sagemaker-runtime", "InvokeEndpoint", r, context) for r in requests)
                )
            finally:
                router_of(self.studio.ports.routes).close()
                await asyncio.sleep(0)  # for the connections to be closed

        return asyncio.run(call())

    @contextlib.contextmanager
    def under_load(
        self, endpoint: str, callers: int = 4, component: str = ""
    ) -> Iterator[list[Any]]:
        """Invoke an endpoint, or an inference component on it, all the time, each caller as soon as
        it has an answer.

        Yields:
            What came back so far: the bodies, and the exceptions of what failed. Meanwhile nothing
            else may invoke.
        """
        found: list[Any] = []
        over = threading.Event()
        context = self.studio.owner("sdk")
        request = {"EndpointName": endpoint, "Body": b"x", "ContentType": "text/plain"}
        if component:
            request["InferenceComponentName"] = component

        async def caller() -> None:
            while not over.is_set():
                try:
                    answer = await self.studio.registry.call_async(
                        "sagemaker-runtime", "InvokeEndpoint", request, context
                    )
                    found.append(answer["Body"])
                except BottegaError as error:
                    found.append(error)
                await asyncio.sleep(0.002)  # the machine has other things to do as well

        async def call() -> None:
            try:
                await asyncio.gather(*(caller() for _ in range(callers)))
            finally:
                router_of(self.studio.ports.routes).close()
                await asyncio.sleep(0)

        thread = threading.Thread(target=asyncio.run, args=(call(),))
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()

    def alarm(self, name: str, state: str = "OK") -> str:
        """An alarm in a state, which it keeps, as its metric has no data; returns its name."""
        registry, context = self.studio.registry, self.studio.owner("sdk")
        alarm = {
            "AlarmName": name,
            "Namespace": "Tests",
            "MetricName": name,
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore",
        }
        registry.call("cloudwatch", "PutMetricAlarm", alarm, context)
        forced = {"AlarmName": name, "StateValue": state, "StateReason": "a test says so"}
        registry.call("cloudwatch", "SetAlarmState", forced, context)
        return name

    def put_model(self, key: str, files: Mapping[str, bytes | str]) -> str:
        """Store a model archive; returns its URI."""
        config = self.studio.ports.config
        self.studio.ports.objects.put(config.bucket, key, archive(files))
        return f"s3://{config.bucket}/{key}"

    def echo_model(self, name: str, script: str = ECHO, answer: str = "", **more: Any) -> str:
        """A model that answers with its own name and the request; returns its name."""
        uri = self.put_model(
            f"{name}.tar.gz", {"answer": answer or name, "code/inference.py": script}
        )
        container = {"Image": "python", "ModelDataUrl": uri, **more}
        self.call("CreateModel", ModelName=name, PrimaryContainer=container)
        return name

    def config(self, name: str, *models: str, instances: int = 1, **more: Any) -> str:
        """An endpoint configuration with one variant a model; returns its name."""
        variants = [
            {
                "VariantName": f"v{index}",
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": instances,
                **more,
            }
            for index, model in enumerate(models)
        ]
        self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=variants)
        return name

    def deploy(self, name: str, **more: Any) -> Any:
        """A model, a configuration and an endpoint of one name, in service."""
        self.config(name, self.echo_model(name), **more)
        self.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        return self.wait(name, "InService")

    def describe(self, endpoint: str) -> Any:
        """DescribeEndpoint."""
        return self.call("DescribeEndpoint", EndpointName=endpoint)

    def wait(self, endpoint: str, status: str) -> Any:
        """Wait until the endpoint has a status; returns its description.

        Raises:
            AssertionError: it got another settled status.
        """
        until(lambda: self.describe(endpoint)["EndpointStatus"] not in _MOVING - {status})
        found = self.describe(endpoint)
        assert found["EndpointStatus"] == status, found
        return found

    def gone(self, endpoint: str) -> bool:
        """Whether there is no such endpoint."""
        try:
            self.describe(endpoint)
        except ValidationException:
            return True
        return False

    def delete(self, endpoint: str) -> None:
        """Delete an endpoint and wait until it is gone."""
        self.call("DeleteEndpoint", EndpointName=endpoint)
        until(lambda: self.gone(endpoint))

    def delete_all(self) -> None:
        """Delete every endpoint, and the inference components on them."""
        listed = self.call("ListInferenceComponents", MaxResults=100)["InferenceComponents"]
        for component in listed:
            name = component["InferenceComponentName"]
            until(lambda: self._settled(name))  # noqa: B023
            self.call("DeleteInferenceComponent", InferenceComponentName=name)
        until(lambda: not self.call("ListInferenceComponents")["InferenceComponents"])
        endpoints = self.call("ListEndpoints", MaxResults=100)["Endpoints"]
        for endpoint in endpoints:
            until(lambda: self.describe(endpoint["EndpointName"])["EndpointStatus"] not in _MOVING)  # noqa: B023
            self.delete(endpoint["EndpointName"])

    def _settled(self, component: str) -> bool:
        request = {"InferenceComponentName": component}
        status = self.call("DescribeInferenceComponent", **request)["InferenceComponentStatus"]
        return status not in _MOVING

    @property
    def work(self) -> list[Path]:
        """Every file and folder that endpoints have in the home."""
        root = self.studio.ports.config.home / "work" / "endpoints"
        found = [  # a walk passes over what is removed meanwhile
            Path(folder, name)
            for folder, folders, files in os.walk(root)
            for name in (*folders, *files)
        ]
        return sorted(found)


_MOVING = {"Creating", "Updating", "RollingBack", "Deleting"}


def until(condition: Callable[[], Any], timeout: float = 60.0) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it did not become so.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.01)
