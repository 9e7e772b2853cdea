"""Compiling the algorithms' kernels while nobody waits for them."""

from __future__ import annotations

import logging
import threading

from bottega.algorithms.kernel_cache import KernelCache

log = logging.getLogger(__name__)


def compile_in_background() -> None:
    """Compile what the user's cache lacks; it goes on when the daemon ends.

    Without it everything works, but each job of such an algorithm compiles for itself, for some
    seconds.
    """
    cache = KernelCache()
    process = cache.compile_in_background()
    if process is None:
        return
    log.info("compiling the kernels of the algorithms into %s", cache.folder)

    def report() -> None:
        _, errors = process.communicate()
        if process.returncode:
            log.warning("the kernels could not be compiled: %s", errors.decode(errors="replace"))
        else:
            log.info("the kernels of the algorithms are compiled")

    threading.Thread(target=report, name="kernels", daemon=True).start()
