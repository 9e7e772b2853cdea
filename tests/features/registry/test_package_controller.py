"""The validation of model packages, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bottega.features.registry.controller import ModelPackageController
from bottega.storage.metadata import Resource
from bottega.testing.hosting import HostingStudio


def pending(created: float) -> Resource:
    return Resource("ModelPackage", "m", "arn:m", "Pending", created, created)


def test_a_package_made_anew_while_it_was_validated_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HostingStudio.opened(tmp_path / "h", preload=False) as studio:
        store = studio.studio.ports.store
        store.create(pending(created=1.0))
        read = store.get

        def get(kind: str, name: str) -> Any:
            found = read(kind, name)
            if found.created == 1.0:  # somebody is faster
                store.delete(kind, name)
                store.create(pending(created=2.0))
            return found

        monkeypatch.setattr(store, "get", get)
        ModelPackageController(studio.studio.ports).reconcile("m")
        assert read("ModelPackage", "m").status == "Pending"
        ModelPackageController(studio.studio.ports).reconcile("m")
        assert read("ModelPackage", "m").status == "InProgress"
