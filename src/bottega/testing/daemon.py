"""A real daemon for tests: started in a home of its own, killed as rudely as a test wants."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.daemon import lifecycle
from bottega.daemon.environment import client_environment
from bottega.testing.processes import command_line, descendants, holders, kill

PATIENCE_SECONDS = 120.0


def eventually(condition: Callable[[], Any], what: str, timeout: float = PATIENCE_SECONDS) -> Any:
    """Wait until ``condition()`` is true and return what it gave.

    Raises:
        AssertionError: it did not become true in time; the message says ``what``.
    """
    deadline = time.monotonic() + timeout
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout:.0f} s still not: {what}")
        time.sleep(0.02)


@dataclass
class TestDaemon:
    """A daemon process over one home.

    Attributes:
        home: the home folder, made when the daemon starts.
        settings: ``BOTTEGA_*`` variables by lower-case name, such as ``slots``.
    """

    __test__ = False

    home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Config:
        return Config.load(self.home, environment={}, **self.settings)

    def start(self) -> TestDaemon:
        """Start the process and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        for name, value in self.settings.items():
            environment[f"BOTTEGA_{name.upper()}"] = str(value).lower()
        with (self.home / "daemon.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bottega.daemon.main", "--home", str(self.home)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        process = self.process

        def answers() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"the daemon ended with {process.returncode}:\n{self.log()}")
            record = lifecycle.running(self.config)
            return record is not None and record.pid == process.pid

        eventually(answers, "the daemon answers")
        return self

    def log(self) -> str:
        """What the daemon has logged so far."""
        return (self.home / "daemon.log").read_text(errors="replace")

    def kill(self) -> None:
        """``kill -9``, as a crash would be."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> TestDaemon:
        """Kill and start again."""
        self.kill()
        return self.start()

    def stop(self) -> int:
        """End the daemon gracefully; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @property
    def url(self) -> str:
        record = lifecycle.read_record(self.config)
        assert record is not None
        return record.url

    def environment(self) -> dict[str, str]:
        """What ``bottega env`` gives."""
        return client_environment(self.config, Credentials.load(self.config), self.url)

    def client(self, service: str, **settings: Any) -> Any:
        """An unmodified boto3 client of this daemon."""
        import boto3
        from botocore.config import Config as ClientConfig

        values = self.environment()
        return boto3.client(
            service,
            endpoint_url=values["AWS_ENDPOINT_URL"],
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            region_name=values["AWS_DEFAULT_REGION"],
            config=ClientConfig(**{"retries": {"max_attempts": 1}, **settings}),
        )

    def deploy(self, name: str, image: str, model_data: str, *, attempts: int = 120) -> None:
        """Serve a model at an endpoint of this name, through boto3 alone; wait until it answers.

        Args:
            name: of the model, the configuration and the endpoint.
            image: what serves it.
            model_data: the ``s3://`` URI of its artifact.
            attempts: seconds until it must be in service.
        """
        sagemaker = self.client("sagemaker")
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.environment()["BOTTEGA_ROLE_ARN"],
            PrimaryContainer={"Image": image, "ModelDataUrl": model_data},
        )
        variant: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": name}
        variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": attempts}
        )

    def processes(self) -> list[psutil.Process]:
        """Every process of this machine that works for this home, the daemon included.

        A forked supervisor has the command line of its fork server, so processes are known by the
        files of the home they hold, and by descending from such a one.
        """
        home = str(self.home)
        found = holders(self.home)
        found += [process for process in psutil.process_iter() if home in command_line(process)]
        found += [child for process in found for child in descendants(process)]
        return list({process.pid: process for process in found}.values())

    def clean_up(self) -> None:
        """End everything that was started, however the test ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        kill(self.processes())


@contextlib.contextmanager
def running_daemon(home: Path, **settings: Any) -> Iterator[TestDaemon]:
    """A started daemon that is gone afterwards."""
    daemon = TestDaemon(home, settings)
    try:
        yield daemon.start()
    finally:
        daemon.clean_up()
