"""Writing steps and reading them, in a folder and while they are written."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger import ModeKeys, create_trial
from bottega.debugger.tensors import layout
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.exceptions import (
    BrokenTensorFile,
    InvalidWorker,
    NoMoreData,
    StepNotYetAvailable,
    StepUnavailable,
    TensorUnavailable,
    TensorUnavailableForStep,
)
from bottega.debugger.tensors.trial import StepState
from bottega.debugger.tensors.writer import FolderSink, TensorWriter
from bottega.testing.trials import RecordedTrial, trial_of


def write(folder: Path, step: int, value: float, mode: ModeKeys = ModeKeys.TRAIN) -> None:
    writer = TensorWriter(FolderSink(folder))
    writer.collections([Collection("losses", ["^loss"])])
    one = writer.step(step, mode, step)
    one.add("loss", value)
    one.add("w", np.full((2, 2), value))
    one.close()


def test_a_trial_of_a_folder_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    trial = create_trial(tmp_path / "later")
    assert (trial.steps(), trial.tensor_names(), trial.collections()) == ([], [], {})
    assert not trial.loaded_all_steps
    write(tmp_path / "later", 0, 0.5)
    assert trial.steps() == [0]


def test_files_are_where_smdebug_has_them(tmp_path: Path) -> None:
    write(tmp_path, 1010, 0.5)
    files = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert files == {
        "collections/000000000/worker_0_collections.json",
        "events/000000001010/000000001010_worker_0.tfevents",
        "index/000000001/000000001010_worker_0.json",
    }
    index = json.loads((tmp_path / "index/000000001/000000001010_worker_0.json").read_text())
    assert index["meta"] == {
        "mode": "TRAIN",
        "mode_step": 1010,
        "event_file_name": "events/000000001010/000000001010_worker_0.tfevents",
    }


def test_news_are_read_and_nothing_twice(tmp_path: Path) -> None:
    write(tmp_path, 0, 1.0)
    trial = create_trial(str(tmp_path))
    assert trial.tensor("loss").values() == {0: 1.0}
    (tmp_path / "index/000000000/000000000000_worker_0.json").write_text("not read again")
    write(tmp_path, 1, 0.5)
    assert trial.tensor("loss").values() == {0: 1.0, 1: 0.5}


def test_inside_frozen_nothing_is_new(tmp_path: Path) -> None:
    trial = create_trial(tmp_path)
    with trial.frozen():
        write(tmp_path, 0, 1.0)
        assert trial.steps() == []
        trial.refresh()
        assert trial.steps() == [0]


def test_names_by_step_mode_pattern_and_collection() -> None:
    played = RecordedTrial({"mine": ["^a"]})
    played.step({"a1": 1, "Loss_output_0": 2}, "TRAIN")
    played.step({"a2": 1, "b": 2}, "EVAL")
    trial = played.trial
    assert trial.tensor_names() == ["Loss_output_0", "a1", "a2", "b"]
    assert trial.tensor_names(step=1) == ["a2", "b"]
    assert trial.tensor_names(step=5) == []
    assert trial.tensor_names(mode="train") == ["Loss_output_0", "a1"]
    assert trial.tensor_names(mode="eval", step=0) == ["a2", "b"]
    assert trial.tensor_names(regex="^b$") == ["b"]
    assert trial.tensor_names(regex=["^b$", "1$"]) == ["a1", "b"]
    assert trial.tensor_names(collection="mine") == ["a1", "a2"]
    assert trial.tensor_names(collection="losses", step=0) == ["Loss_output_0"]
    assert trial.tensor_names(collection="nobody") == []
    with pytest.raises(ValueError, match="not both"):
        trial.tensor_names(regex="a", collection="mine")


def test_steps_of_modes_and_of_all() -> None:
    played = RecordedTrial()
    for mode in ("TRAIN", "TRAIN", "EVAL", "TRAIN"):
        played.step({"x": 1}, mode)
    trial = played.trial
    assert trial.modes() == [ModeKeys.TRAIN, ModeKeys.EVAL]
    assert trial.steps() == [0, 1, 2, 3]
    assert trial.steps("TRAIN") == [0, 1, 2]
    assert trial.steps(ModeKeys.EVAL) == [0]
    assert trial.global_step("TRAIN", 2) == 3
    assert trial.mode_modestep(2) == (ModeKeys.EVAL, 0)
    assert trial.mode(3) is ModeKeys.TRAIN
    assert trial.mode_step(9) is None
    assert trial.tensor("x").steps("TRAIN") == [0, 1, 2]
    assert trial.tensor("x").prev_steps(2, 2) == [1, 2]


def test_values_reductions_and_shapes() -> None:
    played = RecordedTrial()
    played.step({"raw": [[1.0, -3.0]], "smdebug/reductions/abs_mean/reduced": 2.5})
    raw, reduced = played.trial.tensor("raw"), played.trial.tensor("reduced")
    assert raw.value(0).tolist() == [[1.0, -3.0]]
    assert raw.shape(0) == (1, 2)
    assert raw.reduction_value(0, "max", abs=True) == 3.0
    assert raw.reduction_value(0, "abs_mean") == 2.0
    assert reduced.reduction_value(0, "mean", abs=True) == 2.5
    assert reduced.reduction_values(0) == {("mean", True): 2.5}
    with pytest.raises(TensorUnavailableForStep, match="reductions of it only"):
        reduced.value(0)
    with pytest.raises(TensorUnavailableForStep):
        reduced.reduction_value(0, "max")


def test_what_is_not_there_says_why() -> None:
    played = RecordedTrial()
    played.step({"loss": 1.0})
    played.step({"other": 1.0})
    loss = played.trial.tensor("loss")
    with pytest.raises(TensorUnavailable, match="Did you mean 'loss'"):
        played.trial.tensor("los")
    with pytest.raises(TensorUnavailableForStep, match="Step 1 of mode GLOBAL has no tensor"):
        loss.value(1)
    with pytest.raises(StepNotYetAvailable):
        loss.value(2)
    with pytest.raises(InvalidWorker):
        loss.value(0, worker="worker_7")
    played.end()
    played.trial.refresh()
    with pytest.raises(NoMoreData, match="its last step is 1"):
        loss.value(2)
    with pytest.raises(ValueError, match="no mode 'sleep'"):
        loss.value(0, mode="sleep")


def test_a_step_is_whole_when_all_workers_have_written_it() -> None:
    played = RecordedTrial(workers=2)
    trial = played.trial
    played.step({"x": 1})
    step = played.step({"x": 2}, workers=[0])
    assert trial.steps() == [0]
    assert trial.steps(show_incomplete_steps=True) == [0, 1]
    assert trial.has_passed_step(step) is StepState.NOT_YET_AVAILABLE
    assert trial.tensor("x").workers(0) == ["worker_0", "worker_1"]
    assert trial.workers() == ["worker_0", "worker_1"]
    with pytest.raises(StepNotYetAvailable):
        trial.tensor("x").value(step)
    # A later whole step means that nobody comes back to this one.
    played.step({"x": 3})
    assert trial.steps() == [0, 1, 2]
    assert trial.tensor("x").value(step) == 2


def test_steps_that_were_left_out() -> None:
    played = RecordedTrial()
    played.step({"x": 1})
    played._counts[ModeKeys.GLOBAL] = 9
    played.step({"x": 1})
    assert played.trial.has_passed_step(5) is StepState.UNAVAILABLE
    assert played.trial.has_passed_step(10) is StepState.AVAILABLE
    with pytest.raises(StepUnavailable):
        played.trial.tensor("x").value(5)
    with pytest.raises(StepUnavailable):
        played.trial.wait_for_steps([0, 5])


def test_waiting_for_a_step_that_somebody_writes(tmp_path: Path) -> None:
    trial = create_trial(tmp_path)
    writer = threading.Timer(0.05, write, (tmp_path, 0, 1.0))
    writer.start()
    trial.wait_for_steps([0], timeout=60, interval=0.01)
    writer.join()
    assert trial.tensor("loss").value(0) == 1.0
    with pytest.raises(TimeoutError):
        trial.wait_for_steps([1], timeout=0)
    TensorWriter(FolderSink(tmp_path)).end()
    with pytest.raises(NoMoreData):
        trial.wait_for_steps([1], timeout=0)


def test_the_end_is_known_and_final(tmp_path: Path) -> None:
    write(tmp_path, 0, 1.0)
    trial = create_trial(tmp_path)
    assert not trial.loaded_all_steps
    (tmp_path / layout.END_OF_JOB).touch()
    assert trial.steps() == [0]
    assert trial.loaded_all_steps


def test_drafts_are_not_seen(tmp_path: Path) -> None:
    write(tmp_path, 0, 1.0)
    (tmp_path / "index/000000000/000000000001_worker_0.json.tmp").write_text("half")
    (tmp_path / layout.DRAFTS / "9").write_text("half")
    assert create_trial(tmp_path).steps() == [0]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("index/000000000/000000000000_worker_0.json", "{"),
        ("index/000000000/000000000000_worker_0.json", '{"meta": {"mode": "x"}}'),
        ("collections/000000000/worker_0_collections.json", '{"collections": []}'),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path: Path, file: str, content: str) -> None:
    write(tmp_path, 0, 1.0)
    (tmp_path / file).write_text(content)
    with pytest.raises(BrokenTensorFile, match="worker_0"):
        create_trial(tmp_path).steps()


def test_collections_grow_while_the_training_runs(tmp_path: Path) -> None:
    writer = TensorWriter(FolderSink(tmp_path))
    writer.collections([Collection("mine", tensor_names={"a"})])
    trial = create_trial(tmp_path)
    assert trial.collection("mine").tensor_names == {"a"}
    writer.collections([Collection("mine", tensor_names={"a", "b"})])
    assert trial.collection("mine").tensor_names == {"a", "b"}


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(["TRAIN", "EVAL", "GLOBAL"]), st.floats(-9, 9)), max_size=12)
)
def test_what_is_played_is_what_is_read(steps: list[tuple[str, float]]) -> None:
    played = RecordedTrial()
    for mode, value in steps:
        played.step({"x": value}, mode)
    trial = played.trial
    assert trial.steps() == list(range(len(steps)))
    if steps:
        assert [float(one) for one in trial.tensor("x").values().values()] == [
            value for _, value in steps
        ]
    for mode in ("TRAIN", "EVAL"):
        of_mode = [value for one, value in steps if one == mode]
        found = trial.tensor("x").values(mode) if steps else {}
        assert [float(found[step]) for step in sorted(found)] == of_mode


def test_a_trial_from_courses() -> None:
    trial = trial_of({"train-rmse": [3.0, 2.0], "validation-rmse": [4.0]})
    assert trial.loaded_all_steps
    assert trial.tensor_names(collection="metrics") == ["train-rmse", "validation-rmse"]
    assert trial.tensor("validation-rmse").steps() == [0]
