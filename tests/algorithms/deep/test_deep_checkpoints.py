"""Weights on disk: whole or not at all, and never code."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from bottega.algorithms.deep import checkpoints


def test_what_was_saved_comes_back(tmp_path: Path):
    state = {"weights": torch.randn(3), "epoch": 4, "names": ["a"], "best": 0.5}
    checkpoints.save(state, tmp_path / "deep" / "a.pt")
    found = checkpoints.load(tmp_path / "deep" / "a.pt")
    assert torch.equal(found.pop("weights"), state.pop("weights"))
    assert found == state
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.pt"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path):
    checkpoints.save({"a": 1}, tmp_path / "a.pt")
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        checkpoints.save({"a": lambda: None}, tmp_path / "a.pt")
    assert checkpoints.load(tmp_path / "a.pt") == {"a": 1}


class _Evil:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self._mark,))


def test_a_file_that_would_run_code_does_not(tmp_path: Path):
    torch.save({"a": _Evil(tmp_path / "ran")}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match=r"evil\.pt cannot be read.*tensors only"):
        checkpoints.load(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04 broken", b"\x80\x02}q\x00."])
def test_what_is_no_such_file_says_so(tmp_path: Path, content: bytes):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.pt"):
        checkpoints.load(tmp_path / "a.pt")


def test_a_file_that_is_not_there_says_so(tmp_path: Path):
    with pytest.raises(ValueError, match=r"a\.pt cannot be read"):
        checkpoints.load(tmp_path / "a.pt")


def test_a_truncated_file_says_so(tmp_path: Path):
    checkpoints.save({"a": torch.zeros(1000)}, tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"a\.pt"):
        checkpoints.load(tmp_path / "a.pt")


def _model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def test_a_state_loads_by_name_and_shape():
    source, target = _model(), _model()
    checkpoints.load_state(target, source.state_dict(), "a.pth")
    assert all(torch.equal(v, target.state_dict()[k]) for k, v in source.state_dict().items())


def test_old_files_without_counters_load():
    state = {k: v for k, v in _model().state_dict().items() if "num_batches" not in k}
    checkpoints.load_state(_model(), state, "a.pth")


def test_half_precision_is_widened():
    state = {k: v.half() if v.is_floating_point() else v for k, v in _model().state_dict().items()}
    target = _model()
    checkpoints.load_state(target, state, "a.pth")
    assert all(p.dtype == torch.float32 for p in target.parameters())


def test_a_part_can_be_left_as_it_is():
    source, target = _model(), _model()
    last = target[2].weight.clone()
    state = {k: v for k, v in source.state_dict().items() if not k.startswith("2.")}
    checkpoints.load_state(target, state, "a.pth", leave="2.")
    assert torch.equal(target[2].weight, last)
    assert torch.equal(target[0].weight, source[0].weight)


def test_another_network_is_refused_by_name():
    state = _model().state_dict()
    with pytest.raises(ValueError, match=r"a\.pth has no weights 1\.weight"):
        checkpoints.load_state(
            _model(), {k: v for k, v in state.items() if k != "1.weight"}, "a.pth"
        )
    with pytest.raises(ValueError, match=r"0\.weight have the shape \(3, 5\).*needs \(3, 2\)"):
        checkpoints.load_state(_model(), state | {"0.weight": torch.zeros(3, 5)}, "a.pth")
    with pytest.raises(ValueError, match="holds a list"):
        checkpoints.load_state(_model(), [1], "a.pth")


def test_the_newest_checkpoint_replaces_the_one_before(tmp_path: Path):
    assert checkpoints.newest_checkpoint(None) is None
    assert checkpoints.newest_checkpoint(tmp_path / "missing") is None
    for epochs in (1, 2, 10_000):
        checkpoints.save_checkpoint(tmp_path, epochs, {"epochs": epochs})
    assert checkpoints.newest_checkpoint(tmp_path) == (10_000, tmp_path / "checkpoint-10000.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-10000.pt"]
    checkpoints.save_checkpoint(None, 3, {})
