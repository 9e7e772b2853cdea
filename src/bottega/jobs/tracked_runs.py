"""The MLflow runs of jobs that are not closed yet, kept so that each of them is closed once.

A run is opened while its job is under way and closed after the job's end, by a tracker that may be
killed in between, or whose MLflow may not answer; meanwhile the job may be deleted and another one
of its name created. So a small resource of its own stands for every run that somebody has to close.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bottega.compute.logs import LogStore, StreamMissing
from bottega.storage.metadata import (
    MetadataStore,
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourceQuery,
    VersionConflict,
)
from bottega.tracking.port import Tracking, TrackingRefused

LARGEST_ARTIFACT_BYTES = 256 * 1024 * 1024
"""A larger model is not copied into a run, and of a log no more than about so much."""

RunStatus = Literal["FINISHED", "FAILED", "KILLED"]
RUN_STATUS: Mapping[str, RunStatus] = {
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Stopped": "KILLED",
}
"""How a run ends, by the status with which its job ended."""


@dataclass(frozen=True)
class TrackedRuns:
    """The runs of one kind of job that are not closed yet, by the names of their jobs."""

    store: MetadataStore
    kind: str
    """Of the small resources, not of the jobs."""

    def begin(self, job: Resource, now: float) -> None:
        """Note durably that this job wants a run; must happen before the job can end."""
        entry = Resource(
            self.kind, job.name, f"{job.arn}/run", "Open", now, now, private={"job": job.created}
        )
        try:
            self.store.create(entry)
        except ResourceExists:
            # Perhaps of an earlier job of this name, whose run is not closed yet.
            self._note(
                job.name,
                lambda known: (
                    known if known.get("job") == job.created else {**known, "job": job.created}
                ),
                or_else=entry,
            )

    def names(self) -> list[str]:
        """Whose runs have to be closed, the oldest first."""
        return [entry.name for entry in self.store.each(ResourceQuery(self.kind, descending=False))]

    def get(self, name: str) -> Resource | None:
        """The entry of a job of this name; None when no run of one is open."""
        try:
            return self.store.get(self.kind, name)
        except ResourceMissing:
            return None

    def note_deletion(self, name: str, run_id: str, status: str, ended: float) -> None:
        """Keep what closing a run needs, because its job is about to be deleted.

        Args:
            status: of the job.
            ended: when it ended, seconds since the epoch.
        """
        facts = {"run_id": run_id, "status": RUN_STATUS.get(status, "KILLED"), "ended": ended}

        def noted(known: Mapping[str, Any]) -> Mapping[str, Any]:
            closing = known.get("closing", [])
            return known if facts in closing else {**known, "closing": [*closing, facts]}

        self._note(name, noted)

    def close_deleted(self, entry: Resource, tracking: Tracking) -> dict[str, str]:
        """Close the runs of jobs that were deleted before their runs were closed.

        Returns:
            Why MLflow refuses, by the id of each run that it refuses to close.

        Raises:
            TrackingUnavailable: MLflow does not answer now.
        """
        refused = {}
        for facts in entry.private.get("closing", ()):
            run_id = facts["run_id"]
            try:
                tracking.close_run(run_id, status=facts["status"], ended=facts["ended"])
            except TrackingRefused as error:
                refused[run_id] = str(error)
        return refused

    def done(self, entry: Resource) -> bool:
        """Forget an entry; False when it has come to stand for another job of the same name."""
        try:
            self.store.delete(self.kind, entry.name, seen=entry)
        except VersionConflict:
            return False
        except ResourceMissing:
            pass
        return True

    def _note(
        self,
        name: str,
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        *,
        or_else: Resource | None = None,
    ) -> None:
        """Change what is known of an open run; ``or_else`` is stored if it is closed by now."""

        def changed(entry: Resource) -> Resource:
            private = change(entry.private)
            return entry if private is entry.private else replace(entry, private=private)

        try:
            self.store.modify(self.kind, name, changed)
        except ResourceMissing:
            if or_else is not None:
                self.store.create(or_else)


def send_log(
    logs: LogStore, group: str, stream: str, tracking: Tracking, run_id: str, copy: Path
) -> None:
    """Keep the log of one host as the artifact ``logs/<name of copy>``; one that is not there is
    passed over.

    Args:
        copy: where the text may be written meanwhile.

    Raises:
        TrackingUnavailable, TrackingRefused.
    """
    position = 0
    with copy.open("w", encoding="utf-8") as out:
        while True:
            try:
                chunk = logs.read(group, stream, position=position)
            except StreamMissing:
                return
            out.writelines(f"{event.message}\n" for event in chunk.events)
            position = chunk.next_position
            if not chunk.events or out.tell() > LARGEST_ARTIFACT_BYTES:
                break
    tracking.log_artifact(run_id, copy, f"logs/{copy.name}")
