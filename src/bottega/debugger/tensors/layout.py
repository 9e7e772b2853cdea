"""Which file is where below the folder of a trial.

::

    collections/000000000/worker_0_collections.json        what groups the tensors
    events/000000000010/000000000010_worker_0.tfevents     the tensors of one step of one worker
    index/000000000/000000000010_worker_0.json             where each of them is in there
    claim.smd                                              one process writes for a worker
    training_job_end.ts                                    nothing more will be written

The index of a step is written after its events, so that a step is there when its index is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

CLAIM = "claim.smd"
END_OF_JOB = "training_job_end.ts"
"""There when every worker has ended; whoever knows that writes it, empty."""
DRAFTS = ".drafts"
"""Files that are being written; a reader, or whoever copies the folder, leaves this one out."""
INDEX = "index"
COLLECTIONS = "collections/000000000"
CHIEF = "worker_0"

_STEPS_IN_A_FOLDER = 1000
_INDEX_NAME = re.compile(r"(?:^|/)(\d+)_([^/]+)\.json$")
_COLLECTIONS_NAME = re.compile(r"(?:^|/)([^/]+)_collections\.json$")


class StepOfWorker(NamedTuple):
    """What the name of an index file says: a global step, and who wrote it."""

    step: int
    worker: str


def events_name(step: int, worker: str) -> str:
    """The events file of a global step, relative to the trial's folder."""
    return f"events/{step:012d}/{step:012d}_{worker}.tfevents"


def index_folder(step: int) -> str:
    """The folder of a global step's index files."""
    return f"{INDEX}/{step // _STEPS_IN_A_FOLDER:09d}"


def index_name(step: int, worker: str) -> str:
    """The index file of a global step."""
    return f"{index_folder(step)}/{step:012d}_{worker}.json"


def collections_name(worker: str) -> str:
    """The file with a worker's collections."""
    return f"{COLLECTIONS}/{worker}_collections.json"


def parsed_index_name(name: str) -> StepOfWorker | None:
    """Whose step an index file is; None for any other file."""
    found = _INDEX_NAME.search(name)
    return StepOfWorker(int(found[1]), found[2]) if found else None


def worker_of_collections(name: str) -> str | None:
    """Whose collections a file holds; None for any other file."""
    found = _COLLECTIONS_NAME.search(name)
    return found[1] if found else None
