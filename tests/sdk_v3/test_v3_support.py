"""``support.toml``, from which docs/sdk.md is made, says what these tests show."""

from __future__ import annotations

import ast
import importlib
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from sagemaker.core import resources

HERE = Path(__file__).parent
CLASSES: list[dict[str, Any]] = tomllib.loads((HERE / "support.toml").read_text())["class"]
PREFIX = "sagemaker.core.resources."
REFUSED = [
    *("AIBenchmarkJob", "AIRecommendationJob", "AIWorkloadConfig", "Algorithm", "App"),
    *("AppImageConfig", "AutoMLJob", "Cluster"),
    *("ClusterSchedulerConfig", "CodeRepository", "CompilationJob", "ComputeQuota"),
    *("DataQualityJobDefinition", "Device", "DeviceFleet", "Domain", "EdgeDeploymentPlan"),
    *("EdgePackagingJob", "FeatureGroup", "FlowDefinition", "Hub", "HumanTaskUi"),
    *("Image", "InferenceExperiment", "InferenceRecommendationsJob"),
    *("LabelingJob", "LineageGroup", "MlflowApp", "MlflowTrackingServer"),
    *("ModelBiasJobDefinition", "ModelCard", "ModelExplainabilityJobDefinition"),
    *("ModelQualityJobDefinition", "MonitoringExecution", "MonitoringSchedule"),
    *("NotebookInstance", "NotebookInstanceLifecycleConfig", "OptimizationJob", "PartnerApp"),
    *("Pipeline", "Project", "ResourceCatalog", "Space", "StudioLifecycleConfig"),
    *("SubscribedWorkteam", "TrainingPlan", "UserProfile"),
    *("Workforce", "Workteam"),
]
"""Resource classes whose operations are not implemented."""


INTERNAL = {
    *("add_validate_call", "get_name", "get_sagemaker_client", "model_post_init"),
    *("get_updated_kwargs_with_configured_attributes", "populate_inputs_decorator"),
    "populate_chained_attributes",
}
"""Methods of the SDK's classes that are for itself, although their names do not say so."""


def public(kind: type) -> set[str]:
    """The methods and properties of a class that the SDK gives it."""
    own = (base for base in inspect.getmro(kind) if base.__module__.startswith("sagemaker"))
    kinds = (classmethod, staticmethod, property)
    return {
        name
        for base in own
        for name, value in vars(base).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds))
    } - INTERNAL


def all_tests() -> set[str]:
    """Every test of this folder, as ``file.py::name``."""
    return {
        f"{file.name}::{node.name}"
        for file in HERE.glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def methods() -> Iterator[tuple[str, dict[str, str]]]:
    for entry in CLASSES:
        for method in entry["method"]:
            yield entry["name"], method


@pytest.mark.parametrize("entry", CLASSES, ids=lambda entry: entry["name"])
def test_every_line_names_something_and_its_test(entry: dict[str, Any]) -> None:
    module, _, name = entry["name"].rpartition(".")
    found = getattr(importlib.import_module(module), name)
    shown = all_tests()
    for method in entry["method"]:
        assert method["support"] in ("works", "partly", "refuses")
        assert method["test"] in shown
        assert method["support"] == "works" or method.get("note")
        for part in method["name"].split(", "):
            known = (
                part == "*" or hasattr(found, part) or part in inspect.signature(found).parameters
            )
            assert part == "*" or known, part
    said = {part for method in entry["method"] for part in method["name"].split(", ")}
    if inspect.isclass(found) and "*" not in said:
        untested = set(entry.get("untested", []))
        assert not untested & said
        assert untested == public(found) - said


def test_nothing_is_said_twice() -> None:
    names = [entry["name"] for entry in CLASSES]
    assert len(names) == len(set(names))
    said = [(name, method["name"]) for name, method in methods()]
    assert len(said) == len(set(said))


def listed() -> list[str]:
    """The resource classes that can be listed without an argument."""
    found = []
    for name, kind in vars(resources).items():
        if inspect.isclass(kind) and issubclass(kind, resources.Base) and hasattr(kind, "get_all"):
            parameters = inspect.signature(kind.get_all).parameters.values()
            if all(parameter.default is not parameter.empty for parameter in parameters):
                found.append(name)
    return found


def test_every_resource_is_in_the_table() -> None:
    said = {entry["name"].removeprefix(PREFIX) for entry in CLASSES}
    (refused,) = (entry for entry in CLASSES if entry["name"] == PREFIX.removesuffix("."))
    assert refused["method"][0]["name"].split(", ") == REFUSED
    assert set(listed()) <= said | set(REFUSED)
    for name in set(listed()) - set(REFUSED):
        list(getattr(resources, name).get_all())


@pytest.mark.parametrize("name", REFUSED)
def test_a_resource_that_is_refused(name: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="is not implemented by this bottega"):
        list(getattr(resources, name).get_all())
