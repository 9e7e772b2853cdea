"""The tester's Python side, and that its snippets do what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pandas
import pytest

from bottega.widgets import EndpointTester


@pytest.fixture(scope="module")
def endpoint(trained):
    endpoint = trained.deploy("tested")
    yield endpoint
    endpoint.delete()


def test_it_sends_what_is_typed(endpoint):
    tester = EndpointTester(endpoint)
    assert tester.answer == {}
    tester.body = "3\n4"
    tester._handle_custom_msg({"do": "send"}, [])
    assert tester.answer["ok"]
    assert len(tester.answer["text"].split()) == 2
    assert tester.answer["kind"].startswith("text/csv")
    assert tester.answer["milliseconds"] > 0


def test_a_refusal_is_an_answer_too(endpoint):
    tester = EndpointTester(endpoint)
    tester.body, tester.content_type = "{}", "image/png"
    tester.send()
    assert not tester.answer["ok"]
    assert tester.answer["text"].startswith("ModelError: ")


def test_it_begins_with_a_row_of_the_training_data(endpoint):
    tester = EndpointTester(endpoint)
    assert (tester.body.strip(), tester.content_type) == ("0", "text/csv")
    assert "trained" in tester.source


def test_it_begins_with_rows(endpoint, studio):
    tester = EndpointTester("tested", pandas.DataFrame({"a": [1.5, 2.5]}), studio=studio)
    assert tester.body == "1.5\n2.5\n"
    assert "1.5" in tester.snippets["boto3"]


def test_without_widgets_it_is_text_and_html(endpoint):
    bundle = EndpointTester(endpoint)._repr_mimebundle_()[0]
    assert bundle.keys() == {"text/plain", "text/html"}
    assert bundle["text/plain"].startswith("Endpoint tested: InService")
    assert "invoke_endpoint" in bundle["text/html"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["boto3", "requests", "SDK", "curl"])
def test_a_snippet_predicts(endpoint, daemon, kind):
    tester = EndpointTester(endpoint)
    tester.body = "3\n4"
    tester.send()
    code = tester.snippets[kind]
    environment = os.environ | daemon.environment()
    if kind == "curl":
        if shutil.which("curl") is None:
            pytest.skip("there is no curl here")
        path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
        command, environment = ["bash", "-ec", code], environment | {"PATH": path}
    else:
        command = [sys.executable, "-c", code]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    numbers = ran.stdout.strip("[] \n").replace(",", " ").split()
    expected = tester.answer["text"].split()
    assert [float(x) for x in numbers] == pytest.approx([float(x) for x in expected])
