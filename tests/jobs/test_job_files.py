"""What a job wrote is read and removed without going where the job would lead."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.jobs.job_files import HostFolder, NoFile, Unreadable


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "ml" / "model"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("of the owner")
    (tmp_path / "ml" / "config").write_text("beside the model")
    return folder


def reading(model: Path) -> HostFolder:
    return HostFolder(model.parent, "model")


def content(model: Path, name: str, *, follow: bool = True) -> str:
    with reading(model).open(name, follow=follow) as stream:
        return stream.read().decode()


def test_files_at_all_depths_by_name(model: Path):
    for name in ("b", "a/z", "a/y/x", "c"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(name)
    os.mkfifo(model / "fifo")
    (model / "link").symlink_to("b")
    (model / "folder-link").symlink_to("a")
    names = [name for name, _ in reading(model).files()]
    assert names == ["b", "c", "a/z", "a/y/x"]
    assert [content(model, name) for name in names] == names
    assert set(reading(model).files_and_links()) == {*names, "link", "folder-link"}


@pytest.mark.parametrize(
    "text", ["real", "./real", "deep/../real", "/opt/ml/model/real", "deep/back", "second"]
)
def test_a_link_inside_is_followed_when_asked_for(model: Path, text: str):
    (model / "real").write_text("inside")
    (model / "deep").mkdir()
    (model / "deep" / "back").symlink_to("../real")
    (model / "second").symlink_to("deep/back")
    (model / "link").symlink_to(text)
    assert content(model, "link") == "inside"
    with pytest.raises(NoFile):
        content(model, "link", follow=False)


@pytest.mark.parametrize(
    "text",
    ["../config", "../../secret", "{secret}", "/opt/ml/config", "/opt/ml/model/../config", "link"],
)
def test_a_link_that_leads_out_or_nowhere_is_no_file(model: Path, text: str):
    (model / "link").symlink_to(text.format(secret=model.parent.parent / "secret"))
    with pytest.raises(NoFile):
        content(model, "link")


def test_a_file_under_a_linked_folder_is_no_file(model: Path):
    (model / "etc").symlink_to("/etc")
    with pytest.raises(NoFile):
        content(model, "etc/passwd")


def test_a_fifo_in_place_of_a_file_blocks_nobody(model: Path):
    os.mkfifo(model / "file")
    with pytest.raises(NoFile):
        content(model, "file")


def test_a_replaced_folder_is_refused_and_a_missing_one_is_empty(model: Path):
    model.rename(model.with_name("was"))
    assert list(reading(model).files()) == []
    model.symlink_to("/etc")
    with pytest.raises(Unreadable, match="/opt/ml/model: is not a folder any more"):
        list(reading(model).files())


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A folder of an ordinary user, who this process is: the administrator may remove anything."""
    folder = Path(tempfile.mkdtemp(prefix="bottega-test-"))
    administrator = os.geteuid() == 0
    if administrator:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if administrator:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_what_may_not_be_read_is_named(ordinary_user: Path):
    (ordinary_user / "model" / "deep").mkdir(parents=True)
    (ordinary_user / "model" / "weights").touch(mode=0)
    with (
        pytest.raises(Unreadable, match="/opt/ml/model/weights: Permission denied"),
        HostFolder(ordinary_user, "model").open("weights"),
    ):
        pass
    (ordinary_user / "model" / "deep").chmod(0)
    with pytest.raises(Unreadable, match="/opt/ml/model/deep: Permission denied"):
        list(HostFolder(ordinary_user, "model").files())
