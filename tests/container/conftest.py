"""What tests of requirements install."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Makes a wheel with one module, as pip takes it."""

    def make(name: str, version: str, source: str) -> Path:
        info = f"{name}-{version}.dist-info"
        path = tmp_path / "wheels" / f"{name}-{version}-py3-none-any.whl"
        path.parent.mkdir(exist_ok=True)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        kind = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(f"{name}.py", source)
            file.writestr(f"{info}/METADATA", about)
            file.writestr(f"{info}/WHEEL", kind)
            file.writestr(f"{info}/RECORD", "")
        return path

    return make
