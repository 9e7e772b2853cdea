"""Makes processing jobs happen, one idempotent step at a time.

Starting -> (Pending) -> Downloading -> Processing -> Uploading -> Completed, and the ways out.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bottega.compute.leftovers import remove_tree
from bottega.compute.log_tail import log_tail
from bottega.compute.runner import Cause, IsolationUnavailable, WorkloadState
from bottega.compute.runner import Phase as Running
from bottega.features.processing import launch, tracker
from bottega.features.processing.entities import (
    KIND,
    LOG_GROUP,
    WORK,
    JobFolders,
    ProcessingJob,
)
from bottega.jobs import outcome
from bottega.jobs.artifacts import NO_KEY, is_key
from bottega.jobs.folder_sync import FolderSync
from bottega.jobs.input_sources import InputError
from bottega.jobs.job_files import HostFolder, NoFile, Unreadable, below_ml_root
from bottega.jobs.phased import PhasedController, Step
from bottega.jobs.staging import Cancelled
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing
from bottega.tracking.port import TrackingRefused, TrackingUnavailable

log = logging.getLogger(__name__)

CONTINUOUS_SECONDS = 1.0
"""How often Continuous outputs are looked through while the job runs."""
UNSEEN_END_SECONDS = 5.0
"""How often a running job is looked at besides the runner's own notice."""
LONGEST_MESSAGE = 1024
RUN_WAIT_SECONDS = 30.0
"""How long a program waits for the tracker to give it a run, before it starts without one."""


