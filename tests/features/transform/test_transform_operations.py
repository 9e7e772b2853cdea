"""The operations on transform jobs, below the wire: what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ResourceInUse, ValidationException
from bottega.testing.transform import TransformStudio, transform_request


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransformStudio]:
    """Nothing is made so: jobs stay in the status that an operation gave them."""
    home = tmp_path_factory.mktemp("h")
    with TransformStudio.still(home, preload=False) as opened:
        opened.model("m")
        opened.put("data", {"a": "1\n"})
        yield opened


def create(still: TransformStudio, name: str, model: str = "m", **changes: Any) -> Any:
    target = f"s3://{still.bucket}/out"
    request = transform_request(name, model, f"s3://{still.bucket}/data/", target)
    return still.call("CreateTransformJob", **{**request, **changes})


def source(still: TransformStudio, **changes: Any) -> dict[str, Any]:
    """A TransformInput."""
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{still.bucket}/data/"}
    place |= {key: changes.pop(key) for key in ("S3DataType", "S3Uri") if key in changes}
    return {"DataSource": {"S3DataSource": place}, "SplitType": "Line", **changes}


def test_a_job_is_described_as_it_was_asked_for(still: TransformStudio) -> None:
    asked = {
        "MaxConcurrentTransforms": 4,
        "MaxPayloadInMB": 25,
        "BatchStrategy": "SingleRecord",
        "Environment": {"A": "b"},
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 5, "InvocationsMaxRetries": 1},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
    }
    arn = create(still, "kept", **asked, Tags=[{"Key": "k", "Value": "v"}])["TransformJobArn"]
    assert arn.endswith(":transform-job/kept")
    job = still.describe("kept")
    assert {member: job[member] for member in asked} == asked
    assert (job["TransformJobStatus"], job["TransformJobArn"]) == ("InProgress", arn)
    assert still.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]


def test_jobs_are_listed_newest_first(still: TransformStudio) -> None:
    for name in ("one", "two"):
        create(still, f"listed-{name}")
    listed = still.call("ListTransformJobs", NameContains="listed")["TransformJobSummaries"]
    assert [job["TransformJobName"] for job in listed] == ["listed-two", "listed-one"]
    assert listed[0]["TransformJobStatus"] == "InProgress"
    page = still.call("ListTransformJobs", MaxResults=1)
    assert still.call("ListTransformJobs", MaxResults=1, NextToken=page["NextToken"])


def test_a_name_is_taken_once(still: TransformStudio) -> None:
    create(still, "taken")
    with pytest.raises(ResourceInUse, match="already exists"):
        create(still, "taken")


def test_a_job_is_stopped_once_it_has_begun(still: TransformStudio) -> None:
    create(still, "stopped")
    still.call("StopTransformJob", TransformJobName="stopped")
    assert still.describe("stopped")["TransformJobStatus"] == "Stopping"
    still.call("StopTransformJob", TransformJobName="stopped")


@pytest.mark.parametrize("operation", ["DescribeTransformJob", "StopTransformJob"])
def test_a_job_that_is_not_there(still: TransformStudio, operation: str) -> None:
    with pytest.raises(ValidationException, match="Could not find requested job with name: none"):
        still.call(operation, TransformJobName="none")


CSV = {"ContentType": "text/csv"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ModelName": "none"}, "Could not find model"),
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB is 101"),
        ({"MaxConcurrentTransforms": 17}, r"17 \* 6 = 102; it must not be greater than 100"),
        ({"MaxConcurrentTransforms": 3, "MaxPayloadInMB": 34}, r"3 \* 34 = 102"),
        ({"Environment": {"BOTTEGA_X": "1"}}, "BOTTEGA_X is reserved"),
        ({"Environment": {"X": "a\0"}}, "NUL"),
        (
            {"source": {"SplitType": "None"}, "BatchStrategy": "SingleRecord"},
            "SingleRecord needs TransformInput.SplitType",
        ),
        ({"source": {"S3DataType": "AugmentedManifestFile"}}, "AugmentedManifestFile is not"),
        ({"source": {"S3DataType": "Converse"}}, "Converse is not compatible"),
        ({"source": {"S3Uri": "s3://nowhere/x"}}, "no S3 objects found"),
        ({"source": {"S3Uri": "https://bucket/x"}}, "S3Uri: .*is not an S3 URI"),
        ({"source": {"ContentType": "text/\x07csv"}}, "which is no media type"),
        ({"TransformOutput": {"S3OutputPath": "s3://nowhere/x"}}, "'nowhere' does not exist"),
        (
            {"DataCaptureConfig": {"DestinationS3Uri": "s3://nowhere/x"}},
            "DataCaptureConfig.DestinationS3Uri: the bucket 'nowhere'",
        ),
        ({"DataProcessing": {"InputFilter": "id"}}, r"DataProcessing.InputFilter: 'id' must begin"),
        ({"DataProcessing": {"OutputFilter": "$..a"}}, "DataProcessing.OutputFilter"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "TransformInput.ContentType is ''"),
        (
            {"source": CSV, "DataProcessing": {"InputFilter": "$.a"}},
            "a row of CSV has numbered values only",
        ),
        (
            {"source": {**CSV, "SplitType": "RecordIO"}, "DataProcessing": {"InputFilter": "$[1]"}},
            "SplitType is RecordIO",
        ),
        (
            {
                "source": CSV,
                "DataProcessing": {"JoinSource": "Input"},
                "output": {"AssembleWith": "None"},
            },
            "needs TransformOutput.AssembleWith Line",
        ),
        (
            {
                "source": CSV,
                "DataProcessing": {"JoinSource": "Input"},
                "output": {"Accept": "application/json"},
            },
            "both must be CSV, or both JSON",
        ),
        ({"DataCaptureConfig": {"GenerateInferenceId": True}}, "GenerateInferenceId needs one of"),
    ],
)
def test_what_could_not_run_is_refused(
    still: TransformStudio, changes: dict[str, Any], words: str
) -> None:
    changes = dict(changes)
    if "source" in changes:
        changes["TransformInput"] = source(still, **changes.pop("source"))
    else:
        changes["TransformInput"] = source(still)
    if "output" in changes:
        place = f"s3://{still.bucket}/out"
        changes["TransformOutput"] = {"S3OutputPath": place, **changes.pop("output")}
    if "DataCaptureConfig" in changes:
        place = f"s3://{still.bucket}/seen"
        changes["DataCaptureConfig"] = {"DestinationS3Uri": place, **changes["DataCaptureConfig"]}
    with pytest.raises(ValidationException, match=words):
        create(still, "refused", **changes)
    with pytest.raises(ValidationException, match="Could not find"):
        still.describe("refused")


def test_a_manifest_is_read_at_once(still: TransformStudio) -> None:
    prefix = f"s3://{still.bucket}/data/"
    still.put("lists", {"m": f'[{{"prefix": "{prefix}"}}, "none"]'})
    uri = f"s3://{still.bucket}/lists/m"
    with pytest.raises(ValidationException, match=r"names .*none, which does not exist"):
        create(still, "m", TransformInput=source(still, S3DataType="ManifestFile", S3Uri=uri))
