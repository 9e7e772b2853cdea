"""A profile that begins, and ends, in the middle of a training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bottega.container.debugging import profile_watch
from bottega.container.debugging.profile_watch import ProfileWatch
from bottega.debugger import phases
from bottega.testing.debugging import until
from bottega.testing.job_folder import JobFolder

TOLD = """
import json
import os
import pathlib
import sys
import time
from bottega.container.debugging import session

root = pathlib.Path(os.environ["BOTTEGA_ML_ROOT"])


def tell(off, **parameters):
    # As the service does it: another file in its place, whole.
    file = root / "input/config/profilerconfig.json"
    config = {"S3OutputPath": "s3://b/p", "DisableProfiler": off}
    config["ProfilingParameters"] = parameters
    (root / "draft").write_text(json.dumps(config))
    os.replace(root / "draft", file)


def following():
    return session.current().timeline.active


def written():
    return list((root / "output/profiler").rglob("*.json"))


def hooked(name):
    return following() and name not in session.current()._left
"""
XGBOOST = """
import numpy as np
import xgboost

features = np.random.default_rng(0).normal(size=(50, 3))
data = xgboost.DMatrix(features, features[:, 0], nthread=1)
container = xgboost.callback.CallbackContainer
assert not hasattr(container.after_iteration, "__wrapped__")


class Changing(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        if epoch == 3:
            tell(False)
            while not hooked("xgboost.callback"):
                time.sleep(0.01)
        if epoch == 6:
            tell(True)
            while not written():
                time.sleep(0.01)
        return False


xgboost.train({"nthread": 1}, data, 9, callbacks=[Changing()])
"""
TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
plain = nn.Module.__call__
data = TensorDataset(torch.randn(12, 7), torch.randint(0, 3, (12,)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(7, 4)
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        x = self.first(x)
        global step
        if step == 2:  # in the midst of a forward pass
            tell(False, DetailedProfilingConfig='{"StartStep": 1, "NumSteps": 1, }')
            assert nn.Module.__call__ is plain
            while not hooked("torch"):
                time.sleep(0.01)
        return self.last(x)


step = 0
net = Net()
called = torch.compile(net, backend="eager") if COMPILED else net
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
for x, y in DataLoader(data, batch_size=2):
    optimizer.zero_grad()
    criterion(called(x), y).backward()
    optimizer.step()
    step += 1
assert step == 6
"""
OFF = {"S3OutputPath": "s3://b/p", "DisableProfiler": True}


def events(job: JobFolder) -> list[dict[str, Any]]:
    """The events of all files of a job's profile, with their phase."""
    found = []
    for file in sorted((job.root / "output" / "profiler").rglob("*.json")):
        content = json.loads(file.read_text())
        names = {one["pid"]: one["args"].get("name") for one in content if one["ph"] == "M"}
        found += [{**one, "phase": names[one["pid"]]} for one in content if one["ph"] == "X"]
    return found


def ran(folder: Path, script: str, image: str) -> JobFolder:
    """A job whose profile is switched off when it begins."""
    job = JobFolder(folder / "ml", {"sagemaker_program": "train.py"}, image=image)
    job.source({"train.py": script})
    job.config("profilerconfig", OFF)
    done = job.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Debugger:" not in done.stderr
    return job


def test_rounds_of_a_training_that_goes_on(tmp_path: Path) -> None:
    job = ran(tmp_path, TOLD + XGBOOST, "python")
    assert [one["name"] for one in events(job)] == ["Round:4", "Round:5"]


@pytest.mark.parametrize("compiled", [False, True])
def test_steps_begin_with_a_whole_one(tmp_path: Path, compiled: bool) -> None:
    job = ran(tmp_path, f"COMPILED = {compiled}\n{TOLD}{TORCH}", "pytorch")
    found = [(one["phase"], one["name"], one["args"].get("step_num")) for one in events(job)]
    steps = [one for one in found if one[0] == "Step:ModeKeys.TRAIN"]
    assert steps == [("Step:ModeKeys.TRAIN", "Net", str(step)) for step in range(3)]
    for phase in (phases.FORWARD, phases.BACKWARD):
        assert [step for one, name, step in found if (one, name) == (phase, "Net")] == [*"012"]
    assert {step for phase, _, step in found if phase == phases.OPERATORS} == {"1"}


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(profile_watch, "SECONDS", 0.01)
    file = tmp_path / "profilerconfig.json"
    heard: list[str] = []

    def changed() -> None:
        heard.append(json.loads(file.read_text()))

    looks: list[None] = []
    watch = ProfileWatch(file, changed, lambda: looks.append(None))
    watch.start()
    file.write_text("{")
    until(lambda: "cannot be followed" in capsys.readouterr().err, "it is told")
    until(lambda: looks, "it goes on")
    (tmp_path / "draft").write_text('"on"')
    (tmp_path / "draft").replace(file)
    until(lambda: heard == ["on"], "the next one is heard")
    watch.stop()
    file.unlink()
    assert heard == ["on"]
