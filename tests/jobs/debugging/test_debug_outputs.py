"""What a training saves for the Debugger comes to the store, and before the rules."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.trial import create_trial
from bottega.debugger.tensors.writer import FolderSink, TensorWriter
from bottega.jobs.debugging import outputs
from bottega.jobs.debugging.outputs import DebugOutputs, link_objects, session_name
from bottega.jobs.debugging.places import EvaluationPlaces, TrainingPlaces
from bottega.jobs.job_files import Mark
from bottega.jobs.upload_journal import UploadJournal
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.debugging import rule


class Bench:
    """A job that runs as far as the test says, in a studio without controllers."""

    def __init__(self, studio: Studio, **members: Any) -> None:
        self.ports = studio.ports
        self.bucket = self.ports.config.bucket
        body = {
            "TrainingJobName": "job",
            "ResourceConfig": {"InstanceCount": 1},
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            **members,
        }
        self.training = Resource("TrainingJob", "job", "arn:j", "InProgress", 7.0, 7.0, body=body)
        self.places = TrainingPlaces.of(self.ports.config, self.training)
        self.evaluation = EvaluationPlaces.of(self.ports.config, session_name(self.training))
        self.output = self.places.host("algo-1") / "output"
        self.outputs = DebugOutputs(self.ports)

    def save(self, *steps: int) -> None:
        writer = TensorWriter(FolderSink(self.output / "tensors"))
        for step in steps:
            opened = writer.step(step, ModeKeys.TRAIN, step)
            opened.add("loss", float(step))
            opened.close()

    def stored(self, prefix: str = "out/job/debug-output/") -> list[str]:
        return [one.key[len(prefix) :] for one in self.ports.objects.each(self.bucket, prefix)]

    def shown(self) -> list[int]:
        return create_trial(self.evaluation.tensors).steps()


RULES = {"DebugRuleConfigurations": [rule("LossNotDecreasing")]}


def watched(studio: Studio) -> dict[str, Any]:
    """A profile, and TensorBoard's files."""
    bucket = studio.ports.config.bucket
    return {
        "ProfilerConfig": {
            "S3OutputPath": f"s3://{bucket}/p",
            "ProfilingIntervalInMilliseconds": 100,
        },
        "TensorBoardOutputConfig": {"S3OutputPath": f"s3://{bucket}/t"},
    }


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio.temporary(preload=False)
    yield studio
    studio.close()


def test_steps_come_to_the_store_and_before_the_rules(studio: Studio) -> None:
    bench = Bench(studio, **RULES)
    bench.outputs.look(bench.training)
    assert bench.stored() == []
    bench.save(0, 1)
    (bench.output / "tensors" / "notes.txt").write_text("of the user")
    (bench.output / "tensors" / "half.tmp").write_text("of nobody")
    bench.outputs.look(bench.training)
    assert "index/000000000/000000000001_worker_0.json" in bench.stored()
    assert bench.shown() == [0, 1]
    bench.save(2)
    bench.outputs.look(bench.training)
    assert bench.shown() == [0, 1, 2]
    assert "notes.txt" not in bench.stored()
    bench.outputs.look(bench.training, final=True)
    assert "notes.txt" in bench.stored()
    assert "half.tmp" not in bench.stored()
    assert not [key for key in bench.stored() if key.startswith(".")]
    bench.outputs.conclude(bench.training)
    assert "training_job_end.ts" in bench.stored()
    trial = create_trial(bench.evaluation.tensors)
    assert trial.steps() == [0, 1, 2]
    assert trial.loaded_all_steps


def test_rules_see_what_is_too_much_for_the_store_at_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "_STORING_SECONDS", 0.0)
    monkeypatch.setattr(outputs, "_BATCH", 4)
    bench = Bench(studio, **RULES)
    bench.save(*range(10))
    bench.outputs.look(bench.training)
    assert bench.shown() == list(range(10))
    indexes = [key for key in bench.stored() if key.startswith("index/")]
    assert 0 < len(indexes) < 10
    bench.outputs.look(bench.training, final=True)
    assert len([key for key in bench.stored() if key.startswith("index/")]) == 10


