"""RunFlow: what becomes of a flow's sources, and who may run what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.context import Identity
from bottega.errors import (
    AccessDeniedException,
    BottegaError,
    ResourceInUse,
    ValidationException,
)
from bottega.studio import Studio
from bottega.testing.wrangler_flows import step_node

JOB = Identity("AKIA", "arn:aws:sts::0:assumed-role/Role/job=training-1", "x", owner=True)


class Bench:
    """A studio whose controllers stand still."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.bucket = studio.ports.config.bucket

    def run(
        self, flow: str, node: str = "1", *, caller: Identity | None = None, **more: Any
    ) -> Any:
        context = self.studio.owner("sdk")
        if caller is not None:
            context = replace(context, caller=caller)
        request = {"Flow": flow, "NodeId": node, **more}
        return self.studio.registry.call("bottega", "RunFlow", request, context)

    def job(self, name: str) -> Any:
        return self.studio.registry.call(
            "sagemaker",
            "DescribeProcessingJob",
            {"ProcessingJobName": name},
            self.studio.owner("sdk"),
        )

    def text(self, uri: str) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with self.studio.ports.objects.open(bucket, key) as stream:
            return stream.read().decode()


@pytest.fixture
def bench() -> Iterator[Bench]:
    studio = Studio.temporary(isolation="process", preload=False)
    yield Bench(studio)
    studio.close()


def source(operator: str, **parameters: Any) -> dict[str, Any]:
    return {"node_id": "s", "type": "SOURCE", "operator": operator, "parameters": parameters}


def file_source(path: str) -> dict[str, Any]:
    return source("bottega.file_source_0.1", path=path, options={"Delimiter": ";"})


def s3_source(uri: str) -> dict[str, Any]:
    context = {"s3Uri": uri, "s3ContentType": "csv", "s3HasHeader": True}
    definition = {"datasetSourceType": "S3", "name": "raw", "s3ExecutionContext": context}
    return source("sagemaker.s3_source_0.1", dataset_definition=definition)


def flow(node: dict[str, Any], name: str = "Impute", group: str = "Handle missing") -> str:
    values = {"input_column": ["age"]} if name == "Impute" else {"code": "df = df"}
    nodes = [node, step_node("1", "s", group, name, values)]
    return json.dumps({"metadata": {"version": 1}, "nodes": nodes})


def inputs(job: Any) -> dict[str, str]:
    return {one["InputName"]: one["S3Input"]["S3Uri"] for one in job["ProcessingInputs"]}


def test_files_of_this_machine_are_uploaded_first(bench: Bench, tmp_path: Path):
    (tmp_path / "a.csv").write_text("age\n1\n")
    answer = bench.run(flow(file_source("a.csv")), Folder=str(tmp_path), Label="age", Name="mine")
    job = bench.job("mine")
    assert job["ProcessingJobArn"] == answer["ProcessingJobArn"]
    found = inputs(job)
    assert bench.text(found["source-1"]) == "age\n1\n"
    document = json.loads(bench.text(found["flow"]))
    assert document["nodes"][0]["operator"] == "sagemaker.s3_source_0.1"
    assert found["source-1"] in json.dumps(document["nodes"][0])
    assert '"s3FieldDelimiter": ";"' in json.dumps(document["nodes"][0])
    arguments = job["AppSpecification"]["ContainerArguments"]
    assert json.loads(arguments[1]) == {
        "1.default": {"content_type": "CSV", "header": True, "label": "age"}
    }
    outputs = job["ProcessingOutputConfig"]["Outputs"]
    assert [one["OutputName"] for one in outputs] == ["1.default", "fitted_flow"]
    assert answer["OutputS3Uri"] == outputs[0]["S3Output"]["S3Uri"]
    assert answer["FittedFlowS3Uri"] == outputs[1]["S3Output"]["S3Uri"] + "/fitted.flow"


