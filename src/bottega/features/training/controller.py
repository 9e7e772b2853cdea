"""Makes training jobs happen, one idempotent step at a time.

Starting -> (Pending) -> Downloading -> Training -> Uploading -> Completed, and the ways out of it.
What is done is read from the store, the job's folder and the runner, never from memory, so a new
daemon goes on where the old one was killed.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bottega.algorithms.images import resolve
from bottega.compute.leftovers import remove_tree
from bottega.compute.runner import Cause, IsolationUnavailable, Phase, WorkloadState
from bottega.controller import Controller
from bottega.features.training import checkpoints, launch, tracker
from bottega.features.training.channel_staging import stage_channels
from bottega.features.training.entities import KIND, JobFolders, Secondary, TrainingJob
from bottega.features.training.job_log import JobLogs
from bottega.features.training.replay_inputs import staged_inputs
from bottega.features.training.rules import script_mode
from bottega.identifiers import sagemaker_arn
from bottega.jobs import artifacts, outcome
from bottega.jobs.debugging import configuration
from bottega.jobs.debugging import session as debugging
from bottega.jobs.debugging.outputs import DebugOutputs, set_profile
from bottega.jobs.folder_sync import FolderSync
from bottega.jobs.input_sources import InputError
from bottega.jobs.job_files import HostFolder, Unreadable
from bottega.jobs.staging import Cancelled
from bottega.jobs.trial_courses import RECORD, live_courses
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery
from bottega.storage.objects import BucketMissing
from bottega.tracking.port import TrackingRefused, TrackingUnavailable

log = logging.getLogger(__name__)

RUN_WAIT_SECONDS = 30.0
"""How long a script waits for the tracker to give it a run, before it starts without one."""
CHECKPOINT_SECONDS = 1.0
LIVE_SECONDS = 0.5
"""How often the log of a running job is read, and its end looked for besides the runner's own
notice."""
UNSEEN_END_SECONDS = 5.0
"""How often a job that is being stopped is looked at besides the runner's own notice."""


