"""Floats as whole numbers of the same order, which sort faster and take a label along."""

from __future__ import annotations

from typing import Any

import numpy as np

_SIGN = np.uint32(1 << 31)


def ordered(values: Any) -> Any:
    """``uint32`` in the order of ``float32`` numbers; equal for 0 and -0."""
    # Adding 0 makes -0 a 0.
    bits = (values + np.float32(0)).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def restored(numbers: Any) -> Any:
    """The ``float32`` numbers that :func:`ordered` was given."""
    return np.where(numbers & _SIGN, numbers ^ _SIGN, ~numbers).astype(np.uint32).view(np.float32)


def sorted_with_labels(values: Any, ones: Any) -> tuple[Any, Any]:
    """Numbers in rising order, as :func:`ordered` gives them, and what each of them is labelled.

    Args:
        values: ``float32``.
        ones: whether each is labelled 1.
    """
    keys = ordered(values).astype(np.uint64)
    keys <<= np.uint64(1)
    keys |= ones.astype(np.uint64)
    keys.sort()
    return (keys >> np.uint64(1)).astype(np.uint32), (keys & np.uint64(1)).astype(bool)
