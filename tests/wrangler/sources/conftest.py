"""A database and a folder for sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bottega.wrangler.engine.database import Database
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sources.nodes import Source


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty one."""
    with Database(tmp_path / "database", threads=2, memory=1 << 30) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of a test lie."""
    made = tmp_path / "flow"
    made.mkdir()
    return made


@pytest.fixture
def sources(database: Database, folder: Path) -> FileSources:
    """Reads files of the folder."""
    return FileSources(database, folder)


@pytest.fixture
def read(sources: FileSources) -> Callable[..., pd.DataFrame]:
    """Reads a file of the folder whole; options as keywords."""

    def reading(path: str, **options: Any) -> pd.DataFrame:
        return sources.relation(node(path, **options)).frame()

    return reading


@pytest.fixture
def told(sources: FileSources) -> Callable[..., str]:
    """What is odd about a file of the folder, after all of it was read."""

    def telling(path: str, **options: Any) -> str:
        sources.relation(node(path, **options))
        return " ".join(sources.findings(node(path, **options)))

    return telling


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the clone."""
    root = Path(__file__).resolve().parents[3]
    found = Path(os.environ.get("BOTTEGA_TEST_DATA", root.parent / "shared" / "data"))
    if not found.is_dir():
        pytest.skip(f"the real data sets are not at {found}; set BOTTEGA_TEST_DATA")
    return found


def node(path: str, **options: Any) -> Node:
    """The node of a file."""
    source = Source.given({"Kind": "file", "Uri": path, "Options": options})
    return Node(source.node("source"))
