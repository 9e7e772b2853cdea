"""Makes processing jobs happen, one idempotent step at a time.

Starting -> (Pending) -> Downloading -> Processing -> Uploading -> Completed, and the ways out.
What is done is read from the store, the job's folder and the runner, never from memory, so a new
daemon goes on where the old one was killed.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bottega.compute.leftovers import remove_tree
from bottega.compute.log_tail import log_tail
from bottega.compute.runner import Cause, IsolationUnavailable, WorkloadState
from bottega.compute.runner import Phase as Running
from bottega.controller import Controller
from bottega.features.processing import launch
from bottega.features.processing.entities import (
    KIND,
    LOG_GROUP,
    JobFolders,
    Phase,
    ProcessingJob,
    below_ml_root,
    works,
)
from bottega.identifiers import sagemaker_arn
from bottega.jobs import outcome
from bottega.jobs.artifacts import NO_KEY, is_key
from bottega.jobs.folder_sync import FolderSync
from bottega.jobs.input_sources import InputError
from bottega.jobs.job_files import HostFolder, NoFile, Unreadable
from bottega.jobs.staging import Cancelled
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery
from bottega.storage.objects import BucketMissing

log = logging.getLogger(__name__)

CONTINUOUS_SECONDS = 1.0
"""How often Continuous outputs are looked through while the job runs."""
UNSEEN_END_SECONDS = 5.0
"""How often a running job is looked at besides the runner's own notice."""
LONGEST_MESSAGE = 1024


class ProcessingController(Controller):
    """Runs the processing jobs of one studio."""

    kind = KIND

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        """
        Args:
            wake: has the controller's host reconcile a name soon.
        """
        self._ports = ports
        self._wake = wake
        self._watched: set[Path] = set()
        self._syncs: dict[str, list[FolderSync]] = {}

    def pending(self) -> Iterable[str]:
        """Unfinished jobs in order of creation; those past the queue take their slots at once."""
        query = ResourceQuery(KIND, statuses=("InProgress", "Stopping"), descending=False)
        jobs = [ProcessingJob(resource) for resource in self._ports.store.each(query)]
        for job in jobs:
            if job.phase not in ("Starting", "Pending"):
                self._ports.capacity.claim(job.resource.arn, len(job.host_names))
        self._sweep({job.name for job in jobs})
        return [job.name for job in jobs]

    def _sweep(self, wanted: set[str]) -> None:
        """Remove the folders of jobs that ended while nobody was there to tidy up."""
        root = works(self._ports.config)
        for folder in root.iterdir() if root.is_dir() else ():
            if folder.name not in wanted:
                self._remove_folder(folder)

    def reconcile(self, name: str) -> float | None:
        try:
            job = ProcessingJob(self._ports.store.get(KIND, name))
        except ResourceMissing:
            config = self._ports.config
            arn = sagemaker_arn(config.region, config.account, "processing-job", name)
            return self._tidy(name, arn)
        if job.ended:
            return self._tidy(name, job.resource.arn)
        if job.status == "Stopping":
            return self._stop(job)
        step: Callable[[ProcessingJob], float | None] = {
            "Starting": self._admit,
            "Pending": self._admit,
            "Downloading": self._stage_and_start,
            "Processing": self._follow,
            "Uploading": self._upload,
        }[job.phase]
        return step(job)

    # -- steps ------------------------------------------------------------------------------------

    def _admit(self, job: ProcessingJob) -> float | None:
        ports = self._ports
        held = ports.capacity.acquire(
            job.resource.arn,
            len(job.host_names),
            lambda: self._wake(job.name),
            order=job.resource.created,
        )
        if not held:
            if job.phase != "Pending":
                self._at(job, "Pending")
            return None
        self._remove_folder(JobFolders.of(ports.config, job.name).root)
        return self._at(job, "Downloading")

    def _stage_and_start(self, job: ProcessingJob) -> float | None:
        ports = self._ports
        folders = JobFolders.of(ports.config, job.name)

        def cancelled() -> bool:
            return ports.store.get(KIND, job.name).status != "InProgress"

        try:
            shown = ports.runner.shows_mounts()
            if not folders.is_staged(shown=shown):
                remove_tree(folders.root)
                folders.root.mkdir(parents=True, mode=0o700)
                launch.stage(ports, job, folders, cancelled, shown=shown)
                folders.note_staged(shown=shown)
            if cancelled():
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
            return self._fail(job, self._reason(job, folders, state), folders)
        if (problem := self._upload_outputs(job, folders)) is not None:
            return self._fail(job, problem, folders)
        return self._end(job, folders, "Completed")

    def _stop(self, job: ProcessingJob) -> float | None:
        ports, folders = self._ports, JobFolders.of(self._ports.config, job.name)
        state = ports.runner.state(folders.supervisor)
        if state.phase is Running.RUNNING:
            ports.runner.stop(folders.supervisor)
            self._watch(job, folders.supervisor)
            return UNSEEN_END_SECONDS
        self._watched.discard(folders.supervisor)
        if state.phase is Running.ABSENT:
            return self._end(job, folders, "Stopped")
        return self._stopped(job, folders)

    def _stopped(self, job: ProcessingJob, folders: JobFolders) -> float | None:
        """The end of a job that did not come to its own; what it wrote is kept."""
        if problem := self._upload_outputs(job, folders):
            log.warning("processing job %s was stopped, but %s", job.name, problem)
        return self._end(job, folders, "Stopped")

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

    def _write(
        self, job: ProcessingJob, change: Callable[[float, ProcessingJob], ProcessingJob]
    ) -> float | None:
        """Write a change, unless the job's status was changed by somebody else in between."""

        def changed(present: Resource) -> Resource:
            current = ProcessingJob(present)
            if (current.status, current.phase) != (job.status, job.phase):
                return present
            return change(self._ports.clock.now(), current).resource

        self._ports.store.modify(KIND, job.name, changed)
        return 0.0

    def _at(self, job: ProcessingJob, phase: Phase) -> float | None:
        return self._write(job, lambda now, present: present.at(phase, now))

    def _end(self, job: ProcessingJob, folders: JobFolders, status: str) -> float | None:
        members = _exit_message(job, folders)
        return self._write(job, lambda now, present: present.moved(status, now, **members))

    def _fail(
        self, job: ProcessingJob, reason: str, folders: JobFolders | None = None
    ) -> float | None:
        members = _exit_message(job, folders) if folders else {}
        members["FailureReason"] = reason[: outcome.LONGEST_REASON]
        return self._write(job, lambda now, present: present.moved("Failed", now, **members))

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
