"""The notebooks of the examples run from top to bottom."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from bottega.testing.daemon import TestDaemon

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.ipynb"))


def test_there_are_examples():
    assert {file.stem for file in EXAMPLES} >= {
        "train_track_deploy",
        "boto3_xgboost",
        "studio_magics",
    }


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_notebook_is_kept_without_outputs(file: Path):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_notebook_runs(file: Path, daemon: TestDaemon, tmp_path: Path):
    notebook: Any = nbformat.read(file, as_version=4)
    # A kernel writes where it listens to the runtime folder, and IPython keeps a history.
    folders = {"JUPYTER_RUNTIME_DIR": str(tmp_path), "IPYTHONDIR": str(tmp_path)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how nbclient treats its sockets is not our affair
        client = NotebookClient(
            notebook, timeout=150, resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute(env=os.environ | daemon.environment() | folders)
    endpoints = daemon.client("sagemaker").list_endpoints()["Endpoints"]
    assert [item for item in endpoints if item["EndpointStatus"] != "Deleting"] == []
