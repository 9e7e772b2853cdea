"""Previews of files: formats, headers, types."""

from __future__ import annotations

import doctest
import gzip
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.storage.previews import columns, parquet
from bottega.storage.previews.preview import (
    HEAD_BYTES,
    LONGEST_CELL,
    MOST_CELLS,
    Preview,
    PreviewFailed,
    preview_file,
)


def look(folder: Path, name: str, content: bytes | str, **options: Any) -> Preview:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return preview_file(path, **options)


def names(found: Preview) -> list[str]:
    return [column.name for column in found.columns]


def types(found: Preview) -> list[str]:
    return [column.type for column in found.columns]


def test_the_examples_hold() -> None:
    assert doctest.testmod(columns).failed == 0


def test_a_table_with_a_header(tmp_path: Path) -> None:
    found = look(tmp_path, "a.csv", "age,city\n31,Oslo\n,Bergen\n")
    assert found == Preview(
        "csv",
        True,
        (columns.Column("age", "integer", 1), columns.Column("city", "text", 0)),
        (("31", "Oslo"), ("", "Bergen")),
        False,
    )


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("1,2\n3,4\n", False),
        ("id,2019,2020\nx,1,2\ny,3,4\n", False),
        ("id,2019,2020\n7,1,2\n8,3,4\n", True),
        ("M,0.4,15\nF,0.3,7\n", False),
        ("name,city\nAnn,Oslo\nBob,Rome\n", True),
        # A name that is found again below is no name.
        ("red,Oslo\nblue,Rome\nred,Bonn\n", False),
        ("The first sentence!,x\nAnother one.,y\n", False),
        (",a\n0,x\n1,y\n", True),
        ("when,value\n2024-01-02,ok\n2024-01-03,ok\n", True),
        ("a,a\nx,y\n", False),
        ("a,b\n", True),
        ("größe,länge\nx,y\n", True),
    ],
)
def test_whether_the_first_line_names_the_columns(tmp_path: Path, text: str, header: bool) -> None:
    assert look(tmp_path, "a.csv", text).has_header is header


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("a.csv", "1;2\n3;4\n", (("1", "2"), ("3", "4"))),
        ("a.csv", '"a, b";1\n"c, d";2\n', (("a, b", "1"), ("c, d", "2"))),
        ("a.csv", "1, x, 2\n3, y, 4\n", (("1", "x", "2"), ("3", "y", "4"))),
        ("a.tsv", "1\tx y\n2\tz\n", (("1", "x y"), ("2", "z"))),
        ("a.data", "1|x\n2|y\n", (("1", "x"), ("2", "y"))),
        ("a.txt", "1 -2.5  \n3 4\n", (("1", "-2.5"), ("3", "4"))),
        ("a.txt", "112 \n98 \n", (("112",), ("98",))),
        ("a.csv", '1,"two\nlines"\n2,x\n', (("1", "two\nlines"), ("2", "x"))),
        ("a.csv", '1,5" pipe\n2,x\n', (("1", '5" pipe'), ("2", "x"))),
        ("a.csv", "1,2\n3\n4,5,6\n", (("1", "2", ""), ("3", "", ""), ("4", "5", "6"))),
    ],
)
def test_what_stands_between_cells_is_found(
    tmp_path: Path, name: str, text: str, rows: tuple[tuple[str, ...], ...]
) -> None:
    found = look(tmp_path, name, text)
    assert (found.format, found.rows) == ("csv", rows)


def test_prose_is_no_table(tmp_path: Path) -> None:
    text = "One, two, three.\nNothing more,\nas it were.\n"
    found = look(tmp_path, "a.txt", text)
    assert (found.format, names(found)) == ("text", ["Text"])
    assert found.rows[0] == ("One, two, three.",)


def test_types_of_columns(tmp_path: Path) -> None:
    text = "i,n,b,t,x,z,m\n1,1.5,yes,2024-01-02,a,007,1\n-2,1e3,No,01/02/2024,b,012,NA\n"
    found = look(tmp_path, "a.csv", text)
    assert types(found) == ["integer", "number", "boolean", "time", "text", "text", "integer"]
    assert [column.missing for column in found.columns] == [0, 0, 0, 0, 0, 0, 1]


