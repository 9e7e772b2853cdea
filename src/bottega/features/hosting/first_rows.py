"""The first row of a training channel, read from the beginning of its first object alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectInfo, ObjectMissing, ObjectStore
from bottega.storage.previews.preview import PreviewFailed, read_head
from bottega.storage.previews.source import ObjectSource

CSV = "text/csv"
LIBSVM = "text/libsvm"
_OBJECTS_LOOKED_AT = 100
_CSV_NAMES = (CSV, "csv")
_LIBSVM_NAMES = (LIBSVM, "text/x-libsvm", "libsvm")


class RowUnknown(Exception):
    """There is no row to be had; the message says why, as a sentence."""


@dataclass(frozen=True)
class Row:
    """A row as the body of an invocation."""

    content_type: str
    text: str
    values: tuple[str, ...] | None
    """The features one by one; None where the row has only some of them."""
    source: str
    """Where it is from, as a sentence."""


def first_row(
    objects: ObjectStore,
    job: str,
    channel: Mapping[str, Any],
    *,
    columns: Sequence[str],
    labels: int | None,
) -> Row:
    """The first row of a channel without what stands in front of its features.

    Args:
        job: the name of the training job, for the source.
        channel: an entry of InputDataConfig.
        columns: the feature columns in order; empty where they are not known.
        labels: how many values stand in front of the features; None where only ``columns`` and the
            header of a CSV file can tell.

    Raises:
        RowUnknown: the channel is not there any more, or is not in a form that can be read.
    """
    data = channel["DataSource"].get("S3DataSource")
    if data is None or data["S3DataType"] != "S3Prefix":
        raise RowUnknown(f"The training job {job} did not read its data from an S3 prefix.")
    found = _first_object(objects, data["S3Uri"])
    place = f"s3://{found.bucket}/{found.key}"
    whence = f"the first row of {place}, which the training job {job} learned from"
    default = LIBSVM if labels is not None else ""
    kind = channel.get("ContentType", default).partition(";")[0].strip().lower()
    is_libsvm = kind in _LIBSVM_NAMES and labels is not None
    if not is_libsvm and kind not in _CSV_NAMES:
        raise RowUnknown(f"The data at {place} is neither CSV nor libsvm.")
    lines = _first_lines(objects, found, kind)
    if is_libsvm:
        features = [part for part in lines[0].split("#")[0].split()[1:] if part[:4] != "qid:"]
        source = f"It is {whence}, with 0 for its label, since libsvm cannot do without."
        return Row(LIBSVM, " ".join(["0", *features]), None, source)
    try:
        table = list(csv.reader(lines))
    except csv.Error as error:
        raise RowUnknown(f"The data at {place} cannot be read as CSV: {error}.") from error
    if labels is not None:
        values = table[0][labels:]
        return Row(CSV, _line(values), tuple(values), f"It is {whence}, without its label.")
    if len(table) < 2 or not columns or not set(columns) <= set(table[0]):
        raise RowUnknown(
            f"The training job {job} ran a script, and it is not known which columns of {place} "
            "its model wants."
        )
    named = dict(zip(table[0], table[1], strict=False))
    values = [named.get(column, "") for column in columns]
    return Row(CSV, _line(values), tuple(values), f"It is {whence}, in the model's columns.")


def _first_object(objects: ObjectStore, uri: str) -> ObjectInfo:
    bucket, prefix = s3_uris.split(uri)
    try:
        page = objects.page(bucket, prefix=prefix, limit=_OBJECTS_LOOKED_AT)
    except BucketMissing as error:
        raise RowUnknown(f"The data at {uri} is not there any more.") from error
    for found in page.objects:
        hidden = PurePosixPath(found.key).name.startswith((".", "_"))
        if found.size and not found.key.endswith("/") and not hidden:
            return found
    raise RowUnknown(f"The data at {uri} is not there any more.")


def _first_lines(objects: ObjectStore, found: ObjectInfo, kind: str) -> list[str]:
    """The first lines that are neither empty nor comments, two at most and one at least, all of
    them whole."""
    place = f"s3://{found.bucket}/{found.key}"
    try:
        head = read_head(ObjectSource(objects, found.bucket, found.key), kind)
    except (BucketMissing, ObjectMissing) as error:
        raise RowUnknown(f"The data at {place} is not there any more.") from error
    except PreviewFailed as error:
        raise RowUnknown(f"The data at {place} cannot be unpacked.") from error
    if head.format in ("binary", "parquet"):
        raise RowUnknown(f"The data at {place} is no text.")
    text = head.text if head.whole else head.text[: head.text.rfind("\n") + 1]
    lines = [line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#"][:2]
    if not lines:
        raise RowUnknown(f"The data at {place} does not begin with a whole line.")
    return lines


def _line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
