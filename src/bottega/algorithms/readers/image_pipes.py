"""Images that come through a channel's pipe, kept in a file that can be read in any order."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.image_records import SpoolSource, pack_image
from bottega.algorithms.readers.image_sets import looks_like_image
from bottega.algorithms.readers.recordio import (
    MAGIC_BYTES,
    MalformedRecordIO,
    frame,
    read_records,
)
from bottega.container.environment import ConfigurationMissing

if TYPE_CHECKING:
    from bottega.algorithms.readers.rows import Floats

_CHUNK = 1 << 20

LabelOf = Callable[[Any, str], "Floats"]
"""From the JSON value of a label, and what messages call the image."""


def spool_records(pipe: Path, channel: str) -> SpoolSource:
    """Read a pipe that carries ``.rec`` files, to its end.

    Raises:
        ConfigurationMissing: there is no pipe.
    """
    with _open(pipe) as stream, tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool, _CHUNK)
        return SpoolSource(spool, f"the channel {channel}")


def spool_pairs(pipe: Path, channel: str, label_of: LabelOf) -> SpoolSource:
    """Read a pipe that carries, wrapped as records, an image and its label in turn.

    Returns:
        The same as packed images.

    Raises:
        ConfigurationMissing: there is no pipe.
        CustomerError: what comes is no such row of records.
    """
    with _open(pipe) as stream, tempfile.TemporaryFile() as spool:
        records = _records(stream, channel)
        for number, image in enumerate(records, start=1):
            name = f"image {number} of the channel {channel}"
            label = next(records, None)
            if label is None:
                raise CustomerError(f"{name} has no label: AttributeNames must name both.")
            _check_order(image, label, name)
            packed = pack_image(label_of(_value(label, name), name), image, index=number - 1)
            spool.write(frame(packed))
        return SpoolSource(spool, f"the channel {channel}")


def _open(pipe: Path) -> IO[bytes]:
    try:
        return cast("IO[bytes]", pipe.open("rb"))
    except FileNotFoundError as error:
        raise ConfigurationMissing(f"The pipe {pipe} is missing; the platform makes it.") from error


def _check_order(image: bytes, label: bytes, name: str) -> None:
    if looks_like_image(image):
        return
    if looks_like_image(label):
        raise CustomerError(
            f"{name} comes after its label. AttributeNames must name the image first, such as "
            '["source-ref", "class"].'
        )
    if image.startswith(MAGIC_BYTES):
        raise CustomerError(
            f"{name} is a RecordIO file inside a record. Leave RecordWrapperType unset for a "
            "channel whose files are RecordIO files."
        )
    raise CustomerError(f"{name} is neither a JPEG nor a PNG file.")


def _value(label: bytes, name: str) -> Any:
    """A label as JSON; text that itself is JSON means what it says (``"1"`` is the class 1)."""
    try:
        value = json.loads(label)
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        shown = label[:80].decode(errors="replace")
        raise CustomerError(f"The label of {name} is no JSON: {shown!r}.") from error


def _records(stream: IO[bytes], channel: str) -> Iterator[bytes]:
    try:
        yield from read_records(stream)
    except MalformedRecordIO as error:
        raise CustomerError(
            f"What the channel {channel} sends is no row of records: {error} An augmented manifest "
            "needs RecordWrapperType RecordIO."
        ) from error
