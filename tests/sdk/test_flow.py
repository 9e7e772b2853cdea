"""Flows in Python: made, looked at, run as a job and in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest

from bottega.errors import ValidationException
from bottega.sdk.flow import FlowFailed
from bottega.sdk.session import Session
from bottega.wrangler.errors import FlowError
from bottega.wrangler.transformer import FlowTransformer

CSV = "name,age,left\nAnn,20,no\nBob,,yes\nCy,60,\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    return path


def read(session: Session, uri: str, target: Path) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    session.client.get_object(bucket, key, target)
    return target.read_text()


def test_from_a_file_to_a_job_and_a_transformer(session: Session, people: Path, tmp_path: Path):
    flow = session.flow(people)
    flow.add("Handle missing", "Drop missing", input_column=["left"])
    flow.add("Handle missing", "Impute", input_column=["age"])
    shown = flow.preview()
    assert shown.columns.tolist() == ["name", "age", "left"]
    assert shown["age"].tolist() == [20, 20]

    run = flow.run(label="left", header=False)
    assert (
        read(session, f"{run.output}/part-00000.csv", tmp_path / "t") == "no,Ann,20\nyes,Bob,20\n"
    )
    assert run.model_data.endswith("/fitted/model.tar.gz")
    read(session, run.fitted_flow, tmp_path / "fitted.flow")
    rows = pandas.DataFrame({"name": ["Di"], "age": [None]})
    fitted = FlowTransformer.load(tmp_path / "fitted.flow").transform(rows)
    here = flow.transformer(label="left").fit(pandas.read_csv(people)).transform(rows)
    assert fitted.to_dict("records") == here.to_dict("records") == [{"name": "Di", "age": 20}]


def test_a_saved_flow_is_opened_with_paths_beside_it(session: Session, people: Path):
    document = json.loads(session.flow(people).text)
    document["nodes"][0]["parameters"]["path"] = people.name
    path = people.with_name("mine.flow")
    path.write_text(json.dumps(document))
    flow = session.flow(path).add("Manage columns", "Drop column", column_to_drop=["name"])
    assert flow.preview(1).columns.tolist() == ["age", "left"]
    flow.save(path)
    assert session.flow(path).node == flow.node
    run = flow.run(content_type="application/x-parquet")
    assert run.describe()["ProcessingJobStatus"] == "Completed"


def test_an_s3_source_and_a_join(session: Session, people: Path):
    bucket = session.config.bucket
    uri = session.client.put_object(bucket, "flow/cities.csv", b"name,city\nAnn,Bonn\n")
    flow = session.flow(uri)
    cities = flow.node
    flow.read(people).join(cities, join_type="leftouter", left_column="name", right_column="name")
    assert flow.preview()["city"].fillna("").tolist() == ["Bonn", "", ""]


def test_wrong_steps_and_sources_say_so(session: Session, people: Path):
    flow = session.flow(people)
    with pytest.raises(FlowError, match=r"no transform Handle missing: Fil missing.*Fill missing"):
        flow.add("Handle missing", "Fil missing", input_column=["age"])
    before = flow.text
    with pytest.raises(ValidationException, match="speed"):
        flow.add("Handle missing", "Impute", speed=3)
    assert flow.text == before
    gone = session.flow(people.with_name("gone.csv"))
    with pytest.raises(ValidationException, match=r"no file .*gone\.csv"):
        gone.run()


def test_a_failed_run_raises_its_reason(session: Session, tmp_path: Path):
    path = tmp_path / "empty.csv"
    path.write_text("age,name\n,Ann\n")
    flow = session.flow(path, Types={"age": "float"})
    flow.add("Handle missing", "Impute", input_column=["age"])
    with pytest.raises(FlowFailed, match=r"ClientError: Impute .*'age' has no"):
        flow.run()


def test_an_empty_flow_has_no_table(session: Session):
    with pytest.raises(FlowError, match="add a source"):
        session.flow().run()
