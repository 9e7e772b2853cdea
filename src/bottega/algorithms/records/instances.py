"""Rows written as JSON: the shapes of an instance that SageMaker's algorithms take.

::

    {"features": [1.5, 2.0]}
    {"data": {"features": {"values": [1.5, 2.0]}}}
    {"data": {"features": {"keys": [0, 7], "shape": [10], "values": [1.5, 2.0]}}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

LARGEST_WIDTH = 2**31 - 1


class MalformedInstance(ValueError):
    """An instance has none of the shapes; the message names it."""


def rows_of(instances: Sequence[Any], width: int, what: str = "Instance") -> Any:
    """The features of some instances.

    Args:
        instances: as JSON gave them.
        width: how many features a sparse one has that gives no shape; 0 when that is not known.
        what: what messages call one; its number follows.

    Returns:
        A float32 array, or a CSR matrix when one of them is sparse.

    Raises:
        MalformedInstance: one has none of the shapes, or another number of features.
    """
    try:
        dense = np.array([instance["features"] for instance in instances], dtype=np.float32)
    except (TypeError, KeyError, ValueError, OverflowError, IndexError):
        pass  # Another shape, or nonsense: the careful way tells.
    else:
        if dense.ndim == 2 and dense.shape[1]:
            return dense
    return _carefully(instances, width, what)


def label_of(instance: Any, what: str) -> float:
    """The label of an instance: ``label`` beside its features or beside ``data``'s.

    Raises:
        MalformedInstance: it has none that is a number.
    """
    found = instance.get("label") if isinstance(instance, dict) else None
    if found is None and isinstance(instance, dict) and isinstance(instance.get("data"), dict):
        found = instance["data"].get("label")
    if isinstance(found, dict):
        found = found.get("values")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise MalformedInstance(f"{what} has no label that is a number.")
    return float(found)


def _carefully(instances: Sequence[Any], width: int, what: str) -> Any:
    rows = [_row(instance, f"{what} {number}") for number, instance in enumerate(instances, 1)]
    widths = [shape or width for _, _, shape in rows]
    for number, found in enumerate(widths, 1):
        if not found:
            raise MalformedInstance(f"{what} {number} is sparse and has no shape.")
        if found != widths[0]:
            raise MalformedInstance(
                f"{what} {number} has {found} features and the first one has {widths[0]}."
            )
    if all(keys is None for keys, _, _ in rows):
        return np.stack([values for _, values, _ in rows])
    return _sparse(rows, widths[0], what)


def _sparse(rows: Sequence[tuple[Any, Any, int]], width: int, what: str) -> Any:
    from scipy import sparse

    if width > LARGEST_WIDTH:
        raise MalformedInstance(f"{what} 1 has a shape of {width}, which is too large.")
    pointers = np.zeros(len(rows) + 1, dtype=np.int32)
    indices, data = [], []
    for number, (keys, values, _) in enumerate(rows, 1):
        places = np.arange(width) if keys is None else keys
        if places.size and (places.min() < 0 or places.max() >= width):
            raise MalformedInstance(
                f"{what} {number} has a key that is not in [0,{width}), its shape."
            )
        indices.append(places.astype(np.int32))
        data.append(values)
        pointers[number] = pointers[number - 1] + places.size
    found = sparse.csr_matrix(
        (np.concatenate(data), np.concatenate(indices), pointers), shape=(len(rows), width)
    )
    found.sum_duplicates()
    return found


def _row(instance: Any, what: str) -> tuple[Any, Any, int]:
    """Keys (None: dense), values and width (0: not given) of one instance."""
    if not isinstance(instance, dict):
        raise MalformedInstance(f"{what} is no JSON object.")
    holder = instance.get("data", instance)
    features = holder.get("features") if isinstance(holder, dict) else None
    if isinstance(features, list):
        values = _numbers(features, "features", what)
        if not values.size:
            raise MalformedInstance(f"{what} has no features.")
        return None, values, values.size
    if not isinstance(features, dict) or "values" not in features:
        raise MalformedInstance(
            f'{what} has neither "features": [...] nor "data": {{"features": {{"values": [...]}}}}.'
        )
    values = _numbers(features["values"], "values", what)
    keys, shape = features.get("keys"), features.get("shape")
    if not keys and (values.size or not shape):
        if not values.size:
            raise MalformedInstance(f"{what} has no features.")
        return None, values, values.size
    width = _width(shape, what) if shape else 0
    places = _keys(keys or [], what)
    if places.size != values.size:
        raise MalformedInstance(f"{what} has {places.size} keys for {values.size} values.")
    return places, values, width


def _numbers(found: Any, name: str, what: str) -> Any:
    try:
        values = np.array(found, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        values = None
    if not isinstance(found, list) or values is None or values.ndim != 1:
        raise MalformedInstance(f"{what} has {name} that are no list of numbers.")
    return values


def _keys(found: Any, what: str) -> Any:
    if not isinstance(found, list) or not all(type(key) is int for key in found):
        raise MalformedInstance(f"{what} has keys that are no list of whole numbers.")
    if any(abs(key) > LARGEST_WIDTH for key in found):
        raise MalformedInstance(f"{what} has a key that is too large.")
    return np.array(found, dtype=np.int64)


def _width(found: Any, what: str) -> int:
    shape = found if isinstance(found, list) else [found]
    if len(shape) != 1 or type(shape[0]) is not int or not 0 < shape[0] <= LARGEST_WIDTH:
        raise MalformedInstance(f"{what} has a shape that is no list of one number.")
    return int(shape[0])
