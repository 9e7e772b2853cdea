"""What has to start at once does not drag along what takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    *("pandas", "numpy", "scipy", "sklearn", "xgboost", "pyarrow", "matplotlib", "torch"),
    *("mlflow", "jupyter_server", "jupyterlab", "IPython", "ipywidgets", "plotly", "tornado"),
    "optuna",
)


def loaded_by(statement: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after a statement."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    modules = json.loads(run.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in modules} & set(HEAVY)


@pytest.mark.parametrize(
    "module",
    [
        "bottega",
        "bottega.cli.main",
        "bottega.daemon.main",
        "bottega.daemon.service",
        "bottega.sdk.session",
        "bottega.studio",
        "bottega.tracking.mlflow_rest",
        "bottega.tracking.process",
        "bottega.tracking.proxy",
        "bottega_jupyter",
    ],
)
def test_importing_it_is_light(module: str) -> None:
    assert loaded_by(f"import {module}") == set()


def test_every_module_of_the_daemon_is_light() -> None:
    statement = (
        "import importlib, pkgutil, bottega.daemon\n"
        "for found in pkgutil.walk_packages(bottega.daemon.__path__, 'bottega.daemon.'):\n"
        "    if not found.name.endswith('__main__'): importlib.import_module(found.name)"
    )
    assert loaded_by(statement) == set()


def test_finding_all_operations_is_light() -> None:
    statement = "from bottega.studio import registry_of_operations; registry_of_operations()"
    assert loaded_by(statement) == set()


def test_importing_bottega_leaves_the_sdk_for_later() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import bottega, sys; print('bottega.sdk.session' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"
