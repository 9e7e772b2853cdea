"""What the fork server preloads must start no threads, and the API's part must stay light."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


def run(code: str) -> str:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted in /proc")
def test_preloaded_modules_start_no_threads() -> None:
    code = """
import os
# What the libraries start by themselves is their own; the fork server sees to that.
import numpy, pandas, pyarrow, scipy.sparse, sklearn.base, xgboost
before = len(os.listdir("/proc/self/task"))
import bottega.container.train, bottega.container.inference, bottega.container.script_mode
import bottega.algorithms.xgboost.training, bottega.algorithms.xgboost.rounds
import bottega.algorithms.xgboost.serving, bottega.algorithms.xgboost.folds
import bottega.algorithms.xgboost.framework, bottega.algorithms.xgboost.metrics
print(before, len(os.listdir("/proc/self/task")))
"""
    before, after = run(code).split()
    assert before == after


def test_descriptions_import_no_heavy_library() -> None:
    code = """
import json, sys
from bottega.algorithms import images, registry
from bottega.algorithms.images import resolve
for name in registry.names():
    found = registry.algorithm(name)
    found.hyperparameters.defaults()
    resolve(name)
import bottega.container.train, bottega.container.environment
heavy = {"numpy", "pandas", "scipy", "sklearn", "xgboost", "pyarrow", "boto3"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""
    assert json.loads(run(code)) == []
