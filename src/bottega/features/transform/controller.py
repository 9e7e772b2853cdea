"""Makes transform jobs happen, one idempotent step at a time.

Starting -> (Pending) -> Downloading -> Transforming -> Uploading -> Completed, and the ways out.
Model servers and drivers go on when the daemon is killed.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bottega.compute.leftovers import remove_tree
from bottega.compute.runner import IsolationUnavailable
from bottega.features.transform import launch, results
from bottega.features.transform.entities import (
    KIND,
    WORK,
    Instance,
    JobFolders,
    TransformJob,
)
from bottega.features.transform.progress import DriverFolder, Progress, Work
from bottega.features.transform.servers import (
    DriverKeeper,
    InstanceBroken,
    ServerKeeper,
    stop_processes,
)
from bottega.features.transform.tracker import TransformTracker
from bottega.jobs.input_sources import InputError
from bottega.jobs.phased import PhasedController, Step
from bottega.jobs.staging import Cancelled
from bottega.model_servers.staging import StagingError
from bottega.ports import Ports
from bottega.storage.objects import BucketMissing

log = logging.getLogger(__name__)

_STARTING_SECONDS = 0.05
"""How often an instance is looked at whose model server is not well yet."""
_LOOK_SECONDS = 1.0
"""How often a running job is looked at: for results to upload, and for ends not noticed."""
_ENDING_SECONDS = 0.05
_SERVER_GRACE_SECONDS = 5.0


class TransformController(PhasedController[TransformJob]):
    """Runs the transform jobs of one studio."""

    kind = KIND
    job = TransformJob
    work = WORK

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        super().__init__(ports, wake)
        self._keepers: dict[str, list[tuple[ServerKeeper, DriverKeeper]]] = {}

    def _steps(self) -> Mapping[str, Step[TransformJob]]:
        return {
            "Starting": self._admit,
            "Pending": self._admit,
            "Downloading": self._stage,
            "Transforming": self._follow,
            "Uploading": self._finish,
        }

    # -- steps ------------------------------------------------------------------------------------

    def _admit(self, job: TransformJob) -> float | None:
        TransformTracker.begin(self._ports, job)
        if not self._held(job):
            return self._at(job, "Pending") if job.phase != "Pending" else None
        self._remove_folder(JobFolders.of(self._ports.config, job).root)
        return self._at(job, "Downloading")

    def _stage(self, job: TransformJob) -> float | None:
        ports = self._ports
        folders = JobFolders.of(ports.config, job)
        try:
            if not folders.staged.exists():
                remove_tree(folders.root)
                folders.root.mkdir(parents=True, mode=0o700)
                launch.stage(ports, job, folders, self._cancelled(job))
                folders.staged.touch()
        except Cancelled:
            return 0.0
        except (InputError, StagingError) as error:
            return self._fail(job, f"ClientError: {error}")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return self._fail(job, f"ClientError: the disk is full: {error}")
        return self._at(job, "Transforming")

    def _follow(self, job: TransformJob) -> float | None:
        folders = JobFolders.of(self._ports.config, job)
        if not folders.staged.exists():
            return self._fail(
                job, "InternalServerError: the job's folder was removed. Start it again."
            )
        pause = None
        try:
            for instance, keepers in zip(folders.instances, self._kept(job, folders), strict=True):
                results.upload_results(self._ports, job, instance)
                if Progress.load(instance.driver.progress).finished or not _has_work(instance):
                    stop_processes(self._ports, instance.root, _SERVER_GRACE_SECONDS)
                    continue
                server, driver = keepers
                well = server.tend()
                driver.tend()
                pause = min(pause or _LOOK_SECONDS, _LOOK_SECONDS if well else _STARTING_SECONDS)
        except IsolationUnavailable as error:
            return self._fail(job, f"ClientError: {error}")
        except InstanceBroken as error:
            self._keep_results(job, folders)
            return self._fail(job, str(error))
        except BucketMissing as error:
            return self._fail(job, f"ClientError: {_gone(error)}")
        return self._at(job, "Uploading") if pause is None else pause

    def _finish(self, job: TransformJob) -> float | None:
        folders = JobFolders.of(self._ports.config, job)
        if not folders.staged.exists():
            return self._fail(
                job, "InternalServerError: the job's folder was removed. Start it again."
            )
        try:
            for instance in folders.instances:
                results.upload_results(self._ports, job, instance)
            results.capture(self._ports, job, folders)
        except BucketMissing as error:
            return self._fail(job, f"ClientError: {_gone(error)}")
        failed = results.failures(folders)
        if failed:
            total = sum(len(launch.objects_of(instance)) for instance in folders.instances)
            return self._fail(job, results.failure_reason(failed, total))
        return self._end(job, "Completed")

    def _stop(self, job: TransformJob) -> float | None:
        TransformTracker.begin(self._ports, job)
        folders = JobFolders.of(self._ports.config, job)
        quiet = [stop_processes(self._ports, instance.root, 0) for instance in folders.instances]
        if not all(quiet):
            return _ENDING_SECONDS
        if folders.staged.exists():
            self._keep_results(job, folders)
        return self._end(job, "Stopped")

    # -- parts of steps ---------------------------------------------------------------------------

    def _keep_results(self, job: TransformJob, folders: JobFolders) -> None:
        """Upload what is complete of a job that does not come to its own end."""
        try:
            for instance in folders.instances:
                results.upload_results(self._ports, job, instance)
        except BucketMissing as error:
            log.warning("transform job %s ends early, and %s", job.name, _gone(error))

    def _kept(
        self, job: TransformJob, folders: JobFolders
    ) -> list[tuple[ServerKeeper, DriverKeeper]]:
        if job.name not in self._keepers:
            self._keepers[job.name] = [
                (
                    ServerKeeper(
                        self._ports,
                        instance,
                        partial(launch.model_workload, self._ports, job, instance),
                        partial(self._wake, job.name),
                    ),
                    DriverKeeper(
                        self._ports,
                        instance,
                        partial(launch.driver_workload, self._ports, instance),
                        partial(self._wake, job.name),
                    ),
                )
                for instance in folders.instances
            ]
        return self._keepers[job.name]

    def _tidy(self, name: str, arn: str) -> float | None:
        """Let go of everything of a job that has ended."""
        self._keepers.pop(name, None)
        folder = self._ports.config.home / "work" / WORK / name
        quiet = [stop_processes(self._ports, root, 0) for root in _instances(folder)]
        if not all(quiet):
            return _ENDING_SECONDS
        self._remove_folder(folder)
        self._ports.capacity.release(arn)
        return None

    def _remove_folder(self, folder: Path) -> None:
        """Remove what an ended job leaves; what resists is tried again at the next start."""
        if not folder.exists():
            return
        for root in _instances(folder):
            stop_processes(self._ports, root, 0)
            task = DriverFolder(root / "data").task
            if task.exists():
                shutil.rmtree(Path(Work.load(task).socket).parent, ignore_errors=True)
        try:
            remove_tree(folder)
        except OSError as error:
            log.warning("the folder %s cannot be removed: %s", folder, error)


def _instances(folder: Path) -> list[Path]:
    """The folders of a job's instances."""
    instances = folder / "instances"
    return list(instances.iterdir()) if instances.is_dir() else []


def _has_work(instance: Instance) -> bool:
    return bool(launch.objects_of(instance))


def _gone(error: BucketMissing) -> str:
    return f"the results cannot be kept, because the bucket {error} does not exist"
