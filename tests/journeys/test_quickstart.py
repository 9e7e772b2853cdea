"""`bottega quickstart` in a fresh home, as a process: the first thing anybody does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.daemon import lifecycle
from bottega.sdk.session import connect
from bottega.testing.daemon import TestDaemon

COMMAND = [sys.executable, "-c", "from bottega.cli.main import main; main()"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "h"
    yield folder
    lifecycle.stop(Config.load(folder, environment={}))
    TestDaemon(folder).clean_up()


@pytest.mark.slow
def test_quickstart(home: Path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MLFLOW_"))}
    run = subprocess.run(
        [*COMMAND, "quickstart"],
        env=environment | {"BOTTEGA_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    assert run.stderr == ""
    auc = re.search(r"validation AUC (\d\.\d+)", run.stdout)
    assert auc is not None
    assert float(auc[1]) > 0.98
    right = re.search(r"(\d+) of 114 right", run.stdout)
    assert right is not None
    assert int(right[1]) > 104
    assert run.stdout.count("[59]") == 1
    assert all(len(line) <= 120 for line in run.stdout.splitlines())

    studio = connect(home)
    (summary,) = studio.jobs()
    (deployed,) = studio.endpoints()
    assert summary["TrainingJobStatus"] == "Completed"
    assert deployed["EndpointStatus"] == "InService"
    assert f"bottega jobs show {summary['TrainingJobName']}" in run.stdout
    job = studio.job(summary["TrainingJobName"])
    assert job.metrics["validation:auc"] == pytest.approx(float(auc[1]), abs=1e-4)

    assert job.run_url is not None
    assert f"open {job.run_url}" in run.stdout
    tracking = studio.describe()["TrackingUri"]
    token = Credentials.load(studio.config).tracking_token
    answer = urllib3.request(
        "GET",
        f"{tracking}/api/2.0/mlflow/runs/get?run_id={job.run_url.rpartition('/')[2]}",
        headers={"Authorization": f"Bearer {token}"},
    )
    found = answer.json()["run"]
    assert found["info"]["run_name"] == job.name
    params = {item["key"]: item["value"] for item in found["data"]["params"]}
    assert params["objective"] == "binary:logistic"

    # Everything it says comes next does work.
    for line in run.stdout.partition("What next")[2].splitlines():
        if (command := line.strip()).startswith("bottega "):
            done = subprocess.run(
                [*COMMAND, *command.split()[1:]],
                env=environment | {"BOTTEGA_HOME": str(home)},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
    assert lifecycle.running(studio.config) is None  # the last one was `bottega stop`
