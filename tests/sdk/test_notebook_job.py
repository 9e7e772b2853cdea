"""Notebooks as jobs: what they see, how they fail, what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.sdk.client import RemoteClient
from bottega.sdk.data import DataError
from bottega.sdk.notebook_job import CELL_METRIC, NotebookJob, _as_hyperparameters
from bottega.sdk.session import Session
from bottega.sdk.training_job import JobFailed
from bottega.testing.daemon import running_daemon


def started(home: Path, **settings: Any) -> Iterator[Session]:
    with running_daemon(home, tracking=False, **settings) as daemon:
        config = daemon.config
        client = RemoteClient(daemon.url, config.region, Credentials.load(config))
        yield Session(client, config)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    yield from started(tmp_path_factory.mktemp("home") / "h")


def written(path: Path, *cells: str, **metadata: Any) -> Path:
    """A notebook whose first cell holds its parameters."""
    nodes = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nodes[0].metadata["tags"] = ["parameters"]
    nodes.insert(1, nbformat.v4.new_markdown_cell("# Not executed"))
    nbformat.write(nbformat.v4.new_notebook(cells=nodes, metadata=metadata), path)
    return path


def printed(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


PARAMETERS = {"count": 3, "text": "5", "share": 0.5, "none": None, "items": [1, {"a": "b"}]}
SEES = [
    "count, text, share, none, items = 1, '', 0.0, 1, []",
    "import json\nprint('got', json.dumps([count, text, share, none, items]))",
    "from parts.helper import ANSWER\nprint('helper', ANSWER, open('beside.txt').read())",
    "import os\nprint('variable', os.environ['COLOUR'])",
    "import bottega\nstudio = bottega.connect()\n"
    "print('studio', [job['TrainingJobName'] for job in studio.jobs()])",
    "import boto3\nprint('arn', boto3.client('sts').get_caller_identity()['Arn'])",
]


@pytest.mark.slow
def test_a_notebook_runs_as_a_job_and_comes_back(studio: Session, tmp_path: Path):
    beside = tmp_path / "there"
    (beside / "parts").mkdir(parents=True)
    (beside / "parts" / "helper.py").write_text("ANSWER = 42\n")
    elsewhere = tmp_path / "beside.txt"
    elsewhere.write_text("from elsewhere")
    job = studio.run_notebook(
        written(beside / "report.ipynb", *SEES),
        parameters=PARAMETERS,
        name="report-1",
        dependencies=["parts", elsewhere],
        environment={"COLOUR": "green"},
        logs=False,
    )
    notebook, page = job.collect(tmp_path / "back")
    assert (notebook.name, page.name) == ("report-report-1.ipynb", "report-report-1.html")
    said = printed(notebook)
    assert 'got [3, "5", 0.5, null, [1, {"a": "b"}]]' in said
    assert "helper 42 from elsewhere" in said
    assert "variable green" in said
    assert "studio ['report-1']" in said
    assert "assumed-role/BottegaExecutionRole/training-job=report-1" in said
    assert "variable green" in page.read_text()
    tags = [cell.metadata.get("tags") for cell in nbformat.read(notebook, as_version=4).cells]
    assert ["injected-parameters"] in tags
    assert job.metrics == {CELL_METRIC: 7.0}
    assert "Cell 7 of 7: import boto3" in list(job.logs())


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["auto", "process"])
def test_a_cell_that_fails_is_the_reason_and_the_copy_comes_back(isolation: str, tmp_path: Path):
    notebook = written(tmp_path / "n.ipynb", "x = 1", "print('before')", "1 / (x - 1)", "print(3)")
    for studio in started(tmp_path / "h", isolation=isolation):
        with pytest.raises(JobFailed) as failed:
            studio.run_notebook(notebook, name="fails", logs=False)
        reason = failed.value.message
        assert "AlgorithmError: cell [3] failed" in reason
        assert "----> 1 1 / (x - 1)" in reason
        assert "ZeroDivisionError: division by zero" in reason
        assert "papermill" not in reason
        copy, page = NotebookJob(studio.client, "fails").collect(tmp_path)
        assert "before" in printed(copy)
        assert "ZeroDivisionError" in page.read_text()


@pytest.mark.slow
def test_a_kernel_that_is_not_there(studio: Session, tmp_path: Path):
    julia = {"kernelspec": {"name": "julia-9", "display_name": "J", "language": "julia"}}
    other = written(tmp_path / "n.ipynb", "print('ran anyway')", **julia)
    job = studio.run_notebook(other, name="other-kernel", logs=False)
    assert any("'julia-9' is not here; python3" in line for line in job.logs())
    with pytest.raises(JobFailed, match="julia-9"):
        studio.run_notebook(other, name="wanted-kernel", kernel_name="julia-9", logs=False)
    with pytest.raises(ClientFault, match="left no notebook, it ended before one ran"):
        NotebookJob(studio.client, "wanted-kernel").collect(tmp_path)


def test_only_a_missing_object_means_that_there_is_no_notebook(tmp_path: Path):
    notebook = written(tmp_path / "n.ipynb", "import time", "time.sleep(600)")
    with running_daemon(tmp_path / "h", tracking=False) as daemon:
        config, s3 = daemon.config, daemon.client("s3")
        studio = Session(RemoteClient(daemon.url, config.region, Credentials.load(config)), config)
        job = studio.run_notebook(notebook, name="stopped", wait=False, logs=False)
        job.stop()
        with pytest.raises(JobFailed):
            job.wait(logs=False, quiet=True)
        for item in s3.list_objects_v2(Bucket=config.bucket)["Contents"]:
            s3.delete_object(Bucket=config.bucket, Key=item["Key"])
        with pytest.raises(ClientFault, match="left no notebook, it ended before one ran"):
            job.collect(tmp_path)
        s3.delete_bucket(Bucket=config.bucket)
        with pytest.raises(ClientFault, match="bucket does not exist"):
            job.collect(tmp_path)


def test_what_cannot_be_a_notebook_is_refused_before_anything_is_sent(studio, tmp_path):
    (tmp_path / "broken.ipynb").write_text("{")
    (tmp_path / "old.ipynb").write_text('{"worksheets": []}')
    good = written(tmp_path / "good.ipynb", "x = 1")
    for path, said in (
        (tmp_path / "none.ipynb", "there is no notebook"),
        (tmp_path / "broken.ipynb", "is no notebook of format 4"),
        (tmp_path / "old.ipynb", "is no notebook of format 4"),
    ):
        with pytest.raises(DataError, match=said):
            studio.run_notebook(path, name="refused")
    with pytest.raises(DataError, match=r"dependencies: .*gone.py does not exist"):
        studio.run_notebook(good, name="refused", dependencies=["gone.py"])
    for parameters, said in (
        ({"a b": 1}, "cannot be a parameter"),
        ({"class": 1}, "cannot be a parameter"),
        ({"f": object()}, "'f' is a object"),
    ):
        with pytest.raises(DataError, match=said):
            studio.run_notebook(good, name="refused", parameters=parameters)
    assert "refused" not in [job["TrainingJobName"] for job in studio.jobs()]


def test_a_job_without_a_notebook_has_none_to_collect(studio, tmp_path):
    (tmp_path / "train.py").write_text("print(1)")
    job = studio.train(script=tmp_path / "train.py", name="plain", logs=False)
    with pytest.raises(ClientFault, match="did not run a notebook"):
        NotebookJob(job.client, job.name).collect(tmp_path)


@given(st.dictionaries(st.from_regex(r"p[a-z_]{0,8}", fullmatch=True), st.text() | st.integers()))
def test_parameters_keep_their_kind_on_the_way(values):
    from bottega.container.environment import TrainingEnvironment
    from bottega.container.paths import ContainerPaths

    sent = _as_hyperparameters({f"{name}_": value for name, value in values.items()})
    environment = TrainingEnvironment(ContainerPaths.of({}), sent, {}, {})
    assert environment.user_hyperparameters == {f"{k}_": v for k, v in values.items()}
