"""Removing what a workload left behind."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path


def remove_tree(folder: Path) -> None:
    """Remove a folder of a workload that has ended, also where it took away the right to do so.

    Raises:
        OSError: it is still there; the reason is the system's.
    """
    if not folder.is_symlink() and folder.is_dir():
        for _, names, _, descriptor in os.fwalk(folder):
            for name in names:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if not stat.S_ISLNK(status.st_mode):
                    os.chmod(name, 0o700, dir_fd=descriptor)
        shutil.rmtree(folder)
