"""The table of what the SDKs can do names tests that are there and call what they stand for."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import sdk_support

ROWS = [
    pytest.param(line, method, id=f"{line}:{shown['name']}.{method['name']}")
    for line in ("v2", "v3")
    for shown in sdk_support.table(line)
    for method in shown.get("method", [])
]


@pytest.mark.parametrize(("line", "method"), ROWS)
def test_every_row_is_shown_by_a_test(line: str, method: dict[str, Any]) -> None:
    assert set(method) <= {"name", "support", "test", "note"}
    assert method["support"] in sdk_support.WORDS
    assert method["support"] != "partly" or method["note"]
    file, _, name = method["test"].partition("::")
    text = (sdk_support.TESTS / f"sdk_{line}" / file).read_text("utf-8")
    functions = {
        node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    }
    assert name.partition("[")[0] in functions
    for word in sdk_support.names(method):
        assert word == "*" or word in text, f"{file} never says {word}"


def test_no_class_is_listed_twice() -> None:
    for line in ("v2", "v3"):
        names = [shown["name"] for shown in sdk_support.table(line)]
        assert len(set(names)) == len(names)
