"""The commands, each called as click calls it, against a daemon."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas
import pytest
from click.testing import CliRunner, Result

from bottega.cli.main import COMMANDS, cli
from bottega.credentials import Credentials
from bottega.sdk.client import RemoteClient
from bottega.sdk.session import Session
from bottega.testing.daemon import TestDaemon, running_daemon

FRAME = pandas.DataFrame({"x": range(60), "y": [n % 2 for n in range(60)]})
MAIN = [sys.executable, "-c", "from bottega.cli.main import main; main()"]
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False) as started:
        yield started


@pytest.fixture(scope="module")
def session(daemon: TestDaemon) -> Session:
    config = daemon.config
    return Session(RemoteClient(daemon.url, config.region, Credentials.load(config)), config)


@pytest.fixture(scope="module")
def job(session: Session) -> str:
    name = "a-job-with-a-name-as-long-as-names-can-be-in-the-API-0123456789"
    assert len(name) == 63
    session.train("xgboost", data=FRAME, target="y", num_round=3, name=name, logs=False)
    return name


@pytest.fixture
def run(daemon: TestDaemon) -> Command:
    def call(*arguments: str, body: bytes | None = None) -> Result:
        environment = {"BOTTEGA_HOME": str(daemon.home)}
        return CliRunner().invoke(cli, arguments, input=body, env=environment)

    return call


def process(
    daemon: TestDaemon, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAIN, *arguments],
        env=os.environ | {"BOTTEGA_HOME": str(daemon.home)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_every_command_has_help_and_loads():
    runner = CliRunner()
    for name in COMMANDS:
        result = runner.invoke(cli, [name, "--help"])
        assert result.exit_code == 0, name
        assert "Usage:" in result.output
    assert runner.invoke(cli, ["nonsense"]).exit_code == 2


def test_jobs(run: Command, job: str):
    listed = run("jobs", "list")
    assert listed.exit_code == 0
    assert job in listed.output  # whole, though there is no terminal to be wide enough
    assert "Completed" in listed.output
    assert "No training jobs." in run("jobs", "list", "--status", "Failed").output
    assert [j["TrainingJobName"] for j in json.loads(run("jobs", "list", "--json").output)] == [job]
    shown = run("jobs", "show", job).output
    assert "train:rmse" in shown
    assert "num_round" in shown
    assert f"{job}/output/model.tar.gz" in shown
    assert json.loads(run("jobs", "show", job, "--json").output)["TrainingJobName"] == job
    lines = run("jobs", "logs", job).output.splitlines()
    assert sum(line.startswith("[") for line in lines) == 3
    assert run("jobs", "logs", "-f", job).output.splitlines() == lines


def test_stopping_a_job(run: Command, session: Session, tmp_path: Path):
    script = tmp_path / "long.py"
    script.write_text("import time\nprint('on', flush=True)\ntime.sleep(600)\n")
    running = session.train(script=script, wait=False)
    assert "on" in running.logs(follow=True)
    assert run("jobs", "stop", "--wait", running.name).output == f"{running.name}: Stopped\n"
    assert "Stopped" in run("jobs", "list", "--status", "Stopped").output


def test_a_failed_job_is_explained_and_replayed(run: Command, session: Session, tmp_path: Path):
    script = tmp_path / "typo.py"
    script.write_text("print('on')\nframe = pd.DataFrame()\n")
    name = session.train(script=script, wait=False).name
    assert "on" in list(session.job(name).logs(follow=True))
    told = run("jobs", "explain", name).output
    assert told.startswith("UndefinedName: Line 2 of typo.py uses pd")
    assert "NameError: name 'pd' is not defined" in told
    assert "1. Import it" in told
    assert "     import pandas as pd" in told
    assert json.loads(run("jobs", "explain", name, "--json").output)["Known"] is True
    made = run("replay", name, "--folder", str(tmp_path)).output
    folder = tmp_path / f"replay-{name}"
    assert f"Notebook: {folder / 'replay.ipynb'}" in made
    assert (folder / "ml" / "code" / "typo.py").is_file()
    assert "Left out" not in made


def test_a_replay_opens_a_shell_with_the_jobs_variables(daemon, session: Session, tmp_path: Path):
    script = tmp_path / "ends.py"
    script.write_text("raise SystemExit(3)\n")
    environment = {"LEVEL": "high"}
    name = session.train(script=script, wait=False, environment=environment, depth=4).name
    assert list(session.job(name).logs(follow=True))
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\necho "$LEVEL $SM_HP_DEPTH $PWD"\n')
    shell.chmod(0o755)
    ended = process(daemon, "replay", name, "--folder", str(tmp_path), "--shell", SHELL=str(shell))
    assert ended.returncode == 0, ended.stderr
    folder = tmp_path / f"replay-{name}" / "ml" / "code"
    assert ended.stdout.splitlines()[-1] == f"high 4 {folder}"


def test_endpoints(run: Command, session: Session, job: str, tmp_path: Path):
    assert "No endpoints." in run("endpoints", "list").output
    session.job(job).deploy("mine")
    assert "InService" in run("endpoints", "list").output
    assert "AllTraffic" in run("endpoints", "show", "mine").output
    assert json.loads(run("endpoints", "show", "mine", "--json").output)["EndpointName"] == "mine"
    answer = run("endpoints", "invoke", "mine", body=b"1\n2\n")
    assert len(answer.output.splitlines()) == 2
    rows = tmp_path / "rows.csv"
    rows.write_text("1\n")
    answer = run("endpoints", "invoke", "mine", str(rows), "--accept", "application/json")
    assert "predictions" in json.loads(answer.output)
    assert run("endpoints", "delete", "mine").output == "deleted the endpoint mine\n"
    assert "No endpoints." in run("endpoints", "list").output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("jobs", "show", "nope"), "There is no training job 'nope'"),
        (("jobs", "logs", "nope"), "There is no training job 'nope'"),
        (("jobs", "logs", "-f", "nope"), "There is no training job 'nope'"),
        (("jobs", "stop", "nope"), "There is no training job 'nope'"),
        (("jobs", "explain", "nope"), "There is no training job 'nope'"),
        (("replay", "nope"), "Requested resource not found"),
        (("jobs", "list", "--status", "Odd"), "enum value set: [InProgress"),
        (("endpoints", "show", "nope"), "nope"),
        (("endpoints", "invoke", "nope", os.devnull), "nope"),
        (("endpoints", "delete", "nope"), "nope"),
    ],
)
def test_refusals_are_one_sentence(daemon: TestDaemon, arguments, text: str):
    done = process(daemon, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("bottega: ")
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("BOTTEGA_SLOTS", "many", "slots"), ("BOTTEGA_HOME", "/dev/null/x", "/dev/null/x")],
)
def test_bad_settings_are_one_sentence(daemon: TestDaemon, name: str, value: str, text: str):
    done = process(daemon, "status", **{name: value})
    assert done.returncode == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_doctor(run: Command, daemon: TestDaemon):
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert f"answers at {daemon.url}" in result.output
    keys = daemon.home / "credentials.json"
    keys.chmod(0o644)
    try:
        result = run("doctor")
        assert result.exit_code == 1
        assert f"chmod 600 {keys}" in result.output
    finally:
        keys.chmod(0o600)


USES = """
import boto3
assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"
assert "Contents" in boto3.client("s3").list_objects_v2(Bucket={bucket!r})
assert boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
"""
ASTRAY = {
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_SAGEMAKER": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_SESSION_TOKEN": "of somebody else",
    "AWS_USE_FIPS_ENDPOINT": "true",
}


def test_env_for_a_shell_leads_boto3_here(daemon: TestDaemon, session: Session, job: str):
    bottega = shlex.join(MAIN)
    program = shlex.quote(USES.format(bucket=session.config.bucket))
    script = f'set -e; eval "$({bottega} env)"; {shlex.quote(sys.executable)} -c {program}'
    astray = ASTRAY | {"AWS_PROFILE": "nowhere", "AWS_CA_BUNDLE": "/nowhere"}
    done = subprocess.run(
        ["bash", "-c", script],
        env=os.environ | astray | {"BOTTEGA_HOME": str(daemon.home)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_env_as_json_is_flat_and_leads_boto3_here(run: Command, session: Session, job: str):
    values = json.loads(run("env", "--format", "json").output)
    assert all(isinstance(value, str) for value in values.values())
    assert values["BOTTEGA_BUCKET"] == session.config.bucket
    done = subprocess.run(
        [sys.executable, "-c", USES.format(bucket=session.config.bucket)],
        env=os.environ | ASTRAY | values,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_env_as_dotenv_says_the_same(run: Command):
    values = json.loads(run("env", "--format", "json").output)
    lines = [shlex.split(line)[0] for line in run("env", "--format", "dotenv").output.splitlines()]
    assert dict(line.split("=", 1) for line in lines) == values


def test_starting_and_stopping(tmp_path: Path):
    environment = os.environ | {"BOTTEGA_HOME": str(tmp_path / "h"), "BOTTEGA_TRACKING": "false"}

    def call(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*MAIN, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def done(started: subprocess.Popen[str]) -> tuple[str, int]:
        return started.communicate(timeout=90)[0], started.returncode

    assert done(call("status"))[1] == 3
    assert done(call("stop")) == ("bottega is not running\n", 0)
    try:
        starts = [call("start"), call("start"), call("start")]
        outputs = {done(start) for start in starts}
        assert len(outputs) == 1  # one daemon, which all three name
        assert outputs.pop()[1] == 0
        assert done(call("status"))[1] == 0
        text, code = done(call("start", "--port", "5"))
        assert code == 1
        assert "stays there" in text
        assert done(call("serve"))[1] == 3
    finally:
        text, code = done(call("stop"))
        TestDaemon(tmp_path / "h").clean_up()
    assert code == 0
    assert text.startswith("stopped the bottega at http://127.0.0.1:")
    assert done(call("stop")) == ("bottega is not running\n", 0)
