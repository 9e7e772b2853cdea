"""What a workload leaves behind goes, whatever it did to it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.compute.leftovers import remove_tree


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


def test_what_the_workload_locked_is_removed_too(ordinary_user: Path):
    top = ordinary_user / "top"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").touch()
    (top / "link").symlink_to("/")
    (top / "a" / "b").chmod(0o500)
    (top / "a").chmod(0)
    remove_tree(top)
    assert list(ordinary_user.iterdir()) == []


def test_a_link_in_place_of_the_folder_is_not_removed_through(tmp_path: Path):
    model = tmp_path / "model"
    model.mkdir()
    (model.parent / "link").symlink_to(model)
    (model / "file").touch()
    remove_tree(model.parent / "link")
    assert (model / "file").exists()
