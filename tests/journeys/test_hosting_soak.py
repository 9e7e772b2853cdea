"""Endpoints under steady load through everything that happens to them in an hour, done in minutes.

An hour of a moderately busy endpoint is about 50 requests a second and a change now and then:
180,000 requests and some dozens of changes. Here requests come as fast as they are answered, and
changes one after the other; ``BOTTEGA_SOAK_REQUESTS`` says how many requests there have to be.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from bottega.credentials import Credentials
from bottega.sdk.signing import signed_headers
from bottega.serving.sockets import runtime_folder
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import ECHO, archive

REQUESTS = int(os.environ.get("BOTTEGA_SOAK_REQUESTS", "180000"))
CONNECTIONS = 8
ENDPOINT = "soak"
_SIGNED_AGAIN_SECONDS = 60.0


class Callers:
    """Connections that invoke the endpoint all the time, each as soon as it has an answer."""

    def __init__(self, daemon: TestDaemon) -> None:
        self._daemon = daemon
        self.answers: Counter[str] = Counter()
        """Bodies of good answers; status and body of others."""
        self.over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    @property
    def count(self) -> int:
        return sum(self.answers.values())

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self.over.set()
            self._thread.join()

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._caller(session) for _ in range(CONNECTIONS)))

    async def _caller(self, session: aiohttp.ClientSession) -> None:
        url = f"{self._daemon.url}/endpoints/{ENDPOINT}/invocations"
        keys = Credentials.load(self._daemon.config)
        headers: dict[str, str] = {}
        signed = 0.0
        while not self.over.is_set():
            if time.monotonic() - signed > _SIGNED_AGAIN_SECONDS:
                signed = time.monotonic()
                headers = signed_headers(
                    keys,
                    "POST",
                    url,
                    {"Content-Type": "text/plain"},
                    b"x",
                    scope="sagemaker",
                    region=self._daemon.config.region,
                )
            async with session.post(url, data=b"x", headers=headers) as response:
                body = (await response.read()).decode()
                good = response.status == 200
                self.answers[body if good else f"{response.status}: {body}"] += 1


def model(daemon: TestDaemon, name: str) -> None:
    key = f"{name}.tar.gz"
    body = archive({"answer": name, "code/inference.py": ECHO})
    daemon.client("s3").put_object(Bucket=daemon.config.bucket, Key=key, Body=body)
    daemon.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=daemon.environment()["BOTTEGA_ROLE_ARN"],
        PrimaryContainer={
            "Image": "python",
            "ModelDataUrl": f"s3://{daemon.config.bucket}/{key}",
        },
    )
    variant: dict[str, Any] = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 2}
    variant["InstanceType"] = "ml.m5.large"
    daemon.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant]
    )


def settled(daemon: TestDaemon) -> dict[str, Any]:
    def status() -> dict[str, Any] | None:
        found = daemon.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        return found if found["EndpointStatus"] in ("InService", "Failed") else None

    found: dict[str, Any] = eventually(status, "the endpoint has settled")
    assert found["EndpointStatus"] == "InService", found
    return found


def servers(daemon: TestDaemon) -> set[int]:
    """The processes that listen on the sockets of model servers."""
    sockets = str(runtime_folder(daemon.home) / "model-")
    return {
        found.pid
        for found in psutil.net_connections("unix")
        if found.pid is not None
        and str(found.laddr).startswith(sockets)
        and found.pid != (daemon.process.pid if daemon.process else 0)
    }


def updated(daemon: TestDaemon, config: str, policy: dict[str, Any]) -> None:
    daemon.client("sagemaker").update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=config, DeploymentConfig=policy
    )
    assert settled(daemon)["EndpointConfigName"] == config


def resized(daemon: TestDaemon, instances: int) -> None:
    daemon.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=ENDPOINT,
        DesiredWeightsAndCapacities=[{"VariantName": "v", "DesiredInstanceCount": instances}],
    )
    (variant,) = settled(daemon)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == instances


def rolled_back(daemon: TestDaemon, config: str) -> None:
    """A canary that an operator undoes while it bakes."""
    sagemaker = daemon.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
    alarm = "soak-alarm"
    cloudwatch = daemon.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Soak",
        MetricName="Nothing",
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="soak")
    policy = {
        **blue_green("CANARY", CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50}, wait=3600),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }
    sagemaker.update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=config, DeploymentConfig=policy
    )

    def bakes() -> bool:
        found = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        pending = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        return any(
            status["Status"] == "Baking"
            for variant in pending
            for status in variant.get("VariantStatus", [])
        )

    eventually(bakes, "the canary bakes")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="soak")
    assert settled(daemon)["EndpointConfigName"] == before
    cloudwatch.delete_alarms(AlarmNames=[alarm])


def blue_green(kind: str, wait: int = 0, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


def one_server_killed(daemon: TestDaemon) -> None:
    def whole() -> set[int]:
        """The servers, when there are as many as shall be: a former fleet may still be ending."""
        found = daemon.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        (variant,) = found["ProductionVariants"]
        wanted: int = variant["DesiredInstanceCount"]
        present = servers(daemon)
        return present if variant["CurrentInstanceCount"] == len(present) == wanted else set()

    victim = max(eventually(whole, "all servers are there, and no others"))
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: whole() - {victim} and victim not in servers(daemon), "it is replaced")


def used(daemon: TestDaemon) -> tuple[int, int]:
    """Resident bytes and descriptors of the daemon."""
    assert daemon.process is not None
    process = psutil.Process(daemon.process.pid)
    return process.memory_info().rss, process.num_fds()


@pytest.mark.slow
@pytest.mark.timeout(900)  # a machine that does other things, too, answers a third as often
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors are counted in /proc")
def test_an_hour_of_requests_and_changes(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "h", tracking=False) as daemon:
        for name in ("one", "two"):
            model(daemon, name)
        daemon.client("sagemaker").create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="one")
        settled(daemon)
        tenth = {"Type": "CAPACITY_PERCENT", "Value": 50}
        changes: tuple[Callable[[], None], ...] = (
            lambda: updated(daemon, "two", blue_green("ALL_AT_ONCE")),
            lambda: one_server_killed(daemon),
            lambda: resized(daemon, 3),
            lambda: updated(daemon, "one", blue_green("LINEAR", LinearStepSize=tenth)),
            lambda: rolled_back(daemon, "two"),
            lambda: resized(daemon, 2),
        )
        callers = Callers(daemon)
        seen: list[tuple[int, int]] = []
        with callers.calling():
            for number, change in enumerate(itertools.cycle(changes)):
                change()
                if number % len(changes) == len(changes) - 1:
                    seen.append(used(daemon))
                    print(number + 1, "changes,", callers.count, "requests,", *seen[-1])
                if callers.count >= REQUESTS and number >= 2 * len(changes):
                    break
        assert set(callers.answers) == {"one: x", "two: x"}
        assert min(callers.answers.values()) > 0.2 * callers.count
        # The first round fills caches and pools; what leaks grows from each round to the next.
        settled_rss, settled_files = seen[len(seen) // 2]
        assert seen[-1][0] < 1.1 * settled_rss, seen
        assert seen[-1][1] <= settled_files + 8, seen
