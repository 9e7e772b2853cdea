"""Classes out of the tensors of labels and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def whole(value: Array) -> bool:
    """Whether all values are finite whole numbers."""
    import numpy as np

    if value.dtype.kind in "biu":
        return True
    return bool(np.isfinite(value).all() and (value == np.floor(value)).all())


def classes(labels: Array, predictions: Array, *, argmax: bool = False) -> tuple[Array, Array]:
    """The true and the predicted class of each sample, as whole numbers.

    Predictions are taken for what they look like: a row of scores for each sample gives the class
    of the largest; whole numbers are classes; numbers from 0 to 1 are probabilities of class 1;
    others are margins, with class 1 above 0.

    Args:
        labels: one for each sample, or a row of zeros and a one.
        predictions: as many samples.
        argmax: take the largest of each row in any case.

    Returns:
        Two vectors of the same length; empty where the labels are no classes or the samples are not
        as many.
    """
    import numpy as np

    nothing = np.empty(0, dtype=np.int64)
    if labels.ndim > 1 and labels.shape[-1] > 1:
        labels = labels.argmax(axis=-1)
    true = labels.reshape(-1)
    rows = predictions.reshape(-1, predictions.shape[-1]) if predictions.ndim > 1 else predictions
    if rows.ndim > 1 and (argmax or rows.shape[-1] > 1):
        guessed = rows.argmax(axis=-1)
    elif argmax and len(true) == 1:
        guessed = rows.reshape(1, -1).argmax(axis=-1)
    else:
        guessed = _of_scores(rows.reshape(-1))
    if not true.size or true.shape != guessed.shape or not whole(true):
        return nothing, nothing
    return true.astype(np.int64), guessed.astype(np.int64)


def _of_scores(scores: Array) -> Array:
    import numpy as np

    if whole(scores):
        return scores
    probabilities = bool(((scores >= 0) & (scores <= 1)).all())
    # What is no number is no class: it counts as wrong whatever the label is.
    return np.where(np.isnan(scores), -1, scores > (0.5 if probabilities else 0.0))
