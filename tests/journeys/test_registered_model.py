"""From a training job into the registry, and from there to an endpoint."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

import bottega
from bottega.errors import ClientFault, ValidationException
from bottega.testing.daemon import TestDaemon, eventually

FRAME = pandas.DataFrame({"x": range(60), "y": [n % 2 for n in range(60)]})


def test_a_job_is_registered_approved_and_deployed(plain_daemon: TestDaemon) -> None:
    studio = bottega.connect(plain_daemon.config.home, tracking=False)
    job = studio.train("xgboost", data=FRAME, target="y", num_round=2, logs=False)
    version = job.register("parity", description="First try.")
    eventually(lambda: version.status == "Completed", "it is validated")
    with pytest.raises(ValidationException, match="only an approved one can be deployed"):
        version.deploy()
    assert job.check() == version.check() == []
    endpoint = version.approve("Good enough.").deploy()
    assert endpoint.name == "parity-1"
    assert endpoint.predict(FRAME[:3]).tolist() == job.deploy().predict(FRAME[:3]).tolist()

    listed = studio.client.call("bottega", "ListModelVersions", {"GroupName": "parity"})
    (shown,) = listed["Versions"]
    assert shown["TrainingJobName"] == job.name
    assert {item["Name"]: item["Value"] for item in shown["Metrics"]} == pytest.approx(job.metrics)
    assert shown["Endpoints"] == ["parity-1"]
    graph = studio.client.call(
        "bottega",
        "DescribeModelLineage",
        {"ResourceType": "Endpoint", "ResourceName": "parity-1"},
    )
    on_the_way = {node["Type"] for node in graph["Nodes"]}
    assert on_the_way == {
        "Data",
        "TrainingJob",
        "ModelPackage",
        "Model",
        "EndpointConfig",
        "Endpoint",
    }

    second = job.register("parity", approved=True)
    eventually(lambda: second.status == "Completed", "it is validated")
    assert studio.model_version("parity/2").describe() == second.describe()
    assert second.reject("No better.").approval == "Rejected"
    second.delete()
    with pytest.raises(ValidationException, match="parity/2 does not exist"):
        second.describe()


def test_a_job_that_runs_cannot_be_registered(plain_daemon: TestDaemon, tmp_path: Path) -> None:
    studio = bottega.connect(plain_daemon.config.home, tracking=False)
    script = tmp_path / "endless.py"
    script.write_text("import time\nwhile True:\n    time.sleep(1)\n")
    job = studio.train(script=script, wait=False)
    with pytest.raises(ClientFault, match="InProgress; only a completed job can be registered"):
        job.register("never")
    job.stop()
    groups = studio.client.call("sagemaker", "ListModelPackageGroups", {"NameContains": "never"})
    assert groups["ModelPackageGroupSummaryList"] == []
