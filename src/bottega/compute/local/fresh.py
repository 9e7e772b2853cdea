"""Makes a child of the fork server look like a process that was just started.

What was loaded once for all children must not show: the environment, the streams, the random
numbers and how many threads numerical libraries use are those a new interpreter would have. What
cannot be set any more once libraries are loaded is listed in ``needs_new_process``: such programs
take the ordinary way.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""The fork server's environment: no library starts a thread while it is loaded.

OpenMP is not in the list: it starts no thread before it is used, and what it reads at loading would
stay.
"""

_READ_AT_LOADING = (
    "LD_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "NUMEXPR_", "LC_",
    "MALLOC_", "GLIBC_", "ARROW_", "MIMALLOC_", "JE_ARROW_", "NPY_",
)  # fmt: skip
_HARMLESS = frozenset({"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"})

_blas_libraries: list[Any] = []


def needs_new_process(environment: Mapping[str, str]) -> str | None:
    """The variable that a forked child could not obey, because it is read when a program is
    loaded.
    """
    for name in environment:
        if name.startswith(_READ_AT_LOADING):
            return name
        if name.startswith("PYTHON") and name not in _HARMLESS:
            return name
    return None


def prepare() -> None:
    """In the fork server, when everything is loaded: find the libraries whose threads are held
    back.
    """
    from threadpoolctl import ThreadpoolController

    _blas_libraries[:] = [
        library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"
    ]


def make_fresh(environment: Mapping[str, str]) -> None:
    """In the child, whose descriptors and signals are fresh already: all the rest."""
    os.environ.clear()
    os.environ.update(environment)
    if "TZ" in environment:
        time.tzset()
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    _open_streams(unbuffered=bool(environment.get("PYTHONUNBUFFERED")))
    _forget_shared_secrets()
    for library in _blas_libraries:
        library.set_num_threads(_allowed_cores())


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open_streams(*, unbuffered: bool) -> None:
    """As the interpreter does when its streams are no terminals."""
    stdin = io.BufferedReader(io.FileIO(0, "rb", closefd=False))
    streams = {"stdin": io.TextIOWrapper(stdin, encoding="utf-8", errors="strict")}
    for name, number, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        raw = io.FileIO(number, "wb", closefd=False)
        binary: Any = raw if unbuffered else io.BufferedWriter(raw)
        streams[name] = io.TextIOWrapper(
            binary,
            encoding="utf-8",
            errors=errors,
            newline="\n",
            line_buffering=name == "stderr",
            write_through=unbuffered,
        )
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _forget_shared_secrets() -> None:
    """What is drawn once a process must differ between children. ``random`` sees to itself."""
    loaded: dict[str, Any] = dict(sys.modules)
    if "numpy.random" in loaded:
        loaded["numpy.random"].seed()
    if "multiprocessing.process" in loaded:
        loaded["multiprocessing.process"].current_process().authkey = os.urandom(32)
    if "tempfile" in loaded:
        loaded["tempfile"].tempdir = None
