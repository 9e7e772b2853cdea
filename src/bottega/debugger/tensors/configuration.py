"""What a DebugHookConfig asks for, read from the request or from ``debughookconfig.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.saving import ReductionConfig, SaveConfig, flag, words

LOCAL_PATH = "/opt/ml/output/tensors"
PATTERNS: Mapping[str, str] = {
    "relu_input": r"relu_input",
    "relu_output": r"relu_output",
    "input_image": r"hybridsequential0_input_0",
    "input_sequence": r"embedding0_input_0",
}
"""Collections that rules ask for by name, whatever the framework, and what is in them."""
_SCALARS = frozenset({"losses", "metrics", "feature_importance", "average_shap", "sm_metrics"})
"""Collections of single numbers, which have no reductions."""


class ConfigurationError(ValueError):
    """A DebugHookConfig that cannot be followed."""


@dataclass(frozen=True)
class Framework:
    """What a framework's hook knows to save."""

    name: str
    patterns: Mapping[str, str]
    """Its own collections, and what the names of their tensors are like."""
    always: tuple[str, ...] = ()
    """Collections that are saved when nobody has named them, too."""
    interval: int = 500
    """Steps between two that are saved, where the configuration says nothing."""


@dataclass(frozen=True)
class HookConfiguration:
    """A DebugHookConfig, understood."""

    local_path: str = LOCAL_PATH
    parameters: Mapping[str, str] = field(default_factory=dict)
    """HookParameters."""
    collections: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """CollectionParameters by CollectionName."""
    save_all: bool = False
    all_workers: bool = False
    """Whether every worker writes, or the first alone."""
    dry_run: bool = False

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> HookConfiguration:
        """Understand a DebugHookConfig, or refuse it.

        Raises:
            ConfigurationError: a parameter is not what it has to be; says which and where.
        """
        parameters = _strings(document.get("HookParameters"))
        collections: dict[str, dict[str, str]] = {}
        for one in document.get("CollectionConfigurations") or ():
            name = one.get("CollectionName")
            if not name:
                raise ConfigurationError(
                    "DebugHookConfig: a member of CollectionConfigurations has no CollectionName."
                )
            collections[str(name)] = _strings(one.get("CollectionParameters"))
        try:
            workers = str(parameters.get("include_workers", "one")).strip().lower()
            if workers not in ("one", "all"):
                raise ValueError(f"include_workers is {workers!r}; it is either one or all.")
            found = cls(
                local_path=str(document.get("LocalPath") or LOCAL_PATH),
                parameters=parameters,
                collections=collections,
                save_all=flag(parameters.get("save_all", False), "save_all"),
                all_workers=workers == "all",
                dry_run=flag(parameters.get("dry_run", False), "dry_run"),
            )
        except ValueError as error:
            raise ConfigurationError(f"DebugHookConfig.HookParameters: {error}") from error
        found.resolved(Framework("", {}))
        return found

    def resolved(self, framework: Framework) -> list[Collection]:
        """The collections to save with a framework's hook, each with all that it needs.

        Raises:
            ConfigurationError: a parameter is not what it has to be.
        """
        with _naming("HookParameters"):
            save = SaveConfig.every(framework.interval).with_parameters(self.parameters)
            form = ReductionConfig.from_parameters(self.parameters) or ReductionConfig()
            include = _patterns(self.parameters)
        named = dict(self.collections)
        for name in framework.always:
            named.setdefault(name, {})
        if self.save_all:
            named.setdefault("all", {})
        if include:
            named.setdefault("default", {})
        if "all" in named:
            for name in framework.patterns:
                named.setdefault(name, {})
        known = {**PATTERNS, **framework.patterns, "all": r".*"}
        resolved = []
        for name, parameters in named.items():
            with _naming(f"CollectionConfigurations, collection {name}"):
                collection = Collection(name)
                own = _patterns(parameters)
                collection.include(own)
                if not own and name in known:
                    collection.include(known[name])
                elif own and name in framework.patterns:
                    collection.include(framework.patterns[name])
                if name == "default":
                    collection.include(include)
                collection.save_config = save.with_parameters(parameters)
                collection.reduction_config = (
                    ReductionConfig()
                    if name in _SCALARS
                    else ReductionConfig.from_parameters(parameters) or form
                )
                collection.save_histogram = name not in _SCALARS
            resolved.append(collection)
        return resolved


class _naming:
    """Says where in the DebugHookConfig a refused parameter is."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError):
            raise ConfigurationError(f"DebugHookConfig.{self._where}: {error}") from error


def _strings(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in (given or {}).items()}


def _patterns(parameters: Mapping[str, str]) -> list[str]:
    found = words(parameters.get("include_regex", ""))
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"include_regex has {pattern!r}, which is no pattern: {error}"
            ) from None
    return found
