"""Runs the benchmarks as a person would, with numbers so small that they say nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run ``benchmarks/<name>.py`` with some arguments; returns the document it wrote, which is
    called like the benchmark unless ``result`` says otherwise."""

    def run(name: str, *arguments: str, result: str = "") -> dict[str, Any]:
        found = subprocess.run(
            [sys.executable, str(FOLDER / f"{name}.py"), "--results", str(tmp_path), *arguments],
            capture_output=True,
            text=True,
            timeout=170,
        )
        assert found.returncode == 0, found.stderr
        document: dict[str, Any] = json.loads((tmp_path / f"{result or name}.json").read_text())
        assert found.stdout.startswith(f"## {document['title']}")
        return document

    return run


@pytest.fixture
def measurement(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmarks' common module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import measurement

    return measurement
