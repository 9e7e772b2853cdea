"""The widgets in a real kernel: live where a page with cells asks, plain text elsewhere."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from bottega.widgets.data_wrangler import MIME
from bottega.widgets.lasting import WIDGET

pytestmark = pytest.mark.filterwarnings("ignore")  # sockets of a kernel are not our affair
SLOW_ENOUGH = """\
%%train --script --name {name} --metric loss "loss=([0-9.]+)"
import time
for step in range(1, 31):
    print(f"loss={{1 / step}}", flush=True)
    time.sleep(0.1)
"""


@pytest.fixture
def environment(daemon, tmp_path) -> dict[str, str]:
    folders = {"JUPYTER_RUNTIME_DIR": str(tmp_path), "IPYTHONDIR": str(tmp_path)}
    return os.environ | daemon.environment() | folders


class Page:
    """Runs cells as a page does, and keeps their outputs as a page would."""

    def __init__(self, manager: KernelManager) -> None:
        self.client = manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> list[dict[str, Any]]:
        """The messages of a cell, in their order, until the kernel rests."""
        content = {"code": code, "silent": False, "store_history": True}
        message = self.client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": "cell-1"}
        self.client.shell_channel.send(message)
        found = []
        while True:
            answer = self.client.get_iopub_msg(timeout=120)
            found.append(answer)
            mine = answer["parent_header"].get("msg_id") == message["header"]["msg_id"]
            if mine and answer["content"].get("execution_state") == "idle":
                return found

    def bundles(self, kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [x["content"]["data"] for x in messages if x["msg_type"] == kind]


@pytest.fixture
def page(environment) -> Iterator[Page]:
    manager = KernelManager()
    manager.start_kernel(env=environment)
    opened = Page(manager)
    try:
        yield opened
    finally:
        opened.client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_a_page_gets_a_live_widget_and_keeps_its_last_state(page):
    page.run("%load_ext bottega")
    messages = page.run(SLOW_ENOUGH.format(name="on-a-page"))
    assert not [x["content"] for x in messages if x["msg_type"] == "error"]
    (shown,) = page.bundles("display_data", messages)
    assert shown.keys() == {WIDGET, "text/plain", "text/html"}
    states = [x["content"]["data"]["state"] for x in messages if x["msg_type"] == "comm_msg"]
    assert len([state for state in states if "courses" in state]) > 1, "it was live"
    last = page.bundles("update_display_data", messages)[-1]
    assert last.keys() == {"text/plain", "text/html"}
    assert last["text/plain"].startswith("Training job on-a-page: Completed after")
    assert "<svg" in last["text/html"]


@pytest.mark.slow
def test_another_kernel_attaches_to_the_job_again(page, trained):
    page.run("%load_ext bottega")
    (shown,) = page.bundles("display_data", page.run("%jobs trained"))
    assert shown["text/plain"].startswith("Training job trained: Completed")
    (again,) = page.bundles(
        "display_data", page.run("import bottega\nbottega.JobMonitor('trained')")
    )
    assert again == shown


SEARCH = """\
%%tune --script --image python --name {name} --metric loss "loss=([0-9.]+);" --objective loss \
--minimize --range rate 0.1..0.9 --trials 3 --parallel 1
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
time.sleep(1)
print(f"loss={{parser.parse_args().rate}};")
"""


@pytest.mark.slow
def test_a_search_is_live_on_a_page_and_another_kernel_attaches_to_it_again(page):
    page.run("%load_ext bottega")
    messages = page.run(SEARCH.format(name="searched"))
    assert not [x["content"] for x in messages if x["msg_type"] == "error"]
    (shown,) = page.bundles("display_data", messages)
    assert shown.keys() == {WIDGET, "text/plain", "text/html"}
    states = [x["content"]["data"]["state"] for x in messages if x["msg_type"] == "comm_msg"]
    assert len([state for state in states if "progress" in state]) > 1, "it was live"
    last = page.bundles("update_display_data", messages)[-1]
    assert last.keys() == {"text/plain", "text/html"}
    assert last["text/plain"].startswith("Tuning job searched: Completed after")
    (again,) = page.bundles(
        "display_data", page.run("import bottega\nbottega.TuningMonitor('searched')")
    )
    assert again == last
    assert page.bundles("display_data", page.run("%tunings searched")) == [last]


@pytest.mark.slow
def test_a_kernel_ends_while_a_widget_is_live(page):
    page.run("%load_ext bottega")
    code = SLOW_ENOUGH.format(name="left-alone").replace("--metric", "--no-wait --metric")
    (shown,) = page.bundles("display_data", page.run(code.replace("31", "100")))
    assert WIDGET in shown
    page.client.shutdown()
    while page.client.is_alive():
        pass  # the test's own time limit ends it


@pytest.mark.slow
def test_where_nothing_shows_widgets_there_is_text(environment, tmp_path):
    cells = [
        "%load_ext bottega",
        SLOW_ENOUGH.format(name="plain"),
        "import bottega\nbottega.JobMonitor('plain')",
        "%jobs",
        SEARCH.format(name="plainly"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(x) for x in cells])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=120, resources=resources).execute(env=environment)
    data = [x.data for cell in notebook.cells for x in cell.outputs if "data" in x]
    assert len(data) == 4
    assert all(x.keys() == {"text/plain", "text/html"} for x in data)
    assert "widgets" not in notebook.metadata
    lines = "".join(x.text for x in notebook.cells[1].outputs if x.output_type == "stream")
    assert "plain: Completed" in lines
    from nbconvert import HTMLExporter, MarkdownExporter

    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "Training job plain: Completed after" in page
    assert "widget-view" not in page
    assert "Tuning job plainly: Completed after" in page
    text, _ = MarkdownExporter().from_notebook_node(notebook)
    assert "Training job plain: Completed after" in text


@pytest.mark.slow
def test_a_frame_is_shown_wherever_it_is_asked_for_and_once(page):
    page.run("import bottega, pandas as pd\ndf = pd.DataFrame({'a': [1, None]})")
    for code, count in [
        ("wrangler = bottega.show(df)\nNone", 1),
        ("bottega.show(df)", 1),
        ("again = bottega.show(df)\nagain", 1),
        ("bottega.show(df)\nbottega.show(df, 'other')", 2),
        ("wrangler", 1),
        ("quiet = bottega.DataWrangler(df)", 0),
        ("quiet", 1),
    ]:
        messages = page.run(code)
        assert not [x["content"] for x in messages if x["msg_type"] == "error"]
        assert not page.bundles("execute_result", messages)
        shown = page.bundles("display_data", messages)
        assert len(shown) == count, code
        assert all(x.keys() == {MIME, "text/html", "text/plain"} for x in shown)
        assert all(x[MIME]["expression"] == "df" for x in shown)


@pytest.mark.slow
def test_code_says_how_a_cell_gets_the_frame(page):
    page.run("import bottega, pandas as pd\nplain = pd.DataFrame({'a': [1, 2]})")
    for frame, expression in [
        ("plain", "plain"),
        ("(some := plain[1:])", "some.reset_index(drop=True)"),
        ("(indexed := plain.set_index(pd.Index([5, 6], name='b')))", "indexed.reset_index()"),
        ("(numbered := pd.DataFrame([[1]]))", None),
        ("(zoned := pd.DataFrame({'at': pd.to_datetime(['2026-01-01 12:00Z'])}))", None),
        ("plain.copy()", None),
    ]:
        messages = page.run(f"bottega.show({frame})")
        assert not [x["content"] for x in messages if x["msg_type"] == "error"]
        (shown,) = page.bundles("display_data", messages)
        assert shown[MIME]["expression"] == expression, frame
