"""The texts of a channel as lines, whatever form they come in.

A source of a channel is one of these; its first bytes tell which:

* plain text, a line a text;
* JSON Lines, as in an augmented manifest: ``{"source": "a text", "label": 1}``;
* RecordIO, as Pipe mode sends an augmented manifest: a record of the text and one of its label in
  turn; or, of other objects, a record with the lines of each;
* the same values of a manifest without a wrapper, one after another: ``"a text"1"another"[1,3]``.
"""

from __future__ import annotations

import json
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext.evaluation import WORD_PAIR_FILES
from bottega.algorithms.blazingtext.features import LABEL_PREFIX
from bottega.algorithms.blazingtext.schema import CONTENT_TYPES
from bottega.algorithms.readers.recordio import MAGIC_BYTES, MalformedRecordIO, read_records
from bottega.algorithms.readers.sources import is_piped, sources

if TYPE_CHECKING:
    from bottega.algorithms.readers.sources import Stream
    from bottega.container.environment import TrainingEnvironment

BLOCK_BYTES = 1 << 22
_LONGEST_WORD = 1 << 26
_WHITE = b" \t\r\v\f"


def text_blocks(
    environment: TrainingEnvironment, channel: str, *, labelled: bool
) -> Iterator[bytes]:
    """The text of a channel in blocks that end between words; each text ends with a line's end.

    Args:
        environment: the job.
        channel: one of its channels.
        labelled: whether the texts of a manifest need their labels, which become words of the form
            ``__label__x``.

    Raises:
        CustomerError: the channel has another content type or no data, or a source is no text.
    """
    _check_content_type(environment, channel)
    piped = is_piped(environment, channel)
    found = [
        source
        for source in sources(environment, channel, 0)
        if source.name.rpartition("/")[2] not in WORD_PAIR_FILES
    ]
    if not found and not is_sharded(environment, channel):
        raise CustomerError(f"The channel {channel} has no data; it needs at least one text file.")
    for source in found:
        with source.open() as stream:
            yield from _blocks(stream, labelled=labelled, piped=piped)


def is_sharded(environment: TrainingEnvironment, channel: str) -> bool:
    """Whether several hosts have different data in a channel, so that one may have none."""
    distribution = environment.input_data_config[channel].get("S3DistributionType")
    return len(environment.hosts) > 1 and distribution == "ShardedByS3Key"


def _check_content_type(environment: TrainingEnvironment, channel: str) -> None:
    given = str(environment.input_data_config[channel].get("ContentType") or CONTENT_TYPES[0])
    if given.partition(";")[0].strip().lower() not in CONTENT_TYPES:
        raise CustomerError(
            f"The content type {given!r} of the channel {channel} cannot be read; "
            f"{', '.join(CONTENT_TYPES)} can. Plain lines of text are text/plain."
        )


class _Ahead:
    """A stream whose beginning was read to see what it is."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer only at the end."""
        if not self._head:
            return self._stream.read(size)
        taken, self._head = self._head[:size], self._head[size:]
        return taken + self._stream.read(size - len(taken)) if len(taken) < size else taken


def _blocks(stream: Stream, *, labelled: bool, piped: bool) -> Iterator[bytes]:
    head = stream.read(BLOCK_BYTES)
    ahead, name = _Ahead(head, stream), stream.name
    if head.startswith(MAGIC_BYTES):
        return _record_blocks(_records(ahead, name), name, labelled=labelled)
    if _is_manifest(head):
        return _gathered(_manifest_texts(ahead, name, labelled=labelled))
    if piped and _is_row_of_values(head):
        values = _values(ahead, name)
        return _gathered(_paired(values, name, labelled=labelled))
    if b"\0" in head[:4096]:
        raise CustomerError(
            f"{name} is no text: it has bytes of 0. Give plain text, or gzip of it."
        )
    return _plain_blocks(ahead, name)


def _plain_blocks(stream: _Ahead, name: str) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(BLOCK_BYTES):
        text = rest + chunk.replace(b"\0", b" ")
        end = text.rfind(b"\n") + 1
        if not end:
            # One long line: what is whole of it goes on, the line does not end here.
            end = max(text.rfind(white) for white in (b" ", b"\t", b"\r")) + 1
        if not end and len(text) > _LONGEST_WORD:
            raise CustomerError(
                f"{name} has more than {_LONGEST_WORD >> 20} MiB without any white space; words "
                "must be parted by spaces."
            )
        if end:
            yield text[:end]
        rest = text[end:]
    if rest.strip(_WHITE):
        yield rest + b"\n"


