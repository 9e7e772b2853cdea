"""Buckets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bottega.clock import ManualClock
from bottega.errors import BottegaError
from bottega.testing.object_bench import ObjectBench, object_bench

ACCOUNT = "000000000000"


def refusal(bench: ObjectBench, operation: str, **request: object) -> BottegaError:
    """The error of a request that must be refused and change nothing."""
    before = bench.snapshot()
    with pytest.raises(BottegaError) as caught:
        bench.call(operation, **request)
    assert bench.snapshot() == before
    return caught.value


def test_a_bucket_from_beginning_to_end(bench: ObjectBench, clock: ManualClock) -> None:
    clock.advance(10)
    assert bench.call("CreateBucket", Bucket="second")["Location"] == "/second"
    assert bench.call("HeadBucket", Bucket="second") == {"BucketRegion": "us-east-1"}
    listed = bench.call("ListBuckets")
    assert [each["Name"] for each in listed["Buckets"]] == ["bucket", "second"]
    assert listed["Buckets"][1]["CreationDate"] == clock.now()
    assert bench.call("DeleteBucket", Bucket="second") == {}
    assert len(bench.call("ListBuckets")["Buckets"]) == 1


def test_buckets_are_listed_in_pages(bench: ObjectBench) -> None:
    for number in range(5):
        bench.call("CreateBucket", Bucket=f"a-{number}")
    found: list[str] = []
    token = {}
    while True:
        page = bench.call("ListBuckets", MaxBuckets=2, Prefix="a-", **token)
        found += [each["Name"] for each in page["Buckets"]]
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert found == [f"a-{number}" for number in range(5)]
    assert bench.call("ListBuckets", BucketRegion="eu-west-1")["Buckets"] == []


@pytest.mark.parametrize(
    "name",
    [
        *("ab", "a" * 64, "Upper", "under_score", "-a-", "a.", "a..b", "192.168.0.1"),
        *("xn--abc", "abc-s3alias", "abc--x-s3", "sp ace", "é-bucket", "a/b", ".."),
    ],
)
def test_names_that_are_no_bucket_names(bench: ObjectBench, name: str) -> None:
    error = refusal(bench, "CreateBucket", Bucket=name)
    assert (error.code, error.status) == ("InvalidBucketName", 400)


@pytest.mark.parametrize("name", ["abc", "a" * 63, "a.b-c.1", "1abc", "999.1.1.1"])
def test_names_that_are(bench: ObjectBench, name: str) -> None:
    bench.call("CreateBucket", Bucket=name)
    bench.call("HeadBucket", Bucket=name)


def test_what_is_refused(bench: ObjectBench) -> None:
    bench.call("PutObject", Bucket="bucket", Key="k", Body=b"x")
    for operation, request, code, status in (
        ("CreateBucket", {"Bucket": "bucket"}, "BucketAlreadyOwnedByYou", 409),
        ("DeleteBucket", {"Bucket": "bucket"}, "BucketNotEmpty", 409),
        ("HeadBucket", {"Bucket": "absent"}, "NoSuchBucket", 404),
        ("DeleteBucket", {"Bucket": "absent"}, "NoSuchBucket", 404),
        ("GetBucketLocation", {"Bucket": "absent"}, "NoSuchBucket", 404),
        ("CreateBucket", {"Bucket": "new", "ACL": "public-read"}, "NotImplemented", 400),
        (
            "CreateBucket",
            {"Bucket": "new", "ObjectLockEnabledForBucket": True},
            "NotImplemented",
            400,
        ),
    ):
        error = refusal(bench, operation, **request)
        assert (error.code, error.status) == (code, status), operation


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("HeadBucket", {}),
        ("DeleteBucket", {}),
        ("GetBucketLocation", {}),
        ("ListObjectsV2", {}),
        ("ListObjects", {}),
        ("GetObject", {"Key": "k"}),
        ("HeadObject", {"Key": "k"}),
        ("PutObject", {"Key": "k", "Body": b""}),
        ("DeleteObject", {"Key": "k"}),
        ("DeleteObjects", {"Delete": {"Objects": [{"Key": "k"}]}}),
        ("CopyObject", {"Key": "k", "CopySource": "bucket/k"}),
        ("CreateMultipartUpload", {"Key": "k"}),
    ],
)
def test_another_accounts_bucket_is_refused(
    bench: ObjectBench, operation: str, more: dict[str, object]
) -> None:
    bench.call("PutObject", Bucket="bucket", Key="k", Body=b"x")
    error = refusal(bench, operation, Bucket="bucket", ExpectedBucketOwner="111122223333", **more)
    assert (error.code, error.status) == ("AccessDenied", 403)


def test_the_owners_bucket_is_not(bench: ObjectBench) -> None:
    bench.call("HeadBucket", Bucket="bucket", ExpectedBucketOwner=ACCOUNT)


def test_the_region(bench: ObjectBench, tmp_path: Path, clock: ManualClock) -> None:
    assert bench.call("GetBucketLocation", Bucket="bucket") == {}
    wrong = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    error = refusal(bench, "CreateBucket", Bucket="other", **wrong)
    assert error.code == "IllegalLocationConstraintException"
    with object_bench(tmp_path / "eu", clock, region="eu-west-1") as european:
        european.call("CreateBucket", Bucket="other", **wrong)
        shown = european.call("GetBucketLocation", Bucket="other")
        assert shown == {"LocationConstraint": "eu-west-1"}


def test_aws_example_buckets_are_explained(bench: ObjectBench) -> None:
    name = "sagemaker-example-files-prod-us-east-1"
    error = refusal(bench, "GetObject", Bucket=name, Key="datasets/x.csv")
    assert error.code == "NoSuchBucket"
    assert "create a bucket of that name" in error.message