def test_folders_of_files_become_a_prefix(bench: Bench, tmp_path: Path):
    (tmp_path / "parts").mkdir()
    for name in ("a.csv", "b.csv", "_SUCCESS"):
        (tmp_path / "parts" / name).write_text("age\n1\n")
    answer = bench.run(flow(file_source(str(tmp_path / "parts"))))
    uri = inputs(bench.job(answer["ProcessingJobName"]))["source-1"]
    assert uri.endswith("/sources/s/")
    prefix = uri.removeprefix(f"s3://{bench.bucket}/")
    keys = [one.key for one in bench.studio.ports.objects.each(bench.bucket, prefix)]
    assert [key.removeprefix(prefix) for key in keys] == ["a.csv", "b.csv"]


def test_objects_and_prefixes_are_told_apart(bench: Bench):
    for key in ("raw/a.csv", "raw2/b.csv"):
        bench.studio.ports.objects.put(bench.bucket, key, b"age\n1\n")
    for wanted, given in (
        (f"s3://{bench.bucket}/raw/", f"s3://{bench.bucket}/raw"),
        (f"s3://{bench.bucket}/raw/a.csv", f"s3://{bench.bucket}/raw/a.csv"),
    ):
        answer = bench.run(flow(s3_source(given)))
        assert inputs(bench.job(answer["ProcessingJobName"]))["source-1"] == wanted


@pytest.mark.parametrize(
    ("document", "more", "because"),
    [
        ("[1]", {}, "no flow"),
        (flow(file_source("a.csv")), {}, "says no folder"),
        (flow(file_source("/nowhere/a.csv")), {}, "There is no file '/nowhere/a.csv'"),
        (flow(s3_source("s3://nobody/x.csv")), {}, "No S3 objects found"),
        (flow(s3_source("s3://nobody/x.csv")), {"NodeId": "2"}, "no node '2'"),
        (flow(s3_source("s3://b/x")), {"ContentType": "text/html"}, "neither text/csv nor"),
        (flow(s3_source("s3://b/x")), {"InstanceType": "big"}, "InstanceType|instanceType"),
        (flow(s3_source("s3://b/x"), "Python (Pandas)", "Custom code"), {}, "runs code"),
        (flow(source("sagemaker.athena_source_0.1")), {}, "Athena cannot be queried"),
    ],
)
def test_what_cannot_run_is_refused(
    bench: Bench, document: str, more: dict[str, Any], because: str
):
    node = more.pop("NodeId", "1")
    with pytest.raises(BottegaError, match=because) as refusal:
        bench.run(document, node, **more)
    assert isinstance(refusal.value, ValidationException)


def test_code_runs_in_a_job_once_the_flow_is_trusted(bench: Bench):
    bench.studio.ports.objects.put(bench.bucket, "a.csv", b"age\n1\n")
    document = flow(s3_source(f"s3://{bench.bucket}/a.csv"), "Python (Pandas)", "Custom code")
    assert bench.run(document, Trusted=True)["ProcessingJobName"].startswith("data-wrangler-")


def test_a_job_may_not_read_this_machine(bench: Bench, tmp_path: Path):
    (tmp_path / "a.csv").write_text("age\n1\n")
    with pytest.raises(AccessDeniedException, match="Only the owner"):
        bench.run(flow(file_source(str(tmp_path / "a.csv"))), caller=JOB)


def test_a_name_that_is_taken_leaves_the_files_of_its_job_alone(bench: Bench, tmp_path: Path):
    (tmp_path / "a.csv").write_text("age\n1\n")
    document = flow(file_source("a.csv"))
    bench.run(document, Folder=str(tmp_path), Name="mine")
    (tmp_path / "a.csv").write_text("age\n2\n")
    with pytest.raises(ResourceInUse, match="There is a processing job 'mine' already"):
        bench.run(document, Folder=str(tmp_path), Name="mine")
    assert bench.text(inputs(bench.job("mine"))["source-1"]) == "age\n1\n"
