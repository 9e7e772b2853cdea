"""Rows of a Parquet file, read by a process of its own: its library is large, and the file may be
anything."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bottega.storage.previews.columns import Column
from bottega.storage.previews.source import PreviewFailed

SECONDS = 30.0
"""How long reading may take; starting is most of it."""
MEMORY_BYTES = 4 * 1024**3
"""How much memory it may take: some kilobytes of Parquet can stand for any amount."""


@dataclass(frozen=True)
class ParquetRows:
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    truncated: bool


def read(path: Path, max_rows: int) -> ParquetRows:
    """The first rows.

    Raises:
        PreviewFailed: it is no Parquet, or cannot be read within the time and the memory.
    """
    try:
        run = subprocess.run(
            # -P: what lies in the working folder is not imported.
            [
                *(sys.executable, "-P", "-m", f"{__package__}.parquet_rows"),
                *(str(path), str(max_rows), str(MEMORY_BYTES)),
            ],
            capture_output=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise PreviewFailed(f"it could not be read in {SECONDS:.0f} seconds") from error
    if run.returncode != 0:
        lines = run.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PreviewFailed(f"it cannot be read as Parquet: {lines[-1] if lines else 'no reason'}")
    found = json.loads(run.stdout)
    return ParquetRows(
        tuple(Column(**column) for column in found["columns"]),
        tuple(map(tuple, found["rows"])),
        found["truncated"],
    )
