"""Batch transform with the SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, as_csv
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.transformer import Transformer

INSTANCE = "ml.m5.large"


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[list[float]]:
    return abalone_rows(shared_data, 200)


@pytest.fixture(scope="module")
def booster(session: Any, role: str, rows: list[list[float]]) -> Estimator:
    bucket = session.default_bucket()
    uri = session.upload_string_as_file_body(as_csv(rows), bucket, "transform/train.csv")
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = Estimator(image, role, 1, INSTANCE, sagemaker_session=session)
    estimator.set_hyperparameters(num_round=5, objective="reg:squarederror")
    estimator.fit({"train": TrainingInput(uri, content_type="text/csv")}, logs=False)
    return estimator


def test_transform_and_attach(
    session: Any, booster: Estimator, rows: list[list[float]], timed: Any
) -> None:
    bucket = session.default_bucket()
    body = as_csv([row[1:] for row in rows])
    uri = session.upload_string_as_file_body(body, bucket, "transform/in/rows.csv")
    transformer = booster.transformer(
        1, INSTANCE, strategy="MultiRecord", assemble_with="Line", accept="text/csv"
    )
    with timed("transform(wait=True, logs=True)"):
        transformer.transform(uri, content_type="text/csv", split_type="Line")
    key = transformer.output_path.removeprefix(f"s3://{bucket}/") + "/rows.csv.out"
    lines = session.read_s3_file(bucket, key).split()
    assert len(lines) == len(rows)
    attached = Transformer.attach(transformer.latest_transform_job.name, session)
    assert attached.output_path == transformer.output_path
    transformer.delete_model()


def test_join_and_filters(session: Any, booster: Estimator, rows: list[list[float]]) -> None:
    bucket = session.default_bucket()
    uri = session.upload_string_as_file_body(as_csv(rows), bucket, "transform/all/rows.csv")
    transformer = booster.transformer(
        1, INSTANCE, assemble_with="Line", accept="text/csv", output_path=f"s3://{bucket}/joined"
    )
    transformer.transform(
        uri,
        content_type="text/csv",
        split_type="Line",
        join_source="Input",
        input_filter="$[1:]",
        output_filter="$[0,-1]",
        wait=False,
    )
    transformer.wait(logs=False)
    lines = session.read_s3_file(bucket, "joined/rows.csv.out").split()
    assert [float(line.split(",")[0]) for line in lines] == [row[0] for row in rows]
