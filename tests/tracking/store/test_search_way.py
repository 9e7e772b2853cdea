"""The short way for a search answers as MLflow's own way does, or leaves it to that."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.protos.service_pb2 import SearchRuns
from mlflow.utils import proto_json_utils

from bottega.testing.run_samples import SampleRun, SampleStore
from bottega.testing.tracker import TOKEN, Tracker
from bottega.tracking.store.search_way import search_way

SHORT = "application/json"
LONG = "application/json; charset=utf-8"
"""What MLflow takes for the same, and the short way does not look at."""


HEADERS = ("Content-Type", "X-Content-Type-Options", "X-Frame-Options", "Vary", "Connection")


def ask(tracker: Tracker, body: bytes, kind: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        "POST",
        f"{tracker.address}/mlflow/api/2.0/mlflow/runs/search",
        body=body,
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, **headers},
        retries=False,
    )


def said(answer: urllib3.BaseHTTPResponse) -> tuple[int, Any, list[str | None]]:
    """(status, the answer, the headers that matter)."""
    try:
        found = answer.json()
    except ValueError:
        found = answer.data
    return answer.status, found, [answer.headers.get(name) for name in HEADERS]


@pytest.fixture(scope="module")
def experiment(tracker: Tracker) -> Iterator[str]:
    """An experiment with runs that have something of everything."""
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
        client = MlflowClient(tracking_uri=f"{tracker.address}/mlflow")
        found = client.create_experiment("searched")
        for number in range(5):
            run = client.create_run(found, run_name=f"run {number}", tags={"odd": str(number % 2)})
            name = run.info.run_id
            client.log_metric(name, "loss", math.nan if number == 1 else number / 7, 5, number)
            client.log_param(name, "depth", number)
        client.log_metric(name, "high", math.inf)
        data = Dataset(name="rows", digest="1", source_type="local", source="{}")
        client.log_inputs(name, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
        model = client.create_logged_model(found, name="m", source_run_id=name)
        client.log_outputs(name, [LoggedModelOutput(model.model_id, step=3)])
        client.set_terminated(name)
        client.delete_run(client.create_run(found, run_name="gone").info.run_id)
        yield found


EXPERIMENT = "the experiment"
ALL = {"experiment_ids": [EXPERIMENT]}


@pytest.mark.parametrize(
    "asked",
    [
        ALL,
        {},
        {**ALL, "max_results": 2},
        {**ALL, "max_results": 2, "page_token": "eyJvZmZzZXQiOiAyfQ=="},
        {**ALL, "run_view_type": "ALL"},
        {**ALL, "run_view_type": "DELETED_ONLY"},
        {**ALL, "order_by": ["metrics.loss DESC"], "filter": "params.depth != '3'"},
        {**ALL, "order_by": ["attributes.run_name ASC", "tags.odd"]},
        {**ALL, "filter": "metrics.loss > 99"},
        {**ALL, "filter": "datasets.name = 'rows'"},
        {"experiment_ids": ["77"]},
        # What is refused, or read in MLflow's way.
        {**ALL, "filter": "metrics.loss >"},
        {**ALL, "filter": None},
        {**ALL, "filter": 5},
        {**ALL, "order_by": "loss"},
        {**ALL, "order_by": ["nothing.loss"]},
        {**ALL, "max_results": 0},
        {**ALL, "max_results": 50_001},
        {**ALL, "max_results": "2"},
        {**ALL, "max_results": True},
        {**ALL, "run_view_type": 3},
        {**ALL, "run_view_type": "SOME"},
        {**ALL, "page_token": "?"},
        {**ALL, "page_token": "\xe9"},
        {**ALL, "page_token": base64.b64encode(json.dumps({"offset": 10**23}).encode()).decode()},
        {**ALL, "filter": "tags.odd = '\ud800'"},
        {**ALL, "filter": f"attributes.start_time > {10**26}"},
        {"experiment_ids": [0]},
        {"experiment_ids": "0"},
        {"experiment_ids": ["x"]},
        {**ALL, "other": 1},
        [],
        "text",
    ],
)
def test_both_ways_say_the_same(tracker: Tracker, experiment: str, asked: Any) -> None:
    body = json.dumps(asked).replace(EXPERIMENT, experiment).encode()
    short, long = (said(ask(tracker, body, kind)) for kind in (SHORT, LONG))
    assert short == long


def test_a_plain_search_goes_the_short_way(tracker: Tracker, experiment: str) -> None:
    body = json.dumps({"experiment_ids": [experiment]}).encode()
    short, long = (ask(tracker, body, kind).data for kind in (SHORT, LONG))
    assert b"\n" not in short  # MLflow sets its answers in lines
    assert b"\n" in long
    # A client that means a workspace is answered by MLflow.
    refused = said(ask(tracker, body, SHORT, **{"X-MLFLOW-WORKSPACE": "mine"}))
    assert refused == said(ask(tracker, body, LONG, **{"X-MLFLOW-WORKSPACE": "mine"}))
    assert refused[0] != 200


NUMBERS = st.floats(width=64)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
RUNS = st.builds(
    SampleRun,
    name=TEXTS,
    status=st.sampled_from(["RUNNING", "FINISHED", "FAILED"]),
    start=st.integers(0, 2**40),
    end=st.none() | st.integers(1, 2**40),
    metrics=st.dictionaries(TEXTS, NUMBERS, max_size=3),
    params=st.dictionaries(TEXTS, TEXTS, max_size=3),
    tags=st.dictionaries(TEXTS, TEXTS, max_size=3),
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(RUNS, max_size=4))
def test_runs_are_written_as_mlflow_writes_them(
    make_store: Callable[[], SampleStore], runs: list[SampleRun]
) -> None:
    samples = make_store()
    samples.add(*runs)
    find: Any = samples.store.search_runs
    message = SearchRuns.Response()
    message.runs.extend([run.to_proto() for run in find(["1"], "", 1)])
    text: Any = proto_json_utils.message_to_json
    answer = search_way(lambda: samples.store)["runs/search"]({"experiment_ids": ["1"]})
    assert answer is not None
    assert json.loads(answer) == json.loads(text(message))


def test_an_answer_that_was_left_to_mlflow_is_none(make_store: Callable[[], SampleStore]) -> None:
    samples = make_store()
    way = search_way(lambda: samples.store)["runs/search"]
    assert way({"experiment_ids": ["0"], "filter": "metrics.loss >"}) is None
    assert way({"experiment_ids": ["0"], "other": 1}) is None
    assert way({"experiment_ids": ["0"]}) == b"{}"