def test_rows_beyond_the_limit_are_told(tmp_path: Path) -> None:
    text = "a,b\n" + "1,2\n" * 30
    assert look(tmp_path, "a.csv", text, max_rows=30).truncated is False
    found = look(tmp_path, "a.csv", text, max_rows=29)
    assert (len(found.rows), found.truncated) == (29, True)


def test_little_of_a_large_file_is_read(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f"{n},{'x' * 50}\n" for n in range(20_000))
    assert len(text) > 2 * HEAD_BYTES
    found = look(tmp_path, "a.csv", text, max_rows=1000)
    assert found.truncated
    assert found.rows[-1] == ("999", "x" * 50)
    # The row that was cut off is not shown.
    wide = look(tmp_path, "a.txt", "y" * 100 + "\n" + "x" * HEAD_BYTES)
    assert (len(wide.rows), wide.truncated) == (1, True)


def test_long_cells_are_cut(tmp_path: Path) -> None:
    found = look(tmp_path, "a.csv", f"1,{'x' * 5000}\n2,y\n")
    assert found.rows[0][1] == "x" * LONGEST_CELL


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_texts_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    found = look(tmp_path, "a.csv", "n,stadt\n1,Köln\n2,Düren\n".encode(encoding))
    assert names(found) == ["n", "stadt"]
    assert found.rows == (("1", "Köln"), ("2", "Düren"))


def test_a_character_that_was_cut_off_spoils_nothing(tmp_path: Path) -> None:
    line = "ü" * 50 + "\n"
    found = look(tmp_path, "a.txt", b"x" + line.encode() * 5000)
    assert found.rows[1] == ("ü" * 50,)


def test_libsvm(tmp_path: Path) -> None:
    found = look(tmp_path, "data", "1 1:0.5 10:2\n0 2:1 # a remark\n")
    assert found.format == "libsvm"
    assert names(found) == ["label", "1", "2", "10"]
    assert found.rows == (("1", "0.5", "", "2"), ("0", "", "1", ""))


def test_libsvm_of_many_features_is_shown_as_it_is(tmp_path: Path) -> None:
    text = "1 " + " ".join(f"{n}:1" for n in range(300)) + "\n"
    found = look(tmp_path, "a.libsvm", text)
    assert names(found) == ["label", "features"]
    assert found.rows[0][1].startswith("0:1 1:1 ")


def test_a_line_that_is_almost_libsvm_is_not_tried_in_every_combination(tmp_path: Path) -> None:
    # As many ways to read it as 2 to the power of its features would never come to an end.
    text = "1 " + " ".join(f"{n}:-0.5" for n in range(80)) + " 80:missing\n"
    assert look(tmp_path, "part-0", text).format == "text"
    signed = "-1 " + " ".join(f"{n}:{sign}0.5" for n, sign in enumerate("+-+-")) + "\n"
    assert look(tmp_path, "part-0", signed).format == "libsvm"


def test_a_small_parquet_that_stands_for_much_is_not_unpacked_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MEMORY_BYTES", 1024**3)
    script = (
        "import sys, pyarrow, pyarrow.parquet\n"
        "cell = pyarrow.array([['x' * 1000] * 1_000_000])\n"
        "pyarrow.parquet.write_table(pyarrow.table({'a': cell}), sys.argv[1], compression='zstd')"
    )
    path = tmp_path / "a.parquet"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert path.stat().st_size < 100_000
    with pytest.raises(PreviewFailed, match="more than 1024 MiB of memory"):
        preview_file(path)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_table_of_very_many_columns_is_shown_in_part(tmp_path: Path, ending: str) -> None:
    if ending == "csv":
        text = "," * 20_000 + "1\n" + "1,2\n" * 900
    else:
        text = "".join(json.dumps({f"{n}-{m}": 1 for m in range(20)}) + "\n" for n in range(900))
    found = look(tmp_path, f"wide.{ending}", text, max_rows=1000)
    assert len(found.columns) > 15_000
    assert len(found.rows) == MOST_CELLS // len(found.columns)
    assert found.truncated


