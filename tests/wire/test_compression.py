"""Bodies that come compressed."""

from __future__ import annotations

import gzip

import pytest

from bottega import specs
from bottega.errors import SerializationException
from bottega.wire.compression import LARGEST, decompressed, is_gzip, may_be_compressed
from bottega.wire.message import WireRequest


def test_a_body_comes_out_as_it_was() -> None:
    assert decompressed(gzip.compress(b"x" * LARGEST, mtime=0)) == b"x" * LARGEST


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no whole"),
        (b"plain", "no gzip"),
        (gzip.compress(b"some text", mtime=0)[:-5], "no whole"),
        (gzip.compress(b"one", mtime=0) + b"more", "no whole"),
        (gzip.compress(b"x" * (LARGEST + 1)), "larger than"),
    ],
)
def test_what_is_no_sound_gzip_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(SerializationException, match=message):
        decompressed(body)


def test_only_operations_that_say_so_take_one() -> None:
    assert may_be_compressed(specs.operation_model("cloudwatch", "PutMetricData"))
    assert not may_be_compressed(specs.operation_model("cloudwatch", "ListMetrics"))
    assert is_gzip(WireRequest("POST", "/", "", {"content-encoding": "GZip"}))
    assert not is_gzip(WireRequest("POST", "/", "", {}))