class ProcessingController(PhasedController[ProcessingJob]):
    """Runs the processing jobs of one studio."""

    kind = KIND
    job = ProcessingJob
    work = WORK

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        super().__init__(ports, wake)
        self._watched: set[Path] = set()
        self._syncs: dict[str, list[FolderSync]] = {}

    def _steps(self) -> Mapping[str, Step[ProcessingJob]]:
        return {
            "Starting": self._admit,
            "Pending": self._admit,
            "Downloading": self._stage_and_start,
            "Processing": self._follow,
            "Uploading": self._upload,
        }

    # -- steps ------------------------------------------------------------------------------------

    def _admit(self, job: ProcessingJob) -> float | None:
        tracker.begin(self._ports, job)
        if not self._held(job):
            if job.phase != "Pending":
                self._at(job, "Pending")
            return None
        # Of an earlier job of this name, which was deleted as soon as it ended.
        self._syncs.pop(job.name, None)
        self._remove_folder(JobFolders.of(self._ports.config, job.name).root)
        return self._at(job, "Downloading")

    def _stage_and_start(self, job: ProcessingJob) -> float | None:
        ports = self._ports
        folders = JobFolders.of(ports.config, job.name)
        try:
            shown = ports.runner.shows_mounts()
            if not folders.is_staged(shown=shown):
                remove_tree(folders.root)
                folders.root.mkdir(parents=True, mode=0o700)
                launch.stage(ports, job, folders, self._cancelled(job), shown=shown)
                folders.note_staged(shown=shown)
            if (wait := self._await_run(job)) is not None:
                return wait
            job = ProcessingJob(ports.store.get(KIND, job.name))
            if job.status != "InProgress":
                return 0.0
            ports.runner.start(launch.workload(ports, job, folders))
        except Cancelled:
            return 0.0
        except (InputError, IsolationUnavailable) as error:
            return self._fail(job, f"ClientError: {error}")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return self._fail(job, f"ClientError: the disk is full: {error}")
        return self._at(job, "Processing")

    def _await_run(self, job: ProcessingJob) -> float | None:
        """Give a program the run it may log to before it starts; None when it may go on."""
        ports = self._ports
        if ports.tracking is None or job.isolated or not tracker.logs_to_run(ports, job):
            return None
        try:
            tracker.open_run(ports, ports.tracking, job)
        except TrackingUnavailable:
            waited = ports.clock.now() - job.body["ProcessingStartTime"]
            if waited < RUN_WAIT_SECONDS:
                return 0.1
            log.warning("processing job %s starts without an MLflow run", job.name)
        except TrackingRefused as error:
            log.warning("processing job %s starts without an MLflow run: %s", job.name, error)
        return None

    def _follow(self, job: ProcessingJob) -> float | None:
        ports, folders = self._ports, JobFolders.of(self._ports.config, job.name)
        state = ports.runner.state(folders.supervisor)
        if state.phase is Running.ABSENT:
            if not folders.is_staged(shown=ports.runner.shows_mounts()):
                return self._fail(job, outcome.LOST_WITHOUT_RETRY)
            ports.runner.start(launch.workload(ports, job, folders))
            return 0.0
        if state.phase is Running.RUNNING:
            self._watch(job, folders.supervisor)
            return self._sync(job, folders, final=False)
        self._watched.discard(folders.supervisor)
        if state.phase is Running.LOST:
            return self._fail(job, outcome.LOST_WITHOUT_RETRY)
        return self._at(job, "Uploading")

    def _upload(self, job: ProcessingJob) -> float | None:
        folders = JobFolders.of(self._ports.config, job.name)
        state = self._ports.runner.state(folders.supervisor)
        if state.phase is not Running.ENDED:  # the folder is gone, and what was made with it
            return self._fail(job, outcome.LOST_WITHOUT_RETRY)
        if state.cause is Cause.RUNTIME_EXCEEDED:
            return self._stopped(job, folders)
        if not state.succeeded:
            self._sync(job, folders, final=True)
            return self._fail(job, self._reason(job, folders, state), **_exit_message(job, folders))
        if (problem := self._upload_outputs(job, folders)) is not None:
            return self._fail(job, problem, **_exit_message(job, folders))
        return self._end(job, "Completed", **_exit_message(job, folders))

    def _stop(self, job: ProcessingJob) -> float | None:
        ports, folders = self._ports, JobFolders.of(self._ports.config, job.name)
        tracker.begin(ports, job)
        state = ports.runner.state(folders.supervisor)
        if state.phase is Running.RUNNING:
            ports.runner.stop(folders.supervisor)
            self._watch(job, folders.supervisor)
            return UNSEEN_END_SECONDS
        self._watched.discard(folders.supervisor)
        if state.phase is Running.ABSENT:
            return self._end(job, "Stopped", **_exit_message(job, folders))
        return self._stopped(job, folders)

    def _stopped(self, job: ProcessingJob, folders: JobFolders) -> float | None:
        """The end of a job that did not come to its own; what it wrote is kept."""
        if problem := self._upload_outputs(job, folders):
            log.warning("processing job %s was stopped, but %s", job.name, problem)
        return self._end(job, "Stopped", **_exit_message(job, folders))

    # -- parts of steps ---------------------------------------------------------------------------

    def _watch(self, job: ProcessingJob, directory: Path) -> None:
        if directory not in self._watched:
            self._watched.add(directory)
            self._ports.runner.watch(directory, lambda: self._wake(job.name))

    def _reason(self, job: ProcessingJob, folders: JobFolders, state: WorkloadState) -> str:
        outputs = {host: HostFolder(folders.host(host), "output") for host in job.host_names}
        return outcome.failure_reason(
            state, outputs, lambda host: log_tail(self._ports.logs, LOG_GROUP, job.log_stream(host))
        )

    def _sync(self, job: ProcessingJob, folders: JobFolders, *, final: bool) -> float:
        """Upload what is new in Continuous outputs; returns the seconds until the next look."""
        if job.name not in self._syncs:
            self._syncs[job.name] = [
                FolderSync(_folder(folders, host, output), output["S3Output"]["S3Uri"])
                for output in job.outputs
                if output["S3Output"]["S3UploadMode"] == "Continuous"
                for host in job.host_names
            ]
        syncs = self._syncs[job.name]
        for sync in syncs:
            try:
                sync.sync(self._ports.objects, final=final)
            except BucketMissing:
                log.warning("output of %s cannot be kept: %s is gone", job.name, sync.uri)
        return CONTINUOUS_SECONDS if syncs else UNSEEN_END_SECONDS

    def _upload_outputs(self, job: ProcessingJob, folders: JobFolders) -> str | None:
        """Upload what every host wrote; returns what went wrong, as a FailureReason."""
        for output in job.outputs:
            uri = output["S3Output"]["S3Uri"]
            try:
                for host in job.host_names:
                    _upload(self._ports, _folder(folders, host, output), uri)
            except BucketMissing:
                return f"ClientError: Output upload failed: the bucket of {uri} does not exist"
            except Unreadable as error:
                return f"ClientError: Output upload failed: {error}"
        return None

    def _tidy(self, name: str, arn: str) -> float | None:
        """Let go of everything of a job that has ended."""
        self._syncs.pop(name, None)
        self._ports.capacity.release(arn)
        self._remove_folder(JobFolders.of(self._ports.config, name).root)
        return None

    def _remove_folder(self, folder: Path) -> None:
        """Remove what an ended job leaves; what resists is tried again at the next start."""
        if not folder.exists():
            return
        self._ports.runner.stop(folder / "supervisor", grace_seconds=0)
        try:
            remove_tree(folder)
        except OSError as error:
            log.warning("the folder %s cannot be removed: %s", folder, error)


def _folder(folders: JobFolders, host: str, output: Any) -> HostFolder:
    return HostFolder(folders.host(host), below_ml_root(output["S3Output"]["LocalPath"]))


def _upload(ports: Ports, folder: HostFolder, uri: str) -> None:
    """Put the regular files of a folder under a prefix; links are not followed.

    Raises:
        Unreadable: a file cannot be read, or its name cannot be part of a key.
        BucketMissing: the bucket is gone.
    """
    bucket, prefix = s3_uris.split(uri)
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    for name, _ in folder.files():
        if not is_key(prefix + name):
            raise Unreadable(NO_KEY.format(name))
        try:
            with folder.open(name) as stream:
                ports.objects.put(bucket, prefix + name, stream)
        except NoFile:  # a process of the job's removed it just now
            continue


def _exit_message(job: ProcessingJob, folders: JobFolders) -> dict[str, Any]:
    """What the job said to the one who reads its description: the file ``/opt/ml/output/message``
    of the first host that has one."""
    for host in job.host_names:
        try:
            with HostFolder(folders.host(host), "output").open("message") as stream:
                text = stream.read(4 * LONGEST_MESSAGE).decode("utf-8", "replace")
        except (NoFile, Unreadable):
            continue
        if text.strip():
            return {"ExitMessage": text.strip()[:LONGEST_MESSAGE]}
    return {}