def _gathered(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Texts as blocks of lines."""
    lines: list[bytes] = []
    size = 0
    for text in texts:
        lines.append(text)
        size += len(text)
        if size > BLOCK_BYTES:
            yield b"\n".join((*lines, b""))
            lines, size = [], 0
    if lines:
        yield b"\n".join((*lines, b""))


def _is_manifest(head: bytes) -> bool:
    line = head.lstrip().partition(b"\n")[0]
    if not line.startswith(b"{"):
        return False
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and "source" in found


def _manifest_texts(stream: _Ahead, name: str, *, labelled: bool) -> Iterator[bytes]:
    rest, before = b"", 0
    while chunk := stream.read(BLOCK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for number, line in enumerate(lines, start=before + 1):
            if line.strip():
                yield _manifest_text(line, f"Line {number} of {name}", labelled=labelled)
        before += len(lines)
    if rest.strip():
        yield _manifest_text(rest, f"Line {before + 1} of {name}", labelled=labelled)


def _manifest_text(line: bytes, where: str, *, labelled: bool) -> bytes:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CustomerError(f"{where} is no JSON: {error}.") from error
    if not isinstance(found, dict) or not isinstance(found.get("source"), str):
        raise CustomerError(f'{where} must be a JSON object with a text as its "source".')
    if not labelled:
        return _one_line(found["source"])
    if "label" not in found:
        raise CustomerError(f'{where} has no "label".')
    return _labelled(found["source"], found["label"], where)


def _labelled(text: str, label: Any, where: str) -> bytes:
    """A text behind its labels."""
    labels = label if isinstance(label, list) else [label]
    return b" ".join((*(_label_word(one, where) for one in labels), _one_line(text)))


def _label_word(label: Any, where: str) -> bytes:
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    word = str(label).encode("utf-8", "replace")
    good = isinstance(label, (int, str)) and not isinstance(label, bool)
    if not good or not word or len(word.split()) != 1:
        raise CustomerError(
            f"{where}: the label {label!r} must be a whole number or a word, or a list of them."
        )
    return word if word.startswith(LABEL_PREFIX) else LABEL_PREFIX + word


def _one_line(text: str) -> bytes:
    return text.encode("utf-8", "replace").replace(b"\0", b" ").replace(b"\n", b" ")


def _records(stream: _Ahead, name: str) -> Iterator[bytes]:
    try:
        yield from read_records(stream)
    except MalformedRecordIO as error:
        raise CustomerError(f"{name} is damaged RecordIO: {error}") from error


def _record_blocks(records: Iterator[bytes], name: str, *, labelled: bool) -> Iterator[bytes]:
    """Records of a manifest, or of objects with lines of text."""
    first = [record for record in (next(records, None), next(records, None)) if record is not None]
    every = chain(first, records)
    if _is_value(first[0], str) and labelled:
        values = (_value(record, name) for record in every)
        yield from _gathered(_paired(values, name, labelled=True))
    elif labelled and len(first) == 2 and _is_value(first[1], int, list):
        texts = (
            record.decode("utf-8", "replace") if number % 2 == 0 else _value(record, name)
            for number, record in enumerate(every)
        )
        yield from _gathered(_paired(texts, name, labelled=True))
    else:
        for record in every:
            if _is_value(record, str):
                yield _one_line(json.loads(record)) + b"\n"
            elif not _is_value(record, int, float, list):  # a label, which is not needed
                yield record.replace(b"\0", b" ").rstrip(b"\n") + b"\n"


def _is_value(record: bytes, *kinds: type) -> bool:
    """Whether a record is JSON of such a kind."""
    if record[:1] not in b'"[-0123456789' or not record:
        return False
    try:
        return isinstance(json.loads(record), kinds)
    except ValueError:
        return False


def _value(record: bytes, name: str) -> Any:
    try:
        return json.loads(record)
    except ValueError as error:
        raise CustomerError(
            f"{name}: the record {record[:60]!r} is no JSON, as the text or label of a line of a "
            "manifest is."
        ) from error


def _paired(values: Iterator[Any], name: str, *, labelled: bool) -> Iterator[bytes]:
    """Texts from values: a text and its label in turn where labels are needed, else the texts."""
    if not labelled:
        for value in values:
            if isinstance(value, str):
                yield _one_line(value)
        return
    for number, text in enumerate(values, start=1):
        where = f"Text {number} of {name}"
        label = next(values, None)
        if not isinstance(text, str) or label is None:
            raise CustomerError(
                f"{where} is not a text and its label: AttributeNames must be source and label, in "
                "this order."
            )
        yield _labelled(text, label, where)


def _is_row_of_values(head: bytes) -> bool:
    """Whether a JSON string begins it, and another value follows at once."""
    if not head.startswith(b'"'):
        return False
    text = head.decode("utf-8", "replace")
    try:
        found, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return False
    return isinstance(found, str) and (end == len(text) or text[end] in '"[-0123456789')


def _values(stream: _Ahead, name: str) -> Iterator[Any]:
    """JSON values that follow one another without anything in between."""
    parser, decoder = json.JSONDecoder(), getincrementaldecoder("utf-8")("replace")
    text, ended = "", False
    while not ended:
        chunk = stream.read(BLOCK_BYTES)
        ended = not chunk
        text += decoder.decode(chunk, final=ended)
        place = 0
        while place < len(text):
            try:
                value, end = parser.raw_decode(text, place)
            except ValueError as error:
                if ended:
                    raise CustomerError(f"{name} is no row of JSON values: {error}.") from error
                break
            if end == len(text) and not ended:
                break  # A number may go on.
            yield value
            place = end
        text = text[place:]
