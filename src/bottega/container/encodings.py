"""The formats that a user's inference script gets for nothing: JSON, CSV, NPY and NPZ."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

JSON, CSV = "application/json", "text/csv"
NPY, NPZ = "application/x-npy", "application/x-npz"
TEXT_TYPES = (JSON, CSV)
"""Bodies of these types reach the script as ``str``, any other as ``bytes``."""


class UnsupportedFormat(Exception):
    """There is no default for this media type; the script has to bring its own function."""


class Undecodable(Exception):
    """The body is not what its media type says."""


def media_type(text: str) -> str:
    """The media type without parameters, in lower case."""
    return text.partition(";")[0].strip().lower()


def decode(body: bytes, content_type: str) -> Any:
    """Decode a body into an array; CSV and NPZ have rows also where there is only one.

    Raises:
        UnsupportedFormat: the type is none of the four.
        Undecodable: the body is not of that type.
    """
    kind = media_type(content_type)
    reader = _DECODERS.get(kind)
    if reader is None:
        raise UnsupportedFormat(
            f"Content type {content_type} is not supported; {', '.join(_DECODERS)} are, "
            "or give the script an input_fn."
        )
    try:
        return reader(body)
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise Undecodable(f"The body is not {kind}: {error}") from error


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Encode a prediction; gives the bytes and their media type.

    Raises:
        UnsupportedFormat: the type wanted is not JSON, CSV or NPY.
    """
    for wanted in accept.split(","):
        kind = media_type(wanted)
        writer = _ENCODERS.get(JSON if kind in ("*/*", "application/*", "") else kind)
        if writer is not None:
            found = JSON if kind not in _ENCODERS else kind
            return writer(prediction), found
    raise UnsupportedFormat(
        f"Accept type {accept} is not supported; {', '.join(_ENCODERS)} are, or give the script an "
        "output_fn."
    )


def _from_json(body: bytes) -> Any:
    import numpy as np

    return np.array(json.loads(body))


def _from_csv(body: bytes) -> Any:
    import numpy as np

    rows = [row for row in csv.reader(io.StringIO(body.decode())) if row]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("rows have different numbers of columns")
    try:
        return np.array([[float(cell or "nan") for cell in row] for row in rows])
    except ValueError:
        return np.array(rows)


def _from_npy(body: bytes) -> Any:
    import numpy as np

    # Requests come from anyone: an array that needs unpickling is refused.
    return np.load(io.BytesIO(body), allow_pickle=False)


def _from_npz(body: bytes) -> Any:
    from scipy import sparse

    return sparse.load_npz(io.BytesIO(body))


def _to_json(prediction: Any) -> bytes:
    return json.dumps(_plain(prediction)).encode()


def _to_csv(prediction: Any) -> bytes:
    import numpy as np

    text = io.StringIO()
    np.savetxt(text, np.atleast_1d(np.asarray(prediction)), delimiter=",", fmt="%s")
    return text.getvalue().encode()


def _to_npy(prediction: Any) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.asarray(prediction), allow_pickle=False)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    """Arrays, frames and numpy numbers as what JSON can hold, at any depth."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records")
    return value.tolist() if hasattr(value, "tolist") else value


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    JSON: _from_json,
    CSV: _from_csv,
    NPY: _from_npy,
    NPZ: _from_npz,
}
_ENCODERS: dict[str, Callable[[Any], bytes]] = {JSON: _to_json, CSV: _to_csv, NPY: _to_npy}
