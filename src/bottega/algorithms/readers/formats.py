"""Which reader a channel needs, from its content type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Layout

if TYPE_CHECKING:
    from bottega.algorithms.readers.blocks import Decoder
    from bottega.container.environment import TrainingEnvironment

RECORDIO = "application/x-recordio-protobuf"
_NAMES = {
    "text/csv": "csv",
    "csv": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "libsvm": "libsvm",
    "application/x-parquet": "parquet",
    "parquet": "parquet",
    "application/jsonlines": "jsonlines",
    "application/jsonl": "jsonlines",
    RECORDIO: "recordio",
    "recordio-protobuf": "recordio",
}


@dataclass(frozen=True)
class Format:
    """How the data of a channel are written."""

    name: str
    """``csv``, ``libsvm``, ``parquet``, ``jsonlines`` or ``recordio``."""
    label_size: int
    """How many label columns a table has: 1, or 0 where the content type says so."""

    @property
    def tells_width(self) -> bool:
        """Whether any row tells how many features there are; in libsvm the last may be absent."""
        return self.name != "libsvm"

    def decoder(self) -> Decoder:
        """The reader."""
        if self.name == "csv":
            from bottega.algorithms.readers import csv

            return csv.blocks
        if self.name == "libsvm":
            from bottega.algorithms.readers import libsvm

            return libsvm.blocks
        if self.name == "parquet":
            from bottega.algorithms.readers import parquet

            return parquet.blocks
        if self.name == "jsonlines":
            from bottega.algorithms.readers import jsonlines

            return jsonlines.blocks
        from bottega.algorithms.readers import record_blocks

        return record_blocks.blocks


def channel_format(
    environment: TrainingEnvironment, channel: str, accepted: Sequence[str]
) -> Format:
    """The format of a channel.

    Args:
        environment: the job.
        channel: one of its channels.
        accepted: the content types that the algorithm reads; the first is meant where the channel
            has none.

    Raises:
        CustomerError: it has another one, or a parameter of it makes no sense.
    """
    given = str(environment.input_data_config[channel].get("ContentType") or accepted[0])
    media, *parameters = (part.strip().lower() for part in given.split(";"))
    name = _NAMES.get(media)
    if name is None or name not in {
        _NAMES.get(media.partition(";")[0].strip()) for media in accepted
    }:
        raise CustomerError(
            f"The content type {given!r} of the channel {channel} cannot be read; "
            f"{' or '.join(accepted)} can."
        )
    wrapper = environment.input_data_config[channel].get("RecordWrapperType")
    if wrapper == "RecordIO" and name != "recordio":
        raise CustomerError(
            f"The channel {channel} has RecordWrapperType RecordIO, which is for "
            f"{RECORDIO}; leave it out for {media}."
        )
    label_size = 1
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "label_size":
            if value.strip() not in ("0", "1"):
                raise CustomerError(
                    f"The content type {given!r} of the channel {channel} has a label_size that "
                    "is neither 0 nor 1."
                )
            label_size = int(value)
    return Format(name, label_size)


def layout(
    found: Format,
    channel: str,
    *,
    labels: bool,
    width: int = 0,
    weights: bool = False,
    single: bool = True,
) -> Layout:
    """What the rows of a channel hold.

    Args:
        found: its format.
        channel: its name.
        labels: whether the algorithm learns from labels.
        width: how many features a row has, where it need not say so itself.
        weights: whether tables have a column of weights.
        single: whether the features of a Record must be float32.

    Raises:
        CustomerError: a label is needed and the content type says that there is none.
    """
    if labels and found.label_size == 0:
        raise CustomerError(
            f"The content type of the channel {channel} says label_size=0, and this algorithm "
            "needs a label: put it into the first column, and leave label_size out."
        )
    return Layout(
        label=found.label_size == 1,
        weights=weights,
        needs_label=labels,
        width=width,
        single=single,
    )
