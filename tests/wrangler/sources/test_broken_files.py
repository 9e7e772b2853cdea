"""Files as they are: broken, odd, packed. Each gives the right table, or words."""

from __future__ import annotations

import bz2
import csv
import gzip
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from bottega.wrangler.errors import DataError

Read = Callable[..., pd.DataFrame]
Told = Callable[..., str]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (bytes(range(256)) * 100, "holds no text"),
    ],
)
def test_nothing_to_read(folder: Path, read: Read, content: bytes, expected: str):
    (folder / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=expected) as caught:
        read("a.csv")
    assert "a.csv" in caught.value.message


def test_only_a_header(folder: Path, read: Read):
    (folder / "a.csv").write_text("name,age\n")
    frame = read("a.csv")
    assert list(frame.columns) == ["name", "age"]
    assert len(frame) == 0


def test_one_row_without_end_of_line(folder: Path, read: Read):
    (folder / "a.csv").write_text("name,age\nAda,36")
    assert read("a.csv").to_dict("list") == {"name": ["Ada"], "age": [36]}


def test_only_nulls(folder: Path, read: Read):
    (folder / "a.csv").write_text("a,b\n,\n,\n")
    frame = read("a.csv")
    assert frame.isna().all(axis=None)
    assert len(frame) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(folder: Path, read: Read, end: str):
    (folder / "a.csv").write_text(end.join(["a,b", "1,x", "2,y", ""]), newline="")
    assert read("a.csv").to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_mixed_ends_of_lines(folder: Path, read: Read):
    (folder / "a.csv").write_bytes(b"a,b\n1,x\r\n2,y\n3,z\r4,w\n")
    assert read("a.csv").to_dict("list") == {"a": [1, 2, 3, 4], "b": ["x", "y", "z", "w"]}


