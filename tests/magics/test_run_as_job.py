"""``%run_as_job`` from a notebook."""

from __future__ import annotations

import nbformat
import pytest

from bottega.magics import notebook


@pytest.fixture
def report(tmp_path):
    """A notebook that would run itself as a job."""
    cells = ["count = 1", "%load_ext bottega", "%run_as_job", "print('count is', count)"]
    nodes = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nodes[0].metadata["tags"] = ["parameters"]
    path = tmp_path / "report.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=nodes), path)
    return path


@pytest.mark.slow
def test_this_notebook_runs_as_a_job_once_and_comes_back(run, report, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(report))
    ran = run("%run_as_job -p count 7 --name again")
    assert ran.result.success, ran.text
    assert "Executed copy:" in ran.text
    text = (report.parent / "report-again.ipynb").read_text()
    assert "count is 7" in text
    assert "This is the job: %run_as_job does nothing in it." in text
    assert "count is 7" in (report.parent / "report-again.html").read_text()


@pytest.mark.slow
def test_a_failing_notebook_comes_back_too(run, report):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("oh = no")]), report)
    ran = run("%run_as_job report.ipynb --name broken")
    assert "NameError: name 'no' is not defined" in ran.refusal
    assert (report.parent / "report-broken.ipynb").exists()


def test_without_a_name_and_a_page_it_asks_for_one(run, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert "name it: %run_as_job PATH" in run("%run_as_job").refusal
    assert "there is no notebook" in run("%run_as_job gone.ipynb").refusal


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("[1]", [1]), ("a b", "a b"), ('"7"', "7")])
def test_a_parameter_is_json_or_text(text, value):
    assert notebook.value(text) == value
