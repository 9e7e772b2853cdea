"""Models of several containers: the answer of one is the request of the next."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from bottega.errors import ModelError, ValidationException
from bottega.testing.hosting import HostingStudio
from bottega.testing.wrangler_flows import step_node
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.transformer import FlowTransformer

WRANGLER = "663277389841.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:1.x"
SUM = """
import os, json
from settings import FACTOR

def model_fn(model_dir):
    return FACTOR

def input_fn(body, content_type):
    return content_type, [list(map(float, line.split(","))) for line in body.splitlines()]

def predict_fn(data, factor):
    kind, rows = data
    return {"type": kind, "sums": [factor * sum(row) for row in rows], "mine": os.environ["MINE"]}

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""


def fitted_flow(label: str | None = "left") -> str:
    source = {
        "node_id": "s",
        "type": "SOURCE",
        "operator": "sagemaker.s3_source_0.1",
        "parameters": {},
    }
    impute = step_node("1", "s", "Handle missing", "Impute", {"input_column": ["age", "kids"]})
    flow = Flow({"metadata": {"version": 1}, "nodes": [source, impute]})
    frame = pd.DataFrame(
        {"age": [20.0, 40.0, None], "left": ["no", "yes", "no"], "kids": [1.0, 1.0, 3.0]}
    )
    return FlowTransformer(flow, label=label).fit(frame).fitted_.text()


def pipeline(hosting: HostingStudio, name: str, *containers: dict[str, Any]) -> None:
    hosting.call("CreateModel", ModelName=name, Containers=list(containers))
    hosting.config(name, name)
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)


def flow_container(hosting: HostingStudio, name: str) -> dict[str, Any]:
    uri = hosting.put_model(f"{name}/model.tar.gz", {"fitted.flow": fitted_flow()})
    return {"Image": WRANGLER, "ModelDataUrl": uri}


def sum_container(hosting: HostingStudio, key: str, factor: int) -> dict[str, Any]:
    files = {"code/inference.py": SUM, "code/settings.py": f"FACTOR = {factor}\n"}
    uri = hosting.put_model(f"{key}.tar.gz", files)
    return {"Image": "python", "ModelDataUrl": uri, "Environment": {"MINE": key}}


@pytest.fixture(scope="module")
def served(hosting: HostingStudio) -> HostingStudio:
    containers = (flow_container(hosting, "prepared"), sum_container(hosting, "doubled", 2))
    pipeline(hosting, "chain", *containers)
    return hosting


def ask(hosting: HostingStudio, body: Any, kind: str = "text/csv", **more: Any) -> Any:
    hosting.wait("chain", "InService")
    body = body if isinstance(body, str) else json.dumps(body)
    return json.loads(hosting.invoke("chain", body, ContentType=kind, **more)["Body"])


def test_features_go_on_to_the_model(served: HostingStudio) -> None:
    assert ask(served, "25,2\n,\n") == {
        "type": "text/csv",
        "sums": [54.0, 62.0],
        "mine": "doubled",
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("kids,age\n2,25\n", "text/csv"),
        ("25,whatever,2\n", "text/csv"),
        ("left,age,kids\n,25,2\n", "text/csv; header=present"),
        ({"age": 25, "kids": 2}, "application/json"),
        ([25, 2], "application/json"),
        ([{"age": 25, "kids": 2, "left": "no"}], "application/json"),
        ({"instances": [{"features": [25, 2]}]}, "application/json"),
        ({"instances": [[25.0, 2.0]]}, "application/json"),
        ({"columns": ["kids", "age"], "data": [[2, 25]]}, "application/json"),
        ('{"age": 25, "kids": 2}\n', "application/jsonlines"),
    ],
)
def test_every_form_of_a_row_is_the_same_row(served: HostingStudio, body: Any, kind: str) -> None:
    assert ask(served, body, kind)["sums"] == [54.0]