def test_newlines_quotes_and_emoji_inside_of_quotes(folder: Path, read: Read):
    (folder / "a.csv").write_text('a,b\n1,"x\ny, ""z"" 😀"\n2,é\n', encoding="utf-8")
    assert read("a.csv")["b"].tolist() == ['x\ny, "z" 😀', "é"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings_are_found_out(folder: Path, read: Read, encoding: str):
    text = "name,city\nZoë,Köln\nRené,Málaga\n“Ann”,São Paulo\n"
    (folder / "a.csv").write_bytes(text.encode(encoding))
    frame = read("a.csv")
    assert frame["name"].tolist() == ["Zoë", "René", "“Ann”"]
    assert frame["city"].tolist() == ["Köln", "Málaga", "São Paulo"]
    assert list(frame.columns) == ["name", "city"]


def test_an_encoding_that_is_told_is_taken(folder: Path, read: Read):
    (folder / "a.csv").write_bytes("a,b\nпривет,мир\n".encode("koi8-r"))
    assert read("a.csv", Encoding="koi8-r")["a"].tolist() == ["привет"]
    with pytest.raises(DataError, match="unknown"):
        read("a.csv", Encoding="klingon")
    with pytest.raises(DataError, match="not in the encoding"):
        read("a.csv", Encoding="utf-8")


def test_not_utf8_far_behind_the_start(folder: Path, read: Read, told: Told):
    rows = "".join(f"{n},plain text of a row\n" for n in range(250_000))
    (folder / "a.csv").write_bytes(b"n,t\n" + rows.encode() + "250000,Café\n".encode("cp1252"))
    frame = read("a.csv")
    assert len(frame) == 250_001
    assert frame["t"].iloc[-1] == "Café"
    assert "cp1252" in told("a.csv")


def test_one_bad_byte_in_utf8(folder: Path, read: Read, told: Told):
    (folder / "a.csv").write_bytes("a,b\nZoë,1\n".encode() + b"x\xffy,2\n")
    assert read("a.csv")["a"].tolist() == ["Zoë", "x\N{REPLACEMENT CHARACTER}y"]
    assert "not valid UTF-8" in told("a.csv")


def test_ragged_rows(folder: Path, read: Read, told: Told):
    (folder / "a.csv").write_text("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,\n\n13,14,15\n")
    frame = read("a.csv")
    assert frame["a"].tolist() == [1, 4, 6, 10, 13]
    assert frame["c"].isna().tolist() == [False, True, False, False, False]
    assert frame["c"].dropna().tolist() == [3, 8, 12, 15]
    words = told("a.csv")
    assert "1 rows have more than 3 fields, the first at line 4" in words
    assert "1 rows have fewer than 3 fields, the first at line 3" in words


def test_a_thousand_columns(folder: Path, read: Read):
    names = [f"c{n}" for n in range(1000)]
    rows = [",".join(str(n * row) for n in range(1000)) for row in range(20)]
    (folder / "a.csv").write_text("\n".join([",".join(names), *rows]))
    frame = read("a.csv")
    assert frame.shape == (20, 1000)
    assert frame["c999"].tolist() == [999 * row for row in range(20)]


def test_a_line_without_end_is_refused(folder: Path, read: Read):
    with (folder / "a.csv").open("wb") as out:
        out.truncate(2 << 30)  # a hole: no bytes on the disk
        out.seek(0)
        out.write(b"a,b\n1," + b"x" * (12 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="line 2 is longer than 8 MiB"):
        read("a.csv")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


def test_a_long_line_far_behind_the_start(folder: Path, read: Read):
    with (folder / "a.csv").open("wb") as out:
        out.write(b"a,b\n" + b"1,some text of a row\n" * 300_000 + b"2," + b"x" * (17 << 20))
        out.write(b"\n3,y\n")
    with pytest.raises(DataError, match="line 300002 is longer than 8 MiB"):
        read("a.csv")


def test_a_quote_that_is_never_closed_far_behind_the_start(folder: Path, read: Read):
    rows = "1,some text of a row\n" * 400_000
    (folder / "a.csv").write_text(f'a,b\n{rows}2,"open\n{rows}')
    with pytest.raises(DataError, match="longer than 8 MiB"):
        read("a.csv")


def test_a_first_line_without_end_is_refused(folder: Path, read: Read):
    (folder / "a.csv").write_bytes(b"x" * (12 << 20))
    with pytest.raises(DataError, match="longer than 8 MiB"):
        read("a.csv")


def test_a_quote_that_is_never_closed(folder: Path, read: Read):
    (folder / "a.csv").write_text('a,b\n1,x\n2,"open\n3,y\n4,z\n')
    with pytest.raises(DataError, match="line 3 is never closed"):
        read("a.csv")
    assert read("a.csv", Quote="")["b"].tolist() == ["x", '"open', "y", "z"]


def test_quotes_in_the_middle(folder: Path, read: Read):
    (folder / "a.csv").write_text('a,b\n1,say "hi"\n2,"x"y\n')
    assert read("a.csv")["b"].tolist() == ['say "hi"', "xy"]


def test_nul_characters_are_kept_and_told(folder: Path, read: Read, told: Told):
    (folder / "a.csv").write_bytes(b"a,b\n1,x\0y\n")
    assert read("a.csv")["b"].tolist() == ["x\0y"]
    assert "NUL" in told("a.csv")


def test_names_are_made_unique(folder: Path, read: Read, told: Told):
    (folder / "a.csv").write_text("a,a,,__row, b ,a_1\n1,2,3,4,5,6\n")
    names = list(read("a.csv").columns)
    assert names == ["a", "a_2", "column_3", "row", "b", "a_1"]
    words = told("a.csv")
    assert "Several columns are called 'a'" in words
    assert "1 columns have no name" in words


def packed(path: Path, data: bytes) -> None:
    """Write bytes compressed as the name says."""
    match path.suffix:
        case ".gz":
            path.write_bytes(gzip.compress(data))
        case ".bz2":
            path.write_bytes(bz2.compress(data))
        case ".zst":
            with pa.CompressedOutputStream(str(path), "zstd") as out:
                out.write(data)
        case ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("inside.csv", data)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zst", "a.zip"])
def test_compressed(folder: Path, read: Read, name: str):
    packed(folder / name, "a,b\n1,é\n2,y\n".encode())
    assert read(name).to_dict("list") == {"a": [1, 2], "b": ["é", "y"]}


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zst", "a.zip"])
def test_compressed_and_cut(folder: Path, read: Read, name: str):
    packed(folder / name, "\n".join(f"{n},{n * 7919 % 1013}" for n in range(50_000)).encode())
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="decompressed"):
        read(name)


def test_an_archive_of_several_files(folder: Path, read: Read):
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("x.csv", "a\n1\n")
        archive.writestr("y.csv", "a\n2\n")
    with pytest.raises(DataError, match=r"archive of 2 files \('x.csv', 'y.csv'\)"):
        read("a.zip")


def test_no_such_file_and_a_folder(folder: Path, read: Read):
    with pytest.raises(DataError, match=r"There is no file 'nothing\.csv'"):
        read("nothing.csv")
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match="There are no files"):
        read("empty")


def test_nothing_is_left_over(folder: Path, read: Read):
    (folder / "a.csv").write_bytes("a,b\nZoë,1\n,2\n".encode("utf-16"))
    read("a.csv")
    left = sorted(p.name.split("_")[0] for p in (folder.parent / "database").iterdir())
    assert [name for name in left if name in ("plain", "mended", "start")] == []


@pytest.mark.parametrize("character", ["\x1c", "\x85", "\u2028", "\x0b"])
def test_only_ends_of_lines_end_lines(
    folder: Path, read: Callable[..., pd.DataFrame], character: str
) -> None:
    (folder / "a.csv").write_text(f"a{character}b,c\n1,x{character}y\n2,z\n", encoding="utf-8")
    table = read("a.csv")
    assert list(table.columns) == [f"a{character}b", "c"]
    assert table["c"].tolist() == [f"x{character}y", "z"]


def test_a_large_field_is_read_without_a_change_for_others(
    folder: Path, read: Callable[..., pd.DataFrame]
) -> None:
    limit = csv.field_size_limit()
    (folder / "a.csv").write_text(f'a,b\n"{"x" * 200_000}",1\n2,3,4\n')
    assert read("a.csv")["a"].tolist() == ["x" * 200_000, "2"]
    assert csv.field_size_limit() == limit
