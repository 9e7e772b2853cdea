"""The program that reads the first rows of a Parquet file and prints them as JSON.

Arguments: the file, how many rows, and how many bytes of memory that may take.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

_LONGEST_CELL = 1000


def main(path: str, max_rows: int, memory: int) -> None:
    """Print columns, rows and whether there are more."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = memory if most == resource.RLIM_INFINITY else min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, most))
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            schema, total = file.schema_arrow, file.metadata.num_rows
            batch = next(file.iter_batches(batch_size=max_rows), None)
            columns = [column.to_pylist() for column in batch.columns] if batch else []
    except MemoryError:  # Arrow's own is one, too
        sys.exit(f"its first rows take more than {memory >> 20} MiB of memory")
    except (pyarrow.ArrowException, OSError) as error:
        sys.exit(str(error).splitlines()[0])
    columns = columns or [[] for _ in schema]
    answer = {
        "columns": [
            {"name": field.name, "type": _type(field.type), "missing": cells.count(None)}
            for field, cells in zip(schema, columns, strict=True)
        ],
        "rows": [[_text(cell) for cell in row] for row in zip(*columns, strict=True)],
        "truncated": total > max_rows,
    }
    print(json.dumps(answer))


def _type(kind: Any) -> str:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    return "time" if types.is_temporal(kind) else "text"


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return cell[:_LONGEST_CELL].decode("utf-8", "replace")
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, default=str)[:_LONGEST_CELL]
    return str(cell)[:_LONGEST_CELL]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
