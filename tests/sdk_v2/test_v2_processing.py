"""Processing jobs with the SDK's processors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sources
from abalone import abalone_rows, as_csv
from botocore.exceptions import ClientError
from sagemaker import image_uris
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.processing import (
    FrameworkProcessor,
    ProcessingInput,
    ProcessingOutput,
    Processor,
    ScriptProcessor,
)
from sagemaker.sklearn import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.spark.processing import PySparkProcessor

INSTANCE = "ml.m5.large"
SPLIT = """\
import argparse, pathlib
import pandas

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int)
arguments = parser.parse_args()
root = pathlib.Path("/opt/ml/processing")
table = pandas.read_csv(root / "input" / "rows.csv", header=None)
table.head(arguments.rows).to_csv(root / "output" / "first.csv", header=False, index=False)
print("wrote", arguments.rows)
"""


@pytest.fixture(scope="module")
def rows_uri(session: Any, shared_data: Path) -> str:
    body = as_csv(abalone_rows(shared_data, 100))
    bucket = session.default_bucket()
    return str(session.upload_string_as_file_body(body, bucket, "processing/rows.csv"))


def arguments(rows_uri: str) -> dict[str, Any]:
    return {
        "inputs": [ProcessingInput(rows_uri, "/opt/ml/processing/input")],
        "outputs": [ProcessingOutput(source="/opt/ml/processing/output", output_name="first")],
        "arguments": ["--rows", "7"],
    }


def lines_of(session: Any, processor: Processor) -> int:
    """How many lines the job has written to its one output."""
    job = session.describe_processing_job(processor.latest_job.job_name)
    uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return len(session.read_s3_file(bucket, f"{key}/first.csv").split())


def test_sklearn_processor(
    session: Any, role: str, rows_uri: str, tmp_path: Path, timed: Any, capsys: Any
) -> None:
    script = tmp_path / "split.py"
    script.write_text(SPLIT)
    processor = SKLearnProcessor("1.2-1", role, 1, INSTANCE, sagemaker_session=session)
    with timed("SKLearnProcessor.run"):
        processor.run(code=str(script), **arguments(rows_uri))
    assert "wrote 7" in capsys.readouterr().out
    assert lines_of(session, processor) == 7


def test_script_processor_that_is_waited_for_later(
    session: Any, role: str, rows_uri: str, tmp_path: Path, timed: Any
) -> None:
    script = tmp_path / "split.py"
    script.write_text(SPLIT)
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    processor = ScriptProcessor(role, image, ["python3"], 1, INSTANCE, sagemaker_session=session)
    processor.run(code=str(script), wait=False, **arguments(rows_uri))
    with timed("wait(logs=False)"):
        processor.latest_job.wait(logs=False)
    assert lines_of(session, processor) == 7


def test_framework_processor_with_requirements(
    session: Any, role: str, rows_uri: str, tmp_path: Path, timed: Any
) -> None:
    folder = sources.script(tmp_path / "source", f"import tiny_wheel\n{SPLIT}")
    sources.wheel(folder, "tiny_wheel", "ANSWER = 42\n")
    (folder / "requirements.txt").write_text("./tiny_wheel-1.0-py3-none-any.whl\n")
    processor = FrameworkProcessor(SKLearn, "1.2-1", role, 1, INSTANCE, sagemaker_session=session)
    with timed("FrameworkProcessor.run"):
        processor.run(code="train.py", source_dir=str(folder), **arguments(rows_uri))
    assert lines_of(session, processor) == 7


def test_a_failing_script_is_told(session: Any, role: str, tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text("raise SystemExit('the table is empty')\n")
    processor = SKLearnProcessor("1.2-1", role, 1, INSTANCE, sagemaker_session=session)
    with pytest.raises(UnexpectedStatusException, match="Failed"):
        processor.run(code=str(script), logs=False)


def test_spark_is_refused(session: Any, role: str, tmp_path: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text("print('spark')\n")
    processor = PySparkProcessor(
        role=role,
        framework_version="3.3",
        instance_type=INSTANCE,
        instance_count=1,
        sagemaker_session=session,
    )
    with pytest.raises(ClientError, match="park"):
        processor.run(submit_app=str(script))
