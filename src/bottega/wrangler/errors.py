"""What is wrong with a flow, in words for who made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FlowError(Exception):
    """A flow, or a step of it, cannot be read, checked or run.

    Attributes:
        message: what was wrong, where, and what to do.
        node: the id of the node; empty while it is not known.
        parameter: the name of the parameter; empty where it is no parameter.
    """

    def __init__(self, message: str, *, node: str = "", parameter: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.node = node
        self.parameter = parameter


class ParameterError(FlowError):
    """A parameter is unknown, missing, or has a value that it cannot have."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message, parameter=parameter)


class DataError(FlowError):
    """The data are not what a step needs: text that is no number, a value it has not learnt."""


@contextmanager
def at_node(node: str) -> Iterator[None]:
    """What is refused inside is refused of a node, unless who refuses knows the node already."""
    try:
        yield
    except FlowError as error:
        error.node = error.node or node
        raise


def refuse_untrusted(name: str, *, runs_code: bool, trusted: bool) -> None:
    """Refuse to run code that came with a flow, unless its user trusts it.

    Args:
        name: of the transform or the analysis.
        runs_code: whether it runs any.
        trusted: whether the user said so.

    Raises:
        FlowError: it would run, and must not.
    """
    if runs_code and not trusted:
        raise FlowError(
            f"{name} runs code that came with this flow. Read it, and trust the flow if you want "
            "it to run."
        )
