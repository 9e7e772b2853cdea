"""The steps of a processing job at the places where something else comes between them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.compute.capacity import Capacity
from bottega.compute.runner import (
    Cause,
    HostResult,
    Phase,
    Runner,
    WorkloadSpec,
    WorkloadState,
)
from bottega.features.processing.controller import ProcessingController
from bottega.features.processing.entities import KIND, JobFolders, ProcessingJob
from bottega.studio import Studio
from bottega.testing.requests import processing_input, processing_job, processing_outputs


class StillRunner(Runner):
    """Starts nothing; a workload is in the phase that the test says."""

    def __init__(self) -> None:
        self.states: dict[Path, WorkloadState] = {}
        self.specs: list[WorkloadSpec] = []

    def start(self, spec: WorkloadSpec) -> None:
        spec.directory.mkdir(parents=True, exist_ok=True)
        self.specs.append(spec)
        self.states.setdefault(spec.directory, WorkloadState(Phase.RUNNING))

    def state(self, directory: Path) -> WorkloadState:
        return self.states.get(directory, WorkloadState(Phase.ABSENT))

    def stop(self, directory: Path, *, grace_seconds: float | None = None) -> None:
        return

    def signal(self, directory: Path, host: str, number: int) -> None:
        raise AssertionError("nothing is signalled here")

    def watch(self, directory: Path, callback: Callable[[], None]) -> None:
        return

    def shows_mounts(self) -> bool:
        return True

    def describe(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        return


class Bench:
    """One studio without controllers of its own, and a controller that goes step by step."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.runner = StillRunner()
        self.ports = replace(studio.ports, runner=self.runner)
        self.controller = self.fresh()
        studio.ports.objects.put(studio.ports.config.bucket, "raw/a.csv", b"1,2\n")

    def fresh(self) -> ProcessingController:
        """A controller that knows nothing of what was."""
        return ProcessingController(self.ports, wake=lambda name: None)

    def call(self, operation: str, **request: Any) -> Any:
        return self.studio.registry.call("sagemaker", operation, request, self.studio.owner("sdk"))

    def create(self, name: str = "job", image: str = "python", **changes: Any) -> None:
        config = self.ports.config
        bucket = config.bucket
        request = processing_job(
            name,
            bucket,
            config.role_arn,
            [] if "wrangler" in image else ["python3", "x.py"],
            image,
            ProcessingInputs=[processing_input("data", f"s3://{bucket}/raw/")],
            ProcessingOutputConfig=processing_outputs(result=f"s3://{bucket}/out/{name}"),
        )
        self.call("CreateProcessingJob", **{**request, **changes})

    def job(self, name: str = "job") -> ProcessingJob:
        return ProcessingJob(self.ports.store.get(KIND, name))

    def folders(self, name: str = "job") -> JobFolders:
        return JobFolders.of(self.ports.config, name)

    def until(self, wanted: str, name: str = "job") -> ProcessingJob:
        for _ in range(20):
            job = self.job(name)
            if wanted in (job.status, job.phase):
                return job
            self.controller.reconcile(name)
        raise AssertionError(f"{name} is {self.job(name)}")

    def end(self, exit_code: int = 0, phase: Phase = Phase.ENDED, job: str = "job") -> None:
        """The workload of the job ends by itself."""
        self.runner.states[self.folders(job).supervisor] = WorkloadState(
            phase, 1.0, 2.0, Cause.EXITED, (HostResult("algo-1", exit_code),)
        )

    def write(self, name: str, text: str, job: str = "job") -> None:
        path = self.folders(job).host("algo-1") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def keys(self, prefix: str) -> list[str]:
        return [info.key for info in self.ports.objects.each(self.ports.config.bucket, prefix)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    studio = Studio.temporary(isolation="process", preload=False)
    yield Bench(studio)
    studio.close()


def test_what_a_program_finds(bench: Bench):
    bench.create()
    bench.until("Processing")
    root = bench.folders().host("algo-1")
    assert (root / "processing/input/data/a.csv").read_text() == "1,2\n"
    assert (root / "processing/result").is_dir()
    (spec,) = bench.runner.specs
    assert spec.program.arguments == ("python3", "x.py")
    assert spec.environment["PROCESSING_JOB_NAME"] == "job"
    assert spec.max_runtime_seconds == 3600
    assert [mount.target for mount in spec.hosts[0].mounts] == ["/opt/ml"]


def test_a_flow_reads_the_objects_themselves_and_cannot_write_to_them(bench: Bench):
    bench.create(image="sagemaker-data-wrangler-container")
    bench.until("Processing")
    (spec,) = bench.runner.specs
    assert spec.program.module == "bottega.wrangler.job"
    mount = spec.hosts[0].mounts[1]
    assert (mount.target, mount.read_only) == ("/opt/ml/processing/input/data", True)
    assert (mount.source / "a.csv").read_text() == "1,2\n"
    assert not list((bench.folders().host("algo-1") / "processing/input/data").iterdir())


def test_every_step_may_be_the_last_of_a_controller(bench: Bench):
    bench.create()
    for phase in ("Downloading", "Processing"):
        bench.until(phase)
        bench.controller = bench.fresh()
        assert list(bench.controller.pending()) == ["job"]
    bench.write("processing/result/a", "1")
    bench.write("output/message", "one file")
    bench.end()
    bench.until("Uploading")
    bench.controller = bench.fresh()
    assert bench.until("Completed").body["ExitMessage"] == "one file"
    assert bench.keys("out/") == ["out/job/a"]
    assert bench.controller.reconcile("job") is None
    assert bench.ports.capacity.in_use == 0
    assert not bench.folders().root.exists()


class Killed(BaseException):
    """The daemon was killed."""


class Fuse:
    """Kills after so many steps, once."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    @property
    def burnt(self) -> bool:
        return self.left < 0

    def step(self) -> None:
        if not self.burnt:
            self.left -= 1
            if self.burnt:
                raise Killed


class Mortal:
    """A port whose caller may be killed just before and just after each of its effects."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._fuse.step()
            answer = found(*arguments, **named)
            self._fuse.step()
            return answer

        return call


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_the_daemon_may_be_killed_at_any_step(bench: Bench, status: str):
    bucket, steps = bench.ports.config.bucket, 0
    bench.ports.objects.put(bucket, "raw/b.csv", b"3\n")
    while True:
        name = f"{status}-{steps}"
        fuse = Fuse(steps)
        lived = through_its_life(bench, name, fuse, status)
        assert lived.status == status
        assert not bench.folders(name).root.exists()
        assert lived.body["ExitMessage"] == "two files"
        outputs = {info.key for info in bench.ports.objects.each(bucket, f"out/{name}/")}
        assert outputs == (set() if status == "Failed" else {f"out/{name}/{n}" for n in "ab"})
        if not fuse.burnt:
            break
        steps += 1
    assert steps > 20


def through_its_life(bench: Bench, name: str, fuse: Fuse, status: str) -> ProcessingJob:
    """Have one job come to its end, whoever is killed on the way."""
    bench.create(name)
    mortal = replace(
        bench.ports,
        store=Mortal(bench.ports.store, fuse),
        objects=Mortal(bench.ports.objects, fuse),
        runner=Mortal(bench.runner, fuse),
    )
    capacity = Capacity(2)
    controller = ProcessingController(replace(mortal, capacity=capacity), wake=lambda name: None)
    told = False
    for _ in range(40):
        try:
            pause = controller.reconcile(name)
        except Killed:
            # What was in memory is gone.
            capacity = Capacity(2)
            ports = replace(mortal, capacity=capacity)
            controller = ProcessingController(ports, wake=lambda name: None)
            assert list(controller.pending()) in ([], [name])
            pause = 0.0
        job = bench.job(name)
        if job.ended and pause is None:
            assert capacity.in_use == 0
            return job
        if job.phase == "Processing" and not told:
            assert (bench.folders(name).host("algo-1") / "processing/input/data/b.csv").exists()
            for letter in "ab":
                bench.write(f"processing/result/{letter}", letter, name)
            bench.write("output/message", "two files", name)
            if status == "Stopped":
                bench.call("StopProcessingJob", ProcessingJobName=name)
            bench.end(int(status == "Failed"), job=name)
            told = True
    raise AssertionError(f"{name} comes to no end: {bench.job(name)}")


def test_a_failure_file_is_told_and_nothing_is_uploaded(bench: Bench):
    bench.create()
    bench.until("Processing")
    bench.write("processing/result/a", "1")
    bench.write("output/failure", "ClientError: the column is missing")
    bench.end(exit_code=1)
    job = bench.until("Failed")
    assert job.body["FailureReason"] == "ClientError: the column is missing"
    assert bench.keys("out/") == []


def test_a_job_whose_supervisor_is_lost_fails(bench: Bench):
    bench.create()
    bench.until("Processing")
    bench.end(phase=Phase.LOST)
    assert "supervisor was killed" in bench.until("Failed").body["FailureReason"]


def test_a_job_whose_folder_is_gone_does_not_complete(bench: Bench):
    bench.create()
    bench.until("Processing")
    bench.end()
    bench.until("Uploading")
    shutil.rmtree(bench.folders().root)
    bench.runner.states.clear()
    bench.until("Failed")


def test_an_output_bucket_that_is_gone_fails_the_job(bench: Bench):
    bench.ports.objects.create_bucket("short-lived")
    bench.create(ProcessingOutputConfig=processing_outputs(result="s3://short-lived/x"))
    bench.until("Processing")
    bench.ports.objects.delete_bucket("short-lived")
    bench.write("processing/result/a", "1")
    bench.end()
    assert "s3://short-lived/x does not exist" in bench.until("Failed").body["FailureReason"]


def test_jobs_wait_for_capacity_in_order_and_a_waiting_one_stops(bench: Bench):
    bench.ports.capacity.claim("others", bench.ports.capacity.slots)
    bench.create()
    bench.until("Pending")
    assert bench.controller.reconcile("job") is None
    bench.call("StopProcessingJob", ProcessingJobName="job")
    bench.until("Stopped")
    bench.controller.reconcile("job")
    assert bench.ports.capacity.waiting == 0