class TrainingController(Controller):
    """Runs the training jobs of one studio."""

    kind = KIND

    def __init__(self, ports: Ports, logs: JobLogs, wake: Callable[[str], None]) -> None:
        """
        Args:
            wake: has the controller's host reconcile a name soon.
        """
        self._ports = ports
        self._logs = logs
        self._wake = wake
        self._courses = live_courses(ports.memory)
        self._outputs = DebugOutputs.of(ports)
        self._watched: set[Path] = set()
        self._syncs: dict[str, list[FolderSync]] = {}

    def pending(self) -> Iterable[str]:
        """Unfinished jobs in order of creation; those past the queue take their slots at once."""
        query = ResourceQuery(KIND, statuses=("InProgress", "Stopping"), descending=False)
        jobs = [TrainingJob(resource) for resource in self._ports.store.each(query)]
        for job in jobs:
            if job.secondary not in ("Starting", "Pending"):
                self._ports.capacity.claim(job.resource.arn, len(job.host_names))
        self._sweep({JobFolders.of(self._ports.config, job).root.name for job in jobs})
        return [job.name for job in jobs]

    def _sweep(self, wanted: set[str]) -> None:
        """Remove the folders of jobs that ended while nobody was there to tidy up."""
        root = self._ports.config.home / "work" / "training"
        for folder in root.iterdir() if root.is_dir() else ():
            if folder.name not in wanted:
                self._remove_folder(folder)

    def reconcile(self, name: str) -> float | None:
        try:
            job = TrainingJob(self._ports.store.get(KIND, name))
        except ResourceMissing:  # deleted after its end, perhaps before we came to tidy up
            return self._tidy(name, self._arn(name))
        if job.ended:
            return self._tidy(name, job.resource.arn)
        step: Callable[[TrainingJob], float | None] = {
            "Starting": self._admit,
            "Pending": self._admit,
            "Restarting": self._admit,
            "Downloading": self._stage_and_start,
            "Training": self._follow,
            "Uploading": self._upload,
            "Stopping": self._stop,
        }[job.secondary]
        return step(job)

    # -- steps ------------------------------------------------------------------------------------

    def _admit(self, job: TrainingJob) -> float | None:
        ports = self._ports
        tracker.begin(ports, job)
        debugging.begin(ports, job.resource)
        held = ports.capacity.acquire(
            job.resource.arn,
            len(job.host_names),
            lambda: self._wake(job.name),
            order=job.resource.created,
        )
        if not held:
            if job.secondary != "Pending":
                message = "Waiting for capacity: all of this machine's slots are in use"
                self._advance(job, lambda now, present: present.moved("Pending", now, message))
            return None
        # An earlier attempt, or an earlier job of this name that was deleted as soon as it ended.
        for folder in JobFolders.all(ports.config, job.name):
            self._remove_folder(folder)
        return self._step(job, "Downloading")

    def _stage_and_start(self, job: TrainingJob) -> float | None:
        ports = self._ports
        folders = JobFolders.of(ports.config, job)
        try:
            shown = ports.runner.shows_mounts()
            if not folders.is_staged(shown=shown):
                self._stage(job, folders, shown=shown)
            if (wait := self._await_run(job)) is not None:
                return wait
            job = TrainingJob(ports.store.get(KIND, job.name))
            if job.secondary != "Downloading":
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
        return self._step(job, "Training")

    def _stage(self, job: TrainingJob, folders: JobFolders, *, shown: bool) -> None:
        ports = self._ports
        remove_tree(folders.root)
        folders.root.mkdir(parents=True, mode=0o700)

        def cancelled() -> bool:
            return ports.store.get(KIND, job.name).status != "InProgress"

        for host in job.host_names:
            launch.prepare_host(ports, job, folders, host)
        stage_channels(ports.objects, job, folders, cancelled, shown=shown)
        if "CheckpointConfig" in job.body:
            for host in job.host_names:
                checkpoints.fetch(
                    ports.objects,
                    job.body["CheckpointConfig"]["S3Uri"],
                    folders.host(host) / "checkpoints",
                )
        if configuration.profiler_of(job.body) is not None:
            set_profile(ports, job.resource)
        folders.note_staged(shown=shown)

    def _await_run(self, job: TrainingJob) -> float | None:
        """Give a script the run it may log to before it starts; None when it may go on."""
        ports = self._ports
        if (
            ports.tracking is None
            or job.run_id
            or job.body["EnableNetworkIsolation"]
            or not script_mode(resolve(job.image), job.body)
        ):
            return None
        try:
            tracker.open_run(ports, ports.tracking, job)
        except TrackingUnavailable:
            waited = ports.clock.now() - job.body["TrainingStartTime"]
            if waited < RUN_WAIT_SECONDS:
                return 0.1
            log.warning("training job %s starts without an MLflow run", job.name)
        except TrackingRefused as error:
            log.warning("training job %s starts without an MLflow run: %s", job.name, error)
        return None

    def _follow(self, job: TrainingJob) -> float | None:
        ports = self._ports
        folders = JobFolders.of(ports.config, job)
        state = ports.runner.state(folders.supervisor)
        if state.phase is Phase.ABSENT:
            return self._stage_and_start_again(job, folders)
        if state.phase is Phase.RUNNING:
            self._watch(job, folders.supervisor)
            self._read_log(job)
            pause = job.live_seconds or LIVE_SECONDS
            if "CheckpointConfig" in job.body:
                self._sync_checkpoints(job, folders, final=False)
                return max(pause, CHECKPOINT_SECONDS)
            return pause
        self._watched.discard(folders.supervisor)
        self._sync_checkpoints(job, folders, final=True)
        self._outputs.look(job.resource, final=True)
        if state.phase is Phase.LOST:
            return self._restart_or_fail(job)
        if state.cause is Cause.EXITED and not state.succeeded:
            return self._failed_run(job, folders, state)
        return self._step(job, "Uploading")

    def _stage_and_start_again(self, job: TrainingJob, folders: JobFolders) -> float | None:
        """The folder is gone or was never started although the job is said to run."""
        if not folders.is_staged(shown=self._ports.runner.shows_mounts()):
            return self._restart_or_fail(job)
        self._ports.runner.start(launch.workload(self._ports, job, folders))
        return 0.0

    def _restart_or_fail(self, job: TrainingJob) -> float | None:
        allowed = job.body.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
        if job.attempt >= allowed:
            return self._fail(job, outcome.LOST)
        self._syncs.pop(job.name, None)
        self._logs.forget(job.name)
        self._advance(
            job,
            lambda now, present: present.moved("Restarting", now).with_private(
                attempt=job.attempt + 1
            ),
        )
        return 0.0

    def _failed_run(
        self, job: TrainingJob, folders: JobFolders, state: WorkloadState
    ) -> float | None:
        outputs = {host: HostFolder(folders.host(host), "output") for host in job.host_names}
        reason = outcome.failure_reason(state, outputs)
        if (problem := self._upload_outputs(job, folders, model=False)) is not None:
            reason = f"{reason} ({problem})"
        return self._fail(job, reason, inputs=staged_inputs(job, folders))

    def _upload(self, job: TrainingJob) -> float | None:
        folders = JobFolders.of(self._ports.config, job)
        state = self._ports.runner.state(folders.supervisor)
        if state.phase is not Phase.ENDED:  # the folder is gone, and what was trained with it
            return self._restart_or_fail(job)
        if (problem := self._upload_outputs(job, folders, model=True)) is not None:
            return self._fail(job, problem)
        exceeded = state.cause is Cause.RUNTIME_EXCEEDED
        return self._end(job, "MaxRuntimeExceeded" if exceeded else "Completed")

    def _stop(self, job: TrainingJob) -> float | None:
        ports = self._ports
        tracker.begin(ports, job)
        debugging.begin(ports, job.resource)
        folders = JobFolders.of(ports.config, job)
        state = ports.runner.state(folders.supervisor)
        if state.phase is Phase.RUNNING:
            ports.runner.stop(folders.supervisor)
            self._watch(job, folders.supervisor)
            return UNSEEN_END_SECONDS
        self._watched.discard(folders.supervisor)
        if state.phase is not Phase.ABSENT:
            self._sync_checkpoints(job, folders, final=True)
            self._outputs.look(job.resource, final=True)
            if (problem := self._upload_outputs(job, folders, model=True)) is not None:
                log.warning("training job %s was stopped, but %s", job.name, problem)
        return self._end(job, "Stopped")

    # -- parts of steps ---------------------------------------------------------------------------

    def _read_log(self, job: TrainingJob) -> None:
        """Read what the job has written; a tuning job hears how its objective goes."""
        following = self._logs.of(job)
        following.advance()
        if job.tuning_objective:
            course = following.course(job.tuning_objective)
            self._courses.note(job.name, job.resource.created, course)

    def _watch(self, job: TrainingJob, directory: Path) -> None:
        if directory not in self._watched:
            self._watched.add(directory)
            self._ports.runner.watch(directory, lambda: self._wake(job.name))

    def _sync_checkpoints(self, job: TrainingJob, folders: JobFolders, *, final: bool) -> None:
        uri = job.body.get("CheckpointConfig", {}).get("S3Uri")
        if not uri:
            return
        if job.name not in self._syncs:
            self._syncs[job.name] = [
                FolderSync(HostFolder(folders.host(host), "checkpoints"), uri)
                for host in job.host_names
            ]
        try:
            for sync in self._syncs[job.name]:
                sync.sync(self._ports.objects, final=final)
        except BucketMissing:
            log.warning("checkpoints of %s cannot be kept: %s is gone", job.name, uri)

    def _upload_outputs(self, job: TrainingJob, folders: JobFolders, *, model: bool) -> str | None:
        """Upload model and output; returns what went wrong, as a FailureReason."""
        ports = self._ports
        first = folders.host(job.host_names[0])
        archive = job.body["OutputDataConfig"].get("CompressionType", "GZIP") != "NONE"
        try:
            if model:
                uri = job.body["ModelArtifacts"]["S3ModelArtifacts"]
                artifacts.upload_tree(
                    ports.objects,
                    HostFolder(first, "model"),
                    uri,
                    archive=archive,
                    scratch=folders.root,
                )
            data = HostFolder(first, "output/data")
            if artifacts.has_files(data):
                name = "output.tar.gz" if archive else "data"
                artifacts.upload_tree(
                    ports.objects,
                    data,
                    f"{job.output_prefix}/{name}",
                    archive=archive,
                    scratch=folders.root,
                )
        except BucketMissing:
            bucket = job.body["OutputDataConfig"]["S3OutputPath"]
            return f"ClientError: Artifact upload failed: the bucket of {bucket} does not exist"
        except Unreadable as error:
            return f"ClientError: Artifact upload failed: {error}"
        return None

    def _advance(
        self, job: TrainingJob, change: Callable[[float, TrainingJob], TrainingJob]
    ) -> None:
        """Write a change, unless the job's status was changed by somebody else in between."""

        def changed(present: Resource) -> Resource:
            current = TrainingJob(present)
            if current.secondary != job.secondary:
                return present
            return change(self._ports.clock.now(), current).resource

        self._ports.store.modify(KIND, job.name, changed)

    def _step(self, job: TrainingJob, to: Secondary) -> float | None:
        self._advance(job, lambda now, present: present.moved(to, now))
        return 0.0

    def _end(self, job: TrainingJob, to: Secondary) -> float | None:
        judged = self._judged(job)
        self._advance(job, lambda now, present: judged(present.moved(to, now)))
        return 0.0

    def _fail(self, job: TrainingJob, reason: str, **kept: Any) -> float | None:
        """End a job; ``kept`` is what is known of it by now and is not any more later."""
        judged = self._judged(job)
        self._advance(
            job, lambda now, present: judged(present.failed(reason, now).with_private(**kept))
        )
        return 0.0

    def _judged(self, job: TrainingJob) -> Callable[[TrainingJob], TrainingJob]:
        """Reads the log to its end; what it returns writes into a job what its metrics were."""
        following = self._logs.of(job)
        following.advance()
        metrics, objective = following.final_metrics(), following.objective()
        tuned = job.tuning_objective
        course = following.course(tuned).as_json() if tuned else None

        def judged(present: TrainingJob) -> TrainingJob:
            if metrics:
                present = present.with_body(FinalMetricDataList=metrics)
            if objective is not None:
                # Lists show it, and should not have to read logs for that.
                present = present.with_private(objective=objective.as_json())
            if course is not None:
                present = present.with_private(**{RECORD: course})
            return present

        return judged

    def _tidy(self, name: str, arn: str) -> float | None:
        """Let go of everything of a job that has ended; it may be deleted already."""
        self._syncs.pop(name, None)
        self._courses.forget(name)
        self._ports.capacity.release(arn)
        if not tracker.follows(self._ports, name):
            self._logs.forget(name)
        for folder in JobFolders.all(self._ports.config, name):
            self._remove_folder(folder)
        return None

    def _arn(self, name: str) -> str:
        config = self._ports.config
        return sagemaker_arn(config.region, config.account, "training-job", name)

    def _remove_folder(self, folder: Path) -> None:
        """Remove what an ended job leaves; what resists is tried again at the next start."""
        self._ports.runner.stop(folder / "supervisor", grace_seconds=0)
        try:
            remove_tree(folder)
        except OSError as error:
            log.warning("the folder %s cannot be removed: %s", folder, error)
