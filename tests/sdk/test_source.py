"""The user's code on its way to a job."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bottega.sdk.client import LocalClient
from bottega.sdk.data import DataError
from bottega.sdk.source import Source, serving_program
from bottega.studio import Studio


@pytest.fixture(scope="module")
def client():
    studio = Studio.temporary(isolation="process", preload=False)
    yield LocalClient(studio)
    studio.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train.py", "other/run.py", "__pycache__/train.pyc", ".git/config"):
        file = tmp_path / "code" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return tmp_path / "code"


def upload(client, source: Source) -> str:
    return source.upload(client, client.studio.ports.config.bucket, "code.tar.gz")


def names(client, uri: str) -> set[str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with client.studio.ports.objects.open(bucket, key) as stream:
        archive = io.BytesIO(stream.read())
    with tarfile.open(fileobj=archive) as tar:
        return {member.name.removeprefix("./") for member in tar if member.isfile()}


def test_one_file(client, folder: Path):
    source = Source.of(folder / "train.py", None)
    assert source.program == "train.py"
    assert names(client, upload(client, source)) == {"train.py"}


def test_a_folder_without_what_tools_leave_in_it(client, folder: Path):
    source = Source.of(folder, None)
    assert source.program == "train.py"
    assert names(client, upload(client, source)) == {"train.py", "other/run.py"}


@pytest.mark.parametrize("absolute", [False, True])
def test_a_script_in_a_source_dir(folder: Path, absolute: bool):
    script = Path("other/run.py")
    source = Source.of(folder / script if absolute else script, folder)
    assert (source.program, source.path) == ("other/run.py", folder)


def test_what_is_not_there_is_named(folder: Path, tmp_path: Path):
    with pytest.raises(DataError, match=r"nope\.py does not exist"):
        Source.of(Path("nope.py"), None)
    with pytest.raises(DataError, match=r"nope\.py is not in .*, which has train\.py"):
        Source.of(Path("nope.py"), folder)
    with pytest.raises(DataError, match="source_dir"):
        Source.of(Path("train.py"), tmp_path / "nowhere")
    outside = tmp_path / "outside.py"
    outside.write_text("")
    with pytest.raises(DataError, match=r"outside\.py is not in"):
        Source.of(outside, folder)


def test_an_inference_script_beside_the_training_script_serves(client, folder: Path):
    source = Source.of(folder, None)
    assert serving_program(client, upload(client, source), "train.py") == "train.py"
    (folder / "inference.py").write_text("")
    assert serving_program(client, upload(client, source), "train.py") == "inference.py"