@pytest.mark.parametrize(
    ("body", "kind", "because"),
    [
        ("old,2\n", "text/csv", "Row 1, column 'age': 'old' is no float"),
        ("1\n", "text/csv", "A row has 1 cells; without names it has 2: age, kids"),
        ("1,2\n3\n", "text/csv", "Row 2 has 1 cells"),
        ("", "text/csv", "no rows"),
        ("{", "application/json", "no JSON"),
        ('{"age": 1, "kid": 2}', "application/json", "no column 'kid'; did you mean kids"),
        ('{"age": 1}', "application/json", "Columns are missing: 'kids'"),
        ('{"age": [1], "kids": 2}', "application/json", "column 'age'"),
        ("1,2", "image/png", "Content type image/png is not supported"),
    ],
)
def test_what_is_wrong_is_told_with_the_container(
    served: HostingStudio, body: str, kind: str, because: str
) -> None:
    served.wait("chain", "InService")
    with pytest.raises(ModelError) as refusal:
        served.invoke("chain", body, ContentType=kind)
    assert "Container 1 (data-wrangler)" in refusal.value.message
    assert because in refusal.value.message


def test_a_failure_of_the_second_container_names_it(served: HostingStudio) -> None:
    pipeline(
        served,
        "broken",
        flow_container(served, "broken-flow"),
        {
            **sum_container(served, "words", 1),
            "Environment": {},  # the script wants a variable
        },
    )
    served.wait("broken", "InService")
    with pytest.raises(ModelError, match=r"(?s)Container 2 \(python\):.*KeyError: 'MINE'"):
        served.invoke("broken", "1,2", ContentType="text/csv")


def test_a_flow_by_itself_answers_with_features(hosting: HostingStudio) -> None:
    hosting.call(
        "CreateModel", ModelName="features", PrimaryContainer=flow_container(hosting, "alone")
    )
    hosting.config("features", "features")
    hosting.call("CreateEndpoint", EndpointName="features", EndpointConfigName="features")
    hosting.wait("features", "InService")
    answer = hosting.invoke("features", ",2\n", ContentType="text/csv", Accept="text/csv")
    assert (answer["Body"], answer["ContentType"]) == (b"30.0,2.0\n", "text/csv")
    answer = hosting.invoke("features", ",2", ContentType="text/csv", Accept="application/json")
    assert json.loads(answer["Body"]) == {"instances": [{"age": 30.0, "kids": 2.0}]}


def test_a_flow_that_is_not_fitted_fails_with_the_reason(hosting: HostingStudio) -> None:
    uri = hosting.put_model("raw.tar.gz", {"fitted.flow": Flow.empty().text()})
    pipeline(
        hosting,
        "raw",
        {"Image": WRANGLER, "ModelDataUrl": uri},
        sum_container(hosting, "unused", 1),
    )
    reason = hosting.wait("raw", "Failed")["FailureReason"]
    assert "Container 1 (data-wrangler): This flow is not fitted" in reason


def test_data_of_every_container_must_be_there(hosting: HostingStudio) -> None:
    absent = {"Image": "python", "ModelDataUrl": "s3://nobody/model.tar.gz"}
    with pytest.raises(ValidationException, match="Could not find model data at s3://nobody"):
        pipeline(hosting, "absent", flow_container(hosting, "there"), absent)


def test_the_images_of_all_containers_are_shown(served: HostingStudio) -> None:
    variant = served.wait("chain", "InService")["ProductionVariants"][0]
    shown = [(one["SpecifiedImage"], one["ResolvedImage"]) for one in variant["DeployedImages"]]
    assert shown == [(WRANGLER, "data-wrangler"), ("python", "python")]


def test_no_row_is_suggested_that_the_model_behind_it_learned_from(served: HostingStudio) -> None:
    served.wait("chain", "InService")
    answer = served.ask("SuggestInvocation", EndpointName="chain")
    assert answer["Body"] == ""
    assert "the data-wrangler container in front of it" in answer["Source"]
