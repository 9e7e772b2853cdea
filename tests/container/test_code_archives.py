"""Archives from outside."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bottega.algorithms.base import CustomerError
from bottega.container.archives import unpack


def archive(path: Path, *members: tarfile.TarInfo, data: bytes = b"x") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            if member.isfile():
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            else:
                tar.addfile(member)
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def device(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.CHRTYPE
    return member


def test_files_and_folders_and_inner_links(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.tar.gz",
        tarfile.TarInfo("train.py"),
        tarfile.TarInfo("sub/model.py"),
        link("sub/link.py", "../train.py"),
    )
    unpack(path, tmp_path / "code")
    assert (tmp_path / "code" / "sub" / "link.py").read_bytes() == b"x"


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("a/../../outside"),
        tarfile.TarInfo("/tmp/outside"),
        link("a", "/etc/passwd"),
        link("a", "../../outside"),
        link("a", "../outside", tarfile.LNKTYPE),
        device("a"),
    ],
    ids=lambda member: f"{member.name}-{member.type.decode()}",
)
def test_unsafe_archives_are_refused_before_anything_is_written(
    tmp_path: Path, member: tarfile.TarInfo
) -> None:
    path = archive(tmp_path / "a.tar.gz", tarfile.TarInfo("fine.py"), member)
    with pytest.raises(CustomerError, match=r"a\.tar\.gz is not safe to unpack"):
        unpack(path, tmp_path / "code")
    assert not list((tmp_path / "code").iterdir())
    assert not (tmp_path / "outside").exists()


def test_a_link_that_a_later_entry_would_follow(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", link("d", "/tmp"), tarfile.TarInfo("d/outside"))
    with pytest.raises(CustomerError, match="not safe"):
        unpack(path, tmp_path / "code")


def test_limits(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", *(tarfile.TarInfo(str(i)) for i in range(5)))
    with pytest.raises(CustomerError, match="more than 4 entries"):
        unpack(path, tmp_path / "code", max_entries=4)
    with pytest.raises(CustomerError, match="more than 4 bytes"):
        unpack(path, tmp_path / "code", max_bytes=4)
    assert not list((tmp_path / "code").iterdir())
    unpack(path, tmp_path / "code", max_entries=5, max_bytes=5)


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(CustomerError, match="cannot be unpacked"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "code")
