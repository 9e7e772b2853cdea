"""Nothing leaves the machine: the same where nothing can, and without a word to anybody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, as_csv
from conftest import command
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

IN_NAMESPACE = """\
set -e
ip link set lo up
eval "$({bottega} env)"
trap '{bottega} stop' EXIT
{python} {script} {data}
"""


def test_a_journey_with_loopback_alone(tmp_path: Path, shared_data: Path) -> None:
    if subprocess.run(["unshare", "--net", "ip", "link"], capture_output=True).returncode:
        pytest.skip("network namespaces cannot be made here")
    data = tmp_path / "train.csv"
    data.write_text(as_csv(abalone_rows(shared_data, 100)))
    script = IN_NAMESPACE.format(
        bottega=command()[0],
        python=sys.executable,
        script=Path(__file__).with_name("offline_journey.py"),
        data=data,
    )
    kept = {"PATH", "HOME", "LANG", "TMPDIR"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    environment |= {"BOTTEGA_HOME": str(tmp_path / "home"), "BOTTEGA_TRACKING": "false"}
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no network:" in done.stdout
    assert "account 000000000000 bucket sagemaker-us-east-1-000000000000" in done.stdout
    assert "model s3://sagemaker-us-east-1-000000000000/" in done.stdout


def test_the_first_question_about_a_short_job_is_the_last(
    session: Any, role: str, shared_data: Path, timed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the SDK's own pauses: 5 seconds before the first question, 30 before another one."""
    import sagemaker.session

    monkeypatch.setenv("BOTTEGA_SDK_PACE", "off")
    monkeypatch.setattr(sagemaker.session, "time", time)
    bucket = session.default_bucket()
    body = as_csv(abalone_rows(shared_data, 200))
    uri = session.upload_string_as_file_body(body, bucket, "offline/train.csv")
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = Estimator(image, role, 1, "ml.m5.large", sagemaker_session=session)
    estimator.set_hyperparameters(num_round=2, objective="reg:squarederror")
    asked: list[str] = []
    events = session.sagemaker_client.meta.events
    events.register(
        "before-call.sagemaker.DescribeTrainingJob",
        lambda **_: asked.append("DescribeTrainingJob"),
        unique_id="count",
    )
    try:
        with timed("fit with the SDK's own pauses"):
            estimator.fit({"train": TrainingInput(uri, content_type="text/csv")})
    finally:
        events.unregister("before-call.sagemaker.DescribeTrainingJob", unique_id="count")
    assert len(asked) == 1
