"""``Processor`` and its kin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from sagemaker.core import image_uris
from sagemaker.core.processing import FrameworkProcessor, Processor, ScriptProcessor
from sagemaker.core.resources import ProcessingJob
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.utils.exceptions import FailedStatusError

SKLEARN = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1")

COUNT = """
import os, sys

folder = "/opt/ml/processing/input/rows"
lines = sum(len(open(os.path.join(folder, name)).readlines()) for name in os.listdir(folder))
print("counted", lines, "lines", sys.argv[1:])
with open("/opt/ml/processing/output/count.txt", "w") as file:
    file.write(str(lines))
"""


def rows(uri: str) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path="/opt/ml/processing/input/rows",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
    )
    return ProcessingInput(input_name="rows", s3_input=source)


def counts(uri: str) -> ProcessingOutput:
    target = ProcessingS3Output(
        s3_uri=uri, local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
    )
    return ProcessingOutput(output_name="counts", s3_output=target)


@pytest.fixture(scope="module")
def uri(session: Any, shared_data: Path) -> str:
    return str(
        session.upload_data(str(shared_data / "abalone" / "abalone.csv"), key_prefix="shells")
    )


def test_a_script(
    session: Any, uri: str, tmp_path: Path, timed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "count.py").write_text(COUNT)
    processor = ScriptProcessor(
        image_uri=SKLEARN,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="count",
        env={"WORDS": "two words"},
    )
    target = f"s3://{session.default_bucket()}/counts"
    with timed("run, 1 second of work"):
        processor.run(
            code=str(tmp_path / "count.py"),
            inputs=[rows(uri)],
            outputs=[counts(target)],
            arguments=["--fast", "yes"],
        )
    assert "counted 4177 lines ['--fast', 'yes']" in capsys.readouterr().out
    assert session.read_s3_file(session.default_bucket(), "counts/count.txt") == "4177"
    job = ProcessingJob.get(processor.latest_job.processing_job_name)
    assert job.refresh().processing_job_status == "Completed"
    assert job.environment == {"WORDS": "two words"}


def test_a_folder_with_requirements(
    session: Any, uri: str, tmp_path: Path, timed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SDK's ``runproc.sh``: bash unpacks an archive, and installs what is missing of the
    requirements."""
    (tmp_path / "count.py").write_text(f"import own\n{COUNT}print(own.WORD)\n")
    (tmp_path / "own.py").write_text("WORD = 'of ours'\n")
    (tmp_path / "requirements.txt").write_text("numpy\npandas\n")
    processor = FrameworkProcessor(
        image_uri=SKLEARN,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="framework",
    )
    with timed("run of a FrameworkProcessor"):
        processor.run(
            code="count.py",
            source_dir=str(tmp_path),
            requirements="requirements.txt",
            inputs=[rows(uri)],
            outputs=[counts(f"s3://{session.default_bucket()}/framework")],
        )
    out = capsys.readouterr().out
    assert "Everything that is asked for is installed already." in out
    assert "of ours" in out
    assert session.read_s3_file(session.default_bucket(), "framework/count.txt") == "4177"


def test_a_program_that_fails() -> None:
    processor = Processor(
        image_uri=SKLEARN,
        entrypoint=["/bin/sh", "-c", "echo trouble; exit 3"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="trouble",
    )
    # The SDK's own words for it are lost: it looks for its exception in another module.
    with pytest.raises(AttributeError, match="UnexpectedStatusException"):
        processor.run(logs=False)
    job = processor.latest_job
    with pytest.raises(FailedStatusError, match="AlgorithmError"):
        job.wait()
    assert job.processing_job_status == "Failed"


def test_stop(timed: Any) -> None:
    processor = Processor(
        image_uri=SKLEARN,
        entrypoint=["sleep", "600"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="sleeper",
    )
    processor.run(wait=False, logs=False)
    job = processor.latest_job
    job.stop()
    with timed("wait for a stopped job"):
        job.wait()
    assert job.processing_job_status == "Stopped"
    job.delete()
    assert list(ProcessingJob.get_all(name_contains="sleeper")) == []


def test_an_image_that_does_not_run_here() -> None:
    processor = Processor(
        image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        entrypoint=["true"],
        instance_type="ml.m5.large",
        instance_count=1,
    )
    with pytest.raises(botocore.exceptions.ClientError, match="mine:1"):
        processor.run()
