"""Doing something to a module as soon as it is imported."""

from __future__ import annotations

import importlib
import importlib.resources
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.container.debugging import imports


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package that nobody has imported."""
    folder = tmp_path / "watched_pkg"
    folder.mkdir()
    (folder / "__init__.py").write_text("from watched_pkg import part\nvalue = 1\n")
    (folder / "part.py").write_text("value = 2\n")
    (folder / "data.txt").write_text("data")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "watched_pkg"
    for name in ("watched_pkg", "watched_pkg.part"):
        imports.forget(name)
        sys.modules.pop(name, None)


def test_the_action_comes_after_the_module_is_whole(package: str) -> None:
    seen: list[tuple[str, int]] = []
    for name in (package, f"{package}.part"):
        imports.when_imported(name, lambda module: seen.append((module.__name__, module.value)))
    assert seen == []
    importlib.import_module(package)
    importlib.import_module(package)
    assert seen == [(f"{package}.part", 2), (package, 1)]


def test_a_module_that_is_there_is_acted_on_at_once(package: str) -> None:
    importlib.import_module(package)
    seen: list[str] = []
    imports.when_imported(package, lambda module: seen.append(module.__name__))
    assert seen == [package]


def test_looking_for_a_module_is_not_importing_it(package: str) -> None:
    seen: list[str] = []
    imports.when_imported(package, lambda module: seen.append(module.__name__))
    assert importlib.util.find_spec(package) is not None
    assert seen == []
    importlib.import_module(package)
    assert seen == [package]


def test_the_module_keeps_its_loader(package: str) -> None:
    imports.when_imported(package, lambda module: None)
    module = importlib.import_module(package)
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__
    assert importlib.resources.files(package).joinpath("data.txt").read_text() == "data"
    assert importlib.reload(module) is module


def test_a_module_that_is_nowhere_is_missing_as_ever(package: str) -> None:
    imports.when_imported("watched_nowhere", lambda module: None)
    with pytest.raises(ModuleNotFoundError, match="watched_nowhere"):
        importlib.import_module("watched_nowhere")
    imports.forget("watched_nowhere")
