"""A model's data becomes the folder that its servers see."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.clock import SystemClock
from bottega.model_servers.plans import ContainerPlan, ModelData, ModelPlan
from bottega.model_servers.staging import stage
from bottega.storage.folder_objects import FolderObjectStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FolderObjectStore]:
    store = FolderObjectStore(tmp_path / "objects", SystemClock())
    store.create_bucket("bucket")
    yield store
    store.close()


def archive(*names: str) -> bytes:
    """A tar.gz with empty files; a name that ends with a slash is a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            entry.mode = 0o755
            tar.addfile(entry)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("shared_libs/", "code/", "code/inference.py"), {"code", "code/inference.py"}),
        (("shared_libs/", "shared_libs/own.so"), {"shared_libs", "shared_libs/own.so"}),
        (("shared_libs",), {"shared_libs"}),
        (("other/", "code/shared_libs/"), {"other", "code", "code/shared_libs"}),
    ],
)
def test_an_empty_folder_of_libraries_is_left_out(
    store: FolderObjectStore, tmp_path: Path, names: tuple[str, ...], found: set[str]
) -> None:
    """The SDK's ModelBuilder packs one, and a script that copies it into ``/lib``."""
    store.put("bucket", "model.tar.gz", archive(*names))
    data = ModelData("s3://bucket/model.tar.gz", archive=True)
    model = ModelPlan("m", (ContainerPlan("python", "python", {}, data),), network=True)
    stage(store, model, tmp_path / "root")
    root = tmp_path / "root" / "model"
    assert {str(path.relative_to(root)) for path in root.rglob("*")} == found
