"""The phases of a training in a profile, and the files that they are in.

A file ``framework/pevents/<YYYYMMDDHH>/<end usec>_<node>_<pid>_pythontimeline.json`` is a list of
Chrome's trace events. An event's ``pid`` stands for its phase, which a metadata event names::

    {"name": "process_name", "ph": "M", "pid": 0, "args": {"start_time_since_epoch_in_micros": T}}
    {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "Step:ModeKeys.TRAIN"}}
    {
        "name": "Net",
        "ph": "X",
        "pid": 1,
        "tid": 0,
        "ts": 12000,
        "dur": 800,
        "args": {"pid": 17, "step_num": "4"},
    }

``ts`` and ``dur`` are microseconds; ``ts`` counts from the file's start time.
"""

from __future__ import annotations

from bottega.debugger.tensors.modes import ModeKeys

LOCAL_PATH = "/opt/ml/output/profiler"
EVENTS_FOLDER = "framework/pevents"
KIND = "pythontimeline"
START_TIME = "start_time_since_epoch_in_micros"

FORWARD = "Forward"
BACKWARD = "Backward(post-forward)"
OPTIMIZER = "Optimizer"
DATA_LOADING = "DataLoaderIter"
"""Waiting for the next batch; its ``worker_count`` is the number of loading processes."""
FIT = "Fit"
"""One ``fit`` of an estimator."""
OPERATORS = "cpu_functions"
"""Operators of PyTorch, in the steps of the DetailedProfilingConfig."""


def gpu_operators(device: int) -> str:
    """The phase of operators on a GPU."""
    return f"gpu_functions-dev:{device}"


def step_phase(mode: ModeKeys) -> str:
    """The phase of whole steps of a mode; of a boosting round, which is a step of TRAIN, too."""
    return f"Step:ModeKeys.{mode.name}"
