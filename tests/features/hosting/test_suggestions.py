"""A request that an endpoint's model should understand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.hosting.suggestions import COLUMNS_TAG
from bottega.sdk import endpoint as sdk_endpoint
from bottega.storage.previews.preview import HEAD_BYTES
from bottega.testing.hosting import HostingStudio, archive
from bottega.testing.requests import XGBOOST_IMAGE, channel, script_job, training_job


def put(studio: HostingStudio, key: str, data: bytes) -> str:
    bucket = studio.studio.ports.config.bucket
    studio.studio.ports.objects.put(bucket, key, data)
    return f"s3://{bucket}/{key}"


def columns_tag(studio: HostingStudio, *columns: str) -> list[Mapping[str, str]]:
    uri = put(studio, "columns.json", json.dumps(columns).encode())
    return [{"Key": COLUMNS_TAG, "Value": uri}]


def train(studio: HostingStudio, *channels: Mapping[str, Any], **more: Any) -> str:
    """A job as it was asked for, and the model that it would have made; returns the model's URI."""
    config = studio.studio.ports.config
    if "sagemaker_program" in more.get("HyperParameters", {}):
        code = put(studio, "code.tar.gz", archive({"train.py": ""}))
        request = script_job("j", config.bucket, config.role_arn, code, **more)
    else:
        parameters = {"num_round": "1", **more.pop("HyperParameters", {})}
        request = training_job(
            "j", config.bucket, config.role_arn, HyperParameters=parameters, **more
        )
    studio.call("CreateTrainingJob", InputDataConfig=list(channels), **request)
    return put(studio, "output/j/output/model.tar.gz", archive({"xgboost-model": b"x"}))


def deploy(studio: HostingStudio, uri: str, **more: Any) -> None:
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": uri}
    studio.call("CreateModel", ModelName="m", PrimaryContainer=container, **more)
    studio.config("c", "m")
    studio.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")


def suggested(studio: HostingStudio) -> Any:
    return studio.ask("SuggestInvocation", EndpointName="e")


def test_the_tag_is_the_one_that_the_sdk_writes() -> None:
    assert sdk_endpoint.COLUMNS == COLUMNS_TAG


def test_a_csv_row_comes_without_its_label_and_with_its_columns(still: HostingStudio) -> None:
    put(still, "data/train/_SUCCESS", b"x\n")
    uri = put(still, "data/train/a.csv", b'1,0.5,"a,b",\r\n0,0.6,c,2\r\n')
    put(still, "data/validation/a.csv", b"9,9,9,9\n")
    validation = channel("validation", uri.replace("train/a.csv", "validation/"), "text/csv")
    data = channel("train", uri.removesuffix("a.csv"), "text/csv; label_size=1")
    deploy(still, train(still, validation, data, Tags=columns_tag(still, "x", "y", "z")))
    assert suggested(still) == {
        "ContentType": "text/csv",
        "Body": '0.5,"a,b",',
        "Columns": ["x", "y", "z"],
        "Source": f"It is the first row of {uri}, which the training job j learned from, without "
        "its label.",
    }
    still.call("DeleteModel", ModelName="m")
    assert suggested(still)["Columns"] == ["x", "y", "z"]


def test_columns_that_are_not_those_of_the_row_are_left_out(still: HostingStudio) -> None:
    data = channel("train", put(still, "train.csv", b"1,2,3"), "text/csv")
    deploy(still, train(still, data), Tags=columns_tag(still, "x"))
    answer = suggested(still)
    assert answer["Body"] == "2,3"
    assert "Columns" not in answer


def test_a_weight_stands_in_front_of_the_features_too(still: HostingStudio) -> None:
    data = channel("train", put(still, "train.csv", b"1,0.5,2,3\n"), "text/csv")
    deploy(still, train(still, data, HyperParameters={"csv_weights": "1"}))
    assert suggested(still)["Body"] == "2,3"


@pytest.mark.parametrize("content_type", ["", "text/libsvm", "text/x-libsvm"])
def test_a_libsvm_row_comes_with_a_label_that_says_nothing(
    still: HostingStudio, content_type: str
) -> None:
    lines = b"# header\n1:0.5 qid:3 1:0.25 7:-1 # note\n0 2:1\n"
    deploy(still, train(still, channel("train", put(still, "train", lines), content_type)))
    answer = suggested(still)
    assert (answer["ContentType"], answer["Body"]) == ("text/libsvm", "0 1:0.25 7:-1")


