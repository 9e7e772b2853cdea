"""Doing something to a module as soon as it is imported, by whomever."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Action = Callable[[ModuleType], None]


class _Watcher(MetaPathFinder):
    """Finds nothing itself; wraps the loader of the modules that are waited for."""

    def __init__(self) -> None:
        self.actions: dict[str, list[Action]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.actions:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                # The actions stay: not everyone who looks for a module imports it.
                spec.loader = _Loader(spec.loader, self.actions)
                return spec
        return None


class _Loader(Loader):
    """Loads as another loader does, and then lets the module's actions have it."""

    def __init__(self, loader: Loader, actions: dict[str, list[Action]]) -> None:
        self._loader = loader
        self._actions = actions

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: it may ask it for resources.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for action in self._actions.pop(module.__name__, ()):
            action(module)


_WATCHER = _Watcher()


def when_imported(name: str, action: Action) -> None:
    """Call an action with a module now, where it is imported already, or as soon as it is.

    Args:
        name: the module's full name.
        action: what to do; called once, in the thread that imports.
    """
    module = sys.modules.get(name)
    if module is not None:
        action(module)
        return
    _WATCHER.actions.setdefault(name, []).append(action)
    if _WATCHER not in sys.meta_path:
        sys.meta_path.insert(0, _WATCHER)


def forget(name: str) -> None:
    """Wait for a module no longer."""
    _WATCHER.actions.pop(name, None)
