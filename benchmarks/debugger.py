"""What the Debugger costs a training: each job with its hook and profiler beside the same without.

    python benchmarks/debugger.py [--turns 6]    XGBoost and PyTorch, thirty jobs each
    python benchmarks/debugger.py --quick        small ones, to see that it runs

A job is a whole one (``bottega.container.train`` in a process of its own, on a folder as the
platform writes it); the script trains several times and says how long each training took, without
imports and data. Jobs with and without take turns, so that both meet the same machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measurement import Ratio, Result, Table, finish, options, scratch

from bottega.testing.job_folder import JobFolder

XGBOOST = """
import json, time
import numpy as np
import xgboost

random = np.random.default_rng(0)
features = random.normal(size=(ROWS, 30)).astype(np.float32)
labels = (features[:, :5].sum(axis=1) + random.normal(size=ROWS) > 0).astype(int)
cut = ROWS * 4 // 5
train, validation = (
    xgboost.DMatrix(features[part], labels[part]) for part in (slice(cut), slice(cut, None))
)
parameters = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"]}
for _ in range(REPEATS):
    began, cpu = time.perf_counter(), time.process_time()
    xgboost.train(
        parameters,
        train,
        ROUNDS,
        evals=[(train, "train"), (validation, "validation")],
        verbose_eval=False,
    )
    print(json.dumps([time.perf_counter() - began, time.process_time() - cpu]))
"""
PYTORCH = """
import json, time
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = TensorDataset(torch.randn(ROWS, 64), torch.randint(0, 10, (ROWS,)))
model = nn.Sequential(
    nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
)
criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())


def epoch():
    for x, y in DataLoader(data, batch_size=128):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


epoch()
for _ in range(REPEATS):
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(ROUNDS):
        epoch()
    print(json.dumps([time.perf_counter() - began, time.process_time() - cpu]))
"""
PROFILER = {"S3OutputPath": "s3://bucket/prefix", "DisableProfiler": False}


def hook(**collections: int) -> dict[str, Any]:
    """A DebugHookConfig that saves collections, each every so many steps.

    Without any it is the least that a hook does: metrics every 10 rounds of XGBoost, losses every
    500 steps of PyTorch. (A job gets no hook at all unless somebody asks for collections or rules.)
    """
    return {
        "S3OutputPath": "s3://bucket/prefix",
        "LocalPath": "/opt/ml/output/tensors",
        "CollectionConfigurations": [
            {"CollectionName": name, "CollectionParameters": {"save_interval": str(interval)}}
            for name, interval in collections.items()
        ],
    }


@dataclass(frozen=True)
class Training:
    """One training, and what is saved of it where much is asked for."""

    name: str
    image: str
    script: str
    rows: int
    rounds: int
    repeats: int
    much: Mapping[str, Any]

    def run(
        self, folder: Path, configuration: Mapping[str, Mapping[str, Any]]
    ) -> list[list[float]]:
        """Seconds that each of its trainings took, by the clock and of the processor."""
        job = JobFolder(folder, {"sagemaker_program": "train.py"}, image=self.image)
        head = f"ROWS, ROUNDS, REPEATS = {self.rows}, {self.rounds}, {self.repeats}\n"
        job.source({"train.py": head + self.script})
        for name, content in configuration.items():
            job.config(name, content)
        done = job.run()
        if done.returncode:
            raise RuntimeError(f"{self.name} failed:\n{done.stdout}{done.stderr}")
        if "Debugger:" in done.stderr:
            raise RuntimeError(f"{self.name}: the hook failed:\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()[-self.repeats :]]


def trainings(quick: bool) -> list[Training]:
    """What is measured."""
    return [
        Training(
            "XGBoost, 300 rounds; much: metrics and feature importances every 5 rounds",
            "xgboost",
            XGBOOST,
            2_000 if quick else 50_000,
            20 if quick else 300,
            1 if quick else 3,
            hook(metrics=5, feature_importance=5),
        ),
        Training(
            "PyTorch, 3 layers; much: losses every 10 steps, weights and gradients every 100",
            "pytorch",
            PYTORCH,
            1_024 if quick else 25_600,
            1 if quick else 5,
            1 if quick else 5,
            hook(losses=10, weights=100, gradients=100),
        ),
    ]


WITHOUT, BOTH = "without", "hook and profiler"
VARIANTS = (WITHOUT, "hook", "profiler", BOTH, "hook that saves much")


def configuration(training: Training, variant: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    if "hook" in variant:
        found["debughookconfig"] = training.much if "much" in variant else hook()
    if "profiler" in variant:
        found["profilerconfig"] = PROFILER
    return found


def measure(training: Training, turns: int, folder: Path) -> dict[str, list[list[float]]]:
    """The times of every training, by variant."""
    times: dict[str, list[list[float]]] = {variant: [] for variant in VARIANTS}
    for number in range(turns):
        # Turned around each time, so that none is always the first.
        for variant in VARIANTS if number % 2 == 0 else VARIANTS[::-1]:
            place = folder / f"{training.image}-{number}-{variant.replace(' ', '-')}"
            times[variant] += training.run(place, configuration(training, variant))
    return times


def report(found: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], turns: int) -> Result:
    tables, ratios = [], []
    for name, times in found.items():
        fastest = {
            variant: [min(column) for column in zip(*runs, strict=True)]
            for variant, runs in times.items()
        }
        plain = fastest[WITHOUT]
        rows: dict[str, Sequence[float | None]] = {}
        for variant, (took, cpu) in fastest.items():
            more = [(took / plain[0] - 1) * 100, (cpu / plain[1] - 1) * 100]
            slowest = max(run[0] for run in times[variant])
            rows[variant] = [took, cpu, *([None, None] if variant == WITHOUT else more), slowest]
        columns = ("s", "CPU s", "more %", "more CPU %", "slowest s")
        tables.append(Table(name, columns, rows))
        both = fastest[BOTH][0] / plain[0]
        ratios.append(Ratio(f"time with hook and profiler / without: {name.split(';')[0]}", both))
    return Result(
        name="debugger",
        title="What the Debugger costs",
        method=(
            "Whole jobs, each in a process of its own: without; with a hook of default intervals "
            "(metrics every 10 rounds, losses every 500 steps), with the profiler's phases of "
            "every step, and with both; and with a hook that saves much. They take turns, "
            f"{turns} times, and a job trains several times. Of what a training itself took, "
            "without imports and the reading of data, the fastest of each counts: what else the "
            "machine does only ever makes one slower, and the slowest says how much that was."
        ),
        tables=tables,
        ratios=ratios,
        packages=("numpy", "torch", "xgboost"),
    )


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--quick", action="store_true", help="small trainings, once")
    parser.add_argument(
        "--turns", type=int, default=6, help="of every variant; an even number favours no order"
    )
    arguments = parser.parse_args()
    turns = 1 if arguments.quick else arguments.turns
    found = {}
    with scratch() as folder:
        for training in trainings(arguments.quick):
            print(f"{training.name} ...", file=sys.stderr, flush=True)
            found[training.name] = measure(training, turns, folder)
    finish(report(found, turns), arguments.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
