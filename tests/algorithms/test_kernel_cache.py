"""Kernels are compiled once, and every job gets its own copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bottega.algorithms import kernels
from bottega.algorithms.kernel_cache import KernelCache

PROGRAM = """
import numpy as np
from bottega.algorithms.kernels import kernel

@kernel("float32(float32[::1])")
def total(values):
    found = np.float32(0)
    for value in values:
        found += value
    return found

assert total(np.ones(5, dtype=np.float32)) == 5
print(len(total.stats.cache_hits), len(total.stats.cache_misses))
"""


def compile_in(folder: Path, program: Path) -> str:
    run = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, "BOTTEGA_KERNELS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_kernel_is_compiled_once(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    first = compile_in(tmp_path / "cache", program)
    assert first.split() == ["0", "1"]
    assert compile_in(tmp_path / "cache", program).split() == ["1", "0"]


def test_nothing_is_given_before_it_is_complete(tmp_path: Path) -> None:
    cache = KernelCache(tmp_path)
    cache.folder.mkdir(parents=True)
    (cache.folder / "half").touch()
    cache.copy(tmp_path / "job")
    assert not (tmp_path / "job").exists()


@pytest.mark.slow
def test_compiling_ahead(tmp_path: Path) -> None:
    old, other = tmp_path / "kernels-of-long-ago", tmp_path / "kernels-of-another-installation"
    for folder in (old, other):
        folder.mkdir()
        (folder / "complete").touch()
    os.utime(old / "complete", (0, 0))
    cache = KernelCache(tmp_path)
    process = cache.compile_in_background()
    assert process is not None
    _, errors = process.communicate(timeout=170)
    assert process.returncode == 0, errors
    assert cache.complete
    assert not old.exists()
    assert other.exists()
    assert cache.compile_in_background() is None
    job = tmp_path / "job"
    cache.copy(job)
    before = sorted(path for path in job.rglob("*") if path.is_file())
    assert len(before) > len(kernels.MODULES)
    # A job finds all there is: nothing is added by loading every kernel.
    subprocess.run(
        [sys.executable, "-m", "bottega.algorithms.kernels"],
        env={**os.environ, "BOTTEGA_ML_ROOT": str(job)},
        check=True,
    )
    assert sorted(path for path in job.rglob("*") if path.is_file()) == before
