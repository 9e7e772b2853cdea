"""Brings each channel of a job to its hosts, in the channel's mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bottega.algorithms.images import resolve
from bottega.compute.runner import Mount
from bottega.features.training.entities import JobFolders, TrainingJob
from bottega.features.training.input_modes import mode_of
from bottega.features.training.pipe_input import stage_pipe
from bottega.features.training.rules import script_mode
from bottega.jobs.staging import stage_channel
from bottega.storage.objects import ObjectStore

_DATA = "/opt/ml/input/data"
_PIPES = "/opt/ml/input/.pipe"
"""Where the feeder of a host's pipes finds what to send (``ContainerPaths.pipe``)."""


def stage_channels(
    objects: ObjectStore,
    job: TrainingJob,
    folders: JobFolders,
    cancelled: Callable[[], bool],
    *,
    shown: bool,
) -> int:
    """Prepare all channels of a job.

    FastFile and Pipe mode copy nothing where the runner shows mounts: the objects themselves are
    linked into folders that hosts see read-only; so does File mode for the trials of a tuning job,
    if they run a built-in algorithm, which writes to no channel. Where the runner shows none, every
    host could write to what it reads, so it gets copies in its own folder, as in File mode.

    Args:
        shown: ``Runner.shows_mounts`` of the runner that will start the job.

    Returns:
        How many bytes were copied.

    Raises:
        InputError: a channel cannot be staged.
        Cancelled: ``cancelled()`` became true.
    """
    return sum(
        _stage(objects, channel, job, folders, cancelled, shown)
        for channel in job.body.get("InputDataConfig", [])
    )


def _stage(
    objects: ObjectStore,
    channel: Mapping[str, Any],
    job: TrainingJob,
    folders: JobFolders,
    cancelled: Callable[[], bool],
    shown: bool,
) -> int:
    name, mode = channel["ChannelName"], mode_of(channel, job.body)
    inputs = [folders.host(host) / "input" for host in job.host_names]
    data = [folder / "data" / name for folder in inputs]
    if mode == "Pipe":
        private = [folder / ".pipe" / name for folder in inputs]
        for folder in private:
            # Also where it will be covered by a mount: hosts must not be able to make it.
            folder.mkdir(parents=True, exist_ok=True)
        places = [folders.pipe(name)] if shown else private
        return stage_pipe(objects, channel, places, cancelled, link=shown)
    if shown and _is_linked(job, channel):
        for folder in data:
            folder.mkdir(parents=True, exist_ok=True)
        places = [folders.linked(host, name) for host in job.host_names]
        return stage_channel(objects, channel, places, cancelled, link=True)
    return stage_channel(objects, channel, data, cancelled)


def _is_linked(job: TrainingJob, channel: Mapping[str, Any]) -> bool:
    """Whether hosts see the objects of a channel themselves, read-only, where mounts are shown."""
    mode = mode_of(channel, job.body)
    if mode != "File" or "TuningJobArn" not in job.body:
        return mode == "FastFile"
    return not script_mode(resolve(job.image), job.body)


def channel_mounts(job: TrainingJob, folders: JobFolders, host: str) -> list[Mount]:
    """What a host sees of channels that are not in its own folder, where mounts are shown."""
    mounts = []
    for channel in job.body.get("InputDataConfig", []):
        name, mode = channel["ChannelName"], mode_of(channel, job.body)
        if _is_linked(job, channel):
            mounts.append(Mount(folders.linked(host, name), f"{_DATA}/{name}", read_only=True))
        elif mode == "Pipe":
            mounts.append(Mount(folders.pipe(name), f"{_PIPES}/{name}", read_only=True))
    return mounts
