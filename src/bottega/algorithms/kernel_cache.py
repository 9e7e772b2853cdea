"""Kernels compiled ahead, so that no job has to: once for each user, source and processor.

The daemon compiles in the background when it starts; each job of an algorithm gets a copy of its
own, because compiled code that a job could change would run in the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bottega.algorithms.kernels import FOLDER_NAME, MODULES

_COMPLETE = "complete"
_KEPT_SECONDS = 30 * 86400
"""How long what another source compiled is kept after its last use."""


class KernelCache:
    """The compiled kernels of this source in a folder of the user's cache.

    Args:
        parent: where such folders are; ``bottega`` in the user's cache folder by default.
    """

    def __init__(self, parent: Path | None = None) -> None:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self._parent = Path(base, "bottega") if parent is None else parent
        self.folder = self._parent / f"kernels-{_fingerprint()}"

    @property
    def complete(self) -> bool:
        """Whether every kernel is there."""
        return (self.folder / _COMPLETE).exists()

    def use(self) -> bool:
        """Have this process load its kernels from here; False where they are not all compiled, and
        loading one would compile it."""
        if not self.complete:
            return False
        import numba

        configuration: Any = numba.config
        configuration.CACHE_DIR = str(self.folder)
        return True

    def copy(self, root: Path) -> None:
        """Give the job with this ML root its copy, if there is one to give."""
        if self.complete:
            (self.folder / _COMPLETE).touch()  # it is used, see _forget_others
            shutil.copytree(self.folder, root / FOLDER_NAME, dirs_exist_ok=True)

    def compile_in_background(self) -> subprocess.Popen[bytes] | None:
        """Start to compile what is not there, with the lowest priority; None when all is."""
        if self.complete:
            return None
        return subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._parent)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def compile(self) -> None:
        """Compile everything, and then put it in place at once; waits for another who does so."""
        self._parent.mkdir(parents=True, exist_ok=True)
        with (self._parent / "kernels.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.complete:
                return
            with tempfile.TemporaryDirectory(dir=self._parent, prefix="compiling-") as scratch:
                draft = Path(scratch, "kernels")
                draft.mkdir()
                subprocess.run(
                    [sys.executable, "-m", "bottega.algorithms.kernels"],
                    env={**os.environ, "BOTTEGA_KERNELS": str(draft)},
                    check=True,
                )
                (draft / _COMPLETE).touch()
                shutil.rmtree(self.folder, ignore_errors=True)
                draft.rename(self.folder)
            self._forget_others()

    def _forget_others(self) -> None:
        """Remove what nobody has used for long; several installations may share the cache."""
        long_ago = time.time() - _KEPT_SECONDS
        for folder in self._parent.glob("kernels-*"):
            used = folder / _COMPLETE
            if folder != self.folder and not (used.exists() and used.stat().st_mtime > long_ago):
                shutil.rmtree(folder, ignore_errors=True)


def _fingerprint() -> str:
    """Of the sources with kernels, as numba tells them apart, and of what compiles them."""
    facts = [sys.version, platform.machine(), importlib.metadata.version("numba")]
    for module in MODULES:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"there is no module of kernels {module}")
        state = Path(spec.origin).stat()
        facts.append(f"{spec.origin} {state.st_mtime_ns} {state.st_size}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


if __name__ == "__main__":
    os.nice(19)
    KernelCache(Path(sys.argv[1])).compile()
