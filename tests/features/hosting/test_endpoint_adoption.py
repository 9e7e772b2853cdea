"""A studio that is killed at any moment, and the one that comes after it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.compute.runner import Phase
from bottega.features.hosting.instances import run_folders
from bottega.serving.sockets import instance_folders
from bottega.testing.hosting import ECHO, HostingStudio, until

WORKS = """
import sys, time
from pathlib import Path
from bottega.testing.hosting import HostingStudio

with HostingStudio.opened(Path(sys.argv[1]), preload=False) as hosting:
    hosting.studio.start()
    print("started", flush=True)
    hosting.wait(sys.argv[2], "InService")
    print("in service", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a model and a configuration, and without anything of it afterwards."""
    home = tmp_path / "h"
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.config("c", hosting.echo_model("m"), instances=2)
    yield home
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.delete_all()
        assert hosting.work == []
        assert instance_folders(home) == []


def work_on(home: Path) -> subprocess.Popen[bytes]:
    """A process that has the home open and does what is wanted there."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKS, str(home), "e"], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def running(hosting: HostingStudio) -> list[Path]:
    """The runs of all endpoints that are not over."""
    root = hosting.studio.ports.config.home / "work" / "endpoints"
    runs = [run for instance in root.glob("*/*/*") for run in run_folders(instance)]
    state = hosting.studio.ports.runner.state
    return [run for run in runs if state(run).phase is Phase.RUNNING]


def ask_for_endpoint(home: Path) -> None:
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")


def test_running_servers_are_adopted_before_anything_else_happens(home: Path) -> None:
    ask_for_endpoint(home)
    first = work_on(home)
    assert first.stdout is not None
    assert first.stdout.readline() == b"in service\n"
    kill(first)

    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.endpoints.adopt()
        answer = hosting.invoke("e", "x")
        runs = running(hosting)

    assert answer["Body"] == b"m: x"
    assert [run.name for run in runs] == ["1", "1"]


@pytest.mark.slow
def test_an_endpoint_comes_up_however_often_its_studio_is_killed(home: Path) -> None:
    ask_for_endpoint(home)
    for attempt in range(6):
        process = work_on(home)
        time.sleep(random.Random(attempt).uniform(0.0, 1.2))
        kill(process)

    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.wait("e", "InService")
        until(lambda: len(running(hosting)) == 2)
        assert hosting.invoke("e", "x")["Body"] == b"m: x"


@pytest.mark.slow
def test_an_update_ends_however_often_its_studio_is_killed(home: Path) -> None:
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.config("other", hosting.echo_model("other", ECHO))
        hosting.studio.start()
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        hosting.wait("e", "InService")
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="other")
    for attempt in range(5):
        process = work_on(home)
        time.sleep(random.Random(attempt).uniform(0.0, 1.2))
        kill(process)

    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.endpoints.adopt()
        assert hosting.invoke("e", "x")["Body"] in (b"m: x", b"other: x")
        hosting.studio.controllers.start()
        assert hosting.wait("e", "InService")["EndpointConfigName"] == "other"
        assert hosting.invoke("e", "x")["Body"] == b"other: x"
        until(lambda: len(running(hosting)) == 1)


@pytest.mark.slow
def test_a_canary_goes_on_however_often_its_studio_is_killed(home: Path) -> None:
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 1,
    }
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.config("other", hosting.echo_model("other", ECHO))
        hosting.studio.start()
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        hosting.wait("e", "InService")
    with HostingStudio.opened(home, preload=False) as hosting:
        policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
        hosting.call(
            "UpdateEndpoint", EndpointName="e", EndpointConfigName="other", DeploymentConfig=policy
        )
    for attempt in range(5):
        process = work_on(home)
        time.sleep(random.Random(attempt).uniform(0.2, 1.4))
        kill(process)

    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.endpoints.adopt()
        assert hosting.invoke("e", "x")["Body"] in (b"m: x", b"other: x")
        hosting.studio.controllers.start()
        assert hosting.wait("e", "InService")["EndpointConfigName"] == "other"
        assert hosting.invoke("e", "x")["Body"] == b"other: x"
        until(lambda: len(running(hosting)) == 1)
        deployments = hosting.ask("ListEndpointDeployments", EndpointName="e")["Deployments"]
        assert [one["Outcome"] for one in deployments] == ["Succeeded", "Succeeded"]


def test_a_scale_in_ends_after_a_kill(home: Path) -> None:
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        hosting.wait("e", "InService")
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.call(
            "UpdateEndpointWeightsAndCapacities",
            EndpointName="e",
            DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": 1}],
        )
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.wait("e", "InService")
        assert len(running(hosting)) == 1
        assert hosting.invoke("e", "x")["Body"] == b"m: x"


@pytest.mark.slow
def test_a_deletion_ends_however_often_its_studio_is_killed(home: Path) -> None:
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        hosting.wait("e", "InService")
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.call("DeleteEndpoint", EndpointName="e")
    for attempt in range(3):
        process = work_on(home)
        time.sleep(random.Random(attempt).uniform(0.0, 0.3))
        kill(process)

    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        until(lambda: hosting.gone("e"))
        until(lambda: hosting.work == [])
        assert instance_folders(home) == []


def test_servers_of_an_endpoint_that_is_not_in_the_store_are_stopped(home: Path) -> None:
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        hosting.wait("e", "InService")
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.ports.store.delete("Endpoint", "e")
        assert hosting.studio.endpoints.sweep() == ("e",)
        until(lambda: running(hosting) == [])
        hosting.studio.start()
        until(lambda: hosting.work == [])


def test_a_server_that_died_while_no_studio_was_there_is_replaced(home: Path) -> None:
    with HostingStudio.opened(home, preload=False) as hosting:
        hosting.studio.start()
        hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        hosting.wait("e", "InService")
    with HostingStudio.opened(home, preload=False) as hosting:
        for run in running(hosting):
            hosting.studio.ports.runner.signal(run, "model", signal.SIGKILL)
        until(lambda: running(hosting) == [])
        hosting.studio.start()
        assert hosting.describe("e")["EndpointStatus"] == "InService"
        assert hosting.invoke("e", "x")["Body"] == b"m: x"
        until(lambda: len(running(hosting)) == 2)
