"""Data on its way in and out: frames, arrays, files and URIs to channels; rows to request bodies."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bottega.errors import ClientFault
from bottega.sdk.client import Client

if TYPE_CHECKING:
    import pandas

ChannelSource: TypeAlias = "pandas.DataFrame | str | Path"
"""A frame, the path of a file or folder, or an ``s3://`` URI."""

CONTENT_TYPES: Mapping[str, str] = {
    ".csv": "text/csv",
    ".libsvm": "text/libsvm",
    ".svm": "text/libsvm",
    ".parquet": "application/x-parquet",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
}


class DataError(ClientFault):
    """The data cannot be sent as it is; the message says what to change."""

    code = "DataError"


@dataclass(frozen=True)
class PreparedChannel:
    """A channel whose data is in the object store."""

    name: str
    uri: str
    content_type: str
    columns: tuple[str, ...] = ()
    """The feature columns in order, where they are known."""

    def as_input(self) -> dict[str, Any]:
        """The member of InputDataConfig."""
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": self.uri,
            "S3DataDistributionType": "FullyReplicated",
        }
        channel: dict[str, Any] = {"ChannelName": self.name, "DataSource": {"S3DataSource": source}}
        if self.content_type:
            channel["ContentType"] = self.content_type
        return channel


def prepare_channel(
    client: Client,
    name: str,
    source: ChannelSource,
    *,
    target: str | None,
    bucket: str,
    prefix: str,
) -> PreparedChannel:
    """Upload what is not in the object store yet.

    Args:
        target: the label column; it becomes the first column of the CSV that is sent. A CSV or Parquet
            file is read as a frame when a target is given, and sent as it is otherwise.
        prefix: where in the bucket uploads go.

    Raises:
        DataError: the target is not there, a column is not numeric, or the file does not exist.
    """
    if isinstance(source, str) and source.startswith("s3://"):
        return PreparedChannel(name, source, CONTENT_TYPES.get(Path(source).suffix, ""))
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        if not path.exists():
            raise DataError(f"channel {name!r}: {path} does not exist")
        if target is None:
            return _upload_path(client, name, path, bucket, prefix)
        source = _read_frame(path, name)
    if not hasattr(source, "columns") or not hasattr(source, "to_csv"):
        raise DataError(
            f"channel {name!r}: give a pandas DataFrame, a path or an s3:// URI, "
            f"not {type(source).__name__}"
        )
    frame = _label_first(source, target, name)
    text = frame.to_csv(index=False, header=False)
    uri = client.put_object(bucket, f"{prefix}/{name}/{name}.csv", text.encode())
    columns = tuple(str(column) for column in frame.columns[1 if target is not None else 0 :])
    return PreparedChannel(name, uri, "text/csv", columns)


def _upload_path(
    client: Client, name: str, path: Path, bucket: str, prefix: str
) -> PreparedChannel:
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    if not files:
        raise DataError(f"channel {name!r}: the folder {path} holds no files")
    root = path if path.is_dir() else path.parent
    for file in files:
        key = f"{prefix}/{name}/{file.relative_to(root).as_posix()}"
        client.put_object(bucket, key, file)
    content_type = CONTENT_TYPES.get(files[0].suffix, "")
    return PreparedChannel(name, f"s3://{bucket}/{prefix}/{name}/", content_type)


def _read_frame(path: Path, name: str) -> pandas.DataFrame:
    import pandas

    if path.suffix == ".csv":
        return pandas.read_csv(path)
    if path.suffix == ".parquet":
        return pandas.read_parquet(path)
    raise DataError(
        f"channel {name!r}: a target can be named for .csv and .parquet files and frames, "
        f"not for {path.name}"
    )


def _label_first(frame: pandas.DataFrame, target: str | None, name: str) -> pandas.DataFrame:
    if target is not None:
        if target not in frame.columns:
            known = ", ".join(map(str, frame.columns))
            raise DataError(f"channel {name!r} has no column {target!r}; it has {known}")
        frame = frame[[target, *[column for column in frame.columns if column != target]]]
    kinds = {column: frame[column].dtype.kind for column in frame.columns}
    text = [str(column) for column, kind in kinds.items() if kind not in "biuf"]
    if text:
        raise DataError(
            f"channel {name!r}: not numeric: {', '.join(text)}. Encode these columns first, for "
            "example with pandas.get_dummies or .astype('category').cat.codes"
        )
    booleans = [column for column, kind in kinds.items() if kind == "b"]
    return frame.astype(dict.fromkeys(booleans, "int8"))


@dataclass(frozen=True)
class Payload:
    """The body of an invocation."""

    body: bytes
    content_type: str


def encode_rows(rows: Any, columns: Sequence[str] = ()) -> Payload:
    """Rows as a request body.

    Args:
        rows: a DataFrame, an array, a list of rows or of numbers (one row), a dict (JSON), text (CSV)
            or bytes (CSV).
        columns: the model's feature columns; a frame that has them all is brought into their order.
    """
    if isinstance(rows, bytes):
        return Payload(rows, "text/csv")
    if isinstance(rows, str):
        return Payload(rows.encode(), "text/csv")
    if isinstance(rows, Mapping):
        return Payload(json.dumps(rows).encode(), "application/json")
    if hasattr(rows, "to_csv"):
        if columns and set(columns) <= {str(column) for column in rows.columns}:
            rows = rows[list(columns)]
        return Payload(rows.to_csv(index=False, header=False).encode(), "text/csv")
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
    table = rows if rows and isinstance(rows[0], (list, tuple)) else [rows]
    lines = (",".join("" if value is None else str(value) for value in row) for row in table)
    return Payload("\n".join(lines).encode(), "text/csv")


def decode_predictions(body: bytes, content_type: str) -> Any:
    """An answer as numbers: an array for CSV (one row an input row), the parsed document for JSON."""
    kind = content_type.partition(";")[0].strip()
    if kind == "application/json":
        return json.loads(body)
    if kind in ("application/jsonlines", "application/x-jsonlines"):
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    if kind == "text/csv":
        import numpy

        try:
            return numpy.loadtxt(io.BytesIO(body), delimiter=",", ndmin=1)
        except ValueError:
            return body.decode().splitlines()
    return body
