"""Reading what was saved."""

from bottega.debugger import Trial, create_trial

__all__ = ["Trial", "create_trial"]
