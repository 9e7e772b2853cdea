"""Files as streams of plain bytes and of text: compressed or not, in whichever encoding.

Nothing here reads a whole file into memory. A file in another encoding than UTF-8, or a compressed
one, is written anew as plain UTF-8 into a working folder before the engine reads it.
"""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from bottega.wrangler.errors import DataError

BLOCK = 1 << 20
HEAD_BYTES = 4 << 20
"""How much of a file is looked at to find out what it is."""
LONGEST_LINE = 8 << 20
"""Bytes of a record; longer ones are refused, since a row must fit in memory many times."""
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
)
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŒœŠšŽžŸ€£§©®°·«»“”‘’„–—…•™½¼¾¡¿ªº²³´\xa0"
)


class EncodingError(DataError):
    """A file is not in the encoding that it ought to be in."""


@dataclass(frozen=True)
class TextFile:
    """A file that holds text, and how to get at it."""

    path: Path
    compression: str = ""
    """``gzip``, ``bz2``, ``zstd``, ``zip``; empty for none."""
    encoding: str = "utf-8"
    """As Python calls it."""
    errors: str = "strict"
    findings: tuple[str, ...] = field(default=())

    @property
    def is_plain(self) -> bool:
        """Whether the engine can read the file itself."""
        return not self.compression and self.encoding in ("utf-8", "utf-8-sig")

    @contextmanager
    def bytes(self) -> Iterator[IO[bytes]]:
        """The content, not compressed.

        Raises:
            DataError: it is damaged, or an archive of several files.
        """
        with _plain(self.path, self.compression) as stream:
            yield stream

    @contextmanager
    def text(self) -> Iterator[io.TextIOWrapper]:
        """The content as text; ends of lines stay as they are.

        Raises:
            DataError: it is damaged, or not in the encoding.
        """
        with self.bytes() as stream:
            buffered = io.BufferedReader(cast("Any", _Raw(stream)), BLOCK)
            text = io.TextIOWrapper(buffered, self.encoding, self.errors, newline="")
            try:
                yield text
            except UnicodeDecodeError as error:
                raise EncodingError(
                    f"{self.path.name} is not in the encoding {self.encoding}: {error.reason}, "
                    f"byte {error.object[error.start]:#04x}. Choose another encoding."
                ) from error

    def written(self, target: Path) -> Path:
        """A plain UTF-8 copy of the whole."""
        with self.text() as source, target.open("w", encoding="utf-8", newline="") as out:
            while block := source.read(BLOCK):
                out.write(block)
        return target

    def head(self, target: Path, size: int = HEAD_BYTES) -> tuple[Path, bool]:
        """A plain UTF-8 copy of the first records.

        Args:
            target: where it is written.
            size: of how many characters, about.

        Returns:
            Where it is, and whether that is the whole file.

        Raises:
            DataError: a line is longer than a line may be.
        """
        parts, read, complete, has_line = [], 0, False, False
        with self.text() as source:
            while read < size or not has_line:
                block = source.read(BLOCK)
                if not block:
                    complete = True
                    break
                parts.append(block)
                read += len(block)
                has_line = has_line or "\n" in block or "\r" in block
                if read > LONGEST_LINE and not has_line:
                    raise too_long(self.path, 1)
        text = "".join(parts)
        target.write_bytes((text if complete else _whole_records(text)).encode())
        return target, complete


def too_long(path: Path, line: int) -> DataError:
    """What to say of a record that is too long."""
    return DataError(
        f"{path.name}: the record at line {line} is longer than {LONGEST_LINE >> 20} MiB. A quote "
        "that is never closed does that, or a file that is no table."
    )


def opened(path: Path, encoding: str = "") -> TextFile:
    """Find out how a file's text is packed and encoded.

    Args:
        path: the file.
        encoding: as somebody knows it; found out when empty.

    Raises:
        DataError: it is binary, damaged, or the encoding is unknown.
    """
    compression = compression_of(path)
    with _plain(path, compression) as stream:
        start = stream.read(4 * BLOCK)
        complete = not stream.read(1)
    if encoding:
        return TextFile(path, compression, _known(encoding, start))
    found, errors, findings = _encoding_of(start, path, complete)
    return TextFile(path, compression, found, errors, findings)


