"""Compiled loops: what numpy cannot do in one call, at the speed of C.

A kernel is a plain function with its signature, compiled by numba and kept on disk, so that it is
compiled once a machine and not once a job::

    @kernel("void(float32[:, ::1], float32[::1])")
    def scale(rows, factors): ...

Kernels live in modules named ``kernels`` beside the algorithm that needs them, listed in
:data:`MODULES`; importing such a module loads or compiles all that is in it. They release the GIL,
check no bounds, and are called from as many threads as the job has cores.

Where compiled kernels are kept: in the folder that ``BOTTEGA_KERNELS`` names; else, in a job, in
``kernels`` below its ML root, where the platform puts what it compiled ahead (``kernel_cache``);
else beside the source where that can be written, or in a temporary folder of this user.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from bottega.container.paths import ContainerPaths

Function = TypeVar("Function", bound=Callable[..., Any])

MODULES: tuple[str, ...] = (
    "bottega.algorithms.factorization_machines.kernels",
    "bottega.algorithms.blazingtext.kernels",
    "bottega.algorithms.blazingtext.text_kernels",
    "bottega.algorithms.kmeans.kernels",
    "bottega.algorithms.linear_learner.kernels",
    "bottega.algorithms.readers.kernels",
    "bottega.algorithms.readers.number_kernels",
    "bottega.algorithms.xgboost.kernels",
)
"""Every module of kernels."""


FOLDER_NAME = "kernels"
"""Where a job has them, below its ML root."""


def _folder() -> str:
    """Where numba shall keep what it compiles; empty for its own choice, beside the source."""
    if given := os.environ.get("BOTTEGA_KERNELS"):
        return given
    of_job = ContainerPaths.of().root / FOLDER_NAME
    if os.access(of_job, os.W_OK):
        return str(of_job)
    if os.access(Path(__file__).parent, os.W_OK):
        return ""
    folder = Path(tempfile.gettempdir(), f"bottega-kernels-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o022 or folder.is_symlink():
        # Somebody else's folder: what lies there is code that would run here.
        folder = Path(tempfile.mkdtemp(prefix="bottega-kernels-"))
    return str(folder)


def kernel(*signatures: str, **options: Any) -> Callable[[Function], Function]:
    """Compile a function for these signatures, in numba's notation.

    Args:
        signatures: at least one, so that nothing is left to be compiled while data wait.
        options: of ``numba.njit``, over ``nogil``, ``cache`` and ``fastmath`` without the
            assumption that there are no NaN and infinities.
    """
    import numba

    configuration: Any = numba.config
    if not configuration.CACHE_DIR:
        configuration.CACHE_DIR = _folder()
    settings = {
        "nogil": True,
        "cache": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "arcp", "nsz"},
        **options,
    }
    compiler: Any = numba.njit(list(signatures), **settings)
    return cast("Callable[[Function], Function]", compiler)


def load_all() -> None:
    """Load every kernel, compiling those that are not kept yet."""
    for module in MODULES:
        importlib.import_module(module)


if __name__ == "__main__":
    load_all()
