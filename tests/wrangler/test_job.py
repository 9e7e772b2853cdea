"""A flow over a job's folder: what is read, what is written, what is refused."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from bottega.testing.wrangler_flows import step_node
from bottega.wrangler import job
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.instance_memory import memory_of
from bottega.wrangler.transformer import FlowTransformer

URI = "s3://bucket/raw/"
LOCAL = "/opt/ml/processing"
CSV = "name,age,left\nAnn,20,no\nBob,,yes\nCy,60,\n"


def s3_source(
    node_id: str, uri: str, name: str = "people.csv", kind: str = "csv"
) -> dict[str, Any]:
    """A source as SageMaker writes it."""
    context = {
        "s3Uri": uri,
        "s3ContentType": kind,
        "s3HasHeader": True,
        "s3FieldDelimiter": ",",
        "s3DirIncludesNested": True,
        "s3AddsFilenameColumn": False,
    }
    definition = {"datasetSourceType": "S3", "name": name, "s3ExecutionContext": context}
    return {
        "node_id": node_id,
        "type": "SOURCE",
        "operator": "sagemaker.s3_source_0.1",
        "parameters": {"dataset_definition": definition},
        "inputs": [],
        "outputs": [{"name": "default"}],
    }


LABELLED = step_node("1", "s", "Handle missing", "Drop missing", {"input_column": ["left"]})
IMPUTED = step_node("2", "1", "Handle missing", "Impute", {"input_column": ["age"]})
FLOW = Flow({"metadata": {"version": 1}, "nodes": [s3_source("s", URI), LABELLED, IMPUTED]})


class Folder:
    """``/opt/ml`` of a host."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inputs: list[dict[str, Any]] = []
        self.put("processing/flow/my.flow", FLOW.text())
        self.input("people", URI, {"a.csv": CSV})

    def put(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def input(self, name: str, uri: str, files: dict[str, str]) -> None:
        for file, text in files.items():
            self.put(f"processing/{name}/{file}", text)
        source = {"S3Uri": uri, "LocalPath": f"{LOCAL}/{name}", "S3DataType": "S3Prefix"}
        self.inputs.append({"InputName": name, "S3Input": source})

    def read(
        self, *arguments: str, outputs: tuple[str, ...] = ("2.default", "fitted_flow")
    ) -> job.Job:
        targets = [
            {"OutputName": name, "S3Output": {"LocalPath": f"{LOCAL}/out/{name}"}}
            for name in outputs
        ]
        config = {
            "ProcessingInputs": self.inputs,
            "ProcessingOutputConfig": {"Outputs": targets},
            "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.xlarge"}},
        }
        self.put("config/processingjobconfig.json", json.dumps(config))
        return job.Job.read(self.root, arguments)

    def run(self, *arguments: str, **more: Any) -> str:
        return job.run(self.read(*arguments, **more))

    def output(self, name: str = "2.default") -> dict[str, Path]:
        return {path.name: path for path in (self.root / "processing/out" / name).iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_table_and_the_fitted_flow_are_written(folder: Folder):
    assert folder.run() == "2.default: 2 rows, 3 columns"
    written = folder.output()
    assert list(written) == ["part-00000.csv"]
    assert written["part-00000.csv"].read_text() == "name,age,left\nAnn,20,no\nBob,20,yes\n"
    fitted = folder.output("fitted_flow")
    state = Flow.parse(fitted["fitted.flow"].read_bytes()).node("2").state
    assert state == {"values": {"age": 20.0}}
    with tarfile.open(fitted["model.tar.gz"]) as archive:
        assert archive.getnames() == ["fitted.flow"]
    loaded = FlowTransformer.load(fitted["fitted.flow"])
    rows = loaded.transform(pd.DataFrame({"name": ["Di"], "age": [None], "left": [None]}))
    assert rows["age"].tolist() == [20]


def test_a_label_comes_first_and_is_kept_from_the_features(folder: Folder):
    config = json.dumps({"2.default": {"label": "left", "header": False}})
    # One quoted argument, as SageMaker's notebooks give it.
    folder.run(f"--output-config '{config}'")
    assert folder.output()["part-00000.csv"].read_text() == "no,Ann,20\nyes,Bob,20\n"
    loaded = FlowTransformer.load(folder.output("fitted_flow")["fitted.flow"])
    assert loaded.get_feature_names_out().tolist() == ["name", "age"]


def test_parquet_and_compression(folder: Folder):
    folder.run("--output-config", json.dumps({"2.default": {"content_type": "PARQUET"}}))
    table = pq.read_table(folder.output()["part-00000.parquet"])
    assert table.to_pydict()["name"] == ["Ann", "Bob"]
    config = {"s.default": {"compression": "gzip", "delimiter": "|"}}
    folder.run("--output-config", json.dumps(config), outputs=("s.default",))
    text = gzip.decompress(folder.output("s.default")["part-00000.csv.gz"].read_bytes()).decode()
    assert text.splitlines()[2] == "Bob||yes"


def test_long_tables_keep_their_order(folder: Folder):
    rows = "".join(f"Name {n},{n},{'yes' if n % 3 else ''}\n" for n in range(500_000))
    folder.put("processing/people/a.csv", f"name,age,left\n{rows}")
    folder.run()
    frame = pd.read_csv(folder.output()["part-00000.csv"])
    assert frame["age"].tolist() == [n for n in range(500_000) if n % 3]


def test_a_source_is_found_by_its_name_where_no_uri_is_the_same(folder: Folder):
    folder.inputs[0]["S3Input"]["S3Uri"] = "s3://elsewhere/copy"
    folder.inputs[0]["InputName"] = "people.csv"
    assert folder.run().startswith("2.default: 2 rows")
    folder.inputs[0]["InputName"] = "other"
    with pytest.raises(FlowError, match="reads s3://bucket/raw/, and no input of the job does"):
        folder.run()


def test_what_was_learnt_before_is_kept_when_asked(folder: Folder):
    fitted = FLOW.with_states({"1": {}, "2": {"values": {"age": 33.0}}})
    folder.put("processing/flow/my.flow", fitted.text())
    folder.run("--refit-trained-params", '{"refit": false}')
    assert "Bob,33,yes" in folder.output()["part-00000.csv"].read_text()
    folder.run()
    assert "Bob,20,yes" in folder.output()["part-00000.csv"].read_text()


@pytest.mark.parametrize(
    ("arguments", "outputs", "because"),
    [
        ((), ("3.default",), "'3.default' names no node of the flow.*such as 2.default"),
        ((), ("fitted_flow",), "no output for a table"),
        (("--output-config", "[1]"), ("2.default",), "arguments cannot be read"),
        (("--speed", "fast"), ("2.default",), "arguments cannot be read.*--speed"),
        (("--output-config", '{"x": {}}'), ("2.default",), "names the output 'x'"),
        (("--output-config", '{"2.default": {"content_type": "ORC"}}'), ("2.default",), "'ORC'"),
        (("--output-config", '{"2.default": {"compression": "rar"}}'), ("2.default",), "'rar'"),
        (("--output-config", '{"2.default": {"delimiter": "ab"}}'), ("2.default",), "'ab'"),
    ],
)
def test_what_cannot_be_is_refused(
    folder: Folder, arguments: tuple[str, ...], outputs: tuple[str, ...], because: str
):
    with pytest.raises(FlowError, match=because):
        folder.read(*arguments, outputs=outputs)


def test_two_flows_are_refused(folder: Folder):
    folder.put("processing/flow/other.flow", FLOW.text())
    with pytest.raises(FlowError, match=r"has 2 \.flow files"):
        folder.read()


def test_memory_follows_the_instance():
    sizes = {
        kind: memory_of(kind) >> 30 for kind in ("ml.m5.4xlarge", "ml.r5.large", "ml.c5.2xlarge")
    }
    assert sizes == {"ml.m5.4xlarge": 64, "ml.r5.large": 16, "ml.c5.2xlarge": 16}
