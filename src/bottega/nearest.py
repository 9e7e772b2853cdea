"""Which known name somebody meant who wrote another one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name that is most like a word; empty when none is."""
    import difflib  # only needed once something is wrong

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean churn?``, to be put behind a refusal; empty when no name is like the word.

    >>> did_you_mean("chrun", ["churn", "sales"])
    '; did you mean churn?'
    """
    found = nearest(word, known)
    return f"; did you mean {found}?" if found else ""


def ending(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that refuses a word: :func:`did_you_mean`, or a full stop.

    >>> ending("chrun", ["churn", "sales"]), ending("x", ["churn"])
    ('; did you mean churn?', '.')
    """
    return did_you_mean(word, known) or "."
