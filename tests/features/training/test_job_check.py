"""CheckTrainingJob: everything is told, nothing is refused, nothing is created."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bottega.features.training.entities import KIND
from bottega.storage.metadata import ResourceQuery
from bottega.studio import Studio
from bottega.testing.requests import channel, script_job, training_job

BUCKET = "sagemaker-us-east-1-000000000000"


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False, slots=2)
    opened.ports.objects.put(BUCKET, "train/a.csv", b"1,2,3\n0,5,6\n")
    yield opened
    opened.close()


def request_for(studio: Studio, name: str = "job", **changes: Any) -> dict[str, Any]:
    base = {
        "HyperParameters": {"num_round": "3"},
        "InputDataConfig": [channel("train", f"s3://{BUCKET}/train/", "text/csv")],
    }
    role = studio.ports.config.role_arn
    return training_job(name, BUCKET, role, **{**base, **changes})


def check(studio: Studio, request: Any) -> Any:
    answer = studio.registry.call(
        "bottega", "CheckTrainingJob", {"Request": request}, studio.owner("sdk")
    )
    assert not studio.ports.store.outlines(ResourceQuery(KIND, name_contains="never-made"))
    return answer


def told(studio: Studio, request: Any) -> list[tuple[str, str]]:
    """Severity and field of each finding."""
    return [(f["Severity"], f["Field"]) for f in check(studio, request)["Findings"]]


def only(studio: Studio, request: Any) -> tuple[str, str, str]:
    (found,) = check(studio, request)["Findings"]
    return found["Severity"], found["Field"], found["Message"]


def put(studio: Studio, key: str, content: bytes) -> None:
    studio.ports.objects.put(BUCKET, key, content)


def test_nothing_is_found_in_a_sound_request(studio: Studio) -> None:
    assert check(studio, request_for(studio, "never-made")) == {
        "Findings": [],
        "SlotsWanted": 1,
        "SlotsFree": 2,
        "JobsAhead": 0,
        "InputBytes": 12,
    }


def test_every_broken_constraint_is_told_with_its_place(studio: Studio) -> None:
    request = request_for(studio, "bad name")
    request["InputDataConfig"][0]["ContentType"] = "x" * 300
    del request["OutputDataConfig"]
    request["HyperParameters"]["long"] = "x" * 3000
    assert sorted(told(studio, request)) == [
        ("Error", "HyperParameters"),
        ("Error", "InputDataConfig.train.ContentType"),
        ("Error", "OutputDataConfig"),
        ("Error", "TrainingJobName"),
    ]


@pytest.mark.parametrize("wanted", [{}, [], "text", {"TrainingJobName": 5}, {"Tags": "x"}])
def test_what_is_no_request_at_all_is_told(studio: Studio, wanted: Any) -> None:
    severities = {severity for severity, _ in told(studio, wanted)}
    assert severities == {"Error"}


def test_all_that_create_would_refuse_is_told_at_once(studio: Studio) -> None:
    request = request_for(
        studio,
        HyperParameters={"eta": "7", "max_dept": "3", "num_round": "0"},
        OutputDataConfig={"S3OutputPath": "s3://nowhere/out"},
        Environment={"A": "x\0y"},
        InputDataConfig=[
            channel("train", f"s3://{BUCKET}/none/"),
            channel("validation", f"s3://{BUCKET}/train/", "text/csv", S3DataType="Wrong"),
        ],
    )
    request["InputDataConfig"][1]["DataSource"]["S3DataSource"]["S3DataType"] = "S3Prefix"
    request["ResourceConfig"]["InstanceCount"] = 1
    assert told(studio, request) == [
        ("Error", "HyperParameters.eta"),
        ("Error", "HyperParameters.max_dept"),
        ("Error", "HyperParameters.num_round"),
        ("Error", "Environment"),
        ("Error", "OutputDataConfig"),
        ("Error", "InputDataConfig.train"),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"AlgorithmSpecification": {"TrainingImage": "no", "TrainingInputMode": "File"}},
         "AlgorithmSpecification"),
        ({"HyperParameters": {}}, "HyperParameters.num_round"),
        ({"HyperParameters": {"num_round": "1", "num_class": "3"}}, "HyperParameters.num_class"),
        ({"InputDataConfig": [channel("other", f"s3://{BUCKET}/train/", "text/csv")]},
         "InputDataConfig"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
         "ResourceConfig"),
    ],
)  # fmt: skip
def test_each_refusal_names_its_member(studio: Studio, changes: Any, field: str) -> None:
    assert ("Error", field) in told(studio, request_for(studio, **changes))


def test_a_name_that_is_taken(studio: Studio) -> None:
    request = request_for(studio, "Churn-1")
    studio.registry.call("sagemaker", "CreateTrainingJob", request, studio.owner("sdk"))
    severity, field, message = only(studio, request_for(studio, "churn-1"))
    assert (severity, field) == ("Error", "TrainingJobName")
    assert "'Churn-1'" in message
    assert told(studio, request_for(studio, "churn")) == []


def test_a_role_of_another_account(studio: Studio) -> None:
    role = "arn:aws:iam::123456789012:role/Other"
    assert told(studio, request_for(studio, RoleArn=role)) == [("Warning", "RoleArn")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"age,income,label\n1,2,3\n4,5,6\n", "names the columns"),
        (b"1,2,Oslo\n0,3,Rome\n", "'Column 3'"),
        (b"Sex,Age\nM,3\nF,4\n", "'Sex'"),
        (b"1,2,3\n1,2\n", "has 2 columns"),
        (b"5\n6\n", "at least one feature"),
        (b"\n\n", "is empty"),
        (b"\x89PNG\0\0\0", "is no text"),
        (b",2,3\n", "cannot|not a number that can be learned"),
    ],
)
def test_csv_that_the_algorithm_cannot_read(studio: Studio, content: bytes, said: str) -> None:
    put(studio, "train/a.csv", content)
    findings = check(studio, request_for(studio))["Findings"]
    assert findings
    assert {finding["Field"] for finding in findings} == {"InputDataConfig.train"}
    assert re.search(said, " ".join(finding["Message"] for finding in findings)), findings


@pytest.mark.parametrize(
    ("objective", "more", "labels", "sound"),
    [
        ("binary:logistic", {}, b"012", False),
        ("binary:logistic", {}, b"010", True),
        ("multi:softmax", {"num_class": "2"}, b"012", False),
        ("multi:softmax", {"num_class": "3"}, b"012", True),
    ],
)
def test_labels_that_the_objective_cannot_learn(
    studio: Studio, objective: str, more: dict[str, str], labels: bytes, sound: bool
) -> None:
    put(studio, "train/a.csv", b"".join(b"%c,1\n" % label for label in labels))
    values = {"num_round": "1", "objective": objective, **more}
    found = told(studio, request_for(studio, HyperParameters=values))
    assert found == ([] if sound else [("Error", "InputDataConfig.train")])


def test_channels_must_have_the_same_columns(studio: Studio) -> None:
    put(studio, "validation/a.csv", b"1,2\n")
    channels = [
        channel("train", f"s3://{BUCKET}/train/", "text/csv"),
        channel("validation", f"s3://{BUCKET}/validation/", "text/csv"),
    ]
    severity, field, message = only(studio, request_for(studio, InputDataConfig=channels))
    assert (severity, field) == ("Error", "InputDataConfig")
    assert "train has 3, validation has 2" in message


def test_csv_that_is_taken_for_libsvm(studio: Studio) -> None:
    channels = [channel("train", f"s3://{BUCKET}/train/")]
    _, field, message = only(studio, request_for(studio, InputDataConfig=channels))
    assert field == "InputDataConfig.train"
    assert "text/csv" in message
    put(studio, "train/a.csv", b"1 1:2 3:4\n0 2:1\n")
    assert told(studio, request_for(studio, InputDataConfig=channels)) == []


def test_a_content_type_that_nobody_reads(studio: Studio) -> None:
    channels = [channel("train", f"s3://{BUCKET}/train/", "image/png")]
    _, _, message = only(studio, request_for(studio, InputDataConfig=channels))
    assert "'image/png' cannot be read by XGBoost" in message


def test_parquet_with_words_in_it(studio: Studio) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(pa.table({"y": [1], "city": ["Oslo"]}), buffer)
    put(studio, "table/a.parquet", buffer.getvalue())
    channels = [channel("train", f"s3://{BUCKET}/table/", "application/x-parquet")]
    _, _, message = only(studio, request_for(studio, InputDataConfig=channels))
    assert "'city'" in message


def test_files_that_are_empty_or_hidden(studio: Studio) -> None:
    channels = [channel("train", f"s3://{BUCKET}/few/", "text/csv")]
    put(studio, "few/a.csv", b"")
    assert "all of them are empty" in only(studio, request_for(studio, InputDataConfig=channels))[2]
    put(studio, "few/_SUCCESS", b"x")
    assert "empty or hidden" in only(studio, request_for(studio, InputDataConfig=channels))[2]


def test_the_code_of_a_script_must_be_there(studio: Studio) -> None:
    role = studio.ports.config.role_arn
    request = script_job("job", BUCKET, role, f"s3://{BUCKET}/none.tar.gz")
    field = "HyperParameters.sagemaker_submit_directory"
    assert told(studio, request) == [("Error", field)]
    put(studio, "none.tar.gz", b"x")
    # What a script reads is its own affair.
    put(studio, "train/a.csv", b"name,city\nAnn,Oslo\n")
    request["InputDataConfig"] = [channel("train", f"s3://{BUCKET}/train/", "text/csv")]
    assert told(studio, request) == []


def test_what_the_job_waits_for(studio: Studio) -> None:
    capacity = studio.ports.capacity
    assert capacity.acquire("a", 2, lambda: None)
    assert not capacity.acquire("b", 1, lambda: None)
    answer = check(studio, request_for(studio))
    assert (answer["SlotsFree"], answer["JobsAhead"]) == (0, 1)
    assert [f["Severity"] for f in answer["Findings"]] == ["Information"]
    large = {"InstanceType": "ml.m5.large", "InstanceCount": 5, "VolumeSizeInGB": 1}
    answer = check(studio, request_for(studio, ResourceConfig=large))
    assert answer["SlotsWanted"] == 5
    assert [f["Severity"] for f in answer["Findings"]] == ["Warning"]


def test_a_disk_that_is_too_small(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5))
    assert told(studio, request_for(studio)) == [("Warning", "InputDataConfig")]


def test_too_few_objects_to_share(studio: Studio) -> None:
    sharded = channel(
        "train",
        f"s3://{BUCKET}/train/",
        "text/csv",
        S3DataDistributionType="ShardedByS3Key",
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    request = request_for(studio, InputDataConfig=[sharded], ResourceConfig=resources)
    assert told(studio, request) == [("Warning", "InputDataConfig.train")]


def test_errors_come_first(studio: Studio) -> None:
    request = request_for(
        studio, RoleArn="arn:aws:iam::123456789012:role/Other", HyperParameters={}
    )
    assert [severity for severity, _ in told(studio, request)] == ["Error", "Warning"]