def compression_of(path: Path) -> str:
    """How a file is compressed; empty when it is not. A workbook is no archive."""
    with path.open("rb") as stream:
        start = stream.read(8)
    found = next((name for magic, name in _MAGIC if start.startswith(magic)), "")
    if found == "zip" and path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods"):
        return ""
    return found


def encoding_near(path: TextFile, position: int) -> str:
    """The encoding of a file that turned out not to be UTF-8 far behind its start."""
    with path.bytes() as stream:
        _skip(stream, max(position - (BLOCK >> 2), 0))
        around = stream.read(BLOCK >> 1)
    return _guessed(around)


def first_bad_byte(file: TextFile) -> int:
    """Where a file stops being UTF-8; its size when it does not."""
    decoder, position = codecs.getincrementaldecoder("utf-8")(), 0
    with file.bytes() as stream:
        while block := stream.read(BLOCK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return position - pending + error.start
            position += len(block)
    return position


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0 and (block := stream.read(min(count, BLOCK))):
        count -= len(block)


@contextmanager
def _plain(path: Path, compression: str) -> Iterator[IO[bytes]]:
    import pyarrow as pa

    if not compression:
        with path.open("rb") as plain:
            yield plain
        return
    try:
        if compression == "zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive, path)) as one:
                yield one
        else:
            with pa.CompressedInputStream(pa.OSFile(str(path)), compression) as stream:
                yield stream
    # Of a method of compression that zipfile does not know it says so with a RuntimeError.
    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(f"{path.name} cannot be decompressed ({compression}): {error}") from error


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [
        info
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        shown = ", ".join(repr(info.filename) for info in members[:5])
        raise DataError(
            f"{path.name} is an archive of {len(members)} files ({shown}). Unpack it, and choose "
            "one of them or their folder."
        )
    return members[0]


def _encoding_of(start: bytes, path: Path, complete: bool) -> tuple[str, str, tuple[str, ...]]:
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, "strict", ()
    zeros = start[:4096].count(0)
    if zeros:
        even = start[:4096:2].count(0)
        if zeros > len(start[:4096]) * 0.3:
            return ("utf-16-be" if even > zeros / 2 else "utf-16-le"), "strict", ()
    binary = sum(start[:4096].count(byte) for byte in (*range(1, 9), *range(14, 27)))
    if binary > max(4, len(start[:4096]) * 0.05):
        raise DataError(f"{path.name} holds no text, and is of no format that can be read here.")
    note = (f"{path.name} holds NUL characters; they are kept.",) if b"\0" in start else ()
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, complete)
    except UnicodeDecodeError as error:
        valid = start[: error.start]
        if len(valid.decode("utf-8", "ignore")) < len(valid):  # it had real UTF-8 before that
            line = valid.count(b"\n") + 1
            return (
                "utf-8",
                "replace",
                (
                    *note,
                    f"Line {line} of {path.name} is not valid UTF-8; what cannot be read is "
                    "shown as \N{REPLACEMENT CHARACTER}.",
                ),
            )
        found = _guessed(start)
        return found, "strict", (*note, f"{path.name} is not UTF-8; it is read as {found}.")
    return "utf-8", "strict", note


def _guessed(data: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8."""
    try:
        foreign = [char for char in data.decode("cp1252") if ord(char) > 127]
        if sum(char in _WESTERN for char in foreign) >= 0.98 * len(foreign):
            return "cp1252"
    except UnicodeDecodeError:  # cp1252 leaves five bytes undefined
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(data[: BLOCK >> 1]).best()
    return best.encoding if best is not None else "latin-1"


def _known(encoding: str, start: bytes) -> str:
    try:
        name = codecs.lookup(encoding.replace("_", "-")).name
    except LookupError:
        raise DataError(
            f"The encoding {encoding!r} is unknown; utf-8 and cp1252 are two."
        ) from None
    if name == "utf-8" and start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return name


def _whole_records(text: str) -> str:
    """A beginning cut where a record ends: at an end of line outside of quotes."""
    quotes, end = text.count('"'), len(text)
    for _ in range(10_000):
        cut = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end))
        if cut < 0:
            break
        quotes -= text.count('"', cut, end)
        end = cut
        if quotes % 2 == 0:
            return text[: cut + 1]
    cut = text.rfind("\n")
    return text[: cut + 1] if cut >= 0 else text


class _Raw(io.RawIOBase):
    """Any readable thing as a raw stream, which Python's text layer wants."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)
