"""Rows in RecordIO of Records: three ways of reading them that must agree, and the writers."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers import record_blocks
from bottega.algorithms.readers.blocks import Layout
from bottega.algorithms.readers.record_blocks import MalformedRecords, rows_of_records
from bottega.algorithms.readers.record_frames import frames
from bottega.algorithms.readers.record_protobuf import (
    FEATURES,
    FLOAT32,
    FLOAT64,
    INT32,
    LABEL,
    delimited,
    encode_record,
    encode_tensor,
    entry,
)
from bottega.algorithms.readers.record_writing import label_records, write_rows
from bottega.algorithms.readers.recordio import frame, read_records

FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
RANDOM = np.random.default_rng(4)
DENSE = RANDOM.normal(size=(700, 5)).astype(np.float32)
LABELS = RANDOM.normal(size=700).astype(np.float32)
SPARSE = sparse.random(700, 300, density=0.03, format="csr", dtype=np.float32, random_state=1)


class Stream(io.BytesIO):
    """What ``blocks`` reads."""

    name = "a.pbr"


def read(data: bytes, layout: Layout | None = None) -> tuple[Any, Any]:
    """All features and labels of some RecordIO, through the blocks of a channel."""
    found = list(record_blocks.blocks(Stream(data), layout or Layout()))
    stack = np.concatenate if isinstance(found[0].features, np.ndarray) else sparse.vstack
    labels = None if found[0].labels is None else np.concatenate([b.labels for b in found])
    return stack([block.features for block in found]), labels


def written(features: Any, labels: Any = None) -> bytes:
    file = io.BytesIO()
    assert write_rows(file, features, labels) == features.shape[0]
    return file.getvalue()


def equal(found: Any, expected: Any) -> bool:
    if sparse.issparse(expected):
        return sparse.issparse(found) and (found != expected).nnz == 0
    return isinstance(found, np.ndarray) and np.array_equal(found, expected)


@pytest.fixture(params=["numpy", "compiled", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way of reading, whatever the size of the data."""
    if request.param == "numpy":
        monkeypatch.setattr(record_blocks, "SMALL", 0)
    else:
        monkeypatch.setattr(record_blocks, "_alike", lambda *given: None)
        monkeypatch.setattr(record_blocks, "SMALL", 0 if request.param == "compiled" else 1 << 62)
    return str(request.param)


