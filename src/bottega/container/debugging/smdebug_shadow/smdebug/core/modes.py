"""What a step is a step of."""

from bottega.debugger.tensors.modes import ModeKeys

__all__ = ["ModeKeys"]
