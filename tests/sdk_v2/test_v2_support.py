"""The table of what works is about the SDK that is installed, and leaves out no method of it."""

from __future__ import annotations

import importlib
import inspect
import tomllib
from pathlib import Path
from typing import Any

import pytest

CLASSES = tomllib.loads((Path(__file__).with_name("support.toml")).read_text("utf-8"))["class"]


@pytest.mark.parametrize("shown", CLASSES, ids=lambda shown: shown["name"])
def test_a_class_and_its_methods(shown: dict[str, Any]) -> None:
    module, _, name = shown["name"].rpartition(".")
    members = inspect.getmembers(getattr(importlib.import_module(module), name), callable)
    public = {member for member, _ in members if not member.startswith("_")}
    tested = [method["name"] for method in shown["method"]]
    listed = [*tested, *shown.get("untested", [])]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= public
    if "like" not in shown:
        assert set(listed) == public
    else:
        assert shown["like"] in {other["name"] for other in CLASSES}
