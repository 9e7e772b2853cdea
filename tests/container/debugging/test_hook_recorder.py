"""What a hook's recorder saves, and that it fails without harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.container.debugging.output import Output
from bottega.container.debugging.recorder import Recorder
from bottega.debugger import ModeKeys, create_trial
from bottega.debugger.tensors import layout
from bottega.debugger.tensors.configuration import Framework, HookConfiguration
from bottega.debugger.tensors.writer import FolderSink

FRAMEWORK = Framework("some", {"losses": "^loss", "gradients": "^gradient"}, ("losses",), 2)


def recorder(output: Output, document: dict[str, Any] | None = None, **more: Any) -> Recorder:
    return Recorder(HookConfiguration.read(document or {}), FRAMEWORK, output, **more)


def test_only_what_is_asked_for_at_its_steps(tmp_path: Path) -> None:
    one = recorder(Output(tmp_path))
    for step in range(5):
        saved = one.begin(ModeKeys.TRAIN)
        assert saved == (step % 2 == 0)
        one.save("loss", float(step))
        one.save("other", 1.0)
    one.close_step()
    one.flush()
    trial = create_trial(tmp_path)
    assert trial.tensor_names() == ["loss"]
    assert trial.tensor("loss").values("TRAIN") == {0: 0.0, 2: 2.0, 4: 4.0}


def test_a_step_is_seen_when_it_is_closed(tmp_path: Path) -> None:
    one = recorder(Output(tmp_path))
    one.begin(ModeKeys.TRAIN)
    one.save("loss", 1.0)
    assert create_trial(tmp_path).steps() == []
    one.begin(ModeKeys.TRAIN)
    one.flush()
    assert create_trial(tmp_path).steps() == [0]


def test_a_step_is_there_when_the_next_is_written(tmp_path: Path) -> None:
    one = recorder(Output(tmp_path))
    for step in range(0, 6, 2):
        one.begin(ModeKeys.TRAIN, step)
        one.save("loss", float(step))
        one.begin(ModeKeys.TRAIN)
        assert create_trial(tmp_path).steps()[: step // 2] == list(range(0, step, 2))


def test_gradients_are_of_training(tmp_path: Path) -> None:
    one = recorder(
        Output(tmp_path), {"CollectionConfigurations": [{"CollectionName": "gradients"}]}
    )
    for mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
        one.begin(mode)
        one.save("gradient/w", [1.0])
        one.save("loss", 1.0)
    one.close_step()
    one.flush()
    trial = create_trial(tmp_path)
    assert trial.tensor("gradient/w").steps() == [0]
    assert trial.tensor("loss").steps() == [0, 1]


def test_a_tensor_in_two_collections_has_what_both_ask_for(tmp_path: Path) -> None:
    document = {
        "CollectionConfigurations": [
            {
                "CollectionName": "a",
                "CollectionParameters": {"include_regex": "^w", "reductions": "min,abs_max"},
            },
            {"CollectionName": "b", "CollectionParameters": {"include_regex": "^w"}},
            {
                "CollectionName": "c",
                "CollectionParameters": {"include_regex": "^x", "reductions": "l2_norm"},
            },
        ]
    }
    one = recorder(Output(tmp_path), document)
    one.begin(ModeKeys.TRAIN)
    one.save("w", np.array([1.0, -2.0]))
    one.save("x", np.array([3.0, 4.0]))
    one.save("xs", ["no", "number"])
    one.close_step()
    one.flush()
    trial = create_trial(tmp_path)
    assert trial.tensor("w").value(0).tolist() == [1.0, -2.0]
    assert trial.tensor("w").reduction_values(0) == {("min", False): -2.0, ("max", True): 2.0}
    assert trial.tensor("x").reduction_values(0) == {("l2", False): 5.0}
    assert trial.tensor("xs").value(0).tolist() == ["no", "number"]
    assert trial.collection("b").tensor_names == {"w"}


def test_a_number_may_be_saved_in_a_step_that_saves_nothing_else(tmp_path: Path) -> None:
    one = recorder(Output(tmp_path))
    one.begin(ModeKeys.TRAIN)
    assert not one.begin(ModeKeys.TRAIN)
    one.save_later("scalar/f1", 0.5)
    one.close_step()
    one.flush()
    assert create_trial(tmp_path).tensor("scalar/f1").values() == {1: 0.5}


def test_two_hooks_of_one_process_count_together(tmp_path: Path) -> None:
    output = Output(tmp_path)
    first = recorder(output)
    second = Recorder(
        HookConfiguration(), Framework("b", {"losses": "^cost"}, ("losses",), 1), output
    )
    first.begin(ModeKeys.TRAIN)
    first.save("loss", 1.0)
    first.close_step()
    second.begin(ModeKeys.TRAIN)
    second.save("cost", 2.0)
    second.close_step()
    second.flush()
    trial = create_trial(tmp_path)
    assert trial.steps("TRAIN") == [0, 1]
    assert trial.tensor_names(collection="losses") == ["cost", "loss"]


def test_workers(tmp_path: Path) -> None:
    for name, document, workers in (
        ("one", {}, ["worker_0"]),
        ("all", {"HookParameters": {"include_workers": "all"}}, ["worker_0", "worker_1"]),
    ):
        folder = tmp_path / name
        for rank in (0, 1):
            configuration = HookConfiguration.read(document)
            output = Output(folder, all_workers=configuration.all_workers)
            one = Recorder(configuration, FRAMEWORK, output, lambda rank=rank: (rank, 2))
            one.begin(ModeKeys.TRAIN)
            one.save("loss", float(rank))
            one.close_step()
            output.close()
        trial = create_trial(folder)
        assert trial.workers() == workers
        assert trial.num_workers == len(workers)
        assert trial.steps() == [0]
        # Another worker may still be writing: whoever knows of all of them says when it is over.
        assert not trial.loaded_all_steps


def test_one_process_writes_and_a_killed_one_is_succeeded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(value: float) -> Output:
        output = Output(tmp_path)
        one = recorder(output)
        one.begin(ModeKeys.TRAIN)
        one.save("loss", value)
        one.close_step()
        one.flush()
        return output

    (tmp_path / layout.CLAIM).write_text(str(os.getppid()))
    assert write(1.0).stopped
    assert "another process" in capsys.readouterr().err
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    (tmp_path / layout.CLAIM).write_bytes(gone.stdout)
    output = write(2.0)
    assert (tmp_path / layout.CLAIM).read_text() == str(os.getpid())
    output.close()
    assert not (tmp_path / layout.CLAIM).exists()
    trial = create_trial(tmp_path)
    assert trial.tensor("loss").values() == {0: 2.0}
    assert trial.loaded_all_steps


def test_what_cannot_be_saved_is_told_once_and_ends_the_saving(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Output(tmp_path)
    one = recorder(output)
    one.begin(ModeKeys.TRAIN)
    one.save("loss", np.array(["2026-01-01"], "M8[D]"))
    one.save("loss", np.array(["2026-01-01"], "M8[D]"))
    said = capsys.readouterr().err
    assert said.count("no more tensors are saved") == 1
    assert "step 0" in said
    assert "datetime64" in said
    assert not one.begin(ModeKeys.TRAIN)


def test_a_full_disk_does_not_stop_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    one = recorder(Output(tmp_path / "file" / "tensors"))
    one.begin(ModeKeys.TRAIN)
    one.save("loss", 1.0)
    one.close_step()
    one.flush()
    assert "NotADirectoryError" in capsys.readouterr().err
    assert not one.begin(ModeKeys.TRAIN)


def test_a_disk_that_gets_full_is_told_with_the_step_that_was_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = FolderSink.write

    def full(sink: FolderSink, name: str, content: bytes) -> None:
        if "000000000002" in name:
            raise OSError(28, "No space left on device")
        write(sink, name, content)

    monkeypatch.setattr(FolderSink, "write", full)
    output = Output(tmp_path)
    one = recorder(output)
    for step in range(8):
        one.begin(ModeKeys.TRAIN)
        one.save("loss", float(step))
    one.close_step()
    output.close()
    said = capsys.readouterr().err
    assert "failed at step 2: OSError: [Errno 28] No space left" in said
    assert said.count("Debugger:") == 1
    assert create_trial(tmp_path).steps() == [0]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    output = Output(tmp_path / "none", dry=True)
    one = recorder(output)
    assert not one.begin(ModeKeys.TRAIN)
    one.save("loss", 1.0)
    one.close_step()
    output.close()
    assert not (tmp_path / "none").exists()
