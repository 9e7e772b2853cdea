"""The hook of XGBoost, which may be given to ``xgboost.train`` among the callbacks."""

from functools import partial

from xgboost.callback import TrainingCallback

from bottega.container.debugging import smdebug_api
from bottega.container.debugging.smdebug_api import ReductionConfig, SaveConfig, SaveConfigMode
from bottega.container.debugging.xgboost_hook import FRAMEWORK
from bottega.debugger import create_trial
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys as modes

__all__ = [
    "Collection",
    "Hook",
    "ReductionConfig",
    "SaveConfig",
    "SaveConfigMode",
    "create_trial",
    "get_hook",
    "modes",
]


class Hook(smdebug_api.Hook, TrainingCallback):
    """The hook of XGBoost. Rounds are seen whether it is among the callbacks or not."""

    framework = FRAMEWORK


get_hook = partial(smdebug_api.get_hook, Hook)
"""The hook of this process; None where there is none and none is to be made."""
