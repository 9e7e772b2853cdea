"""Data on its way to a job: frames, files and URIs become channels in the object store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bottega.errors import ClientFault
from bottega.nearest import nearest
from bottega.sdk.client import Client

if TYPE_CHECKING:
    import pandas

    from bottega.algorithms.base import Algorithm

ChannelSource: TypeAlias = "pandas.DataFrame | str | Path"
"""A frame, the path of a file or folder, or an ``s3://`` URI."""

CONTENT_TYPES: Mapping[str, str] = {
    ".csv": "text/csv",
    ".libsvm": "text/libsvm",
    ".svm": "text/libsvm",
    ".parquet": "application/x-parquet",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".pbr": "application/x-recordio-protobuf",
    ".txt": "text/plain",
    ".jpg": "application/x-image",
    ".jpeg": "application/x-image",
    ".png": "application/x-image",
}
RECORDS = "application/x-recordio-protobuf"
TABLES = (".csv", ".parquet")
"""Files that are read as a frame when a target is named."""
_SHOWN_COLUMNS = 12


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


@dataclass(frozen=True)
class ChannelWriter:
    """Brings the channels of one job into the object store.

    Attributes:
        prefix: where in the bucket uploads go.
        target: the label column. It becomes the first column of the CSV that is sent; a CSV or
            Parquet
            file is read as a frame when a target is given, and sent as it is otherwise.
        for_script: frames go to a user's script: with their header, and whatever is in them.
        content_type: of files and URIs whose suffix does not tell.
        algorithm: the built-in algorithm that reads, which decides in which form a frame is sent.
    """

    client: Client
    bucket: str
    prefix: str
    target: str | None = None
    for_script: bool = False
    content_type: str = ""
    algorithm: Algorithm | None = None

    def prepare(
        self, name: str, source: ChannelSource, columns: Sequence[str] = ()
    ) -> PreparedChannel:
        """Upload what is not in the object store yet.

        Args:
            name: of the channel.
            source: its data.
            columns: the feature columns of the train channel, whose order this one has to follow.

        Raises:
            DataError: the target is not there, a column is not numeric, or the file does not exist.
        """
        if isinstance(source, str) and source.startswith("s3://"):
            if self.target is None and not self._may_have_header(source):
                return PreparedChannel(name, source, self._kind(name, Path(source).suffix))
            with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
                file = self._fetch(name, source, Path(scratch))
                if self.target is None and not self._rewrites(file):
                    return PreparedChannel(name, source, self._kind(name, file.suffix))
                source = _read_table(file, name)
        elif isinstance(source, (str, Path)):
            path = Path(source).expanduser()
            if not path.exists():
                raise DataError(f"channel {name!r}: {path} does not exist")
            if self.target is None and not self._rewrites(path):
                return self._upload_path(name, path)
            source = _read_table(path, name)
        if not hasattr(source, "columns") or not hasattr(source, "to_csv"):
            raise DataError(
                f"channel {name!r}: give a pandas DataFrame, a path or an s3:// URI, "
                f"not {type(source).__name__}"
            )
        return self._upload_frame(name, source, columns)

    def _upload_frame(
        self, name: str, frame: pandas.DataFrame, columns: Sequence[str]
    ) -> PreparedChannel:
        if frame.empty:
            raise DataError(f"channel {name!r}: the frame has no rows or no columns")
        kind = self._table_kind(name)
        if not self.for_script:
            frame = _numeric(_label_first(frame, self.target, columns, name), name)
        if kind == RECORDS:
            body, suffix = _as_records(frame, labelled=self.target is not None), "pbr"
        else:
            body = frame.to_csv(index=False, header=self.for_script).encode()
            suffix = "csv"
        key = f"{self.prefix}/{name}/{name}.{suffix}"
        uri = self.client.put_object(self.bucket, key, body)
        known = () if self.for_script else frame.columns[1 if self.target is not None else 0 :]
        return PreparedChannel(name, uri, kind, tuple(map(str, known)))

    def _read_types(self, name: str) -> tuple[str, ...]:
        """What the algorithm reads in a channel; empty where there is nobody to say."""
        channels = self.algorithm.channels if self.algorithm is not None else ()
        return next((found.content_types for found in channels if found.name == name), ())

    def _kind(self, name: str, suffix: str) -> str:
        """The content type of what is sent as it is; empty for the channel's default."""
        known, read = CONTENT_TYPES.get(suffix, ""), self._read_types(name)
        if suffix == ".rec":
            # Of rows, of images or of token sequences: the algorithm knows which.
            known = next((kind for kind in read if kind.startswith("application/x-recordio")), "")
        if known in read:
            return self._unlabelled(known)
        # What only one reader can be meant to read needs no name.
        return self.content_type or (read[0] if len(read) == 1 else known)

    def _unlabelled(self, kind: str) -> str:
        """Say of CSV that it has no label, where the algorithm learns without one."""
        if kind == "text/csv" and self.algorithm is not None and not self.algorithm.supervised:
            return "text/csv;label_size=0"
        return kind

    def _table_kind(self, name: str) -> str:
        """The content type in which a frame is sent."""
        read = self._read_types(name)
        if self.algorithm is None or self.for_script or not read:
            return "text/csv"
        for kind in ("text/csv", RECORDS) if self.algorithm.reads_tables else ():
            if kind in read:
                return self._unlabelled(kind)
        raise DataError(
            f"channel {name!r}: {self.algorithm.title} reads no tables there but "
            f"{', '.join(read)}: give a file, a folder or an s3:// URI"
        )

    def _may_have_header(self, name: str) -> bool:
        """Whether something without a label is a table that may have to be sent in another form."""
        builtin = self.algorithm
        return (
            builtin is not None
            and builtin.reads_tables
            and not builtin.supervised
            and Path(name).suffix in TABLES
        )

    def _rewrites(self, path: Path) -> bool:
        """Whether a file without a label has to be sent in another form than it has: algorithms
        read tables without a header."""
        if not self._may_have_header(path.name):
            return False
        if path.suffix != ".csv":
            return CONTENT_TYPES[path.suffix] not in self._read_types("train")
        return _has_header(path)

    def _upload_path(self, name: str, path: Path) -> PreparedChannel:
        root = path if path.is_dir() else path.parent
        files = sorted(x for x in path.rglob("*") if x.is_file()) if path.is_dir() else [path]
        if not files:
            raise DataError(f"channel {name!r}: the folder {path} holds no files")
        for file in files:
            key = f"{self.prefix}/{name}/{file.relative_to(root).as_posix()}"
            self.client.put_object(self.bucket, key, file)
        kind = self._kind(name, files[0].suffix)
        return PreparedChannel(name, f"s3://{self.bucket}/{self.prefix}/{name}/", kind)

    def _fetch(self, name: str, uri: str, folder: Path) -> Path:
        """Bring the table that a URI names into a folder."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if Path(key).suffix not in TABLES:
            raise DataError(
                f"channel {name!r}: {uri} is no single .csv or .parquet file, so {self.target!r} "
                "cannot be looked up in it. Leave target out: what an s3:// URI names is sent as "
                "it is, with the label in the first column and no header"
            )
        file = folder / Path(key).name
        self.client.get_object(bucket, key, file)
        return file


def _read_table(path: Path, name: str) -> pandas.DataFrame:
    import pandas

    try:
        if path.suffix == ".csv":
            return pandas.read_csv(path)
        if path.suffix == ".parquet":
            return pandas.read_parquet(path)
    except (ValueError, OSError) as error:
        raise DataError(f"channel {name!r}: {path.name} cannot be read: {error}") from error
    raise DataError(
        f"channel {name!r}: a target can be named for .csv and .parquet files and frames, "
        f"not for {path.name}"
    )


def _has_header(path: Path) -> bool:
    """Whether the first line of a CSV file names its columns."""
    from bottega.algorithms.readers import csv
    from bottega.algorithms.readers.rows import open_data

    with open_data(path) as file:
        line = file.readline()
    return bool(csv.explain(line, csv.find_delimiter(line)))


def _as_records(frame: pandas.DataFrame, *, labelled: bool) -> bytes:
    """A frame as RecordIO-protobuf; its first column is the label, if it has one."""
    import io

    from bottega.algorithms.readers.record_writing import write_rows

    values = frame.to_numpy(dtype="float32", na_value=float("nan"))
    buffer = io.BytesIO()
    write_rows(buffer, values[:, int(labelled) :], values[:, 0] if labelled else None)
    return buffer.getvalue()


def _label_first(
    frame: pandas.DataFrame, target: str | None, columns: Sequence[str], name: str
) -> pandas.DataFrame:
    """The frame with its label in front and its features in the order of ``columns``, if given."""
    if double := sorted({str(column) for column in frame.columns[frame.columns.duplicated()]}):
        raise DataError(f"channel {name!r} has more than one column {', '.join(double)}")
    names = list(frame.columns)
    if target is not None and target not in names:
        raise DataError(
            f"channel {name!r} has no column {target!r}; {_known(target, map(str, names))}"
        )
    features = [column for column in names if column != target]
    if columns:
        by_text = {str(column): column for column in features}
        if missing := [column for column in columns if column not in by_text]:
            raise DataError(
                f"channel {name!r} lacks columns of the train channel: {_shown(missing)}"
            )
        features = [by_text[column] for column in columns]
    if target is not None and (gaps := int(frame[target].isna().sum())):
        raise DataError(
            f"channel {name!r}: the target {target!r} is missing in {gaps} of {len(frame)} rows; "
            "drop these rows or fill them in"
        )
    return frame[[*([target] if target is not None else []), *features]]


def _numeric(frame: pandas.DataFrame, name: str) -> pandas.DataFrame:
    kinds = {column: frame[column].dtype.kind for column in frame.columns}
    text = [str(column) for column, kind in kinds.items() if kind not in "biuf"]
    if text:
        raise DataError(
            f"channel {name!r}: not numeric: {_shown(text)}. Encode these columns first, for "
            "example with pandas.get_dummies or .astype('category').cat.codes"
        )
    return booleans_as_numbers(frame)


def booleans_as_numbers(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The frame with 0 and 1 for False and True, gaps staying gaps."""
    booleans = [column for column in frame.columns if frame[column].dtype.kind == "b"]
    return frame.astype(dict.fromkeys(booleans, "Int8"))


def _known(wanted: str, names: Iterable[str]) -> str:
    names = list(names)
    close = nearest(wanted, names)
    return f"did you mean {close!r}?" if close else f"it has {_shown(names)}"


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_COLUMNS
    return ", ".join(names[:_SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")
