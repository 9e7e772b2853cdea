"""The steps of a transform job, each by a controller that knows nothing of what was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.features.transform.controller import TransformController
from bottega.features.transform.entities import KIND, JobFolders, TransformJob
from bottega.features.transform.servers import latest_run, run_folders
from bottega.features.transform.tracker import TransformTracker
from bottega.testing.hosting import until
from bottega.testing.transform import TransformStudio
from bottega.tracking.mlflow_rest import MlflowTracking


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransformStudio]:
    """No controller is at work but those of the tests; nothing is isolated."""
    home = tmp_path_factory.mktemp("h")
    with TransformStudio.still(home, preload=False, isolation="process", slots=2) as opened:
        opened.model("lines")
        yield opened


def fresh(still: TransformStudio) -> TransformController:
    return TransformController(still.studio.ports, wake=lambda name: None)


def job_of(still: TransformStudio, name: str) -> TransformJob:
    return TransformJob(still.studio.ports.store.get(KIND, name))


def step_to(still: TransformStudio, name: str, wanted: str) -> None:
    """Reconcile until the job has a phase or a status, with a new controller for each step."""

    def there() -> bool:
        job = job_of(still, name)
        if wanted in (job.phase, job.status):
            return True
        fresh(still).reconcile(name)
        return False

    until(there)


def finish(still: TransformStudio, name: str) -> dict[str, bytes]:
    step_to(still, name, "Completed")
    until(lambda: fresh(still).reconcile(name) is None)
    assert not (still.work / name).exists()
    return still.results(name)


def test_every_step_can_be_another_controllers(still: TransformStudio) -> None:
    name = still.create("lines", {"a": "1\n2\n", "b": "3\n"}, instances=2)
    assert finish(still, name) == {"a.out": b"<1>\n<2>\n", "b.out": b"<3>\n"}
    assert still.studio.ports.capacity.in_use == 0


def test_staging_that_was_cut_off_is_done_anew(still: TransformStudio) -> None:
    name = still.create("lines", {"a": "1\n"})
    step_to(still, name, "Downloading")
    root = JobFolders.of(still.studio.ports.config, job_of(still, name)).root
    half = root / "instances" / "0" / "data" / "input"
    half.mkdir(parents=True)
    (half / "0").write_text("half")
    assert finish(still, name) == {"a.out": b"<1>\n"}


def test_an_object_that_is_replaced_meanwhile_is_read_as_it_was(still: TransformStudio) -> None:
    name = still.create("lines", {"a": "old\n"})
    step_to(still, name, "Transforming")
    still.put(f"in/{name}", {"a": "new\n"})
    assert finish(still, name) == {"a.out": b"<old>\n"}


def test_a_model_that_is_deleted_meanwhile_is_served(still: TransformStudio) -> None:
    still.model("brief")
    name = still.create("brief", {"a": "1\n"})
    still.call("DeleteModel", ModelName="brief")
    assert finish(still, name) == {"a.out": b"<1>\n"}


def test_objects_that_are_gone_fail_the_job(still: TransformStudio) -> None:
    name = still.create("lines", {"a": "1\n"})
    still.studio.ports.objects.delete(still.bucket, [f"in/{name}/a"])
    step_to(still, name, "Failed")
    assert "No S3 objects found" in still.describe(name)["FailureReason"]
    until(lambda: fresh(still).reconcile(name) is None)


def test_a_job_waits_for_its_slots(still: TransformStudio) -> None:
    capacity = still.studio.ports.capacity
    capacity.claim("somebody", 2)
    name = still.create("lines", {"a": "1\n"})
    step_to(still, name, "Pending")
    assert "TransformStartTime" not in still.describe(name)
    fresh(still).reconcile(name)
    assert job_of(still, name).phase == "Pending"
    capacity.release("somebody")
    assert finish(still, name) == {"a.out": b"<1>\n"}


def test_a_job_that_is_stopped_before_it_began_has_a_run_all_the_same(
    still: TransformStudio, tmp_path: Path
) -> None:
    tracking = MlflowTracking(tmp_path / "nobody", address=lambda: "", token="")
    ports = dataclasses.replace(still.studio.ports, tracking=tracking)
    name = still.create("lines", {"a": "1\n"})
    still.call("StopTransformJob", TransformJobName=name)
    controller = TransformController(ports, wake=lambda name: None)
    until(lambda: controller.reconcile(name) is None)
    assert still.describe(name)["TransformJobStatus"] == "Stopped"
    assert TransformTracker.runs(ports).names() == [name]


def test_a_job_that_waits_can_be_stopped(still: TransformStudio) -> None:
    name = still.create("lines", {"a": "1\n"})
    still.call("StopTransformJob", TransformJobName=name)
    step_to(still, name, "Stopped")
    assert fresh(still).reconcile(name) is None
    assert still.results(name) == {}


def test_a_new_daemon_takes_up_what_runs_and_removes_what_ended(still: TransformStudio) -> None:
    name = still.create("lines", {"a": "1\n"})
    step_to(still, name, "Transforming")
    stray = still.work / "ended-long-ago"
    stray.mkdir(parents=True)
    still.studio.ports.capacity.release(job_of(still, name).resource.arn)
    assert name in list(fresh(still).pending())
    assert still.studio.ports.capacity.in_use == 1
    assert not stray.exists()
    assert finish(still, name) == {"a.out": b"<1>\n"}


def test_only_the_folders_of_the_last_starts_are_kept(tmp_path: Path) -> None:
    assert latest_run(tmp_path / "none") is None
    for number in (9, 10, 2):
        (tmp_path / str(number)).mkdir()
    assert latest_run(tmp_path) == tmp_path / "10"
    assert len(run_folders(tmp_path)) == 3
