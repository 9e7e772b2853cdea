"""PyTorch's hook: one script, unchanged, and what is seen of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.debugger import ModeKeys, Trial, create_trial, phases
from bottega.testing.job_folder import JobFolder

SCRIPT = """
import os
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 6)
        self.relu = nn.ReLU()
        self.head = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))

    def forward(self, x, scale=None):
        return self.head(self.relu(self.fc(x)))


net, criterion = Net(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
data = TensorDataset(torch.randn(12, 4), torch.randint(0, 3, (12,)))
kept = {}
step = 0
for epoch in range(2):
    net.train()
    for x, y in DataLoader(data, batch_size=4):
        before = {name: one.detach().clone() for name, one in net.named_parameters()}
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        kept[step] = (before, {n: p.grad.clone() for n, p in net.named_parameters()}, loss.item())
        optimizer.step()
        step += 1
    net.eval()
    with torch.no_grad():
        for x, y in DataLoader(data, batch_size=6):
            kept[step] = ({}, {}, criterion(net(x), y).item())
            step += 1
net.train()
for x, y in DataLoader(data, batch_size=6):  # a loss that is a function
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), F.one_hot(y, 3).float())
    loss.backward()
    optimizer.step()
    kept[step] = ({}, {}, loss.item())
    step += 1
try:
    net(torch.zeros(2, 7))
except RuntimeError:
    pass
step += 1
compiled = torch.compile(net, backend="eager")
loss = criterion(compiled(data.tensors[0]), data.tensors[1])
loss.backward()
optimizer.step()
kept[step] = ({}, {}, loss.item())
torch.save(kept, os.path.join(os.environ["SM_MODEL_DIR"], "kept.pt"))
"""
CONFIGURATION = {
    "S3OutputPath": "s3://b/p",
    "LocalPath": "/opt/ml/output/tensors",
    "HookParameters": {"save_interval": "1"},
    "CollectionConfigurations": [
        {"CollectionName": "weights"},
        {"CollectionName": "biases", "CollectionParameters": {"reductions": "mean,abs_max"}},
        {"CollectionName": "gradients", "CollectionParameters": {"save_interval": "2"}},
        {"CollectionName": "relu_output"},
        {"CollectionName": "mine", "CollectionParameters": {"include_regex": ".*tanh_input"}},
    ],
}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that has run the script."""
    folder = tmp_path_factory.mktemp("torch") / "ml"
    made = JobFolder(folder, {"sagemaker_program": "train.py"}, image="pytorch")
    made.source({"train.py": SCRIPT})
    made.config("debughookconfig", CONFIGURATION)
    detailed = {"DetailedProfilingConfig": '{"StartStep": 2, "NumSteps": 1, }'}
    made.config("profilerconfig", {"S3OutputPath": "s3://b/p", "ProfilingParameters": detailed})
    done = made.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "global hooks" not in done.stderr
    assert "Debugger:" not in done.stderr
    return folder


@pytest.fixture
def trial(job: Path) -> Trial:
    return create_trial(job / "output" / "tensors")


@pytest.fixture
def kept(job: Path) -> dict[int, Any]:
    """What the script itself saw: weights before, gradients, loss, by global step."""
    import torch

    found: dict[int, Any] = torch.load(job / "model" / "kept.pt")
    return found


def test_steps_are_forward_passes_of_the_model_in_its_mode(trial: Trial) -> None:
    modes = [trial.mode(step) for step in trial.steps()]
    train, evaluate = ModeKeys.TRAIN, ModeKeys.EVAL
    assert modes == [
        *([train] * 3 + [evaluate] * 2) * 2,
        *[train] * 2,
        train,  # the pass that failed
        train,
    ]
    assert trial.loaded_all_steps


def test_losses_of_modules_and_of_functions(trial: Trial, kept: dict[int, Any]) -> None:
    names = trial.tensor_names(collection="losses")
    assert names == ["CrossEntropyLoss_output_0", "MseLoss_output_0"]
    found = {
        step: float(value) for name in names for step, value in trial.tensor(name).values().items()
    }
    assert found == pytest.approx({step: loss for step, (_, _, loss) in kept.items()})


def test_weights_before_the_step_and_gradients_of_it(trial: Trial, kept: dict[int, Any]) -> None:
    assert "Net_head.2.weight" in trial.tensor_names(collection="weights")
    assert "gradient/Net_fc.bias" in trial.tensor_names(collection="gradients")
    for step in (0, 2, 5, 7):
        before, gradients, _ = kept[step]
        np.testing.assert_array_equal(
            trial.tensor("Net_fc.weight").value(step), before["fc.weight"]
        )
        if trial.mode_step(step) in (0, 2, 4):
            np.testing.assert_array_equal(
                trial.tensor("gradient/Net_fc.weight").value(step), gradients["fc.weight"]
            )
    assert trial.tensor("gradient/Net_fc.weight").steps("EVAL") == []
    assert trial.tensor("gradient/Net_fc.weight").steps("TRAIN")[:3] == [0, 2, 4]


def test_reductions_stand_for_biases(trial: Trial, kept: dict[int, Any]) -> None:
    bias = trial.tensor("Net_fc.bias")
    assert bias.reduction_values(0).keys() == {("mean", False), ("max", True)}
    expected = float(kept[0][0]["fc.bias"].abs().max())
    assert float(bias.reduction_value(0, "max", abs=True)) == pytest.approx(expected)


