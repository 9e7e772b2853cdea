"""A job fails, the daemon is killed and started again, and a notebook fails as the job did."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas
import pytest

from bottega.sdk.session import Session, connect
from bottega.testing.daemon import TestDaemon, eventually, running_daemon

SCRIPT = """
import os

import pandas

frame = pandas.read_csv("/opt/ml/input/data/train/train.csv")
print("rows", len(frame), "level", os.environ["SM_HP_LEVEL"])
label = frame["Churn"]
"""
FAILING_LINE = len(SCRIPT.splitlines())

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        yield started


@pytest.fixture(scope="module")
def session(daemon: TestDaemon, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """With a job ``broken`` that failed before the daemon was killed."""
    script = tmp_path_factory.mktemp("code") / "broken.py"
    script.write_text(SCRIPT)
    frame = pandas.DataFrame({"churn": [0, 1, 0], "age": [31, 45, 27]})
    before = connect(daemon.home)
    job = before.train(script=script, data=frame, name="broken", level=7, wait=False)
    eventually(lambda: job.status == "Failed", "it fails")
    told = job.explain()
    daemon.restart()
    after = connect(daemon.home)
    assert after.job("broken").explain() == told
    return after


def test_the_notebook_fails_where_the_job_did(session: Session, tmp_path: Path):
    import nbformat
    from nbclient import NotebookClient

    assert session.job("broken").explain()["Cause"]["Code"] == "LabelColumnMissing"
    made = session.replay("broken", tmp_path)
    assert made.notes == ()
    notebook = nbformat.read(made.notebook, as_version=4)
    debugging = [cell for cell in notebook.cells if cell.source != "%debug"]
    notebook.cells = debugging  # it waits for what somebody types
    NotebookClient(
        notebook, allow_errors=True, resources={"metadata": {"path": tmp_path}}
    ).execute()
    running = next(cell for cell in notebook.cells if cell.source == "names = replay.run()")
    printed = "".join(one.text for one in running.outputs if one.output_type == "stream")
    assert "rows 3 level 7" in printed
    error = next(one for one in running.outputs if one.output_type == "error")
    assert (error.ename, error.evalue) == ("KeyError", "'Churn'")
    trace = "\n".join(error.traceback)
    assert "broken.py" in trace
    assert str(FAILING_LINE) in trace


def test_it_runs_through_once_the_script_is_mended(session: Session, tmp_path: Path):
    made = session.replay("broken", tmp_path)
    script = made.folder / "ml" / "code" / "broken.py"
    script.write_text(SCRIPT.replace("Churn", "churn"))
    ended = subprocess.run(
        [sys.executable, "-m", "bottega.container.replay", str(made.folder)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "rows 3 level 7" in ended.stdout


def test_what_went_away_meanwhile_is_said(session: Session, tmp_path: Path):
    described = session.job("broken").describe()
    source = described["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, _, key = source.removeprefix("s3://").partition("/")
    client = session.client
    client.put_object(bucket, key.rstrip("/") + "/other.csv", b"1\n")
    notes = session.replay("broken", tmp_path).notes
    assert any("has what the job had not" in note for note in notes), notes
