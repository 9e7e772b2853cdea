"""Inference requests in every shape, and what is said to those that are none."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from bottega.algorithms.base import RequestError
from bottega.algorithms.readers.record_protobuf import (
    FEATURES,
    FLOAT32,
    encode_record,
    encode_tensor,
    entry,
)
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import frame
from bottega.algorithms.records.requests import parse

JSON, JSONLINES, CSV = "application/json", "application/jsonlines", "text/csv"
RECORDIO = "application/x-recordio-protobuf"
ACCEPTED = (JSON, JSONLINES, CSV, RECORDIO)

PLAIN = {"features": [1, 2.5, -3]}
VALUES = {"data": {"features": {"values": [1, 2.5, -3]}}}
SPARSE = {"data": {"features": {"keys": [2, 0], "shape": [3], "values": [-3, 1]}}}


def records(features: Any) -> bytes:
    file = io.BytesIO()
    write_rows(file, features)
    return file.getvalue()


def read(body: bytes, content_type: str, *, width: int = 3, **more: Any) -> Any:
    return parse(body, content_type, width=width, accepted=ACCEPTED, **more)


@pytest.mark.parametrize("instance", [PLAIN, VALUES, PLAIN | {"configuration": {"a": 1}}])
def test_dense_instances(instance: dict[str, Any]) -> None:
    for body, content_type in (
        (json.dumps({"instances": [instance] * 2}), JSON),
        (json.dumps({"instances": [instance, PLAIN], "configuration": {}}), f"{JSON}; charset=x"),
        (json.dumps(instance) + "\n\n" + json.dumps(PLAIN), JSONLINES),
        (json.dumps(instance) + "\r\n" + json.dumps(PLAIN) + "\r\n", JSONLINES.upper()),
    ):
        rows = read(body.encode(), content_type)
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        assert rows.tolist() == [[1, 2.5, -3]] * 2


@pytest.mark.parametrize("order", [1, -1])
def test_sparse_instances_and_mixed_ones(order: int) -> None:
    body = json.dumps({"instances": [SPARSE, PLAIN, VALUES][::order]})
    rows = read(body.encode(), JSON)
    assert rows.has_canonical_format
    assert rows.indices.dtype == np.int32
    assert rows.toarray().tolist() == [[1, 0, -3], [1, 2.5, -3], [1, 2.5, -3]][::order]
    lines = "\n".join(json.dumps(found) for found in [SPARSE, PLAIN][::order])
    assert read(lines.encode(), JSONLINES).toarray().tolist() == [[1, 0, -3], [1, 2.5, -3]][::order]


def test_a_sparse_row_may_be_of_zeros_and_needs_no_shape_where_the_model_has_one() -> None:
    nothing = {"data": {"features": {"keys": [], "shape": [3], "values": []}}}
    rows = read(json.dumps({"instances": [nothing, SPARSE]}).encode(), JSON)
    assert rows.toarray().tolist() == [[0, 0, 0], [1, 0, -3]]
    short = {"data": {"features": {"keys": [1], "values": [7]}}}
    assert read(json.dumps(short).encode(), JSONLINES).toarray().tolist() == [[0, 7, 0]]
    with pytest.raises(RequestError, match="Line 1 is sparse and has no shape"):
        read(json.dumps(short).encode(), JSONLINES, width=0)


@pytest.mark.parametrize(
    "body", [b"1,2.5,-3\n1,2.5,-3", b' 1, 2.5 ,"-3"\r\n\r\n1,2.5,-3\r\n', b"1;2.5;-3\n1;2.5;-3\n"]
)
def test_csv(body: bytes) -> None:
    for content_type in (CSV, "text/csv;label_size=0", "Text/CSV; charset=utf-8"):
        assert read(body, content_type).tolist() == [[1, 2.5, -3]] * 2


def test_large_csv_and_large_records() -> None:
    table = np.random.default_rng(0).normal(size=(20_000, 3)).astype(np.float32)
    text = "\n".join(",".join(map(repr, row)) for row in table.astype(float).tolist())
    assert np.array_equal(read(text.encode(), CSV), table)
    assert np.array_equal(read(records(table), RECORDIO), table)
    matrix = sparse.csr_matrix(np.where(table > 0.5, table, 0))
    assert (read(records(matrix), RECORDIO) != matrix).nnz == 0


def test_records() -> None:
    assert read(records(np.array([[1, 2.5, -3]])), RECORDIO).tolist() == [[1, 2.5, -3]]
    rows = read(records(sparse.csr_matrix([[1, 0, -3]])), RECORDIO)
    assert rows.toarray().tolist() == [[1, 0, -3]]
    bare = frame(entry(FEATURES, "values", encode_tensor(FLOAT32, [7], [1])))
    assert read(bare, RECORDIO).toarray().tolist() == [[0, 7, 0]]
    labelled = frame(encode_record({"values": np.ones(3)}, {"values": np.ones(1)}))
    assert read(labelled, RECORDIO).tolist() == [[1, 1, 1]]


def test_what_no_content_type_means() -> None:
    assert parse(b"1,2", "", width=2, accepted=(CSV, JSON)).tolist() == [[1, 2]]
    assert read(json.dumps({"instances": [PLAIN]}).encode(), "").tolist() == [[1, 2.5, -3]]


def test_what_is_missing_may_be_allowed() -> None:
    rows = read(b"1,,3\n1,nan,inf", CSV, missing_ok=True)
    np.testing.assert_array_equal(rows, [[1, np.nan, 3], [1, np.nan, np.inf]])


def instances(*found: Any) -> bytes:
    return json.dumps({"instances": found}).encode()


def sparse_instance(**features: Any) -> bytes:
    return instances({"data": {"features": features}})


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"", CSV, 400, "no rows"),
        (b" \n", JSON, 400, "no rows"),
        (b"{", JSON, 415, "Loading json data failed"),
        (b"\xff", JSON, 415, "Loading json data failed"),
        (b"[" * 100_000, JSON, 415, "Loading json data failed"),
        (b"[1, 2, 3]", JSON, 400, '"instances"'),
        (b'{"inputs": []}', JSON, 400, '"instances"'),
        (instances(), JSON, 400, "empty"),
        (instances(7), JSON, 400, "Instance 1 is no JSON object"),
        (instances(PLAIN, {}), JSON, 400, "Instance 2 has neither"),
        (instances(PLAIN, {"data": 3}), JSON, 400, "Instance 2 has neither"),
        (instances(PLAIN, {"features": []}), JSON, 400, "Instance 2 has no features"),
        (instances(PLAIN, {"features": [1, 2]}), JSON, 400, "Instance 2 has 2 features.* 3"),
        (instances({"features": [1, "x", 3]}), JSON, 400, "Instance 1 .*no list of numbers"),
        (instances({"features": [[1, 2, 3]]}), JSON, 400, "Instance 1 .*no list of numbers"),
        (instances({"features": [1, 2]}), JSON, 400, "2 features.*trained on 3"),
        (instances({"features": [1, None, 3]}), JSON, 400, "Row 1 .*missing, NaN or infinite"),
        (b'{"instances": [{"features": [1, NaN, 3]}]}', JSON, 400, "Row 1 "),
        (instances(PLAIN, {"features": [1, 1e39, 3]}), JSON, 400, "Row 2 "),
        (sparse_instance(values=[]), JSON, 400, "Instance 1 has no features"),
        (sparse_instance(values=[1], keys=[3], shape=[3]), JSON, 400, r"key .*\[0,3\)"),
        (sparse_instance(values=[1], keys=[-1], shape=[3]), JSON, 400, r"key .*\[0,3\)"),
        (sparse_instance(values=[1], keys=[2**70], shape=[3]), JSON, 400, "too large"),
        (sparse_instance(values=[1], keys=[0.5], shape=[3]), JSON, 400, "no list of whole"),
        (sparse_instance(values=[1], keys="a", shape=[3]), JSON, 400, "no list of whole"),
        (sparse_instance(values=[1, 2], keys=[1], shape=[3]), JSON, 400, "1 keys for 2 values"),
        (sparse_instance(values=[1], keys=[1], shape=[3, 1]), JSON, 400, "shape"),
        (sparse_instance(values=[1], keys=[1], shape=[2**31]), JSON, 400, "shape"),
        (sparse_instance(values=[1], keys=[1], shape=[5]), JSON, 400, "5 features.*trained on 3"),
        (sparse_instance(values=[None], keys=[1], shape=[3]), JSON, 400, "Row 1 "),
        (b'{"features": [1, 2, 3]}\n{', JSONLINES, 415, r"jsonlines \(line 2\)"),
        (b'{"features": [1, 2, 3]}\n[1]', JSONLINES, 400, "Line 2 is no JSON object"),
        (b"1,2,x", CSV, 415, "'x' in column 3 of line 1"),
        (b"1,2,3\n1,2", CSV, 415, "line 2 has 2 columns"),
        (b"1,2,3\n1,2,1_0", CSV, 415, "'1_0' in column 3 of line 2"),
        (b"1,2", CSV, 400, "2 features.*trained on 3"),
        (b"1,2,3\n1,,3", CSV, 400, "Row 2 "),
        (b"1,2,3", RECORDIO, 415, "record 1"),
        (frame(b"\xff"), RECORDIO, 415, "record 1 is no protobuf"),
        (records(np.ones((2, 3)))[:-1], RECORDIO, 415, "record 2"),
        (records(np.ones((2, 2))), RECORDIO, 400, "2 features.*trained on 3"),
        (records(np.array([[1, np.nan, 2]])), RECORDIO, 400, "Row 1 "),
        (records(sparse.csr_matrix([[0, 0, 0], [0, np.inf, 0]])), RECORDIO, 400, "Row 2 "),
        (b"1", "image/png", 415, "image/png is not supported.*text/csv"),
    ],
)
def test_refusals(body: bytes, content_type: str, status: int, words: str) -> None:
    with pytest.raises(RequestError, match=words) as error:
        read(body, content_type)
    assert error.value.status == status


VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["features", "data", "values", "keys", "shape", "label"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


def outcome(body: bytes, content_type: str, width: int) -> tuple[int, Any]:
    try:
        return 200, read(body, content_type, width=width)
    except RequestError as error:
        return error.status, None


@given(st.lists(VALUE, max_size=3))
def test_any_json_is_judged(found: list[Any]) -> None:
    status, rows = outcome(json.dumps({"instances": found}).encode(), JSON, 0)
    assert status in (200, 400)
    assert rows is None or (rows.shape[0] == len(found) and rows.dtype == np.float32)


@given(st.sampled_from(ACCEPTED), st.binary(max_size=50))
def test_any_body_is_judged(content_type: str, body: bytes) -> None:
    status, rows = outcome(body, content_type, 3)
    assert status in (200, 400, 415)
    assert rows is None or rows.shape[1] == 3
