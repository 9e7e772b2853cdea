"""What SOURCE nodes say, and what is fetched for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bottega.wrangler.engine.database import Database
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sources.nodes import Source, notes_on


def s3_node(operator: str = "sagemaker.s3_source_0.1", **context: Any) -> Node:
    """A node as SageMaker writes it."""
    given = {
        "s3Uri": "s3://bucket/data/a.csv", "s3ContentType": "csv", "s3HasHeader": True,
        "s3FieldDelimiter": ",", "s3DirIncludesNested": False, "s3AddsFilenameColumn": False,
        "s3RoleArn": "arn:aws:iam::123456789012:role/x", **context,
    }  # fmt: skip
    return Node(
        {
            "node_id": "n",
            "type": "SOURCE",
            "operator": operator,
            "parameters": {
                "dataset_definition": {
                    "datasetSourceType": "S3", "name": "a.csv", "s3ExecutionContext": given,
                }
            },
            "outputs": [{"name": "default", "sampling": {
                "sampling_method": "sample_by_limit", "limit_rows": 50000}}],
        }
    )  # fmt: skip


@pytest.fixture
def bucket(folder: Path, database: Database) -> FileSources:
    """Sources whose S3 is a folder."""

    def fetch(uri: str) -> list[Path]:
        place = folder / uri.removeprefix("s3://")
        return [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())

    (folder / "bucket" / "data" / "deep").mkdir(parents=True)
    (folder / "bucket" / "data" / "a.csv").write_text("a;b\n1;x\n")
    (folder / "bucket" / "data" / "b.csv").write_text("a;b\n2;y\n")
    (folder / "bucket" / "data" / "deep" / "c.csv").write_text("a;b\n3;z\n")
    return FileSources(database, None, fetch)


def test_sagemaker_s_fields(bucket: FileSources):
    node = s3_node(s3FieldDelimiter=";", s3SkipLines=0, s3CsvEncodingType="UTF_8")
    assert bucket.relation(node).frame().to_dict("list") == {"a": [1], "b": ["x"]}
    early = s3_node("sagemaker.dataset.identity_0.1", s3FieldDelimiter=";")
    assert bucket.relation(early).count() == 1
    bare = s3_node(s3FieldDelimiter=";", s3HasHeader=False)
    assert bucket.relation(bare).frame()["column_1"].tolist() == ["a", "1"]


def test_prefixes(bucket: FileSources):
    node = s3_node(s3Uri="s3://bucket/data/", s3FieldDelimiter=";")
    assert bucket.relation(node).frame()["a"].tolist() == [1, 2]
    node = s3_node(s3Uri="s3://bucket/data/", s3FieldDelimiter=";", s3DirIncludesNested=True,
                   s3AddsFilenameColumn=True)  # fmt: skip
    assert bucket.relation(node).frame()["filename"].tolist() == ["a.csv", "b.csv", "c.csv"]
    with pytest.raises(DataError, match="no files at"):
        bucket.relation(s3_node(s3Uri="s3://bucket/nothing/"))


def test_manifests(bucket: FileSources, folder: Path):
    entries = [{"prefix": "s3://bucket/data/"}, "b.csv", "a.csv"]
    (folder / "bucket" / "list.manifest").write_text(json.dumps(entries))
    node = s3_node(s3Uri="s3://bucket/list.manifest", s3DataType="ManifestFile",
                   s3FieldDelimiter=";", s3DirIncludesNested=True)  # fmt: skip
    assert bucket.relation(node).frame()["a"].tolist() == [2, 1]


def test_json_lines_are_said_in_two_ways():
    assert Source.of(s3_node(s3ContentType="jsonl")).options["ContentType"] == "jsonl"
    lines = Source.of(s3_node(s3ContentType="json", s3MultiLine=False))
    assert lines.options == {"ContentType": "jsonl"}


def test_what_is_kept_but_not_heeded():
    notes = " ".join(notes_on(s3_node()))
    assert "role/x" in notes
    assert "sample_by_limit" in notes


@pytest.mark.parametrize(
    ("operator", "words"),
    [("sagemaker.athena_source_0.1", "Athena"), ("sagemaker.redshift_source_0.1", "cannot be read"),
     ("sagemaker.s3_source_0.1", "s3ExecutionContext")],
)  # fmt: skip
def test_sources_that_cannot_be_read(bucket: FileSources, operator: str, words: str):
    node = Node({"node_id": "n", "type": "SOURCE", "operator": operator, "parameters": {}})
    with pytest.raises(FlowError, match=words):
        bucket.relation(node)


@pytest.mark.parametrize(
    "given",
    [
        {"Kind": "file", "Uri": "a.csv", "Name": "a", "Options": {"Delimiter": ";"}},
        {"Kind": "s3", "Uri": "s3://b/k.csv", "Name": "k.csv", "Options": {
            "ContentType": "csv", "Delimiter": "|", "HasHeader": False, "SkipLines": 2,
            "Encoding": "utf-8", "Types": {"a": "long"}, "Quote": "'"}},
        {"Kind": "sql", "Uri": "sqlite:///x.db", "Query": "SELECT 1", "Name": "one",
         "Options": {}},
    ],
)  # fmt: skip
def test_a_source_is_written_and_read_back(given: dict[str, Any]):
    assert Source.of(Node(Source.given(given).node("n"))).as_answer() == given
