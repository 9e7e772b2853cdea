"""What is wrong with a flow, in words for who made it."""

from __future__ import annotations


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

    def at(self, node: str) -> FlowError:
        """The same, of a node; who knows it already keeps it."""
        self.node = self.node or node
        return self


class ParameterError(FlowError):
    """A parameter is unknown, missing, or has a value that it cannot have."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message, parameter=parameter)


class DataError(FlowError):
    """The data are not what a step needs: text that is no number, a value it has not learnt."""
