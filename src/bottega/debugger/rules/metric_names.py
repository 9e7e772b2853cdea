"""What the name of a metric says: which data it was measured on, and whether more is better."""

from __future__ import annotations

import re

_LARGE = re.compile(
    r"(?:^|[-_./:])(?:auc|aucpr|accuracy|acc|precision|recall|f1|f1_binary|f1_macro|map|ndcg|pre|"
    r"ams|r2|score|balanced_accuracy)(?:@\d+-?)?(?:[-_./:]\d+)?$",
    re.IGNORECASE,
)
_TRAIN = re.compile(r"^(?:train|training)[-_](.+)$", re.IGNORECASE)
_VALIDATION = re.compile(r"^(?:validation|valid|val|eval|test)[-_](.+)$", re.IGNORECASE)


def better_when_large(name: str) -> bool:
    """Whether a metric is one that should go up.

    >>> better_when_large("validation-auc"), better_when_large("train-logloss")
    (True, False)
    """
    return _LARGE.search(name) is not None


def trained_on(name: str) -> str:
    """The metric measured on the training data (``rmse`` of ``train-rmse``), else empty."""
    match = _TRAIN.match(name)
    return match[1] if match else ""


def validated_on(name: str) -> str:
    """The metric measured on other data (``rmse`` of ``validation-rmse``), else empty."""
    match = _VALIDATION.match(name)
    return match[1] if match else ""
