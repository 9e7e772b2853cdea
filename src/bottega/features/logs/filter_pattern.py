"""CloudWatch's filter patterns for lines of text.

``error loss`` wants both terms, ``"exit code"`` the phrase, ``?warn ?error`` any of them,
``-debug`` keeps out what has the term. Terms are matched as they are written, anywhere in the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bottega.errors import InvalidParameterException

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|((?![?-]")[^\s"]\S*))')
_STRUCTURED = {"{": "JSON", "[": "space-delimited", "%": "regular expression"}


def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether a message matches.

    Raises:
        InvalidParameterException: the pattern is malformed, or of a kind bottega does not read.
    """
    text = pattern.strip()
    if kind := _STRUCTURED.get(text[:1]):
        raise InvalidParameterException(
            f"Invalid filter pattern: bottega does not match {kind} patterns; it matches terms, "
            '"quoted phrases", ?any ?of ?these and -excluded terms.'
        )
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(text):
        if not (match := _TERM.match(text, position)):
            raise InvalidParameterException(
                f"Invalid filter pattern: the quote at character {position + 1} is not closed."
            )
        mark, phrase, word = match.groups()
        terms[mark].append(word if phrase is None else re.sub(r"\\(.)", r"\1", phrase))
        position = match.end()
    wanted, optional, unwanted = terms[""], terms["?"], terms["-"]

    def matches(message: str) -> bool:
        return (
            all(term in message for term in wanted)
            and not any(term in message for term in unwanted)
            and (not optional or any(term in message for term in optional))
        )

    return matches
