"""Errors as a notebook shows them: one message, without the frames of our own code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

from bottega.errors import BottegaError
from bottega.magics.arguments import HelpWanted

Parameters = ParamSpec("Parameters")


class Refused(Exception):
    """What a magic fails with. The cell fails, as with any exception; IPython shows the message."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks an exception for this before it formats a traceback of its own."""
        return [str(self)]


def plainly(
    magic: Callable[Parameters, Any],
) -> Callable[Parameters, Any]:
    """Let a magic fail with one message where it was refused something.

    Anything unexpected keeps its traceback.
    """

    @functools.wraps(magic)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Any:
        try:
            return magic(*args, **kwargs)
        except HelpWanted as wanted:
            print(wanted)
            return None
        except (BottegaError, TimeoutError) as error:
            kind = getattr(error, "code", type(error).__name__)
            raise Refused(f"{kind}: {error}") from None

    return run
