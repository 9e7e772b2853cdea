"""Real kernels of the server find bottega, whichever way they are started."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.daemon import lifecycle
from bottega.testing.daemon import TestDaemon
from bottega_jupyter.kernels import KernelEnvironment

Fetch = Callable[..., Any]

CLIENTS = """
import urllib.request, boto3, bottega
s3 = boto3.client("s3")
s3.create_bucket(Bucket="kernels")
s3.put_object(Bucket="kernels", Key="a b", Body=b"hello")
url = s3.generate_presigned_url("get_object", {"Bucket": "kernels", "Key": "a b"})
found = {
    "jobs": boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"],
    "arn": boto3.client("sts").get_caller_identity()["Arn"],
    "presigned": urllib.request.urlopen(url).read(),
    "studio": bottega.connect().describe()["Home"],
}
"""
ENVIRONMENT = "import os; found = dict(os.environ)"


async def found_by(jp_serverapp: Any, kernel: str, code: str) -> Any:
    """Run code in a kernel; returns what it has put into ``found``."""
    client = jp_serverapp.kernel_manager.get_kernel(kernel).client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        asked = client.execute(code, user_expressions={"found": "found"})
        while True:
            reply = await client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == asked:
                break
    finally:
        client.stop_channels()
    content = reply["content"]
    assert content["status"] == "ok", "\n".join(content.get("traceback", ()))
    return ast.literal_eval(content["user_expressions"]["found"]["data"]["text/plain"])


async def new_kernel(jp_fetch: Fetch) -> str:
    answer = await jp_fetch("api", "kernels", method="POST", body="{}")
    return str(json.loads(answer.body)["id"])


async def new_session(jp_fetch: Fetch) -> str:
    body = {"path": "x.ipynb", "type": "notebook", "name": "x", "kernel": {"name": "python3"}}
    answer = await jp_fetch("api", "sessions", method="POST", body=json.dumps(body))
    return str(json.loads(answer.body)["kernel"]["id"])


@pytest.fixture
def bottega_home(fresh: TestDaemon) -> Path:
    return fresh.home


@pytest.fixture(autouse=True)
def no_kernel_stays(jp_serverapp: Any, jp_asyncio_loop: Any) -> Iterator[None]:
    yield
    jp_asyncio_loop.run_until_complete(jp_serverapp.kernel_manager.shutdown_all(now=True))


async def test_boto3_works_in_a_new_kernel_of_a_home_that_nobody_has_used(
    jp_fetch: Fetch, jp_serverapp: Any, fresh: TestDaemon
) -> None:
    assert lifecycle.read_record(fresh.config) is None
    found = await found_by(jp_serverapp, await new_kernel(jp_fetch), CLIENTS)
    assert found == {
        "jobs": [],
        "arn": "arn:aws:sts::000000000000:assumed-role/BottegaExecutionRole/owner",
        "presigned": b"hello",
        "studio": str(fresh.home),
    }


async def test_a_kernel_is_handed_out_once_the_daemon_can_be_reached(
    jp_fetch: Fetch, fresh: TestDaemon
) -> None:
    await new_kernel(jp_fetch)
    assert lifecycle.running(fresh.config) is not None


async def test_a_session_keeps_what_jupyter_gives_also_after_a_restart(
    jp_fetch: Fetch, jp_serverapp: Any, fresh: TestDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")
    monkeypatch.setenv("OF_THE_SERVER", "kept")
    kernel = await new_session(jp_fetch)
    first = await found_by(jp_serverapp, kernel, ENVIRONMENT)
    assert first["JPY_SESSION_NAME"]
    assert first["OF_THE_SERVER"] == "kept"
    assert "AWS_PROFILE" not in first
    assert first["BOTTEGA_HOME"] == str(fresh.home)
    assert first["MLFLOW_TRACKING_TOKEN"]
    await jp_fetch("api", "kernels", kernel, "restart", method="POST", body="{}")
    again = await found_by(jp_serverapp, kernel, ENVIRONMENT)
    same = {name: value for name, value in first.items() if "AWS_" in name or "BOTTEGA" in name}
    assert same.items() <= again.items()


class TestTurnedOff:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["BottegaApp"]["kernel_environment"] = False
        return jp_server_config

    async def test_a_kernel_is_what_jupyter_makes_it(
        self, jp_fetch: Fetch, jp_serverapp: Any, fresh: TestDaemon
    ) -> None:
        found = await found_by(jp_serverapp, await new_kernel(jp_fetch), ENVIRONMENT)
        assert "AWS_ENDPOINT_URL" not in found
        assert lifecycle.read_record(fresh.config) is None


class TestAHomeThatCannotBe:
    @pytest.fixture
    def bottega_home(self, tmp_path: Path) -> Path:
        (tmp_path / "file").write_text("")
        return tmp_path / "file" / "home"

    async def test_the_kernel_starts_without_bottega_and_the_log_says_why(
        self, jp_fetch: Fetch, jp_serverapp: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        found = await found_by(jp_serverapp, await new_kernel(jp_fetch), ENVIRONMENT)
        assert "AWS_ENDPOINT_URL" not in found
        assert "this kernel is started without bottega" in caplog.text


class TestADaemonThatDoesNotStart:
    @pytest.fixture
    def bottega_home(self, fresh: TestDaemon) -> Path:
        (fresh.home / "config.toml").write_text('database_url = "nonsense://"\n')
        return fresh.home

    async def test_the_kernel_starts_and_the_log_says_why(
        self,
        jp_fetch: Fetch,
        jp_serverapp: Any,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        environments: list[KernelEnvironment] = []
        extended = KernelEnvironment.extended

        async def watched(environment: KernelEnvironment, given: Any) -> Any:
            environments.append(environment)
            return await extended(environment, given)

        monkeypatch.setattr(KernelEnvironment, "extended", watched)
        found = await found_by(jp_serverapp, await new_kernel(jp_fetch), ENVIRONMENT)
        assert found["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        starting = environments[0]._starting
        assert starting is not None
        await starting
        assert "bottega does not start" in caplog.text