def test_layers_are_named_as_the_rules_look_for_them(trial: Trial) -> None:
    assert trial.tensor_names(collection="relu_output") == ["relu_output_0"]
    assert trial.tensor("relu_output_0").shape(0) == (4, 6)
    assert trial.tensor_names(collection="mine") == ["head.1.tanh_input_0"]
    assert (trial.tensor("relu_output_0").value(0) >= 0).all()


def test_a_pass_that_fails_does_not_upset_the_next(trial: Trial, kept: dict[int, Any]) -> None:
    last = trial.steps()[-1]
    assert last == max(kept)
    # A compiled model is the model that it was made of.
    assert "Net_fc.weight" in trial.tensor_names(step=last)
    assert not trial.tensor_names(regex="OptimizedModule")


def test_phases(job: Path) -> None:
    counted: Counter[str] = Counter()
    operators: set[tuple[str, str]] = set()
    for file in (job / "output" / "profiler" / phases.EVENTS_FOLDER).rglob("*.json"):
        events = json.loads(file.read_text())
        names = {one["pid"]: one["args"].get("name") for one in events if one["ph"] == "M"}
        for one in events:
            if one["ph"] == "X" and names[one["pid"]] == phases.OPERATORS:
                operators.add((one["name"], one["args"]["step_num"]))
            elif one["ph"] == "X":
                counted[names[one["pid"]]] += 1
    assert {"aten::linear", "aten::relu"} <= {name for name, _ in operators}
    assert {step for _, step in operators} == {"2"}
    # Twelve steps of data, one of a failure (its pass has no end), one of the compiled model.
    assert counted == {
        "Step:ModeKeys.TRAIN": 10,
        "Step:ModeKeys.EVAL": 4,
        phases.FORWARD: 13,
        phases.BACKWARD: 9,
        phases.OPTIMIZER: 9,
        phases.DATA_LOADING: 12,
    }


COMPILED = """
import torch
from torch import nn

torch._dynamo.config.recompile_limit = 3


NET = '''
class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, x):
        return self.layers(x)
'''


def made(width):
    found = {"nn": nn}
    exec(NET, found)  # code of its own each time, as of classes that one has written
    return found["Net"](width)


graphs = 0


def backend(graph, inputs):
    global graphs
    graphs += 1
    return graph.forward


for width in range(2, 8):
    net, criterion = made(width), nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    compiled = torch.compile(net, backend=backend, fullgraph=True)
    for _ in range(4):
        optimizer.zero_grad()
        criterion(compiled(torch.randn(5, 4)), torch.zeros(5, 2)).backward()
        optimizer.step()
net = made(3)
net.compile(backend=backend)
for _ in range(4):
    net(torch.randn(5, 4))
print("graphs", graphs)
"""


@pytest.mark.slow
def test_models_are_compiled_as_without_the_hook(tmp_path: Path) -> None:
    said = []
    for hook in (False, True):
        job = script_of(tmp_path / f"ml{hook}", COMPILED)
        if hook:
            # Steps that save and steps that do not, in turns.
            job.config(
                "debughookconfig", CONFIGURATION | {"HookParameters": {"save_interval": "2"}}
            )
        done = job.run()
        assert done.returncode == 0, done.stderr
        assert "recompile_limit" not in done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
    assert "graphs 7" in said[0]
    trial = create_trial(tmp_path / "mlTrue" / "output" / "tensors")
    # Without an optimizer's step in between, passes of one model are steps of their own, too.
    assert trial.tensor("MSELoss_output_0").steps() == list(range(0, 24, 2))


SHAPES = """
import torch
from torch import nn


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x, module=None):
        assert module == "mine"
        return self.layer(x)


class WithLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)

    def forward(self, x, labels):
        found = self.layer(x)
        return nn.CrossEntropyLoss()(found, labels), found


class Trainer(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net
        self.own = nn.Parameter(torch.zeros(1))

    def forward(self, steps):
        optimizer = torch.optim.SGD(self.net.parameters(), 0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            loss, _ = self.net(torch.randn(4, 2), torch.tensor([0, 1, 2, 0]))
            loss.backward()
            optimizer.step()


Named()(torch.randn(4, 2), module="mine")
Trainer(WithLoss())(5)
"""


def test_passes_inside_of_passes(tmp_path: Path) -> None:
    job = script_of(tmp_path / "ml", SHAPES)
    losses = [{"CollectionName": "losses", "CollectionParameters": {"save_interval": "1"}}]
    job.config("debughookconfig", CONFIGURATION | {"CollectionConfigurations": losses})
    done = job.run()
    assert done.returncode == 0, done.stderr
    trial = create_trial(tmp_path / "ml" / "output" / "tensors")
    # One loss a step, by one name; the first step is that of the module that is not trained, and
    # goes on in the trainer until its first optimizer has stepped.
    assert trial.tensor_names() == ["CrossEntropyLoss_output_0"]
    assert len(trial.tensor("CrossEntropyLoss_output_0").steps()) == 5


def script_of(folder: Path, text: str) -> JobFolder:
    job = JobFolder(folder, {"sagemaker_program": "train.py"}, image="pytorch")
    job.source({"train.py": text})
    return job
