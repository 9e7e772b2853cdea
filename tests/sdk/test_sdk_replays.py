"""A failed job, done again from a folder."""

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
from bottega.sdk.replays import make_replay
from bottega.sdk.session import Session
from bottega.studio import Studio
from bottega.testing.daemon import eventually
from bottega.testing.requests import channel, code_archive, script_job

SCRIPT = """
import argparse, json, os
import rows

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
depth = parser.parse_known_args()[0].depth
frame = rows.read("/opt/ml/input/data/train/a.csv")
seen = {"depth": depth, "level": os.environ["LEVEL"], "channel": os.environ["SM_CHANNEL_TRAIN"]}
open("/opt/ml/model/seen.json", "w").write(json.dumps(seen))
label = frame[depth]
"""
ROWS = """
def read(path):
    with open(path or "/opt/ml/none") as file:
        return file.read().split(",")
"""
FAILING_LINE = SCRIPT.splitlines().index("label = frame[depth]") + 1


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A studio in this process, with a job ``broken`` that has failed."""
    studio = Studio.temporary()
    studio.start()
    try:
        config = studio.ports.config
        studio.ports.objects.put(config.bucket, "data/a.csv", b"1,2,3\n")
        code = code_archive(train__py=SCRIPT, rows__py=ROWS)
        studio.ports.objects.put(config.bucket, "broken.tar.gz", code)
        client = LocalClient(studio)
        request = script_job(
            "broken",
            config.bucket,
            config.role_arn,
            f"s3://{config.bucket}/broken.tar.gz",
            HyperParameters={"depth": "7", "api_token": "hush-1"},
            InputDataConfig=[channel("train", f"s3://{config.bucket}/data/", "text/csv")],
            Environment={"LEVEL": "high", "HF_TOKEN": "hush-2"},
        )
        client.call("sagemaker", "CreateTrainingJob", request)
        found = Session(client, config)
        job = found.job("broken")
        eventually(lambda: job.status == "Failed", "it fails")
        yield found
    finally:
        studio.endpoints.close()
        studio.close()


def run(folder: Path, *arguments: str, answers: str = "", **environment: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "bottega.container.replay", str(folder), *arguments],
        input=answers,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        cwd=folder,
        timeout=100,
    )


def test_it_fails_at_the_same_line_of_the_same_code(session: Session, tmp_path: Path):
    made = session.replay("broken", tmp_path)
    assert made.folder == tmp_path / "replay-broken"
    assert made.notes == ()
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "ml",
        "replay.ipynb",
        "replay.json",
    ]
    assert (made.folder / "ml/input/data/train/a.csv").read_bytes() == b"1,2,3\n"
    ended = run(made.folder)
    assert ended.returncode == 1
    assert f'train.py", line {FAILING_LINE}, in <module>' in ended.stderr
    assert "IndexError: list index out of range" in ended.stderr
    assert "bottega" not in ended.stderr
    seen = json.loads((made.folder / "ml/model/seen.json").read_text())
    root = made.folder / "ml"
    assert seen == {"depth": 7, "level": "high", "channel": f"{root}/input/data/train"}


def test_the_debugger_stands_where_it_fails(session: Session, tmp_path: Path):
    made = session.replay("broken", tmp_path)
    ended = run(made.folder, "--debug", answers="p depth, frame\nq\n")
    assert f"train.py({FAILING_LINE})<module>()" in ended.stdout
    assert "(7, ['1', '2', '3\\n'])" in ended.stdout


def test_it_is_mended_in_place(session: Session, tmp_path: Path):
    made = session.replay("broken", tmp_path)
    script = made.folder / "ml/code/train.py"
    script.write_text(SCRIPT.replace("frame[depth]", "frame[0]"))
    ended = run(made.folder)
    assert ended.returncode == 0, ended.stderr


def test_secrets_are_asked_for_and_not_written(session: Session, tmp_path: Path):
    made = session.replay("broken", tmp_path)
    assert made.secrets == ("HF_TOKEN", "api_token")
    files = [path for path in made.folder.rglob("*") if path.is_file() and path.suffix != ".gz"]
    assert not [path for path in files if "hush" in path.read_text()]
    code = "".join(notebook_cells(made.notebook))
    for name in made.secrets:
        assert f"{name!r}: getpass({name!r})" in code
    ended = run(made.folder)
    assert "Not set, as they look like secrets: HF_TOKEN, api_token" in ended.stdout
    assert "Not set" not in run(made.folder, HF_TOKEN="hush-2", api_token="hush-1").stdout


def notebook_cells(path: Path) -> list[str]:
    return [cell["source"] for cell in json.loads(path.read_text())["cells"]]


def test_the_notebook_enters_runs_and_debugs(session: Session, tmp_path: Path):
    import nbformat

    made = session.replay("broken", tmp_path)
    notebook = nbformat.read(made.notebook, as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert f"replay = Replay.of({str(made.folder)!r})" in code[0]
    assert code[1].startswith("replay.install()")
    assert code[2:] == ["names = replay.run()", "%debug"]
    prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert f"The job failed in line {FAILING_LINE} of `/opt/ml/code/train.py`." in prose
    assert "# Replay of broken" in prose


def test_what_is_gone_is_said_and_the_rest_is_there(session: Session, tmp_path: Path):
    client = session.client
    bucket = session.config.bucket
    client.call("bottega", "DescribeTrainingJobReplay", {"TrainingJobName": "broken"})
    client.put_object(bucket, "data/b.csv", b"9\n")
    made = session.replay("broken", tmp_path)
    assert made.notes == ("The channel train has what the job had not: b.csv.",)
    assert any(made.notes[0] in cell for cell in notebook_cells(made.notebook))


def test_a_second_one_stands_beside_the_first(session: Session, tmp_path: Path):
    first, second = session.replay("broken", tmp_path), session.replay("broken", tmp_path)
    assert (first.folder.name, second.folder.name) == ("replay-broken", "replay-broken-2")


def test_a_refusal_leaves_nothing(session: Session, tmp_path: Path):
    with pytest.raises(ClientFault, match="at most 3 are copied; allow more, with most_bytes"):
        session.replay("broken", tmp_path, most_bytes=3)
    with pytest.raises(ClientFault, match="not found"):
        session.replay("none", tmp_path)
    assert list(tmp_path.iterdir()) == []


class Answering(LocalClient):
    """A studio's client one of whose answers is another."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def call(self, service: str, operation: str, request: Any = None) -> dict[str, Any]:
        if operation != "DescribeTrainingJobReplay":
            raise ClientFault("it did not fail")
        return self.answer

    def get_object(self, bucket: str, key: str, target: Path) -> None:
        raise ClientFault("it may not be read")


ANSWER = {
    "HostName": "algo-1",
    "Image": "python",
    "Files": {},
    "Variables": {},
    "Secrets": [],
    "SecretHyperParameters": [],
    "Channels": [],
    "Notes": [],
}


def test_no_file_leads_out_of_the_folder(tmp_path: Path):
    answer = {**ANSWER, "Files": {"../outside": "x"}}
    with pytest.raises(ClientFault, match="leads out of the folder"):
        make_replay(Answering(answer), "job", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_code_that_may_not_be_read_is_said(tmp_path: Path):
    answer = {**ANSWER, "Program": "train.py", "CodeUri": "s3://bucket/code.tar.gz"}
    made = make_replay(Answering(answer), "job", tmp_path)
    assert made.notes == ("s3://bucket/code.tar.gz could not be brought: it may not be read",)
    assert not (made.folder / "ml/input/config/sourcedir.tar.gz").exists()
