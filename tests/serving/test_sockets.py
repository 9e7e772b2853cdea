"""Where model servers' sockets lie."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from bottega.serving import sockets


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> object:
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_the_folder_is_private_and_always_the_same_for_a_home(tmp_path: Path) -> None:
    folder = sockets.runtime_folder(tmp_path)
    assert folder == sockets.runtime_folder(tmp_path)
    assert folder != sockets.runtime_folder(tmp_path / "other")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_enter_is_closed_to_them(tmp_path: Path) -> None:
    folder = sockets.runtime_folder(tmp_path)
    folder.chmod(0o777)
    sockets.runtime_folder(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    folder = sockets.runtime_folder(tmp_path)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(sockets.RuntimeFolderUnsafe, match="XDG_RUNTIME_DIR"):
        sockets.runtime_folder(tmp_path)


def test_a_socket_can_be_bound_however_deep_the_home_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    folder = sockets.instance_folder(deep, "endpoint" * 8, "d-1", "variant" * 8, "0")
    folder.mkdir()
    path = sockets.socket_path(folder)
    assert len(os.fsencode(path)) <= sockets.LONGEST_ADDRESS
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    path.unlink()
    folder.rmdir()


def test_only_an_empty_folder_is_removed(tmp_path: Path) -> None:
    folder = sockets.runtime_folder(tmp_path)
    (folder / "used").mkdir()
    sockets.remove_if_empty(tmp_path)
    assert folder.exists()
    (folder / "used").rmdir()
    sockets.remove_if_empty(tmp_path)
    assert not folder.exists()


def test_the_folders_of_servers_are_told_from_what_else_is_there(tmp_path: Path) -> None:
    server = sockets.instance_folder(tmp_path, "e", "d", "v-0")
    server.mkdir()
    (sockets.runtime_folder(tmp_path) / "other").mkdir()
    assert sockets.instance_folders(tmp_path) == [server]
