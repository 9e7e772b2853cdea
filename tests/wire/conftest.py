"""A small studio behind the wire core: a real store, a few operations, an object face in memory."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import pytest
import uvicorn

from bottega import registry
from bottega.clock import Clock, ManualClock, SystemClock
from bottega.compute.capacity import Capacity
from bottega.config import Config
from bottega.context import Context
from bottega.credentials import Credentials
from bottega.daemon.listener import Listener, build_app, server_settings
from bottega.errors import BottegaError, ModelError, ValidationException
from bottega.event_log import EventLog
from bottega.events import EventBus
from bottega.ports import Ports
from bottega.registry import Registry, operation
from bottega.serving.routing import RoutingTable
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing, ResourceQuery
from bottega.storage.sql import SqlMetadataStore
from bottega.wire.core import Wire
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.sigv4 import VerifiedSignature

REGION = "us-east-1"
SESSION = boto3.session.Session(region_name=REGION)  # one, so that models are read once


@operation("CreateModel")
def create_model(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["ModelName"]
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model/{name}"
    now = context.ports.clock.now()
    try:
        context.ports.store.create(Resource("Model", name, arn, "", now, now, dict(request)))
    except ResourceExists as error:
        raise ValidationException(
            f'Cannot create already existing model "{error.existing.arn}".'
        ) from error
    return {"ModelArn": arn}


@operation("DescribeModel")
def describe_model(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        model = context.ports.store.get("Model", request["ModelName"])
    except ResourceMissing as error:
        raise ValidationException(f'Could not find model "{request["ModelName"]}".') from error
    return {
        **model.body,
        "ModelArn": model.arn,
        "CreationTime": model.created,
        "VpcConfig": {},
        "ExecutionRoleArn": None,
    }


@operation("DeleteModel")
def delete_model(context: Context, request: Mapping[str, Any]) -> None:
    try:
        context.ports.store.delete("Model", request["ModelName"])
    except ResourceMissing as error:
        raise ValidationException(f'Could not find model "{request["ModelName"]}".') from error


@operation("ListModels")
def list_models(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    after = request.get("CreationTimeAfter")
    found = context.ports.store.each(ResourceQuery("Model", created_after=after))
    return {
        "Models": [
            {"ModelName": m.name, "ModelArn": m.arn, "CreationTime": m.created} for m in found
        ]
    }


@operation("DescribeTrainingJob")
def break_unexpectedly(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"TrainingJobName": {}["there is no such key"]}


@operation("InvokeEndpoint", service="sagemaker-runtime")
async def invoke_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    await asyncio.sleep(0)
    if request["Body"] == b"fail":
        raise ModelError(
            "Received server error (500) from primary",
            members={
                "OriginalStatusCode": 500,
                "OriginalMessage": "Traceback",
                "LogStreamArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/x",
            },
        )
    return {
        "Body": bytes(request["Body"])[::-1],
        "ContentType": request.get("ContentType", "application/octet-stream"),
        "CustomAttributes": request.get("CustomAttributes"),
        "InvokedProductionVariant": "AllTraffic\r\nX-Injected: yes",
    }


@operation("GetRecord", service="sagemaker-featurestore-runtime")
def get_record(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "Record": [
            {"FeatureName": name, "ValueAsString": request["RecordIdentifierValueAsString"]}
            for name in request.get("FeatureNames", [])
        ]
    }


@operation("GetCallerIdentity", service="sts")
def get_caller_identity(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    caller = context.caller
    return {"Account": "000000000000", "Arn": caller.arn, "UserId": caller.user_id}


@operation("GetRole", service="iam")
def get_role(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "Role": {
            "Path": "/",
            "RoleName": request["RoleName"],
            "RoleId": "AROAEXAMPLE",
            "Arn": f"arn:aws:iam::000000000000:role/{request['RoleName']}",
            "CreateDate": 1_700_000_000.0,
            "Description": "<&\x0b>",
        }
    }


@operation("SimulatePrincipalPolicy", service="iam")
def simulate(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "IsTruncated": False,
        "EvaluationResults": [
            {"EvalActionName": action, "EvalDecision": "allowed", "EvalResourceName": "*"}
            for action in request["ActionNames"]
        ],
    }


@operation("DescribeLogStreams", service="logs")
def describe_log_streams(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"logStreams": [{"logStreamName": "job/algo-1", "creationTime": 1_700_000_000_123}]}


@operation("DescribeStudio", service="bottega")
def describe_studio(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Version": "0", "Home": str(context.ports.config.home)}


OPERATIONS = [
    cast(Any, value).__bottega_operation__
    for value in list(globals().values())
    if isinstance(getattr(value, "__bottega_operation__", None), registry.OperationSpec)
]


class MemoryObjects:
    """An object face without S3's details: it keeps what was put under the raw path."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.signatures: list[VerifiedSignature] = []

    def handle(
        self, request: WireRequest, signature: VerifiedSignature, context: Context
    ) -> WireResponse:
        self.signatures.append(signature)
        if request.method == "PUT":
            self.objects[request.path] = request.read_body()
            return WireResponse(200, [("x-amz-request-id", context.request_id)])
        body = self.objects.get(request.path, b"")
        headers = [("x-amz-request-id", context.request_id), ("ETag", '"x"')]
        return WireResponse(200, headers, io.BytesIO(body), len(body))

    def refuse(self, error: BottegaError, request_id: str, *, head: bool) -> WireResponse:
        text = f"<Error><Code>{error.code}</Code><Message>{len(error.message)}</Message></Error>"
        headers = [("x-amz-request-id", request_id), ("Content-Type", "application/xml")]
        return WireResponse(error.status, headers, b"" if head else text.encode())


