"""PreviewData over a real object store."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.storage.previews import source
from bottega.studio import Studio

BUCKET = "sagemaker-us-east-1-000000000000"


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    yield opened
    opened.close()


def put(studio: Studio, key: str, content: bytes) -> None:
    studio.ports.objects.put(BUCKET, key, content)


def look(studio: Studio, uri: str = f"s3://{BUCKET}/data", **members: Any) -> Any:
    request = {"S3Uri": uri, **members}
    return studio.registry.call("bottega", "PreviewData", request, studio.owner("sdk"))


def test_an_object_is_shown(studio: Studio) -> None:
    put(studio, "data/a.csv", b"age,city\n31,Oslo\n,Rome\n")
    assert look(studio, f"s3://{BUCKET}/data/a.csv") == {
        "S3Uri": f"s3://{BUCKET}/data/a.csv",
        "Objects": 1,
        "TotalBytes": 23,
        "Format": "csv",
        "HasHeader": True,
        "Columns": [
            {"Name": "age", "Type": "integer", "Missing": 1},
            {"Name": "city", "Type": "text", "Missing": 0},
        ],
        "Rows": [["31", "Oslo"], ["", "Rome"]],
        "Truncated": False,
    }


def test_of_a_prefix_the_first_object_that_a_job_reads_is_shown(studio: Studio) -> None:
    for key, content in (
        ("data/", b""),
        ("data/.hidden.csv", b"no"),
        ("data/_SUCCESS", b"x"),
        ("data/a.csv", b""),
        ("data/b.csv", b"1,2\n" * 40),
        ("data/c.csv", b"5\n"),
        ("other", b"x"),
    ):
        put(studio, key, content)
    found = look(studio, MaxRows=3)
    assert found["S3Uri"].endswith("/data/b.csv")
    assert (found["Objects"], found["TotalBytes"]) == (5, 2 + 1 + 0 + 160 + 2)
    assert (found["Rows"], found["Truncated"]) == ([["1", "2"]] * 3, True)


def test_a_content_type_may_be_given(studio: Studio) -> None:
    put(studio, "data", b"1 2:3\n")
    assert look(studio)["Format"] == "libsvm"
    assert look(studio, ContentType="text/csv")["Format"] == "csv"


def test_parquet_in_the_store(studio: Studio) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(pa.table({"n": list(range(50_000))}), buffer, compression="none")
    put(studio, "data/a.parquet", buffer.getvalue())
    found = look(studio, MaxRows=2)
    assert (found["Format"], found["Rows"], found["Truncated"]) == ("parquet", [["0"], ["1"]], True)


def test_what_cannot_be_shown_is_said(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    for uri in (f"s3://{BUCKET}/none", "s3://no-such-bucket/a"):
        with pytest.raises(ValidationException, match=r"no objects|does not exist"):
            look(studio, uri)
    put(studio, "data/a.parquet", b"PAR1 and no more")
    with pytest.raises(ValidationException, match=r"a\.parquet cannot be shown: .*Parquet"):
        look(studio)
    monkeypatch.setattr(source, "LARGEST_COPY", 5)
    with pytest.raises(ValidationException, match="too much to copy"):
        look(studio)


def test_binary_content_has_no_rows(studio: Studio) -> None:
    put(studio, "data/a.png", b"\x89PNG\0\0")
    found = look(studio)
    assert (found["Format"], found["Columns"], found["Rows"]) == ("binary", [], [])
    assert "HasHeader" not in found
