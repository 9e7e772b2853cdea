"""Endpoints and transform jobs whose model is an image that a Docker engine runs."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from docker.errors import NotFound

from bottega.compute.docker.container import HOME_LABEL, SERVER_LABEL
from bottega.compute.docker.engine import Engine
from bottega.errors import BottegaError, ValidationException
from bottega.model_servers.strays import remove_strays
from bottega.testing.hosting import HostingStudio, until

IMAGE = "tests/answers:1"
"""What the fixture ``engine`` has."""


@pytest.fixture(scope="module")
def hosting(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    home = tmp_path_factory.mktemp("home") / "h"
    with HostingStudio.opened(home, preload=False, docker=engine.url) as opened:
        opened.studio.start()
        yield opened
        opened.delete_all()
        assert containers(engine, opened) == []


def containers(engine: Engine, hosting: HostingStudio) -> list[dict[str, Any]]:
    label = f"{HOME_LABEL}={hosting.studio.ports.config.home}"
    with engine.client() as client:
        found: list[dict[str, Any]] = client.containers(all=True, filters={"label": label})
        every = []
        for one in found:
            with suppress(NotFound):  # removed since
                every.append(client.inspect_container(one["Id"]))
        return every


def model(hosting: HostingStudio, name: str, **more: Any) -> str:
    container = {
        "Image": IMAGE,
        "ModelDataUrl": hosting.put_model(f"{name}.tar.gz", {"answer": name}),
        "Environment": {"GREETING": "good day"},
    }
    hosting.call("CreateModel", ModelName=name, PrimaryContainer=container, **more)
    return name


def deploy(hosting: HostingStudio, name: str, **more: Any) -> str:
    hosting.config(name, model(hosting, name, **more))
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    hosting.wait(name, "InService")
    return name


@pytest.fixture(scope="module")
def isolated(hosting: HostingStudio) -> str:
    return deploy(hosting, "isolated", EnableNetworkIsolation=True)


def answer(hosting: HostingStudio, endpoint: str, body: str) -> str:
    found: bytes = hosting.invoke(endpoint, body)["Body"]
    return found.decode()


def answers_again(hosting: HostingStudio, endpoint: str) -> bool:
    try:
        return answer(hosting, endpoint, "again") == f"{endpoint}: again"
    except BottegaError:
        return False


def test_an_image_serves_its_model_within_bounds(
    engine: Engine, hosting: HostingStudio, isolated: str
) -> None:
    assert answer(hosting, isolated, "Ada") == "isolated: Ada"
    assert json.loads(answer(hosting, isolated, "who")) == {
        "interfaces": ["lo"],
        "privileges": True,
        "variable": "good day",
        "own": [],
        "writable": False,
        "type": "text/plain",
    }
    (found,) = containers(engine, hosting)
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    (limit,) = found["HostConfig"]["Ulimits"]
    assert limit["Name"] == "nofile"
    assert limit["Hard"] <= 65536


def test_what_the_container_refuses_reaches_the_caller(
    hosting: HostingStudio, isolated: str
) -> None:
    with pytest.raises(BottegaError) as refused:
        hosting.invoke(isolated, "refuse")
    assert "no tea" in str(refused.value)


def test_with_a_network_the_model_has_the_machines_where_the_engine_has_no_bridge(
    hosting: HostingStudio,
) -> None:
    deploy(hosting, "networked")
    assert answer(hosting, "networked", "Ada") == "networked: Ada"
    assert set(json.loads(answer(hosting, "networked", "who"))["interfaces"]) > {"lo"}
    hosting.delete("networked")


def test_what_the_container_prints_is_in_the_endpoints_log(
    hosting: HostingStudio, isolated: str
) -> None:
    root = hosting.studio.ports.config.home / "logs"
    until(
        lambda: any(b"serving ['serve']" in p.read_bytes() for p in root.rglob("*") if p.is_file())
    )


@pytest.mark.parametrize("who", ["container", "attendant"])
def test_who_is_killed_is_replaced_and_leaves_nothing(
    engine: Engine, hosting: HostingStudio, isolated: str, who: str
) -> None:
    (before,) = containers(engine, hosting)
    os.kill(before["State"]["Pid"] if who == "container" else attendant(hosting), signal.SIGKILL)
    until(lambda: before["Id"] not in [one["Id"] for one in containers(engine, hosting)])
    until(lambda: answers_again(hosting, isolated))
    (after,) = containers(engine, hosting)
    assert after["Config"]["Labels"][SERVER_LABEL] == before["Config"]["Labels"][SERVER_LABEL]


def attendant(hosting: HostingStudio) -> int:
    """The attendant of this studio's only container."""
    home = str(hosting.studio.ports.config.home).encode()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as command:
                if b"bottega.compute.docker.attendant" not in command.read():
                    continue
            with open(f"/proc/{name}/environ", "rb") as environment:
                if home in environment.read():
                    return int(name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    raise AssertionError("nobody attends")


def test_a_container_whose_attendant_is_gone_is_removed_at_the_next_start(
    engine: Engine, hosting: HostingStudio, isolated: str
) -> None:
    (kept,) = containers(engine, hosting)
    home = str(hosting.studio.ports.config.home)
    with engine.client() as client:
        labels = {**kept["Config"]["Labels"], "bottega.workload": f"{home}/work/gone"}
        stray = client.create_container(IMAGE, ["serve"], labels=labels)
        client.start(stray["Id"])
    assert remove_strays(hosting.studio.ports) == 1
    assert [one["Id"] for one in containers(engine, hosting)] == [kept["Id"]]


def test_a_transform_job_sends_its_objects_through_a_container(
    engine: Engine, hosting: HostingStudio
) -> None:
    ports = hosting.studio.ports
    bucket = ports.config.bucket
    ports.objects.put(bucket, "rows/a.txt", b"first")
    hosting.call(
        "CreateTransformJob",
        TransformJobName="rows",
        ModelName=model(hosting, "transformer"),
        TransformInput={
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/rows/"}
            },
            "ContentType": "text/plain",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job: dict[str, Any] = {}

    def ended() -> bool:
        job.update(hosting.call("DescribeTransformJob", TransformJobName="rows"))
        return job["TransformJobStatus"] not in ("InProgress", "Stopping")

    until(ended)
    assert job["TransformJobStatus"] == "Completed", job
    with ports.objects.open(bucket, "out/a.txt.out") as stream:
        assert stream.read() == b"transformer: first"
    until(lambda: len(containers(engine, hosting)) <= 1)  # the isolated endpoint's


def test_an_image_that_the_engine_has_not_got_is_refused_in_words(hosting: HostingStudio) -> None:
    with pytest.raises(ValidationException, match="docker pull nobody/has-this:1"):
        hosting.call(
            "CreateModel", ModelName="none", PrimaryContainer={"Image": "nobody/has-this:1"}
        )


def test_several_models_or_containers_are_refused(hosting: HostingStudio) -> None:
    uri = f"s3://{hosting.studio.ports.config.bucket}/models/"
    several = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": uri}
    with pytest.raises(ValidationException, match="one model a container"):
        hosting.call("CreateModel", ModelName="many", PrimaryContainer=several)
    with pytest.raises(ValidationException, match="inference pipeline"):
        hosting.call(
            "CreateModel", ModelName="two", Containers=[{"Image": IMAGE}, {"Image": "xgboost"}]
        )
