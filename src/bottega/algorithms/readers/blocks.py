"""Rows as they come from a reader: by the block, each row with a place that messages can name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bottega.algorithms.readers.sources import Stream

    Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """What the rows of a channel hold beside their features."""

    label: bool = True
    """Whether tables have a label in their first column."""
    weights: bool = False
    """Whether tables have the weight of the row in the column after the label."""
    needs_label: bool = True
    """Whether a record without a label is refused; otherwise labels are passed over."""
    width: int = 0
    """How many features a row has, where it need not say so itself; 0 when that is not known."""
    single: bool = True
    """Whether the features of a Record must be float32."""


@dataclass(frozen=True)
class Block:
    """Some rows that follow one another in a source."""

    features: Any
    """``float32``, rows x columns: a C-contiguous array, or a scipy CSR matrix."""
    labels: Floats | None
    origin: Callable[[int], str]
    """Where a row of the block came from, such as ``line 3 of train.csv``."""
    weights: Floats | None = None
    groups: NDArray[np.int64] | None = None
    """The query of each row, for ranking."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.features.shape[0])


Decoder = Callable[["Stream", Layout], Iterator[Block]]


@dataclass(frozen=True)
class LabelRule:
    """Which labels an algorithm cannot learn from."""

    wrong: Callable[[Floats], NDArray[np.bool_]]
    """For some labels, which of them are wrong."""
    text: str
    """What is wrong with them: the rest of a sentence that begins with ``Label 7 in line 3``."""


def rows_of(table: Any, layout: Layout, origin: Callable[[int], str], name: str) -> Block:
    """A block of a table whose first columns are the label and the weight, as the layout says.

    Raises:
        CustomerError: no column is left for a feature.
    """
    import numpy as np

    leading = int(layout.label) + int(layout.weights)
    if table.shape[1] <= leading:
        first = " and ".join(["a label"] * layout.label + ["a weight"] * layout.weights)
        raise CustomerError(
            f"{name} has {table.shape[1]} column(s); it needs "
            f"{f'{first}, and ' if first else ''}at least one feature."
        )
    labels = table[:, 0].copy() if layout.label and layout.needs_label else None
    return Block(
        features=np.ascontiguousarray(table[:, leading:]),
        labels=labels,
        origin=origin,
        weights=table[:, leading - 1].copy() if layout.weights else None,
    )


def fitted(block: Block, width: int, *, sparse: bool, whose: str) -> Block:
    """A block in the form of its channel.

    Args:
        block: as the reader gave it.
        width: how many features a row of the channel has.
        sparse: whether they come as CSR matrices.
        whose: where the width is from, for messages.

    Raises:
        CustomerError: it has another number of features.
    """
    from scipy import sparse as matrices

    features = block.features
    if matrices.issparse(features):
        if features.shape[1] < width:
            features.resize((features.shape[0], width))
        check_width(block, width, whose)
        features = features if sparse else features.toarray()
    else:
        check_width(block, width, whose)
        features = matrices.csr_matrix(features) if sparse else features
    return block if features is block.features else replace(block, features=features)


def check_width(block: Block, width: int, whose: str = "as in the first row") -> None:
    """Refuse a block of another number of features.

    Args:
        block: to be looked at.
        width: how many features a row of the channel has.
        whose: where that is from, for the message.

    Raises:
        CustomerError: it has another one.
    """
    if block.features.shape[1] != width:
        raise CustomerError(
            f"{capital(block.origin(0))} has {block.features.shape[1]} features where {width} are "
            f"expected, {whose}."
        )


def capital(text: str) -> str:
    """A place such as ``line 3 of a.csv`` at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def check_finite(block: Block) -> None:
    """Refuse a row in which something is no number.

    Raises:
        CustomerError: naming the first.
    """
    import numpy as np
    from scipy import sparse as matrices

    features = block.features
    values = features.data if matrices.issparse(features) else features
    # One sum says for all of them that each is finite, unless they are so large that it is not.
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(values.sum(dtype=np.float32)):
            bad = np.flatnonzero(~np.isfinite(values).ravel())
            if bad.size:
                raise CustomerError(_no_number(block, int(bad[0])))
    if block.labels is not None:
        wrong = np.flatnonzero(~np.isfinite(block.labels))
        if wrong.size:
            row = int(wrong[0])
            raise CustomerError(
                f"The label in {block.origin(row)} is {_shown(block.labels[row])}; "
                "every row needs a label that is a number."
            )


def check_labels(block: Block, rule: LabelRule) -> None:
    """Refuse a label that the algorithm cannot learn from.

    Raises:
        CustomerError: naming the first.
    """
    import numpy as np

    if block.labels is None:
        return
    wrong = np.flatnonzero(rule.wrong(block.labels))
    if wrong.size:
        row = int(wrong[0])
        raise CustomerError(f"Label {block.labels[row]:.9g} in {block.origin(row)} {rule.text}")


def _no_number(block: Block, place: int) -> str:
    import numpy as np
    from scipy import sparse as matrices

    features = block.features
    if matrices.issparse(features):
        row = int(np.searchsorted(features.indptr, place, side="right")) - 1
        column, value = int(features.indices[place]), features.data[place]
    else:
        row, column = divmod(place, features.shape[1])
        value = features[row, column]
    return (
        f"Feature {column + 1} in {block.origin(row)} is {_shown(value)}; "
        "this algorithm needs a number for every feature. Fill it in, or leave the row out."
    )


def _shown(value: Any) -> str:
    return "missing or NaN" if value != value else f"{value:g}"
