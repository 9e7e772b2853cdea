"""Whether the beginning of a channel's data is what a built-in algorithm can read.

Judged is the first object of a channel, and of that what a preview reads: enough to find a header,
a column of words or a wrong content type before a job has run for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from bottega.algorithms.base import Algorithm, Channel
from bottega.algorithms.readers import csv, libsvm
from bottega.storage.previews.delimited import Table, read_table
from bottega.storage.previews.preview import Head, preview, read_head
from bottega.storage.previews.source import PreviewFailed, Source

_NAMED = 3
"""How many columns of words are named one by one."""
_MEDIA = {"csv": "text/csv", "libsvm": "text/libsvm", "parquet": "application/x-parquet"}
"""Short content types that readers take, too."""


class Sample:
    """The first object of a channel of a built-in algorithm.

    Args:
        channel: as the algorithm describes it.
        content_type: as the job gives it; empty for the channel's default.
    """

    def __init__(
        self, source: Source, algorithm: Algorithm, channel: Channel, content_type: str
    ) -> None:
        self._source = source
        self._file = PurePosixPath(source.name).name
        self._algorithm = algorithm
        self._readable = channel.content_types
        media, *parameters = (content_type or self._readable[0]).lower().split(";")
        self._media = _MEDIA.get(media.strip(), media.strip())
        self._unlabelled = "label_size=0" in (part.strip() for part in parameters)
        self.columns: int | None = None
        """How many the object has with its label; None where that is not known, or may differ."""

    def problems(self, hyperparameters: Mapping[str, str]) -> Iterator[str]:
        """What the algorithm would refuse, in whole sentences."""
        known = {media.partition(";")[0] for media in self._readable}
        if self._media not in known:
            yield (
                f"The content type {self._media!r} cannot be read by {self._algorithm.title} in "
                f"this channel; {', '.join(self._readable)} can."
            )
            return
        leading = () if self._unlabelled else self._algorithm.leading_columns(hyperparameters)
        try:
            head = read_head(self._source, self._media)
            if head.whole and head.format not in ("binary", "parquet") and not head.text.strip():
                yield f"{self._file} is empty."
            elif self._media == "application/x-parquet":
                yield from self._parquet_problems(leading)
            elif self._media not in ("text/csv", "text/libsvm", "text/x-libsvm"):
                return  # what is inside is seen by the one who reads it whole
            elif head.format in ("binary", "parquet"):
                yield f"{self._file} is no text, as {self._media} would be; say what it is."
            elif self._media == "text/csv":
                yield from self._csv_problems(head, hyperparameters, leading)
            elif said := libsvm.explain(_whole_lines(head)):
                yield f"{self._file}: {said}"
        except PreviewFailed as error:
            yield f"{self._file}: {error}."

    def _parquet_problems(self, leading: tuple[str, ...]) -> Iterator[str]:
        found = preview(self._source, content_type=self._media, max_rows=1)
        self.columns = len(found.columns)
        yield from self._width_problems(leading)
        words = [column.name for column in found.columns if column.type in ("text", "time")]
        yield from _words(self._file, words)

    def _width_problems(self, leading: tuple[str, ...]) -> Iterator[str]:
        if self.columns is not None and self.columns <= len(leading):
            needed = ", ".join(f"a {name}" for name in leading)
            yield (
                f"{self._file} has {self.columns} column(s); it needs "
                f"{f'{needed} and ' if needed else ''}at least one feature."
            )

    def _csv_problems(
        self, head: Head, hyperparameters: Mapping[str, str], leading: tuple[str, ...]
    ) -> Iterator[str]:
        data = head.text.encode()
        delimiter = csv.find_delimiter(data)
        table = read_table(head.text, whole=head.whole, delimiter=delimiter)
        self.columns = table.width
        if table.header is not None:
            yield (
                f"The first line of {self._file} names the columns ({_some(table.header)}). "
                "The algorithm reads numbers from the first line on: leave that line out."
            )
        yield from self._width_problems(leading)
        words = [name for index, name in enumerate(table.names) if _words_in(table, index)]
        if words:
            yield from _words(self._file, words)
        elif table.header is None and (said := csv.explain(_whole_lines(head), delimiter)):
            yield f"{self._file}: {said}"
        elif leading:
            yield from self._label_problems(table, hyperparameters)

    def _label_problems(self, table: Table, hyperparameters: Mapping[str, str]) -> Iterator[str]:
        for number, row in enumerate(table.rows, start=1):
            label = csv.parse_cell(row[0])
            if said := self._algorithm.unfit_label(label, hyperparameters):
                yield (
                    f"The label {row[0]!r} in row {number} of {self._file} {said}. "
                    "The label must be the first column; check the data and the hyperparameters."
                )
                return


def _whole_lines(head: Head) -> bytes:
    text = head.text if head.whole else head.text.rpartition("\n")[0]
    return text.encode()


def _words_in(table: Table, index: int) -> bool:
    """Whether a column holds something that is no number."""
    for row in table.rows:
        try:
            csv.parse_cell(row[index] if index < len(row) else "")
        except ValueError:
            return True
    return False


def _words(file: str, columns: list[str]) -> Iterator[str]:
    for name in columns[:_NAMED]:
        yield f"The column {name!r} of {file} holds text; the algorithm reads numbers: encode it."
    if len(columns) > _NAMED:
        rest = columns[_NAMED:]
        yield f"{len(rest)} more columns of {file} hold text: {_some(rest)}."


def _some(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
