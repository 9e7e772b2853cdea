"""Hyperparameters as the SDKs send them."""

from __future__ import annotations

import json


def plain_text(text: str) -> str:
    """A hyperparameter as text: framework estimators send it JSON-encoded, others as it is.

    >>> plain_text('"train.py"'), plain_text("train.py"), plain_text("7")
    ('train.py', 'train.py', '7')
    """
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text
