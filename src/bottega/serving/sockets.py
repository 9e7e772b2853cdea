"""Where model servers listen: Unix sockets in a short, private folder outside the home.

A socket's address may be no longer than 107 bytes on Linux and 103 on macOS, which a home deep in a
file system would break; so the sockets of a home lie in a runtime folder whose name is derived from
the home. Nothing in it is worth keeping: whoever starts a server makes its folder anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST_ADDRESS = 103
"""Bytes of a socket's path that every supported system takes."""
SOCKET_NAME = "s"
NEAR_NAME = "near"
_DIGITS = 16
_INSTANCE_PREFIX = "model-"
_DEEPEST = len(f"/bottega-{'0' * _DIGITS}/{_INSTANCE_PREFIX}{'0' * _DIGITS}/{SOCKET_NAME}")


class RuntimeFolderUnsafe(Exception):
    """The folder is somebody else's. The message names it and says what to do."""


def runtime_folder(home: Path) -> Path:
    """The folder for the sockets of ``home``, which is made when it is not there.

    It is the same for every process of the same user, mode 0700 and owned by the caller, under
    ``XDG_RUNTIME_DIR`` or the folder for temporary files, or ``/tmp`` where these are too long.

    Raises:
        RuntimeFolderUnsafe: what is there belongs to another user, or is not a folder.
    """
    digest = hashlib.sha256(f"{os.getuid()}\0{home.resolve()}".encode()).hexdigest()
    folder = _base() / f"bottega-{digest[:_DIGITS]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise RuntimeFolderUnsafe(
            f"{folder} belongs to another user or is not a folder; remove it, or set "
            "XDG_RUNTIME_DIR to a folder that only you can write to."
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def instance_folder(home: Path, *parts: str) -> Path:
    """The folder of one model server's socket, by what identifies the server; it is not made."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return runtime_folder(home) / f"{_INSTANCE_PREFIX}{digest[:_DIGITS]}"


def remove_if_empty(home: Path) -> None:
    """Remove the folder for the sockets of ``home`` if nobody has anything in it."""
    with contextlib.suppress(OSError):  # it is not empty
        runtime_folder(home).rmdir()


def instance_folders(home: Path) -> list[Path]:
    """The folders of all model servers' sockets that are there."""
    found = runtime_folder(home).iterdir()
    return [path for path in found if path.name.startswith(_INSTANCE_PREFIX)]


def socket_path(folder: Path) -> Path:
    """The socket in an instance's folder."""
    return folder / SOCKET_NAME


def near_path(socket: Path) -> Path:
    """Where the server that listens on a socket puts what the router may predict with itself."""
    return socket.with_name(NEAR_NAME)


def _base() -> Path:
    for candidate in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()):
        if (
            candidate
            and len(os.fsencode(candidate)) + _DEEPEST <= LONGEST_ADDRESS
            and os.access(candidate, os.W_OK | os.X_OK)
        ):
            return Path(candidate)
    return Path("/tmp")
