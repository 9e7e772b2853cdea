"""A failed processing job, done again from a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ClientFault
from bottega.sdk.client import LocalClient
from bottega.sdk.replayed_programs import PythonProgram, python_program
from bottega.sdk.session import Session
from bottega.studio import Studio
from bottega.testing.daemon import eventually
from bottega.testing.requests import code_archive, processing_input, processing_job

INPUT = "/opt/ml/processing/input"
SCRIPT = """
import os, sys
import rows

frame = rows.read("/opt/ml/processing/input/rows/a.csv")
out = open(sys.argv[1] + "/seen.txt", "w")
print(os.environ["LEVEL"], len(frame), file=out, flush=True)
label = frame[7]
"""
ROWS = """
def read(path):
    with open(path) as file:
        return file.read().split(",")
"""
FAILING_LINE = SCRIPT.splitlines().index("label = frame[7]") + 1
RUNPROC = """#!/bin/bash

cd /opt/ml/processing/input/code/
tar -xzf sourcedir.tar.gz

set -e

if [[ -f 'requirements.txt' ]]; then
    pip install -r requirements.txt
fi

python3 clean.py "$@"
"""
OUT = "/opt/ml/processing/out"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A studio in this process, with jobs that have failed: as a ScriptProcessor and as a
    FrameworkProcessor make them."""
    studio = Studio.temporary()
    studio.start()
    try:
        config, objects = studio.ports.config, studio.ports.objects
        bucket = config.bucket
        objects.put(bucket, "data/a.csv", b"1,2,3\n")
        objects.put(bucket, "plain/clean.py", SCRIPT.encode())
        objects.put(bucket, "plain/rows.py", ROWS.encode())
        archive = code_archive(clean__py=SCRIPT, rows__py=ROWS, requirements__txt="")
        objects.put(bucket, "packed/sourcedir.tar.gz", archive)
        objects.put(bucket, "entry/runproc.sh", RUNPROC.encode())
        client = LocalClient(studio)
        data = processing_input("rows", f"s3://{bucket}/data/")
        output = {"S3Uri": f"s3://{bucket}/o", "LocalPath": OUT, "S3UploadMode": "EndOfJob"}
        for name, command, inputs in (
            (
                "plain",
                ["python3", f"{INPUT}/code/clean.py"],
                [data, processing_input("code", f"s3://{bucket}/plain/")],
            ),
            (
                "packed",
                ["/bin/bash", f"{INPUT}/entrypoint/runproc.sh"],
                [
                    data,
                    processing_input("code", f"s3://{bucket}/packed/"),
                    processing_input("entrypoint", f"s3://{bucket}/entry/"),
                ],
            ),
        ):
            request: dict[str, Any] = processing_job(
                name,
                bucket,
                config.role_arn,
                command,
                ProcessingInputs=inputs,
                ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
                Environment={"LEVEL": "high", "HF_TOKEN": "hush-2"},
            )
            request["AppSpecification"]["ContainerArguments"] = [OUT]
            client.call("sagemaker", "CreateProcessingJob", request)

        def failed(name: str) -> bool:
            request = {"ProcessingJobName": name}
            found = client.call("sagemaker", "DescribeProcessingJob", request)
            return bool(found["ProcessingJobStatus"] == "Failed")

        for name in ("plain", "packed"):
            eventually(lambda name=name: failed(name), "it fails")
        yield Session(client, config)
    finally:
        studio.endpoints.close()
        studio.close()


@pytest.mark.parametrize("job", ["plain", "packed"])
def test_it_fails_at_the_same_line_of_the_same_code(
    session: Session, tmp_path: Path, job: str
) -> None:
    made = session.replay(job, tmp_path, kind="Processing")
    assert made.folder == tmp_path / f"replay-{job}"
    assert made.notes == ()
    assert made.secrets == ("HF_TOKEN",)
    ended = subprocess.run(
        [sys.executable, "-m", "bottega.container.replay", str(made.folder), "--debug"],
        input="p len(frame)\nq\n",
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 1
    assert f'clean.py", line {FAILING_LINE}, in <module>' in ended.stderr
    assert "IndexError: list index out of range" in ended.stderr
    assert f"clean.py({FAILING_LINE})<module>()" in ended.stdout
    assert (made.folder / "ml/processing/out/seen.txt").read_text() == "high 3\n"
    cells = [cell["source"] for cell in json.loads(made.notebook.read_text())["cells"]]
    assert "IndexError" in cells[0]
    assert (job == "packed") is any("replay.install()" in cell for cell in cells)


def test_jobs_of_other_kinds_have_none(session: Session, tmp_path: Path) -> None:
    with pytest.raises(ClientFault, match="none of Transform"):
        session.replay("plain", tmp_path, kind="Transform")  # type: ignore[arg-type]
    with pytest.raises(ClientFault, match="not found"):
        session.replay("plain", tmp_path)


def laid(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / "processing" / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_other_commands_run_as_they_are(tmp_path: Path) -> None:
    root = laid(
        tmp_path,
        run__sh="python /opt/ml/processing/a.py\n",
        away__sh='cd /opt/ml/processing\npython ../../../a.py "$@"\n',
        gone__sh='cd /opt/ml/processing\npython a.py "$@"\n',
        plain__sh="echo on\n",
    )
    (tmp_path.parent / "a.py").write_text("")
    none = PythonProgram()
    for command in (
        ["python3"],
        ["python3", "-m", "module"],
        ["python3", "clean.py"],
        ["python3", "/opt/ml/../etc/clean.py"],
        ["python3", "/opt/ml/processing/none.py"],
        ["spark-submit", "/opt/ml/processing/run.sh"],
        ["/bin/sh", "/opt/ml/processing/plain.sh"],
        ["bash", "-c", "true"],
    ):
        assert python_program(root, command) == none
    for name, note in (("run", "lead nowhere"), ("away", "is not there"), ("gone", "not there")):
        found = python_program(root, ["bash", f"/opt/ml/processing/{name}.sh"])
        assert found.path == ""
        assert note in found.notes[0]


def test_a_script_and_its_arguments(tmp_path: Path) -> None:
    root = laid(tmp_path, a__py="")
    command = ["/usr/bin/python3.11", "-u", "/opt/ml/processing/a.py", "--x", "1"]
    assert python_program(root, command) == PythonProgram("processing/a.py", ("--x", "1"))
