"""Every verb of a Jupyter route is authenticated, authorised and names its resource."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from typing import Any

import pytest

import bottega_jupyter.routes
from bottega_jupyter.base import BottegaHandler

VERBS = {"get", "head", "post", "put", "patch", "delete", "options"}


def unguarded(tree: ast.Module) -> list[str]:
    """The verbs of all classes of a module that lack a decorator."""
    wrong = []
    for owner in [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]:
        for verb in owner.body:
            if not isinstance(verb, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            guards = [ast.unparse(guard).split("(")[0] for guard in verb.decorator_list]
            names = [guard.rpartition(".")[2] for guard in guards]
            if verb.name in VERBS and names[:2] != ["authenticated", "authorized"]:
                wrong.append(f"{owner.name}.{verb.name}")
    return wrong


def test_every_verb_is_guarded(sources: Mapping[str, Any]) -> None:
    wrong = {
        name: verbs
        for name, source in sources.items()
        if name.startswith("bottega_jupyter") and (verbs := unguarded(source.tree))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("decorators", "expected"),
    [
        ("@authenticated\n @authorized", []),
        ("@web.authenticated\n @authorized(resource='jobs')", []),
        ("@authorized\n @authenticated", ["A.get"]),
        ("@authenticated", ["A.get"]),
        ("@allow_unauthenticated", ["A.get"]),
        ("", ["A.get"]),
    ],
)
def test_the_rule_knows_an_unguarded_verb(decorators: str, expected: list[str]) -> None:
    tree = ast.parse(f"class A:\n {decorators}\n def get(self): pass")
    assert unguarded(tree) == expected


def test_every_route_is_built_on_the_one_base_and_names_a_resource(
    sources: Mapping[str, Any],
) -> None:
    prefix = bottega_jupyter.routes.__name__ + "."
    modules = [name for name in sources if name.startswith(prefix)]
    assert modules
    for name in modules:
        for path, owner in importlib.import_module(name).routes:
            assert path.startswith("/bottega/"), path
            assert issubclass(owner, BottegaHandler), owner
            assert owner.auth_resource, owner
