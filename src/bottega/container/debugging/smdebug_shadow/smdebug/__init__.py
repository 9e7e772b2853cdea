"""What scripts use of smdebug, over bottega's Debugger."""

from bottega.container.debugging.smdebug_api import ReductionConfig, SaveConfig, SaveConfigMode
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys as modes

__all__ = ["Collection", "ReductionConfig", "SaveConfig", "SaveConfigMode", "modes"]
__version__ = "1.0.34+bottega"
