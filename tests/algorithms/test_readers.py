"""Readers of training data."""

from __future__ import annotations

import gzip
import io
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
from bottega.algorithms.readers import csv, libsvm, parquet
from bottega.algorithms.readers.rows import data_files, join

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 6)), elements=FLOATS))
def test_csv_reads_back_what_was_written(table: np.ndarray) -> None:
    text = "\n".join(",".join(repr(float(cell)) for cell in row) for row in table)
    assert np.array_equal(csv.read_table(io.BytesIO(text.encode())), table)


def test_csv_takes_label_weight_and_missing_values(tmp_path: Path) -> None:
    part = csv.read_file(write(tmp_path, "a.csv", b'1,0.5, 2 ,"3"\r\n\r\n0,2,,NA\n'), weights=True)
    assert part.labels.tolist() == [1, 0]
    assert part.weights.tolist() == [0.5, 2]
    np.testing.assert_array_equal(part.features, [[2, 3], [np.nan, np.nan]])


@pytest.mark.parametrize("mark", ["\t", ";", "|", " "])
def test_csv_finds_the_delimiter(tmp_path: Path, mark: str) -> None:
    part = csv.read_file(write(tmp_path, "a.csv", f"1{mark}2\n3{mark}4\n".encode()))
    assert part.features.tolist() == [[2], [4]]


def test_csv_reads_gzip_and_many_blocks(tmp_path: Path) -> None:
    rows = 300_000
    table = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    buffer = io.StringIO()
    np.savetxt(buffer, table, fmt="%d", delimiter=",")
    content = gzip.compress(buffer.getvalue().encode(), compresslevel=1)
    part = csv.read_file(write(tmp_path, "a.csv.gz", content))
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
        csv.read_file(write(tmp_path, "train.csv", content))
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
    features, labels, weights, groups = libsvm.read_stream(io.BytesIO("\n".join(lines).encode()))
    features.resize(table.shape)
    np.testing.assert_array_equal(features.toarray(), table)
    assert labels.tolist() == [row % 2 for row in range(len(table))]
    assert weights is None
    assert groups is None


def test_libsvm_takes_weights_groups_comments_and_any_order() -> None:
    text = b"1:0.5 qid:3 2:1 0:4 # first\n\n-1 qid:4\n"
    features, labels, weights, groups = libsvm.read_stream(io.BytesIO(text))
    assert features.toarray().tolist() == [[4, 0, 1], [0, 0, 0]]
    assert labels.tolist() == [1, -1]
    assert weights.tolist() == [0.5, 1]
    assert groups.tolist() == [3, 4]


def test_libsvm_reads_large_blocks_as_small_ones() -> None:
    values = np.random.default_rng(0).normal(size=(3000, 5)).astype(np.float32)
    lines = [
        "1 " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row)) + "\n" for row in values
    ]
    features = libsvm.read_stream(io.BytesIO("".join(lines).encode()))[0]
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
        libsvm.read_stream(io.BytesIO(content + padding))
    for word in words:
        assert word in str(error.value)


@given(st.binary(max_size=60))
def test_libsvm_judges_anything(text: bytes) -> None:
    try:
        features, labels, _, _ = libsvm.read_stream(io.BytesIO(text))
    except libsvm.MalformedLibsvm:
        return
    assert features.shape[0] == labels.size


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({"y": [1, 0], "a": [0.5, None], "b": [True, False]})
    pyarrow_parquet.write_table(table, tmp_path / "a.parquet")
    part = parquet.read_file(tmp_path / "a.parquet")
    assert part.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(part.features, [[0.5, 1], [np.nan, 0]])


def test_parquet_refuses_text_columns_and_other_files(tmp_path: Path) -> None:
    pyarrow_parquet.write_table(pa.table({"y": [1], "city": ["Rome"]}), tmp_path / "a.parquet")
    with pytest.raises(CustomerError, match=r"'city' of a\.parquet is string"):
        parquet.read_file(tmp_path / "a.parquet")
    with pytest.raises(CustomerError, match=r"b\.parquet is no Parquet"):
        parquet.read_file(write(tmp_path, "b.parquet", b"1,2\n"))


def test_files_of_a_channel_are_in_order_without_hidden_and_empty_ones(tmp_path: Path) -> None:
    for name in ("b.csv", "a/z.csv", ".hidden", "_SUCCESS", ".cache/x", "empty"):
        write(tmp_path, name, b"" if name == "empty" else b"1,2\n")
    assert [str(path.relative_to(tmp_path)) for path in data_files(tmp_path)] == [
        "a/z.csv",
        "b.csv",
    ]


def test_joined_files_say_where_a_row_came_from(tmp_path: Path) -> None:
    parts = [
        csv.read_file(write(tmp_path, "a.csv", b"1,2\n\n3,4\n")),
        csv.read_file(write(tmp_path, "b.csv", b"\n5,6\n")),
    ]
    rows = join(parts)
    assert rows.labels.tolist() == [1, 3, 5]
    assert [rows.origin(row) for row in range(3)] == [
        "line 1 of a.csv",
        "line 3 of a.csv",
        "line 2 of b.csv",
    ]


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    parts = [
        csv.read_file(write(tmp_path, "a.csv", b"1,2\n")),
        csv.read_file(write(tmp_path, "b.csv", b"1,2,3\n")),
    ]
    with pytest.raises(CustomerError, match=r"b\.csv has 2 feature columns and a\.csv has 1"):
        join(parts)


def test_sparse_files_may_differ_in_width(tmp_path: Path) -> None:
    parts = [
        libsvm.read_file(write(tmp_path, "a", b"1 0:1\n")),
        libsvm.read_file(write(tmp_path, "b", b"0 3:2\n")),
    ]
    rows = join(parts)
    assert sparse.issparse(rows.features)
    assert rows.features.toarray().tolist() == [[1, 0, 0, 0], [0, 0, 0, 2]]