@pytest.mark.parametrize("features", [DENSE, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("rows", [1, 3, 700])
def test_what_was_written_is_read(way: str, features: Any, rows: int) -> None:
    data = written(features[:rows], LABELS[:rows])
    found, labels = read(data)
    assert equal(found, features[:rows])
    assert np.array_equal(labels, LABELS[:rows])
    found, labels = read(data, Layout(needs_label=False))
    assert labels is None
    assert equal(found, features[:rows])
    assert equal(rows_of_records(data), features[:rows])
    assert equal(read(written(features[:rows]), Layout(needs_label=False))[0], features[:rows])


def test_what_is_read_can_be_changed_and_is_aligned(way: str) -> None:
    for data in (written(DENSE[:1], LABELS[:1]), written(DENSE, LABELS)):
        features, labels = next(
            (block.features, block.labels) for block in record_blocks.blocks(Stream(data), Layout())
        )
        for array in (features, labels):
            assert array.flags.writeable
            assert array.flags.aligned
            assert array.flags.c_contiguous
            assert array.dtype == np.float32


@pytest.mark.parametrize("features", [DENSE, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("rows", [4, 700], ids=["few", "many"])
def test_google_reads_what_we_write(record_class: Any, features: Any, rows: int) -> None:
    data = written(features[:rows], LABELS[:rows])
    for row, payload in enumerate(read_records(io.BytesIO(data))):
        message = record_class()
        message.ParseFromString(payload)
        tensor = message.features["values"].float32_tensor
        assert list(message.label["values"].float32_tensor.values) == [LABELS[row]]
        if sparse.issparse(features):
            inside = slice(features.indptr[row], features.indptr[row + 1])
            assert list(tensor.keys) == features.indices[inside].tolist()
            assert list(tensor.values) == features.data[inside].tolist()
            assert list(tensor.shape) == [features.shape[1]]
        else:
            assert list(tensor.values) == features[row].tolist()
            assert not tensor.keys


def test_both_ways_of_writing_sparse_rows_give_the_same_bytes() -> None:
    few = b"".join(written(SPARSE[i : i + 100], LABELS[i : i + 100]) for i in range(0, 700, 100))
    assert written(SPARSE, LABELS) == few
    wide = sparse.csr_matrix(([1.0, 2.0], [0, 2**31 - 2], [0] * 300 + [2]), (300, 2**31 - 1))
    data = written(wide)
    assert data == b"".join(written(wide[row]) for row in range(300))
    assert equal(read(data, Layout(needs_label=False))[0], wide)


def test_rows_of_zeros_are_sparse_rows(way: str) -> None:
    matrix = sparse.csr_matrix(([np.float32(1)], ([150], [3])), (300, 7))
    assert equal(read(written(matrix, np.ones(300)))[0], matrix)


def ordinary(number: int) -> bytes:
    return encode_record({"values": DENSE[number]}, {"values": LABELS[number : number + 1]})


def label(kind: int, value: float, dtype: Any) -> bytes:
    value_ = entry(LABEL, "values", encode_tensor(kind, np.array([value], dtype=dtype)))
    return entry(FEATURES, "values", encode_tensor(FLOAT32, DENSE[0])) + value_


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (label(FLOAT64, 2.5, np.float64), 2.5),
        (label(INT32, 3, np.int32), 3),
        (label(INT32, -1, np.int32), -1),
        (label(INT32, 1 << 20, np.int32), 1 << 20),
        (label(FLOAT32, 4, np.float32) + delimited(3, b"uid") + delimited(77, b"new"), 4),
        (delimited(4, b"{}") + label(FLOAT32, 5, np.float32), 5),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_labels_of_any_number_and_fields_around_them(
    way: str, payload: bytes, expected: float, alone: bool
) -> None:
    others = [] if alone else [ordinary(number) for number in range(3)]
    features, labels = read(b"".join(map(frame, [*others, payload, payload])))
    assert labels[-1] == labels[-2] == expected
    assert np.array_equal(features[-1], DENSE[0])


def test_both_encodings_and_any_order(
    way: str, record_class: Any, unpacked_record_class: Any
) -> None:
    payloads = []
    for row in range(6):
        message = (record_class if row % 2 else unpacked_record_class)(uid="é" * row)
        tensor = message.features["values"].float32_tensor
        inside = slice(SPARSE.indptr[row], SPARSE.indptr[row + 1])
        order = RANDOM.permutation(SPARSE.indptr[row + 1] - SPARSE.indptr[row])
        tensor.keys.extend(SPARSE.indices[inside][order].tolist())
        tensor.values.extend(SPARSE.data[inside][order].tolist())
        tensor.shape.append(300)
        message.label["values"].float32_tensor.values.append(row)
        payloads.append(message.SerializeToString())
    features, labels = read(b"".join(map(frame, payloads)))
    assert features.has_sorted_indices
    assert equal(features, SPARSE[:6])
    assert labels.tolist() == list(range(6))


def test_dense_and_sparse_rows_may_be_mixed(way: str) -> None:
    dense = np.zeros((2, 300), dtype=np.float32)
    dense[:, 7] = 1
    data = written(SPARSE[:2], LABELS[:2]) + written(dense, LABELS[:2])
    assert equal(read(data)[0], sparse.vstack([SPARSE[:2], sparse.csr_matrix(dense)]))


def test_float64_is_read_where_it_may_be(way: str) -> None:
    rows = DENSE.astype(np.float64)[:9]
    data = b"".join(frame(encode_record({"values": row}, {"values": row[:1]})) for row in rows)
    assert np.array_equal(read(data, Layout(single=False))[0], DENSE[:9])
    with pytest.raises(CustomerError, match=r"a\.pbr: record 1 has features of float64.*float32"):
        read(data)


def sparse_record(values: list[float], keys: list[int], width: int) -> bytes:
    return entry(FEATURES, "values", encode_tensor(FLOAT32, values, keys, width)) + entry(
        LABEL, "values", encode_tensor(FLOAT32, [1])
    )


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (encode_record({"values": DENSE[0]}), "has no label"),
        (encode_record({"values": DENSE[0]}, {"values": np.ones(2)}), "has no label"),
        (encode_record({"other": DENSE[0]}, {"values": np.ones(1)}), "no feature named 'values'"),
        (encode_record({"values": DENSE[0, :4]}, {"values": np.ones(1)}), "has 4 features"),
        (encode_record({"values": DENSE[0, :0]}, {"values": np.ones(1)}), "has no values"),
        (encode_record({"values": np.ones(5, np.int32)}, {"values": np.ones(1)}), "of int32"),
        (sparse_record([1], [9], 5), "has the key 9, which is not below its shape, 5"),
        (sparse_record([1], [2**40], 5), "has the key 1099511627776"),
        (sparse_record([1], [3], 0), "no shape"),
        (sparse_record([1], [3], 2**40), "too large"),
        (sparse_record([1, 2], [3], 5), "1 keys for 2 values"),
        (b"\x0a\xff", "no protobuf message"),
        (b"", "no feature named"),
    ],
)
def test_a_record_that_is_no_row_is_named(way: str, payload: bytes, words: str) -> None:
    data = frame(ordinary(0)) + frame(ordinary(1)) + frame(payload) + frame(ordinary(2))
    with pytest.raises(CustomerError) as error:
        read(data)
    assert "a.pbr: record 3 " in str(error.value)
    assert words in str(error.value)


def test_a_sparse_row_needs_no_shape_where_the_width_is_known(way: str) -> None:
    data = frame(sparse_record([2], [3], 0)) * 3
    found = read(data, Layout(width=5))[0]
    assert found.toarray().tolist() == [[0, 0, 0, 2, 0]] * 3
    assert rows_of_records(data, width=5).shape == (3, 5)
    with pytest.raises(MalformedRecords, match="no shape"):
        rows_of_records(data)


def test_a_key_that_is_there_twice_is_added_up(way: str) -> None:
    assert read(frame(sparse_record([2, 3], [1, 1], 3)))[0].toarray().tolist() == [[0, 5, 0]]


def outcome(payloads: list[bytes]) -> Any:
    try:
        features, labels = read(b"".join(map(frame, payloads)))
    except CustomerError as error:
        return str(error)
    dense = features.toarray() if sparse.issparse(features) else features
    return sparse.issparse(features), dense.tolist(), labels.tolist()


@FIXTURES
@given(data=st.data())
def test_all_ways_say_the_same_of_damaged_records(
    monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    good = [ordinary(0), sparse_record([1, 2], [0, 3], 5), label(INT32, 300, np.int32)]
    payloads = []
    for _ in range(data.draw(st.integers(1, 3))):
        payload = bytearray(data.draw(st.sampled_from(good)))
        for _ in range(data.draw(st.integers(0, 2))):
            place = data.draw(st.integers(0, len(payload) - 1))
            payload[place] = data.draw(st.integers(0, 255))
        payloads.append(bytes(payload[: data.draw(st.integers(len(payload) - 3, len(payload)))]))
    found = []
    for small, alike in ((1 << 62, None), (0, None), (0, record_blocks._alike)):
        with monkeypatch.context() as patched:
            patched.setattr(record_blocks, "SMALL", small)
            if alike is None:
                patched.setattr(record_blocks, "_alike", lambda *given: None)
            found.append(repr(outcome(payloads)))
    assert found[0] == found[1] == found[2]


def test_a_small_request_needs_no_compiled_code() -> None:
    code = (
        "import sys, io, numpy as np\n"
        "from bottega.algorithms.readers.record_writing import write_rows\n"
        "from bottega.algorithms.readers.record_blocks import rows_of_records\n"
        "file = io.BytesIO()\n"
        "write_rows(file, np.ones((9, 4)))\n"
        "assert rows_of_records(file.getvalue()).shape == (9, 4)\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("features", "labels", "words"),
    [
        (DENSE, LABELS[:3], "3 labels for 700 rows"),
        (DENSE[0], None, "rows x columns"),
        (sparse.csr_matrix((3, 0)), None, "at least one column"),
    ],
)
def test_what_cannot_be_written(features: Any, labels: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        write_rows(io.BytesIO(), features, labels)


def test_answers_are_records_with_labels(record_class: Any) -> None:
    scores = np.array([[0.1, 0.9], [0.7, 0.3]])
    data = label_records({"score": scores, "predicted_label": np.array([1, 0])})
    for row, payload in enumerate(read_records(io.BytesIO(data))):
        message = record_class()
        message.ParseFromString(payload)
        assert not message.features
        found = {name: list(message.label[name].float32_tensor.values) for name in message.label}
        assert found["score"] == pytest.approx(scores[row].tolist())
        assert found["predicted_label"] == [1 - row]
    assert label_records({}) == b""
    assert sum(found.count for found in frames(io.BytesIO(data))) == 2


def test_sagemakers_own_serializers_and_ours_agree() -> None:
    common = pytest.importorskip(
        "sagemaker.amazon.common", reason="the SageMaker SDK is not installed"
    )
    file = io.BytesIO()
    common.write_numpy_to_dense_tensor(file, DENSE, LABELS)
    assert file.getvalue() == written(DENSE, LABELS)
    file = io.BytesIO()
    common.write_spmatrix_to_sparse_tensor(file, SPARSE, LABELS)
    features, labels = read(file.getvalue())
    assert equal(features, SPARSE)
    assert np.array_equal(labels, LABELS)
    found = common.RecordDeserializer().deserialize(
        io.BytesIO(label_records({"score": LABELS})), "application/x-recordio-protobuf"
    )
    assert [record.label["score"].float32_tensor.values[0] for record in found] == LABELS.tolist()
