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
    """

    client: Client
    bucket: str
    prefix: str
    target: str | None = None
    for_script: bool = False
    content_type: str = ""

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
            if self.target is None:
                kind = CONTENT_TYPES.get(Path(source).suffix, self.content_type)
                return PreparedChannel(name, source, kind)
            source = self._fetch_table(name, source)
        elif isinstance(source, (str, Path)):
            path = Path(source).expanduser()
            if not path.exists():
                raise DataError(f"channel {name!r}: {path} does not exist")
            if self.target is None:
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
        if not self.for_script:
            frame = _numeric(_label_first(frame, self.target, columns, name), name)
        text = frame.to_csv(index=False, header=self.for_script)
        key = f"{self.prefix}/{name}/{name}.csv"
        uri = self.client.put_object(self.bucket, key, text.encode())
        known = () if self.for_script else frame.columns[1 if self.target is not None else 0 :]
        return PreparedChannel(name, uri, "text/csv", tuple(map(str, known)))

    def _upload_path(self, name: str, path: Path) -> PreparedChannel:
        root = path if path.is_dir() else path.parent
        files = sorted(x for x in path.rglob("*") if x.is_file()) if path.is_dir() else [path]
        if not files:
            raise DataError(f"channel {name!r}: the folder {path} holds no files")
        for file in files:
            key = f"{self.prefix}/{name}/{file.relative_to(root).as_posix()}"
            self.client.put_object(self.bucket, key, file)
        kind = CONTENT_TYPES.get(files[0].suffix, self.content_type)
        return PreparedChannel(name, f"s3://{self.bucket}/{self.prefix}/{name}/", kind)

    def _fetch_table(self, name: str, uri: str) -> pandas.DataFrame:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if Path(key).suffix not in TABLES:
            raise DataError(
                f"channel {name!r}: {uri} is no single .csv or .parquet file, so {self.target!r} "
                "cannot be looked up in it. Leave target out: what an s3:// URI names is sent as "
                "it is, with the label in the first column and no header"
            )
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            file = Path(scratch) / Path(key).name
            self.client.get_object(bucket, key, file)
            return _read_table(file, name)


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