def test_another_daemon_goes_on(studio: Studio) -> None:
    bench = Bench(studio, **RULES)
    bench.save(0, 1)
    bench.outputs.look(bench.training)
    bench.save(2)
    again = DebugOutputs(bench.ports)
    again.look(bench.training)
    assert bench.shown() == [0, 1, 2]
    shutil.rmtree(bench.evaluation.tensors)
    again.bring(bench.training, bench.evaluation)
    assert bench.shown() == [0, 1, 2]


def test_another_daemon_stores_nothing_again(studio: Studio) -> None:
    bucket = studio.ports.config.bucket
    bench = Bench(
        studio,
        **RULES,
        **watched(studio),
    )
    bench.save(0, 1)
    (bench.output / "tensors" / "notes.txt").write_text("of the user")
    samples = bench.places.profile("algo-1") / "2026" / "60.algo-1.json"
    board = bench.output / "tensorboard" / "events.out"
    for file in (samples, board):
        file.parent.mkdir(parents=True)
        file.write_text("[]")
    bench.outputs.look(bench.training, final=True)
    before = sorted(one.key for one in bench.ports.objects.each(bucket))
    assert len(before) == 7
    bench.ports.objects.delete(bucket, before)  # so that what is stored again is seen
    bench.save(2)
    samples.write_text("[1]")
    again = DebugOutputs(bench.ports)
    again.look(bench.training, final=True)
    assert sorted(one.key for one in bench.ports.objects.each(bucket)) == [
        "out/job/debug-output/events/000000000002/000000000002_worker_0.tfevents",
        "out/job/debug-output/index/000000000/000000000002_worker_0.json",
        "p/job/profiler-output/system/incremental/2026/60.algo-1.json",
    ]
    assert bench.shown() == [0, 1, 2]


def test_rules_that_come_later_see_what_was_stored(studio: Studio) -> None:
    hook = {
        "S3OutputPath": f"s3://{studio.ports.config.bucket}/hook",
        "CollectionConfigurations": [{"CollectionName": "losses"}],
    }
    bench = Bench(studio, DebugHookConfig=hook)
    bench.save(0, 1)
    bench.outputs.look(bench.training)
    bench.training = replace(bench.training, body={**bench.training.body, **RULES})
    bench.outputs.forget(bench.training)
    bench.outputs.look(bench.training)
    assert bench.shown() == [0, 1]


def test_a_journal_that_was_left_half_spoils_no_later_line(tmp_path: Path) -> None:
    journal = UploadJournal(tmp_path / "stored" / "one")
    assert journal.read() == {}
    journal.add({"a": Mark(1, 2)})
    with journal.path.open("ab") as stream:
        stream.write(b'\n["b", 1')
    journal.add({"c": Mark(3, 4), "a": Mark(5, 6)})
    assert journal.read() == {"a": Mark(5, 6), "c": Mark(3, 4)}
    gone = UploadJournal(tmp_path / "gone" / "stored" / "one")
    gone.add({"a": Mark(1, 2)})
    assert not (tmp_path / "gone").exists()


def test_a_second_attempt_replaces_what_the_first_saved(studio: Studio) -> None:
    bench = Bench(studio, **RULES)
    bench.save(0, 1)
    bench.outputs.look(bench.training)
    second = replace(bench.training, private={"attempt": 1})
    places = TrainingPlaces.of(bench.ports.config, second)
    assert places.root != bench.places.root
    bench.output = places.host("algo-1") / "output"
    bench.save(0, 1, 2)
    bench.outputs.look(second)
    assert bench.shown() == [0, 1, 2]


