"""Channels of rows: every format and input mode, batches, shuffles, memory, and bad data."""

from __future__ import annotations

import gc
import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers import record_channel, row_store, sources
from bottega.algorithms.readers.blocks import LabelRule
from bottega.algorithms.readers.record_channel import RecordChannel, open_records
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.row_store import BUDGET, RowStore
from bottega.testing.job_folder import JobFolder

RECORDIO = "application/x-recordio-protobuf"
TYPES = (RECORDIO, "text/csv", "application/jsonlines", "application/x-parquet", "text/libsvm")
ROWS, COLUMNS = 530, 4
RANDOM = np.random.default_rng(11)
FEATURES = RANDOM.normal(size=(ROWS, COLUMNS)).astype(np.float32)
FEATURES[:, 0] = np.arange(ROWS)
LABELS = (np.arange(ROWS) % 3).astype(np.float32)
SPARSE = sparse.csr_matrix(np.where(RANDOM.uniform(size=FEATURES.shape) < 0.4, FEATURES, 0))


def csv(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    rows = [[float(y), *map(float, row)] for y, row in zip(labels, features, strict=True)]
    return "".join(",".join(map(repr, row)) + "\n" for row in rows).encode()


def jsonlines(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    return "".join(
        json.dumps({"features": row.tolist(), "label": float(y)}) + "\n"
        for y, row in zip(labels, features, strict=True)
    ).encode()


def records(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    file = io.BytesIO()
    write_rows(file, features, labels)
    return file.getvalue()


def arrow(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    columns = {"y": labels, **{f"f{i}": column for i, column in enumerate(features.T)}}
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, row_group_size=100)
    return file.getvalue()


def libsvm(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    return "".join(
        f"{y} " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row)) + "\n"
        for y, row in zip(labels, features, strict=True)
    ).encode()


WRITERS = dict(zip(TYPES, (records, csv, jsonlines, arrow, libsvm), strict=True))

Open = Callable[..., RecordChannel]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens a channel ``train`` of these files."""

    def open_it(content_type: str | None, files: dict[str, bytes], **more: Any) -> RecordChannel:
        job = JobFolder(tmp_path / "ml", {}).channel("train", content_type, files)
        channel = open_records(job.read(), "train", **{"content_types": TYPES, **more})
        assert channel is not None
        return channel

    return open_it


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how many MiB readers may keep."""
    monkeypatch.setattr(record_channel, "_LEAST_WINDOW", 1 << 10)
    return lambda size: monkeypatch.setenv("BOTTEGA_READER_MEMORY", str(size))


def everything(batches: Iterator[Any]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Features, labels and the sizes of the batches."""
    found = list(batches)
    features = [
        batch.features.toarray() if sparse.issparse(batch.features) else batch.features
        for batch in found
    ]
    return (
        np.concatenate(features),
        np.concatenate([batch.labels for batch in found]),
        [batch.rows for batch in found],
    )


def assert_whole(found: tuple[np.ndarray, np.ndarray, list[int]], copies: int = 1) -> None:
    """In any order, every row is there with its own label."""
    features, labels, _ = found
    order = np.argsort(features[:, 0], kind="stable")
    np.testing.assert_array_equal(features[order], np.repeat(FEATURES, copies, axis=0))
    np.testing.assert_array_equal(labels[order], np.repeat(LABELS, copies))


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("kept", [True, False], ids=["in memory", "read anew"])
def test_every_format_gives_the_rows(
    opened: Open, memory: Callable[[float], None], content_type: str, kept: bool
) -> None:
    memory(1 if kept else 0)
    data = WRITERS[content_type]()
    channel = opened(content_type, {"a": data, "sub/b": data, ".hidden": b"x", "empty": b""})
    assert channel.width == COLUMNS
    assert channel.sparse == (content_type == "text/libsvm")
    for epoch in range(3):
        features, labels, sizes = everything(channel.batches(100, epoch=epoch))
        np.testing.assert_array_equal(features, np.tile(FEATURES, (2, 1)))
        np.testing.assert_array_equal(labels, np.tile(LABELS, 2))
        assert sizes == [100] * 10 + [60]
        assert channel.kept == kept
    assert sum(everything(channel.batches(0))[2]) == 2 * ROWS


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("kept", [True, False], ids=["in memory", "read anew"])
def test_a_shuffle_loses_nothing_and_can_be_repeated(
    opened: Open, memory: Callable[[float], None], content_type: str, kept: bool
) -> None:
    memory(1 if kept else 0.005)
    data = WRITERS[content_type]()
    passes = []
    for _ in range(2):
        channel = opened(content_type, {"a": data, "b": data})
        seen = [everything(channel.batches(64, epoch=epoch, seed=5)) for epoch in range(3)]
        assert channel.kept == kept
        for found in seen:
            assert_whole(found, copies=2)
            assert found[2] == [64] * 16 + [36]
        passes.append([found[0].tolist() for found in seen])
        assert passes[-1][0] != passes[-1][1] != passes[-1][2]
        other = everything(channel.batches(64, epoch=2, seed=6))
        assert_whole(other, copies=2)
        assert other[0].tolist() != passes[-1][2]
    assert passes[0] == passes[1]


def test_all_that_is_in_memory_is_shuffled_as_a_whole(opened: Open) -> None:
    channel = opened("text/csv", {"a.csv": csv()})
    first = everything(channel.batches(50, seed=0))[0][:, 0]
    assert channel.kept
    # Were it not, the first tenth would come from the first rows.
    assert first[:50].max() > ROWS * 0.8


def test_a_window_is_shuffled_where_not_all_fits(
    opened: Open, memory: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory(0)
    monkeypatch.setattr(sources.Stream.text, "__defaults__", (1 << 9,))
    channel = opened("text/csv", {"a.csv": csv(), "b.csv": csv(FEATURES + 1000)})
    passes = [everything(channel.batches(7, epoch=e, seed=0))[0][:, 0] for e in range(8)]
    for rows in passes:
        assert len(set(rows.tolist())) == 2 * ROWS
        assert (np.diff(rows) < 0).any()
        # A window has 1 KiB, which is about fifty rows.
        assert abs(rows[:7].astype(int) % 1000).max() < 100
    # The files come in another order, too.
    assert len({rows[0] >= 1000 for rows in passes[1:]}) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
    st.integers(1, 50),
    st.booleans(),
    st.booleans(),
)
def test_blocks_of_any_size_become_batches_of_one(
    sizes: list[int], size: int, is_sparse: bool, shuffled: bool
) -> None:
    matrix = SPARSE if is_sparse else FEATURES
    ends = np.minimum(np.cumsum(sizes), ROWS)

    class Reading:
        def blocks(self, *given: Any) -> Iterator[Any]:
            for start, end in zip([0, *ends[:-1]], ends, strict=True):
                yield record_channel.Block(
                    matrix[start:end], LABELS[start:end], lambda row: f"row {row}"
                )

    channel = RecordChannel("c", COLUMNS, sparse=is_sparse, reading=Reading())  # type: ignore[arg-type]
    for epoch in range(2):
        seed = 3 if shuffled else None
        batches = list(channel.batches(size, epoch=epoch, seed=seed))
        assert [batch.rows for batch in batches[:-1]] == [size] * (len(batches) - 1)
        assert 0 < batches[-1].rows <= size
        stack = sparse.vstack if is_sparse else np.concatenate
        found = stack([batch.features for batch in batches])
        labels = np.concatenate([batch.labels for batch in batches])
        expected = matrix[: ends[-1]]
        if is_sparse:
            assert all(batch.features.has_canonical_format for batch in batches)
            found, expected = found.toarray(), expected.toarray()
        if not shuffled:
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(labels, LABELS[: ends[-1]])
        both = np.column_stack([labels, found])
        wanted = np.column_stack([LABELS[: ends[-1]], expected])
        np.testing.assert_array_equal(np.unique(both, axis=0), np.unique(wanted, axis=0))


def test_a_pass_that_is_left_harms_nothing(opened: Open, memory: Callable[[float], None]) -> None:
    for size in (1, 0):
        memory(size)
        channel = opened("text/csv", {"a.csv": csv(), "b.csv": csv()})
        for seed in (None, None, 1):
            batches = channel.batches(10, seed=seed)
            next(batches)
            batches.close()  # type: ignore[attr-defined]
        assert_whole(everything(channel.batches(10)), copies=2)


def test_reading_ahead_ends_with_the_pass(opened: Open, memory: Callable[[float], None]) -> None:
    memory(0)
    channel = opened("text/csv", {f"{i}.csv": csv() for i in range(30)})
    batches = channel.batches(10)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name == "bottega-reader"]


def test_the_budget_is_shared_and_given_back(memory: Callable[[float], None]) -> None:
    memory(1)
    gc.collect()
    first, second = (RowStore(1, sparse=False, budget=BUDGET) for _ in range(2))
    most = np.zeros((200_000, 1), dtype=np.float32)
    assert first.append(most, None)
    assert not second.append(most, None)
    assert second.append(most[:1000], None)
    del first
    gc.collect()
    assert second.append(most, None)
    assert second.rows == 201_000


def test_the_budget_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOTTEGA_READER_MEMORY", raising=False)
    for pages, limit in ((1 << 40, 2 << 30), (1 << 18, (1 << 30) // 8)):
        values = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": pages}
        monkeypatch.setattr(row_store.os, "sysconf", values.__getitem__)
        assert BUDGET.limit == limit


def test_gzip_and_the_content_type_that_is_meant(opened: Open) -> None:
    channel = opened("text/csv", {"a.csv.gz": gzip.compress(csv())})
    assert_whole(everything(channel.batches(100)))
    channel = opened(None, {"a.csv.gz": gzip.compress(records())})
    assert_whole(everything(channel.batches(100)))


def test_labels_can_be_absent_or_passed_over(opened: Open) -> None:
    text = csv(FEATURES[:, 1:], FEATURES[:, 0])
    channel = opened("text/csv;label_size=0", {"a.csv": text}, labels=False)
    batches = list(channel.batches(100))
    assert all(batch.labels is None for batch in batches)
    np.testing.assert_array_equal(np.concatenate([b.features for b in batches]), FEATURES)
    for content_type, write in WRITERS.items():
        channel = opened(content_type, {"a.csv": write()}, labels=False)
        batch = next(iter(channel.batches(0)))
        assert batch.labels is None
        assert batch.features.shape[1] == COLUMNS
    with pytest.raises(CustomerError, match=r"label_size=0.*needs a label"):
        opened("text/csv; label_size=0", {"a.csv": text})


def test_sparse_records_stay_sparse(opened: Open, memory: Callable[[float], None]) -> None:
    for size in (1, 0):
        memory(size)
        channel = opened(RECORDIO, {"a": records(SPARSE)})
        assert channel.sparse
        for seed in (None, 1):
            features, _, _ = everything(channel.batches(64, seed=seed))
            order = np.lexsort(features.T)
            expected = SPARSE.toarray()
            np.testing.assert_array_equal(features[order], expected[np.lexsort(expected.T)])


def test_files_may_mix_dense_and_sparse(opened: Open) -> None:
    for files, is_sparse in (
        ({"a": records(), "b": records(SPARSE)}, False),
        ({"a": records(SPARSE), "b": records()}, True),
    ):
        channel = opened(RECORDIO, files)
        assert channel.sparse == is_sparse
        expected = [FEATURES, SPARSE.toarray()][:: -1 if is_sparse else 1]
        np.testing.assert_array_equal(everything(channel.batches(0))[0], np.concatenate(expected))


def test_libsvm_is_as_wide_as_its_widest_row(opened: Open) -> None:
    files = {"a": b"1 0:1\n0 2:1\n", "b": b"1 9:1\n"}
    channel = opened("text/libsvm", files)
    assert channel.width == 10
    assert everything(channel.batches(2))[0].shape == (3, 10)
    assert opened("text/libsvm", files, width=12).width == 12
    with pytest.raises(CustomerError, match=r"Line 1 of b has 10 features where 5 are"):
        everything(opened("text/libsvm", files, width=5).batches(2))


def changed(place: tuple[int, int], value: float) -> np.ndarray:
    found = FEATURES.copy()
    found[place] = value
    return found


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("content_type", [RECORDIO, "text/csv", "application/x-parquet"])
def test_what_is_no_number_is_refused_by_row(opened: Open, content_type: str, value: float) -> None:
    place = {RECORDIO: "record 8", "text/csv": "line 8", "application/x-parquet": "row 8"}
    data = WRITERS[content_type](changed((7, 2), value))
    words = f"Feature 3 in {place[content_type]} of a is (missing or NaN|-?inf)"
    with pytest.raises(CustomerError, match=words):
        everything(opened(content_type, {"a": data}).batches(10))
    channel = opened(content_type, {"a": data}, missing_ok=True)
    np.testing.assert_array_equal(everything(channel.batches(10))[0][7, 2], value)
    labels = LABELS.copy()
    labels[9] = value
    data = WRITERS[content_type](FEATURES, labels)
    words = f"label in {place[content_type].replace('8', '10')} of a is"
    with pytest.raises(CustomerError, match=words):
        everything(opened(content_type, {"a": data}).batches(10))


def test_numbers_whose_sum_is_too_large_are_numbers(opened: Open) -> None:
    large = np.full((20, 2), 3e38, dtype=np.float32)
    channel = opened(RECORDIO, {"a": records(large, LABELS[:20])})
    np.testing.assert_array_equal(everything(channel.batches(5))[0], large)


def test_in_sparse_rows_too(opened: Open) -> None:
    matrix = sparse.csr_matrix(SPARSE)
    matrix.data[matrix.indptr[5]] = np.nan
    column = matrix.indices[matrix.indptr[5]] + 1
    with pytest.raises(CustomerError, match=f"Feature {column} in record 6 of a"):
        everything(opened(RECORDIO, {"a": records(matrix)}).batches(10))


@pytest.mark.parametrize(
    ("content_type", "data", "words"),
    [
        ("text/csv", b"1,2\n0,3,4\n", ("a: line 2 has 3 columns", "has 2")),
        ("text/csv", b"y,x\n1,2\n", ("a: 'y' in column 1 of line 1", "header")),
        ("text/csv", b"1\n0\n", ("a has 1 column", "a label, and at least one feature")),
        ("text/csv", records(), ("a: ",)),
        ("application/jsonlines", b'{"features": [1], "label": 1}\n{"label"', ("Line 2 of a",)),
        ("application/jsonlines", b'{"features": [1]}\n', ("Line 1 of a", "label")),
        ("application/jsonlines", b'{"features": ["x"], "label": 1}\n', ("Line 1 of a",)),
        (
            "application/jsonlines",
            b'\n{"features": [1, 2], "label": 1}\n{"features": [1], "label": 1}\n',
            ("Line 3 of a", "1 features", "has 2"),
        ),
        ("application/jsonlines", b"[1, 2]\n", ("Line 1 of a", "no JSON object")),
        ("application/x-parquet", b"1,2\n", ("a is no Parquet",)),
        (RECORDIO, csv(), ("a: at byte 0, where record 1 should begin", "no RecordIO")),
        (RECORDIO, records()[:-2], ("a: the data end at byte", f"record {ROWS}")),
        ("text/libsvm", b"1 a:b\n", ("a: 'a:b' in line 1",)),
    ],
)
def test_damage_names_file_and_place(
    opened: Open, content_type: str, data: bytes, words: tuple[str, ...]
) -> None:
    with pytest.raises(CustomerError) as error:
        everything(opened(content_type, {"a": data}).batches(10))
    for word in words:
        assert word in str(error.value)


def test_rows_of_another_width_are_refused(opened: Open) -> None:
    two = {"a.csv": csv(), "b.csv": csv(FEATURES[:, :3])}
    with pytest.raises(CustomerError, match=r"Line 1 of b\.csv has 3 features where 4 .* first"):
        everything(opened("text/csv", two).batches(10))
    with pytest.raises(CustomerError, match=r"Line 1 of a\.csv has 4 features where 9 .*feature_d"):
        everything(opened("text/csv", two, width=9).batches(10))


def test_labels_are_judged_by_a_rule(opened: Open) -> None:
    rule = LabelRule(lambda labels: labels > 1, "is above 1.")
    with pytest.raises(CustomerError, match=r"^Label 2 in line 3 of a\.csv is above 1\.$"):
        everything(opened("text/csv", {"a.csv": csv()}, rule=rule).batches(10))


def test_what_cannot_be_opened(tmp_path: Path, opened: Open) -> None:
    with pytest.raises(CustomerError, match="The channel train has no data"):
        opened("text/csv", {"a.csv": b"", ".b.csv": csv()})
    with pytest.raises(CustomerError, match="The channel train has no data"):
        opened("text/csv", {"a.csv": b"\n\n"})
    with pytest.raises(
        CustomerError, match=r"'image/png' of the channel train cannot be read; .*or"
    ):
        opened("image/png", {"a.csv": csv()})
    with pytest.raises(CustomerError, match="'text/csv' of the channel train cannot be read"):
        opened("text/csv", {"a.csv": csv()}, content_types=(RECORDIO,))
    with pytest.raises(CustomerError, match="label_size that is neither 0 nor 1"):
        opened("text/csv;label_size=2", {"a.csv": csv()})
    job = JobFolder(tmp_path / "other", {})
    with pytest.raises(CustomerError, match="no channel 'test'"):
        open_records(job.read(), "test", content_types=TYPES)


def test_a_host_without_data_of_several(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml", {}, hosts=("algo-1", "algo-2"), host="algo-2")
    job.channel("train", "text/csv", {})
    assert open_records(job.read(), "train", content_types=TYPES) is None
