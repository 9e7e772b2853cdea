"""Every verb of a Jupyter route is authenticated, authorised and names its resource."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from typing import Any

import pytest

import bottega_jupyter.routes
from bottega_jupyter.base import BottegaHandler, BottegaSocket

VERBS = {"get", "head", "post", "put", "patch", "delete", "options"}


def unguarded(tree: ast.Module) -> list[str]:
    """The verbs of all classes of a module that lack a decorator.

    A websocket is opened by ``get``, and has a decorator of its own for that.
    """
    wrong = []
    for owner in [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]:
        for verb in owner.body:
            if not isinstance(verb, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            guards = [ast.unparse(guard).split("(")[0] for guard in verb.decorator_list]
            names = [guard.rpartition(".")[2] for guard in guards]
            first = "ws_authenticated" if _is_socket(owner) else "authenticated"
            if verb.name in VERBS and names[:2] != [first, "authorized"]:
                wrong.append(f"{owner.name}.{verb.name}")
    return wrong


def _is_socket(owner: ast.ClassDef) -> bool:
    return any("Socket" in ast.unparse(base) for base in owner.bases)


def trying(tree: ast.Module) -> list[str]:
    """The verbs that catch something themselves, instead of leaving it to the one place for it."""
    return [
        f"{owner.name}.{verb.name}"
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for verb in owner.body
        if isinstance(verb, ast.FunctionDef | ast.AsyncFunctionDef) and verb.name in VERBS
        if any(isinstance(node, ast.Try | ast.TryStar) for node in ast.walk(verb))
    ]


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


@pytest.mark.parametrize(
    ("decorators", "expected"),
    [
        ("@ws_authenticated\n @authorized", []),
        ("@authenticated\n @authorized", ["A.get"]),
        ("@ws_authenticated", ["A.get"]),
    ],
)
def test_the_rule_knows_an_unguarded_websocket(decorators: str, expected: list[str]) -> None:
    tree = ast.parse(f"class A(BottegaSocket):\n {decorators}\n def get(self): pass")
    assert unguarded(tree) == expected


def test_a_socket_without_a_verb_of_its_own_is_none_of_ours() -> None:
    """Tornado's own ``get`` would open it to anybody."""
    for path, owner in bottega_jupyter.routes.all_routes():
        assert VERBS & vars(owner).keys(), path


def test_no_verb_catches_errors_itself(sources: Mapping[str, Any]) -> None:
    wrong = {
        name: verbs
        for name, source in sources.items()
        if name.startswith("bottega_jupyter") and (verbs := trying(source.tree))
    }
    assert not wrong
    assert trying(ast.parse("class A:\n def get(self):\n  try: pass\n  finally: pass")) == ["A.get"]


def test_no_module_of_routes_is_forgotten(sources: Mapping[str, Any]) -> None:
    prefix = bottega_jupyter.routes.__name__ + "."
    modules = {name.removeprefix(prefix) for name in sources if name.startswith(prefix)}
    assert modules == set(bottega_jupyter.routes.FEATURES)


def test_every_route_is_built_on_the_one_base_and_names_a_resource(
    sources: Mapping[str, Any],
) -> None:
    prefix = bottega_jupyter.routes.__name__ + "."
    modules = [name for name in sources if name.startswith(prefix)]
    assert modules
    for name in modules:
        for path, owner in importlib.import_module(name).routes:
            assert path.startswith("/bottega/"), path
            assert issubclass(owner, BottegaHandler | BottegaSocket), owner
            assert owner.auth_resource, owner