def test_without_rules_nothing_is_laid_before_them(studio: Studio) -> None:
    bench = Bench(
        studio,
        DebugHookConfig={
            "S3OutputPath": f"s3://{studio.ports.config.bucket}/hook",
            "CollectionConfigurations": [{"CollectionName": "losses"}],
        },
    )
    bench.save(0)
    bench.outputs.look(bench.training)
    assert len(bench.stored("hook/job/debug-output/")) == 2
    assert not bench.evaluation.root.exists()


def test_a_profile_and_tensorboard_come_to_the_store(studio: Studio) -> None:
    bench = Bench(
        studio,
        **watched(studio),
        ProfilerRuleConfigurations=[rule("ProfilerReport")],
    )
    events = bench.output / "profiler/framework/pevents/2026/1_algo-1_2_x.json"
    samples = bench.places.profile("algo-1") / "2026" / "60.algo-1.json"
    board = bench.output / "tensorboard" / "events.out"
    for file in (events, samples, board):
        file.parent.mkdir(parents=True)
        file.write_text("[]")
    (samples.parent.parent / "interval").write_text("100")
    bench.outputs.look(bench.training, final=True)
    assert bench.stored("p/job/profiler-output/") == [
        "framework/pevents/2026/1_algo-1_2_x.json",
        "system/incremental/2026/60.algo-1.json",
    ]
    assert bench.stored("t/job/tensorboard-output/") == ["events.out"]
    assert (bench.evaluation.profile / "system/incremental/2026/60.algo-1.json").is_file()
    assert (bench.evaluation.profile / "framework/pevents/2026/1_algo-1_2_x.json").is_file()


def test_what_was_profiled_before_it_was_switched_off_comes(studio: Studio) -> None:
    off = {"S3OutputPath": f"s3://{studio.ports.config.bucket}/p", "DisableProfiler": True}
    bench = Bench(studio, ProfilerConfig=off)
    events = bench.output / "profiler/framework/pevents/2026/1_algo-1_2_x.json"
    events.parent.mkdir(parents=True)
    events.write_text("[]")
    bench.outputs.look(bench.training, final=True)
    assert bench.stored("p/job/profiler-output/") == []
    bench.outputs.look(bench.training, followed=True)
    assert len(bench.stored("p/job/profiler-output/")) == 1
    events.with_name("2_algo-1_2_x.json").write_text("[]")
    bench.outputs.look(bench.training, final=True)
    assert len(bench.stored("p/job/profiler-output/")) == 2


def test_names_of_a_job_lead_nowhere_else(studio: Studio, tmp_path: Path) -> None:
    bench = Bench(studio, **RULES)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "000000000000_worker_0.json").write_text("of somebody else")
    (bench.output / "tensors" / "index").mkdir(parents=True)
    (bench.output / "tensors" / "index" / "000000000").symlink_to(secret)
    bench.outputs.look(bench.training, final=True)
    assert bench.stored() == []
    bench.ports.objects.put(bench.bucket, "evil/../../x", b"1")
    bench.ports.objects.put(bench.bucket, "evil/good/x", b"1")
    link_objects(bench.ports.objects, f"s3://{bench.bucket}/evil", tmp_path / "laid", link=True)
    found = [one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("x")]
    assert found == ["laid/good/x"]


def test_a_bucket_that_is_gone_ends_nothing(studio: Studio) -> None:
    bench = Bench(
        studio,
        **RULES,
        DebugHookConfig={"S3OutputPath": "s3://not-there-any-more/x"},
    )
    bench.save(0)
    bench.outputs.look(bench.training, final=True)
    bench.outputs.conclude(bench.training)
    assert bench.shown() == [0]


def test_what_could_not_be_stored_is_stored_later(studio: Studio) -> None:
    bench = Bench(studio, **RULES, DebugHookConfig={"S3OutputPath": "s3://made-later/x"})
    bench.save(0)
    bench.outputs.look(bench.training)
    bench.ports.objects.create_bucket("made-later")
    bench.save(0, 1)
    bench.outputs.look(bench.training)
    found = [one.key for one in bench.ports.objects.each("made-later", "x/job/debug-output/index/")]
    assert len(found) == 2
