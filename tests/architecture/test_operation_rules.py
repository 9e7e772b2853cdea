"""Every operation is tested where it works and where it is called from, and is in the table."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import botocore
import pytest
from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.session import Session

from bottega.registry import OperationSpec
from bottega.specs import generated
from bottega.studio import registry_of_operations

OPERATIONS = registry_of_operations().operations()
ROOT = Path(__file__).resolve().parents[2]


def named(spec: OperationSpec) -> str:
    return f"{spec.service}:{spec.name}"


@cache
def texts(*, boto3: bool) -> tuple[str, ...]:
    """The test files that speak through a boto3 client, or all others."""
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if "architecture" not in path.parts:
            text = path.read_text()
            if ("boto3" in text) is boto3:
                found.append(text)
    return tuple(found)


@cache
def paths_to(service: str, name: str) -> tuple[str, ...]:
    """How a test may name an operation: as AWS does, or as boto3's method, paginator or waiter."""
    method = xform_name(name)
    ways = [f'"{name}"', f".{method}(", f'"{method}"', f" {method},", f" {method}("]
    return (*ways, *(f'"{xform_name(waiter)}"' for waiter in waiters_on(service, name)))


def waiters_on(service: str, name: str) -> list[str]:
    """The waiters of boto3 that ask an operation until it says what they wait for."""
    try:
        model = Session().get_waiter_model(service)
    except (UnknownServiceError, DataNotFoundError):
        return []
    return [waiter for waiter in model.waiter_names if model.get_waiter(waiter).operation == name]


@pytest.mark.parametrize("spec", OPERATIONS, ids=named)
def test_it_has_a_feature_test(spec: OperationSpec) -> None:
    ways = paths_to(spec.service, spec.name)
    assert any(way in text for text in texts(boto3=False) for way in ways), (
        f"no test below the wire names {spec.name}"
    )


@pytest.mark.parametrize(
    "spec", [spec for spec in OPERATIONS if spec.service != "bottega"], ids=named
)
def test_it_has_a_test_through_boto3(spec: OperationSpec) -> None:
    ways = paths_to(spec.service, spec.name)
    assert any(way in text for text in texts(boto3=True) for way in ways), (
        f"no test with a boto3 client names {spec.name}"
    )


@pytest.mark.parametrize("spec", OPERATIONS, ids=named)
def test_it_is_in_the_coverage_table(spec: OperationSpec) -> None:
    lines = (ROOT / "docs" / "coverage.md").read_text().splitlines()
    assert any(spec.name in line and spec.level in line for line in lines)


def test_regenerating_changes_nothing() -> None:
    if botocore.__version__ != generated.BOTOCORE_VERSION:
        pytest.skip(
            f"the files are generated from botocore {generated.BOTOCORE_VERSION}, "
            f"here is {botocore.__version__}"
        )
    run = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate"), "--check"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stdout + run.stderr