@dataclass
class Bench:
    """The studio under test, and how to talk to it."""

    wire: Wire
    ports: Ports
    objects: MemoryObjects
    requests: list[WireRequest] = field(default_factory=list)
    """What the clients of :meth:`client` sent."""

    @property
    def keys(self) -> dict[str, str]:
        credentials = self.ports.credentials
        return {
            "aws_access_key_id": credentials.access_key,
            "aws_secret_access_key": credentials.secret_key,
        }

    def snapshot(self) -> object:
        """Everything that a request could have changed."""
        models = [(m.name, m.version) for m in self.ports.store.each(ResourceQuery("Model"))]
        return models, dict(self.objects.objects)

    def answer(self, request: WireRequest) -> WireResponse:
        """What the core says, by the way the listener would take."""
        call = self.wire.route(request)
        if call.is_async:
            return asyncio.run(self.wire.handle_async(request, call))
        return self.wire.handle(request, call)

    def client(self, service: str, **settings: Any) -> Any:
        """A real boto3 client whose requests go straight to the core, without a socket."""
        return boto3_client(service, "http://127.0.0.1:9999", self._carry, self.keys, **settings)

    def _carry(self, request: Any, **kwargs: Any) -> Any:
        self.requests.append(wire_request(request))
        response = self.answer(self.requests[-1])
        body = response.body if isinstance(response.body, bytes) else response.body.read()
        headers = botocore.awsrequest.HeadersDict(dict(response.headers))
        raw = io.BytesIO(b"" if request.method == "HEAD" else body)
        raw.stream = lambda: iter([raw.read()])  # type: ignore[attr-defined]
        return botocore.awsrequest.AWSResponse(request.url, response.status, headers, raw)

    def signed(
        self,
        target: str = "SageMaker.ListModels",
        body: bytes = b"{}",
        *,
        service: str = "sagemaker",
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        **credentials: str,
    ) -> WireRequest:
        """A request that botocore has signed."""
        plain = {"Host": "127.0.0.1:9999"}
        if target:
            plain["X-Amz-Target"] = target
            plain["Content-Type"] = "application/x-amz-json-1.1"
        plain |= headers or {}
        request = botocore.awsrequest.AWSRequest(
            method, f"http://127.0.0.1:9999{path}", headers=plain, data=body
        )
        keys = botocore.credentials.Credentials(
            credentials.get("access_key", self.ports.credentials.access_key),
            credentials.get("secret_key", self.ports.credentials.secret_key),
            credentials.get("token"),
        )
        signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer(keys, service, credentials.get("region", REGION)).add_auth(request)
        return wire_request(request.prepare())


def wire_request(prepared: Any) -> WireRequest:
    """What the listener would make of a request that botocore is about to send."""
    parts = urlsplit(prepared.url)
    body = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    headers.setdefault("host", parts.netloc)
    return WireRequest(
        method=prepared.method,
        path=parts.path or "/",
        query=parts.query,
        headers=headers,
        body=io.BytesIO(body),
        body_size=len(body),
        body_sha256=hashlib.sha256(body).hexdigest(),
        source="127.0.0.1",
    )


def boto3_client(
    service: str, url: str, carry: Any, keys: Mapping[str, str], **settings: Any
) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": 1}, **settings.pop("config", {}))
    settings = {**keys, **settings}
    client = SESSION.client(service, endpoint_url=url, config=config, **settings)
    if carry is not None:
        client.meta.events.register("before-send", carry)
    return client


def make_bench(home: Path, clock: Clock) -> Bench:
    config = Config(home=home)
    credentials = Credentials.load(config)
    events = EventBus()
    store = SqlMetadataStore(f"sqlite:///{home}/metadata.sqlite", events, clock)
    ports = Ports(
        config=config,
        clock=clock,
        store=store,
        # No operation here reaches these.
        objects=cast(Any, None),
        runner=cast(Any, None),
        logs=cast(Any, None),
        tracking=None,
        events=events,
        event_log=EventLog(events),
        capacity=Capacity(1),
        routes=RoutingTable(),
        metrics=cast(Any, None),
        inference_queue=cast(Any, None),
        credentials=credentials,
    )
    objects = MemoryObjects()
    return Bench(Wire(Registry(OPERATIONS), ports, objects), ports, objects)


@pytest.fixture(scope="session")
def bench_maker() -> Any:
    """For tests whose studio outlives one test."""
    return make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A studio whose clock starts now and then stands still."""
    made = make_bench(tmp_path / "home", ManualClock(time.time()))
    yield made
    made.ports.store.close()


@dataclass
class Live:
    """The same studio behind a real socket."""

    bench: Bench
    listener: Listener
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **settings: Any) -> Any:
        return boto3_client(service, self.url, None, self.bench.keys, **settings)


async def mounted(scope: Any, receive: Any, send: Any) -> None:
    """A mounted application: it says which path it was asked for."""
    body = json.dumps({"mounted": scope["path"]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A studio that listens on a port of its own until the module's tests are done."""
    bench = make_bench(tmp_path_factory.mktemp("live"), SystemClock())
    config = bench.ports.config
    listener = build_app(bench.wire, mounts={"/mlflow": mounted}, config=config)
    server = uvicorn.Server(uvicorn.Config(listener, **server_settings(config)))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Live(bench, listener, port)
    server.should_exit = True
    thread.join(30)
    bench.ports.store.close()
