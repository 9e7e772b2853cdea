"""A real shell of IPython, and a real studio behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas
import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config as ShellConfig

from bottega.testing.daemon import TestDaemon, running_daemon


@pytest.fixture(scope="package")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, stop_grace_seconds=1) as started:
        yield started


@pytest.fixture
def shell(
    daemon: TestDaemon, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> Iterator[InteractiveShell]:
    """A shell with the magics loaded; its notebook has the frame ``iris``."""
    for name, value in daemon.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = ShellConfig({"HistoryManager": {"enabled": False}, "InteractiveShell": {}})
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "bottega")
    shell.user_ns["iris"] = _iris()
    before = _mlflow_variables()
    yield shell
    assert _mlflow_variables() == before, "a magic left its variables behind"
    InteractiveShell.clear_instance()


def _mlflow_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}


def _iris() -> pandas.DataFrame:
    from sklearn.datasets import load_iris

    return load_iris(as_frame=True).frame.sample(frac=1, random_state=0)


@dataclass(frozen=True)
class Ran:
    """What came of a cell."""

    result: ExecutionResult
    text: str
    """All that was printed."""
    bundles: list[dict[str, Any]]
    """All that was displayed."""

    @property
    def value(self) -> Any:
        return self.result.result

    @property
    def refusal(self) -> str:
        """What the cell failed with."""
        error = self.result.error_in_exec or self.result.error_before_exec
        assert error is not None, self.text
        return str(error)


@pytest.fixture
def run(shell: InteractiveShell) -> Callable[[str], Ran]:
    """Run a cell as a notebook would."""

    def run_cell(cell: str) -> Ran:
        with capture_output() as captured:
            result = shell.run_cell(cell)
        bundles = [output.data for output in captured.outputs]
        return Ran(result, captured.stdout + captured.stderr, bundles)

    return run_cell
