"""Tables, libsvm and Parquet: what is in a file, by file and line where it is wrong."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pyarrow import parquet as pyarrow_parquet
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers import csv, libsvm, parquet, sources
from bottega.algorithms.readers.blocks import Block, Decoder, Layout
from bottega.algorithms.readers.rows import Rows, data_files, gather
from bottega.algorithms.readers.sources import Source

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def blocks(decode: Decoder, *paths: Path, **layout: bool) -> Iterator[Block]:
    for path in paths:
        with Source(path, path.name).open() as stream:
            yield from decode(stream, Layout(**layout))


def read(decode: Decoder, *paths: Path, **layout: bool) -> Rows:
    rows = gather(blocks(decode, *paths, **layout))
    assert rows is not None
    return rows


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 6)), elements=FLOATS))
def test_csv_reads_back_what_was_written(table: np.ndarray) -> None:
    text = "\n".join(",".join(repr(float(cell)) for cell in row) for row in table)
    assert np.array_equal(csv.table(text.encode()), table)


def test_csv_takes_label_weight_and_missing_values(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b'1,0.5, 2 ,"3"\r\n\r\n0,2,,NA\n')
    part = read(csv.blocks, path, weights=True)
    assert part.labels.tolist() == [1, 0]
    assert part.weights.tolist() == [0.5, 2]
    np.testing.assert_array_equal(part.features, [[2, 3], [np.nan, np.nan]])


@pytest.mark.parametrize("mark", ["\t", ";", "|", " "])
def test_csv_finds_the_delimiter(tmp_path: Path, mark: str) -> None:
    part = read(csv.blocks, write(tmp_path, "a.csv", f"1{mark}2\n3{mark}4\n".encode()))
    assert part.features.tolist() == [[2], [4]]


def test_csv_reads_gzip_and_many_blocks(tmp_path: Path) -> None:
    rows = 300_000
    table = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt="%d", delimiter=",")
    content = gzip.compress(buffer.getvalue().encode(), compresslevel=1)
    part = read(csv.blocks, write(tmp_path, "a.csv.gz", content))
    np.testing.assert_array_equal(part.features, table[:, 1:])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"label,a\n1,2\n", ("line 1", "'label'", "header")),
        (b"1,2\n0,x\n", ("line 2", "column 2", "'x'")),
        (b"1,2\n0\n", ("line 2", "1 columns", "has 2")),
        (b"1\n0\n", ("1 column(s)", "feature")),
        (b"1,2\n0,1_0\n", ("line 2", "'1_0'")),
    ],
)
def test_csv_errors_name_file_and_line(
    tmp_path: Path, content: bytes, words: tuple[str, ...]
) -> None:
    with pytest.raises(CustomerError) as error:
        read(csv.blocks, write(tmp_path, "train.csv", content))
    for word in ("train.csv", *words):
        assert word in str(error.value)


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 8), st.integers(1, 5)),
        elements=st.one_of(st.just(0.0), FLOATS),
    )
)
def test_libsvm_reads_back_what_was_written(table: np.ndarray) -> None:
    lines = [
        f"{row % 2} " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(values) if v)
        for row, values in enumerate(table)
    ]
    features, labels, weights, groups = libsvm.parse("\n".join(lines).encode())
    features.resize(table.shape)
    np.testing.assert_array_equal(features.toarray(), table)
    assert labels.tolist() == [row % 2 for row in range(len(table))]
    assert weights is None
    assert groups is None


def test_libsvm_takes_weights_groups_comments_and_any_order() -> None:
    text = b"1:0.5 qid:3 2:1 0:4 # first\n\n-1 qid:4\n"
    features, labels, weights, groups = libsvm.parse(text)
    assert features.toarray().tolist() == [[4, 0, 1], [0, 0, 0]]
    assert labels.tolist() == [1, -1]
    assert weights.tolist() == [0.5, 1]
    assert groups.tolist() == [3, 4]


def test_libsvm_reads_large_blocks_as_small_ones() -> None:
    values = np.random.default_rng(0).normal(size=(3000, 5)).astype(np.float32)
    lines = [
        "1 " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row)) + "\n" for row in values
    ]
    features = libsvm.parse("".join(lines).encode())[0]
    np.testing.assert_array_equal(features.toarray(), values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1 0:1\n2 x:3\n", ("line 2", "'x:3'")),
        (b"1,2,3\n", ("line 1", "text/csv")),
        (b"1 1:2:3\n", ("line 1", "'1:2:3'")),
        (b"0 1:1\n1 3\n", ("line 2", "'3'")),
        (b"1 -2:3\n", ("line 1", "'-2:3'")),
        (b"1 1.5:3\n", ("'1.5:3'",)),
        (b"1 2:\n", ("'2:'",)),
    ],
)
@pytest.mark.parametrize("padding", [b"", b"1 0:1\n" * 4000], ids=["small", "large"])
def test_libsvm_errors_name_the_line(
    content: bytes, words: tuple[str, ...], padding: bytes
) -> None:
    with pytest.raises(libsvm.MalformedLibsvm) as error:
        libsvm.parse(content + padding)
    for word in words:
        assert word in str(error.value)


@given(st.binary(max_size=60))
def test_libsvm_judges_anything(text: bytes) -> None:
    try:
        features, labels, _, _ = libsvm.parse(text)
    except libsvm.MalformedLibsvm:
        return
    assert features.shape[0] == labels.size


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({"y": [1, 0], "a": [0.5, None], "b": [True, False]})
    pyarrow_parquet.write_table(table, tmp_path / "a.parquet")
    part = read(parquet.blocks, tmp_path / "a.parquet")
    assert part.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(part.features, [[0.5, 1], [np.nan, 0]])


def test_parquet_refuses_text_columns_and_other_files(tmp_path: Path) -> None:
    pyarrow_parquet.write_table(pa.table({"y": [1], "city": ["Rome"]}), tmp_path / "a.parquet")
    with pytest.raises(CustomerError, match=r"'city' of a\.parquet is string"):
        read(parquet.blocks, tmp_path / "a.parquet")
    with pytest.raises(CustomerError, match=r"b\.parquet is no Parquet"):
        read(parquet.blocks, write(tmp_path, "b.parquet", b"1,2\n"))


def test_files_of_a_channel_are_in_order_without_hidden_and_empty_ones(tmp_path: Path) -> None:
    for name in ("b.csv", "a/z.csv", ".hidden", "_SUCCESS", ".cache/x", "empty"):
        write(tmp_path, name, b"" if name == "empty" else b"1,2\n")
    assert [str(path.relative_to(tmp_path)) for path in data_files(tmp_path)] == [
        "a/z.csv",
        "b.csv",
    ]


def test_each_row_says_where_it_came_from(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, "a.csv", b"1,2\n\n3,4\n"),
        write(tmp_path, "b.csv", b"\n5,6\n"),
    ]
    assert [
        block.origin(row) for block in blocks(csv.blocks, *paths) for row in range(block.count)
    ] == ["line 1 of a.csv", "line 3 of a.csv", "line 2 of b.csv"]
    path = write(tmp_path, "c", b"# names\n1 0:1 # one\n\n0 0:2\n")
    found = next(blocks(libsvm.blocks, path))
    assert [found.origin(row) for row in range(2)] == ["line 2 of c", "line 4 of c"]


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_lines_may_lie_across_the_blocks_of_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    lines = [f"{row % 2},{row},{'7' * (row % 9)}" for row in range(40)]
    monkeypatch.setattr(sources.Stream.text, "__defaults__", (size,))
    for end in ("", "\n"):
        path = write(tmp_path, "a.csv", ("\n".join(lines) + end).encode())
        found = list(blocks(csv.blocks, path))
        assert len(found) > 1
        table = np.concatenate([block.features for block in found])
        assert table[:, 0].tolist() == list(range(40))
        places = [block.origin(row) for block in found for row in range(block.count)]
        assert places == [f"line {number} of a.csv" for number in range(1, 41)]
    path = write(tmp_path, "b.csv", ("\n".join(lines) + "\n1,x,3\n").encode())
    with pytest.raises(CustomerError, match=r"b\.csv: 'x' in column 2 of line 41"):
        list(blocks(csv.blocks, path))


def test_a_row_can_be_very_wide(tmp_path: Path) -> None:
    values = np.arange(300_000) % 1000
    text = "1," + ",".join(map(str, values)) + "\n"
    part = read(csv.blocks, write(tmp_path, "a.csv", (text * 2).encode()))
    np.testing.assert_array_equal(part.features, [values, values])


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    content = gzip.compress(b"1,2\n" * 1000)
    for damaged in (content[:-20], content[:20] + b"xxxx" + content[24:], content[:12]):
        path = write(tmp_path, "a.csv.gz", damaged)
        with pytest.raises(CustomerError, match=r"a\.csv\.gz is damaged gzip data"):
            read(csv.blocks, path)


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    paths = [write(tmp_path, "a.csv", b"1,2\n"), write(tmp_path, "b.csv", b"1,2,3\n")]
    with pytest.raises(CustomerError, match=r"Line 1 of b\.csv has 2 features where 1 are"):
        read(csv.blocks, *paths)


def test_sparse_files_may_differ_in_width(tmp_path: Path) -> None:
    rows = read(libsvm.blocks, write(tmp_path, "a", b"1 0:1\n"), write(tmp_path, "b", b"0 3:2\n"))
    assert sparse.issparse(rows.features)
    assert rows.features.toarray().tolist() == [[1, 0, 0, 0], [0, 0, 0, 2]]
    assert rows.labels.tolist() == [1, 0]


def test_weights_and_groups_of_several_files(tmp_path: Path) -> None:
    plain = write(tmp_path, "a", b"1 0:1\n")
    weighted = write(tmp_path, "b", b"0:2.5 0:2\n")
    assert read(libsvm.blocks, plain, weighted).weights.tolist() == [1, 2.5]
    grouped = write(tmp_path, "c", b"0 qid:2 0:2\n")
    assert read(libsvm.blocks, grouped, grouped).groups.tolist() == [2, 2]
    for other in (plain, write(tmp_path, "d", b"0 qid:2 0:2\n\n1 1:1\n")):
        with pytest.raises(CustomerError, match=r"no qid in line [13] of"):
            read(libsvm.blocks, grouped, other)


def test_nothing_is_gathered_from_nothing(tmp_path: Path) -> None:
    for content in (b"", b"\n \n"):
        assert gather(blocks(csv.blocks, write(tmp_path, "a.csv", content))) is None
        assert gather(blocks(libsvm.blocks, write(tmp_path, "a", content))) is None