def test_a_long_object_is_read_at_its_beginning_only(still: HostingStudio) -> None:
    whole = b"1,2\n"
    beyond = b"3" * HEAD_BYTES + b"\xff"
    data = channel("train", put(still, "train.csv", whole + beyond), "text/csv")
    deploy(still, train(still, data))
    assert suggested(still)["Body"] == "2"
    put(still, "train.csv", gzip.compress(b"1,3\n" + beyond))
    assert suggested(still)["Body"] == "3"


def test_a_script_gets_the_columns_that_its_model_is_known_to_want(still: HostingStudio) -> None:
    data = channel("train", put(still, "train.csv", b"y,b,a\n1,2,3\n"), "text/csv")
    script = {"HyperParameters": {"sagemaker_program": "train.py"}}
    uri = train(still, data, **script)
    deploy(still, uri, Tags=columns_tag(still, "a", "b"))
    answer = suggested(still)
    assert (answer["Body"], answer["Columns"]) == ("3,2", ["a", "b"])


@pytest.mark.parametrize(
    ("data", "content_type", "says"),
    [
        (b"\xff\xfe\n", "text/csv", "is no text"),
        (b"1" * (HEAD_BYTES + 10), "text/csv", "does not begin with a whole line"),
        (b"\n \n", "text/csv", "does not begin with a whole line"),
        (b"1" * 140_000 + b"\n", "text/csv", "cannot be read as CSV: field larger"),
        (b"\x1f\x8bnot so", "text/csv", "cannot be unpacked"),
        (b"PAR1", "application/x-parquet", "is neither CSV nor libsvm"),
    ],
)
def test_data_that_cannot_be_read_suggests_nothing(
    still: HostingStudio, data: bytes, content_type: str, says: str
) -> None:
    deploy(still, train(still, channel("train", put(still, "train", data), content_type)))
    answer = suggested(still)
    assert (answer["ContentType"], answer["Body"]) == ("text/csv", "")
    assert says in answer["Source"]


def test_data_that_is_gone_suggests_nothing(still: HostingStudio) -> None:
    data = channel("train", put(still, "train/a.csv", b"1,2\n"), "text/csv")
    deploy(still, train(still, data, Tags=columns_tag(still, "x")))
    still.studio.ports.objects.delete(still.studio.ports.config.bucket, ["train/a.csv"])
    answer = suggested(still)
    assert (answer["Body"], answer["Columns"]) == ("", ["x"])
    assert "is not there any more" in answer["Source"]


def test_a_script_whose_columns_nobody_knows_suggests_nothing(still: HostingStudio) -> None:
    data = channel("train", put(still, "train.csv", b"y,b,a\n1,2,3\n"), "text/csv")
    deploy(still, train(still, data, HyperParameters={"sagemaker_program": "train.py"}))
    answer = suggested(still)
    assert answer["Body"] == ""
    assert "ran a script, and it is not known which columns" in answer["Source"]


@pytest.mark.parametrize(
    "key", ["elsewhere/model.tar.gz", "model.tar.gz", "output/none/output/model.tar.gz"]
)
def test_a_model_of_no_job_suggests_nothing(still: HostingStudio, key: str) -> None:
    deploy(still, put(still, key, archive({"xgboost-model": b"x"})))
    answer = suggested(still)
    assert (answer["ContentType"], answer["Body"]) == ("text/csv", "")
    assert "No training job of this studio made the data of model m" in answer["Source"]


@pytest.mark.parametrize(
    "value", ["nonsense", "s3://", "s3://none/columns.json", "s3://{}/broken", "s3://{}/deep"]
)
def test_a_tag_that_leads_nowhere_harms_nothing(still: HostingStudio, value: str) -> None:
    put(still, "broken", b"{")
    put(still, "deep", b"[" * 100_000)
    data = channel("train", put(still, "train.csv", b"1,2\n"), "text/csv")
    tag = {"Key": COLUMNS_TAG, "Value": value.format(still.studio.ports.config.bucket)}
    deploy(still, train(still, data, Tags=[tag]))
    answer = suggested(still)
    assert answer["Body"] == "2"
    assert "Columns" not in answer


def test_an_absent_endpoint_could_not_be_found(still: HostingStudio) -> None:
    with pytest.raises(ValidationException, match="Could not find endpoint"):
        suggested(still)
