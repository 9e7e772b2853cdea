"""A studio with a folder of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.context import Context
from bottega.studio import Studio

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    found = Studio.temporary()
    yield found
    found.close()


@pytest.fixture
def context(studio: Studio) -> Context:
    return studio.owner("sdk")


@pytest.fixture
def call(studio: Studio, context: Context) -> Call:
    def ask(operation: str, /, **request: Any) -> Any:
        return studio.registry.call("bottega", operation, request, context)

    return ask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("files")
    (found / "rows.csv").write_text("name,price\na,1.5\nb,\n")
    return found


@pytest.fixture
def source(call: Call, folder: Path) -> dict[str, Any]:
    """Where a preview of a one-node flow is asked for."""
    edit = {"Kind": "add_source", "Source": {"Kind": "file", "Uri": "rows.csv"}}
    answer = call("EditFlow", Flow="", Edit=edit, Folder=str(folder))
    return {"Flow": answer["Flow"], "NodeId": answer["NodeId"], "Folder": str(folder)}