def test_json_lines(tmp_path: Path) -> None:
    text = '{"a": 1, "b": "x"}\n{"b": null, "c": [1, "ü"]}\n'
    for name in ("a.jsonl", "a.data"):
        found = look(tmp_path, name, text)
        assert found.format == "jsonlines"
        assert names(found) == ["a", "b", "c"]
        assert found.rows == (("1", "x", ""), ("", "", '[1, "ü"]'))
    values = look(tmp_path, "a.jsonl", "1\n2\n")
    assert (names(values), types(values)) == (["value"], ["integer"])
    with pytest.raises(PreviewFailed, match="not JSON"):
        look(tmp_path, "a.jsonl", "{'a': 1}\n")


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    text = b"a,b\n" + b"1,2\n" * 200_000
    found = look(tmp_path, "a.csv.gz", gzip.compress(text))
    assert (found.format, names(found), found.truncated) == ("csv", ["a", "b"], True)
    small = look(tmp_path, "b.csv.gz", gzip.compress(b"a,b\n1,2\n"))
    assert (small.rows, small.truncated) == ((("1", "2"),), False)
    with pytest.raises(PreviewFailed, match="cannot be unpacked"):
        look(tmp_path, "c.gz", b"\x1f\x8bnonsense of some length")


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0\0", b"PK\x03\x04\x14\0", b"\xff\xd8\xff\xe0\0"]
)
def test_what_is_no_text_is_not_shown(tmp_path: Path, content: bytes) -> None:
    assert look(tmp_path, "a.bin", content) == Preview("binary", False, (), (), False)


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl", "a.libsvm", "a"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    found = look(tmp_path, name, b"")
    assert (found.rows, found.truncated) == ((), False)


def test_a_content_type_goes_before_the_name(tmp_path: Path) -> None:
    assert look(tmp_path, "a.txt", "word\n", content_type="text/csv; label_size=1").format == "csv"
    assert look(tmp_path, "a.csv", "1 1:1\n", content_type="text/libsvm").format == "libsvm"


def test_parquet_is_read_elsewhere(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet as writer

    table = pa.table(
        {
            "n": [1, None, 3],
            "x": [1.5, 2.5, None],
            "ok": [True, False, None],
            "when": [datetime(2024, 1, 2), None, None],
            "list": [[1, 2], [], None],
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    path = tmp_path / "no-ending"
    writer.write_table(table, path)
    found = preview_file(path, max_rows=2)
    assert found.format == "parquet"
    assert found.truncated
    assert types(found) == ["integer", "number", "boolean", "time", "text", "text"]
    assert found.rows == (
        ("1", "1.5", "True", "2024-01-02 00:00:00", "[1, 2]", "a"),
        ("", "2.5", "False", "", "[]", "b"),
    )
    assert [column.missing for column in found.columns] == [1, 0, 0, 1, 0, 0]
    whole = preview_file(path, max_rows=3)
    assert (len(whole.rows), whole.truncated) == (3, False)


def test_what_only_says_that_it_is_parquet_fails(tmp_path: Path) -> None:
    with pytest.raises(PreviewFailed, match="cannot be read as Parquet"):
        look(tmp_path, "a.parquet", "a,b\n1,2\n")


def test_parquet_that_takes_too_long_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SECONDS", 0.001)
    with pytest.raises(PreviewFailed, match="could not be read in"):
        look(tmp_path, "a.parquet", b"PAR1")


def test_looking_imports_no_numeric_library(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    program = (
        "import sys, json, pathlib\n"
        "from bottega.storage.previews.preview import preview_file\n"
        f"preview_file(pathlib.Path({str(tmp_path / 'a.csv')!r}))\n"
        "print(json.dumps([n for n in ('numpy', 'pandas', 'pyarrow') if n in sys.modules]))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(run.stdout) == []


@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.txt", "a.tsv", "a.libsvm", "a"]))
def test_nothing_breaks_it(tmp_path: Path, content: bytes, name: str) -> None:
    try:
        found = look(tmp_path, name, content.removeprefix(b"PAR1"))
    except PreviewFailed:
        return
    assert all(len(row) == len(found.columns) for row in found.rows)
