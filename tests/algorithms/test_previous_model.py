"""The artifact of an earlier job as the start of a new one."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bottega.algorithms.base import CustomerError
from bottega.algorithms.previous_model import MODEL_CONTENT_TYPE, previous_model
from bottega.testing.job_folder import JobFolder


def archive(name: str = "weights") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    return buffer.getvalue()


def test_without_the_channel_there_is_none(tmp_path: Path) -> None:
    with previous_model(JobFolder(tmp_path / "ml").read()) as folder:
        assert folder is None


def test_the_archive_is_unpacked_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml")
    job.channel("model", MODEL_CONTENT_TYPE, {"output/model.tar.gz": archive()})
    with previous_model(job.read()) as folder:
        assert folder is not None
        assert (folder / "weights").read_bytes() == b"abc"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("files", "because"),
    [
        ({"weights.bin": b"abc"}, "it has weights.bin"),
        ({"a.tar.gz": archive(), "b.tar.gz": archive()}, "it has a.tar.gz, b.tar.gz"),
        ({"model.tar.gz": b"nothing of the kind"}, "cannot be unpacked"),
        ({"model.tar.gz": archive("../outside")}, "not safe to unpack"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, files: dict[str, bytes], because: str) -> None:
    job = JobFolder(tmp_path / "ml").channel("model", MODEL_CONTENT_TYPE, files)
    with pytest.raises(CustomerError) as refusal, previous_model(job.read()):
        pass
    assert because in str(refusal.value)
