"""Requests for models without a script: tables and arrays, as JSON, CSV, NPY or NPZ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bottega.algorithms.base import RequestError
from bottega.container import encodings


def read(body: bytes, content_type: str) -> Any:
    """The content of a request: an array, or a mapping of names to values, or a frame.

    JSON is an array of rows, an array of objects (a frame), an object, or either of the first two
    as ``{"instances": ...}``.

    Raises:
        encodings.UnsupportedFormat: the type is none of these.
        encodings.Undecodable: the body is not of that type.
    """
    if encodings.media_type(content_type) != encodings.JSON:
        return encodings.decode(body, content_type)
    import numpy as np
    import pandas as pd

    try:
        found = json.loads(body)
        if isinstance(found, dict):
            if set(found) != {"instances"}:
                return found
            found = found["instances"]
        if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
            return pd.DataFrame(found)
        return np.array(found)
    except (ValueError, RecursionError) as error:
        raise encodings.Undecodable(f"The body is not {encodings.JSON}: {error}") from error


def as_rows(data: Any, columns: Sequence[str] | None) -> Any:
    """The data as rows for a model of tables: a frame where the model knows its columns by name.

    Args:
        data: what :func:`read` gave; an object is one row.
        columns: the model's, in its order; None where it has no names.

    Raises:
        RequestError: 400, the columns are others than the model's.
    """
    import pandas as pd

    if isinstance(data, dict):
        data = pd.DataFrame([data])
    if isinstance(data, pd.DataFrame):
        if columns is None:
            return data.to_numpy()
        if missing := [name for name in columns if name not in data.columns]:
            raise RequestError(400, f"The request lacks the columns {', '.join(missing)}.")
        return data[list(columns)]
    if getattr(data, "ndim", 2) == 1:
        data = data.reshape(1, -1)
    if columns is None or getattr(data, "ndim", 0) != 2:
        return data
    if data.shape[1] != len(columns):
        raise RequestError(
            400,
            f"The model takes {len(columns)} columns ({', '.join(columns)}), not {data.shape[1]}.",
        )
    if hasattr(data, "tocsr"):  # sparse
        return data
    frame = pd.DataFrame(data, columns=list(columns))
    return frame if data.dtype.kind in "fiub" else frame.apply(_numbers_where_possible)


def _numbers_where_possible(column: Any) -> Any:
    import pandas as pd

    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column
