"""Refusing what cannot fit in memory, which the system would else end without a word."""

from __future__ import annotations

import os

from bottega.algorithms.base import CustomerError


def require_memory(size: int, what: str, remedy: str) -> None:
    """Make sure that a model can be held in this machine's memory.

    Args:
        size: how many bytes it takes.
        what: which it is, such as ``The model``.
        remedy: what to do, as a sentence.

    Raises:
        CustomerError: it takes more than there is.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > there:
        raise CustomerError(
            f"{what} takes {size / 2**30:,.1f} GiB of memory, and this machine has "
            f"{there / 2**30:,.1f} GiB. {remedy}"
        )
