"""Trees with every leaf at the same depth: arrays that the fastest loop predicts with.

They hold all that a prediction needs and no code, so they can be written down, and read by another
process that trusts their writer with nothing: what was read is checked before the loop, which
checks no bounds, gets it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

_DEEPEST = 10
_MOST_NODES = 1 << 21
"""Of the complete trees of a model, 12 bytes each; larger models are walked node by node."""
_ARRAYS: Mapping[str, Any] = {
    "features": np.int32,
    "keys": np.int32,
    "leaves": np.float32,
    "groups": np.int32,
    "base": np.float32,
}
_NUMBERS = ("depth", "transformation", "width")
_LONGEST_HEAD = 512
"""Bytes; whatever is longer is not ours, and would take long to parse."""


@dataclass(frozen=True, slots=True)
class CompleteTrees:
    """What the kernel ``predict_complete`` is given, and how many features a row has."""

    features: Any
    keys: Any
    leaves: Any
    depth: int
    groups: Any
    base: Any
    transformation: int
    width: int

    @property
    def outputs(self) -> int:
        """How many margins a row has."""
        return int(self.base.shape[0])

    @property
    def steps(self) -> int:
        """How many nodes one row passes."""
        return int(self.groups.shape[0]) * max(1, self.depth)

    def predict(self, rows: Any) -> Any | None:
        """Predict a contiguous ``float32`` array, rows x features, as the library does: one number
        a row, or one for each output. None when a value is missing."""
        out = np.empty((rows.shape[0], self.outputs), np.float32)
        whole = _kernels().predict_complete(
            rows,
            self.features,
            self.keys,
            self.leaves,
            self.depth,
            self.groups,
            self.base,
            self.transformation,
            out,
        )
        return columns(out, self.transformation) if whole else None

    def to_bytes(self) -> bytes:
        """For :func:`read_trees`: a line of JSON, and the arrays one after the other."""
        head = {name: getattr(self, name) for name in _NUMBERS}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        head["sizes"] = [array.size for array in arrays.values()]
        return b"\n".join([json.dumps(head).encode(), b"".join(map(bytes, arrays.values()))])


def read_trees(content: bytes) -> CompleteTrees:
    """Trees as :meth:`CompleteTrees.to_bytes` wrote them.

    Raises:
        ValueError: these are no such trees; the message says what is wrong with them.
    """
    end = content.find(b"\n", 0, _LONGEST_HEAD)
    head, data = json.loads(content[: max(end, 0)]), content[end + 1 :]
    if not isinstance(head, dict) or head.keys() != {*_NUMBERS, "sizes"}:
        raise ValueError("these are no trees")
    sizes = head.pop("sizes")
    if not isinstance(sizes, list) or len(sizes) != len(_ARRAYS):
        raise ValueError(f"there are not {len(_ARRAYS)} sizes")
    if not all(type(number) is int for number in (*head.values(), *sizes)):
        raise ValueError("a number is not whole")
    if min(sizes) < 0 or len(data) != 4 * sum(sizes):
        raise ValueError(f"the arrays have {len(data)} bytes instead of {4 * sum(sizes)}")
    parts: dict[str, Any] = head
    end = 0
    for (name, dtype), size in zip(_ARRAYS.items(), sizes, strict=True):
        begin, end = end, end + 4 * size
        parts[name] = np.frombuffer(data[begin:end], dtype).copy()  # writable, as the kernel wants
    trees = CompleteTrees(**parts)
    _check(trees)
    return trees


def _check(trees: CompleteTrees) -> None:
    """Refuse whatever would have the kernel read where nothing is."""
    kernels = _kernels()
    if not 0 <= trees.depth <= _DEEPEST:
        raise ValueError(f"the trees are {trees.depth} deep")
    if trees.width < 1 or trees.outputs < 1 or trees.groups.shape[0] < 1:
        raise ValueError("there are no trees, or rows have no features, or answers no outputs")
    count, inner = trees.groups.shape[0], (1 << trees.depth) - 1
    nodes = (count + kernels.SIDE) * inner
    if trees.features.shape[0] != nodes or trees.keys.shape[0] != nodes:
        raise ValueError(f"there are not {nodes} inner nodes")
    if trees.leaves.shape[0] != count * (inner + 1):
        raise ValueError(f"there are not {count * (inner + 1)} leaves")
    for name, end in (("features", trees.width), ("groups", trees.base.shape[0])):
        array = getattr(trees, name)
        if array.size and not 0 <= array.min() <= array.max() < end:
            raise ValueError(f"{name} are not all from 0 to {end - 1}")
    if not kernels.IDENTITY <= trees.transformation <= kernels.SIGN:
        raise ValueError(f"there is no transformation {trees.transformation}")


def columns(out: Any, transformation: int) -> Any:
    """What counts of the kernels' answer: one column where a row has one number."""
    return out[:, 0] if out.shape[1] == 1 or transformation == _kernels().LARGEST else out


@cache
def _kernels() -> Any:
    """The compiled loops; to load them takes a second, so nobody does before there are trees."""
    from bottega.algorithms.xgboost import kernels

    return kernels


def complete_trees(
    trees: Sequence[Mapping[str, Any]],
    depth: int,
    *,
    width: int,
    groups: Any,
    base: Any,
    transformation: int,
) -> CompleteTrees | None:
    """Give each tree all the nodes that the depth has room for; None where they are too many.

    A leaf further up stands for the nodes below it: from there, rows go to the left.

    Args:
        trees: as the library writes them in JSON.
        depth: of the deepest.
        width: how many features a row has.
        groups: for each tree, the output that it adds to.
        base: for each output, where its margin begins.
        transformation: a constant of the kernels.
    """
    side = _kernels().SIDE
    inner = 2**depth - 1
    if depth > _DEEPEST or (len(trees) + side) * inner > _MOST_NODES:
        return None
    features = np.zeros((len(trees) + side, inner), np.int32)
    keys = np.full(features.shape, np.iinfo(np.int32).max, np.int32)
    leaves = np.zeros((len(trees), inner + 1), np.float32)
    for number, tree in enumerate(trees):
        left, right = tree["left_children"], tree["right_children"]
        values = np.array(tree["split_conditions"], np.float32)
        ordered = _keys(values)
        waiting = [(0, 0, 0)]
        while waiting:
            node, place, level = waiting.pop()
            if left[node] < 0:
                leaves[number, (place + 1) * 2 ** (depth - level) - 1 - inner] = values[node]
                continue
            features[number, place] = tree["split_indices"][node]
            keys[number, place] = ordered[node]
            waiting += [
                (left[node], 2 * place + 1, level + 1),
                (right[node], 2 * place + 2, level + 1),
            ]
    return CompleteTrees(
        features=features.ravel(),
        keys=keys.ravel(),
        leaves=leaves.ravel(),
        depth=depth,
        groups=groups,
        base=base,
        transformation=transformation,
        width=width,
    )


def _keys(numbers: Any) -> Any:
    """Integers in the order of the ``float32`` numbers; both zeros are the same."""
    bits = (numbers + np.float32(0)).view(np.int32)
    return bits ^ ((bits >> 31) & np.int32(2**31 - 1))
