"""From a job to an endpoint and its answers, and a notebook to a job and back, all over routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas
import pytest
from tornado.httpclient import HTTPClientError

from bottega.credentials import Credentials
from bottega.sdk.client import RemoteClient
from bottega.sdk.session import Session
from bottega.testing.daemon import TestDaemon

Fetch = Callable[..., Any]


@pytest.fixture(scope="module")
def session(studio: TestDaemon) -> Iterator[Session]:
    config = studio.config
    session = Session(RemoteClient(studio.url, config.region, Credentials.load(config)), config)
    yield session
    for endpoint in session.endpoints():
        session.endpoint(endpoint["EndpointName"]).delete()


@pytest.fixture(scope="module")
def job(session: Session) -> str:
    frame = pandas.DataFrame({"a": range(40), "b": [1, 2] * 20, "y": [0.0, 1.0] * 20})
    trained = session.train("xgboost", frame, target="y", num_round=2, logs=False)
    return trained.name


async def post(jp_fetch: Fetch, *path: str, **body: Any) -> Any:
    answer = await jp_fetch("bottega", *path, method="POST", body=json.dumps(body))
    return json.loads(answer.body)


@pytest.mark.slow
async def test_a_job_is_deployed_and_asked(jp_fetch: Fetch, session: Session, job: str) -> None:
    assert await post(jp_fetch, "deployments", job=job, name="route") == {"endpoint": "route"}
    await asyncio.to_thread(session.endpoint("route").wait)
    answer = await jp_fetch(
        *("bottega", "endpoints", "route", "invocations"),
        method="POST",
        body="1,2\n3,1\n",
        headers={
            "Content-Type": "text/csv",
            "Accept": "application/json",
            "X-Bottega-Target-Variant": "AllTraffic",
        },
    )
    assert len(json.loads(answer.body)["predictions"]) == 2
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Bottega-Variant"] == "AllTraffic"
    assert float(answer.headers["X-Bottega-Seconds"]) > 0
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.slow
async def test_an_endpoint_answers_later_and_keeps_what_it_answered(
    jp_fetch: Fetch, session: Session, job: str
) -> None:
    await post(
        jp_fetch, "deployments", job=job, name="later", asynchronous=True, capture_percent=100
    )
    described = await asyncio.to_thread(lambda: session.endpoint("later").wait().describe())
    assert described["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    taken = await jp_fetch(
        *("bottega", "endpoints", "later", "async-invocations"),
        method="POST",
        body="1,2\n",
        headers={"Content-Type": "text/csv", "X-Bottega-Inference-Id": "seven"},
    )
    told = json.loads(taken.body)
    assert told["inference_id"] == "seven"
    folder = f"s3://{session.config.bucket}/later/async"
    assert told["output"].startswith(f"{folder}/answers/")
    assert told["failure"].startswith(f"{folder}/failures/")
    bucket, *key = told["output"].removeprefix("s3://").split("/")
    with pytest.raises(HTTPClientError) as missing:
        await jp_fetch("bottega", "objects", bucket, "later", "async", "no-such-answer")
    assert missing.value.response is not None
    assert json.loads(missing.value.response.body)["code"] == "NoSuchKey"

    async def is_there() -> bool:
        listing = await jp_fetch("bottega", "objects", bucket, params={"prefix": "/".join(key)})
        return bool(json.loads(listing.body)["objects"])

    async with asyncio.timeout(30):
        while not await is_there():
            await asyncio.sleep(0.05)
    float((await jp_fetch("bottega", "objects", bucket, *key)).body)


@pytest.mark.slow
async def test_a_serverless_endpoint_is_deployed(
    jp_fetch: Fetch, session: Session, job: str
) -> None:
    await post(jp_fetch, "deployments", job=job, name="sleeps", serverless_concurrency=3)
    described = await asyncio.to_thread(lambda: session.endpoint("sleeps").wait().describe())
    (variant,) = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MaxConcurrency"] == 3


@pytest.mark.slow
async def test_an_endpoint_that_refuses_is_passed_on(
    jp_fetch: Fetch, session: Session, job: str
) -> None:
    await post(jp_fetch, "deployments", job=job, name="refusing")
    await asyncio.to_thread(session.endpoint("refusing").wait)
    where = ("bottega", "endpoints", "refusing", "invocations")
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(
            *where, method="POST", body="no,number", headers={"Content-Type": "text/csv"}
        )
    assert refused.value.code == 424
    assert refused.value.response is not None
    described = json.loads(refused.value.response.body)
    assert described["code"] == "ModelError"
    assert described["OriginalStatusCode"] >= 400
    headers = {"Content-Type": "text/csv", "X-Bottega-Target-Variant": "Other"}
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(*where, method="POST", body="1,2", headers=headers)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "x"}, "either job or run"),
        ({"name": "x", "job": "a", "run": "b"}, "either job or run"),
        ({"job": "no-such-job"}, "name is missing"),
        ({"job": "no-such-job", "name": "x"}, "no-such-job"),
        ({"job": "a", "name": "x", "instance_count": 0}, "instance_count"),
        ({"job": "a", "name": "x", "serverless_concurrency": 201}, "serverless_concurrency"),
        ({"job": "a", "name": "x", "capture_percent": 101}, "capture_percent"),
    ],
)
async def test_a_deployment_that_cannot_be_says_why(
    jp_fetch: Fetch, body: dict[str, Any], text: str
) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await post(jp_fetch, "deployments", **body)
    assert refused.value.code == 400
    assert refused.value.response is not None
    message = json.loads(refused.value.response.body)["message"]
    assert text in message or "not find" in message


@pytest.mark.slow
async def test_the_model_of_a_job_is_registered_and_checked(
    jp_fetch: Fetch, session: Session, job: str
) -> None:
    told = await post(jp_fetch, "registrations", job=job, group="Routes", description="By hand.")
    version = session.model_version(told["version"])
    described = await asyncio.to_thread(version.describe)
    assert described["ModelPackageName"] == "Routes/1"
    assert described["ModelPackageDescription"] == "By hand."
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    trained = await asyncio.to_thread(session.job(job).describe)
    assert described["MetadataProperties"]["GeneratedBy"] == trained["TrainingJobArn"]
    told = await post(jp_fetch, "registrations", job=job, group="Routes", approved=True)
    version = session.model_version(told["version"])
    assert await asyncio.to_thread(lambda: version.approval) == "Approved"
    for what in ({"job": job}, {"version": "Routes/2"}):
        assert await post(jp_fetch, "model-checks", **what) == {"Findings": []}


async def test_what_is_wrong_with_a_version_is_told_before_it_is_deployed(
    jp_fetch: Fetch, session: Session
) -> None:
    def register() -> str:
        session.client.call(
            "sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "Wrong"}
        )
        request = {
            "ModelPackageGroupName": "Wrong",
            "InferenceSpecification": {
                "Containers": [
                    {"Image": "python", "ModelDataUrl": "s3://nowhere/model.tar.gz"},
                    {
                        "Image": "python",
                        "ModelDataSource": {
                            "S3DataSource": {
                                "S3Uri": "s3://nowhere/folder/",
                                "S3DataType": "S3Prefix",
                                "CompressionType": "None",
                            }
                        },
                    },
                ]
            },
        }
        return str(
            session.client.call("sagemaker", "CreateModelPackage", request)["ModelPackageArn"]
        )

    version = await asyncio.to_thread(register)
    (finding,) = (await post(jp_fetch, "model-checks", version=version))["Findings"]
    assert finding["Severity"] == "Error"
    assert finding["Where"] == "s3://nowhere/model.tar.gz"
    assert "no such object" in finding["Message"]


@pytest.mark.parametrize(
    ("route", "body", "text"),
    [
        ("model-checks", {}, "either job or run or version"),
        ("model-checks", {"job": "a", "run": "b"}, "either job or run or version"),
        ("model-checks", {"version": "none/1"}, "does not exist"),
        ("model-checks", {"job": "no-such-job"}, "no-such-job"),
        ("registrations", {"job": "a"}, "group is missing"),
        ("registrations", {"job": "no-such-job", "group": "g"}, "no-such-job"),
        ("registrations", {"job": "a", "group": "g", "approved": "yes"}, "approved"),
    ],
)
async def test_what_can_be_neither_checked_nor_registered_says_why(
    jp_fetch: Fetch, session: Session, route: str, body: dict[str, Any], text: str
) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await post(jp_fetch, route, **body)
    assert 400 <= refused.value.code < 500
    assert refused.value.response is not None
    assert text in json.loads(refused.value.response.body)["message"]
    found = await asyncio.to_thread(
        session.client.call, "sagemaker", "ListModelPackageGroups", {"NameContains": "g"}
    )
    names = [group["ModelPackageGroupName"] for group in found["ModelPackageGroupSummaryList"]]
    assert "g" not in names


@pytest.mark.slow
async def test_a_notebook_runs_as_a_job_and_comes_back(
    jp_fetch: Fetch, session: Session, jp_root_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (jp_root_dir / "work").symlink_to(tmp_path / "elsewhere")
    cells = [nbformat.v4.new_code_cell("count = 1"), nbformat.v4.new_code_cell("print(count * 7)")]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), jp_root_dir / "work" / "report.ipynb")
    started = await post(
        jp_fetch,
        "notebook-jobs",
        path="work/report.ipynb",
        parameters={"count": 6},
        name="report-by-route",
    )
    assert started == {"job": "report-by-route"}
    await asyncio.to_thread(session.job("report-by-route").wait, logs=False)
    found = await post(jp_fetch, "notebook-jobs", "report-by-route", "collect")
    assert found["notebook"] == "work/report-report-by-route.ipynb"
    assert found["html"] == "work/report-report-by-route.html"
    executed = nbformat.read(jp_root_dir / found["notebook"], as_version=4)
    assert executed.cells[-1].outputs[0].text == "42\n"
    assert "42" in (jp_root_dir / found["html"]).read_text()


async def test_what_was_no_notebook_is_not_collected(jp_fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await post(jp_fetch, "notebook-jobs", "no-such-job", "collect")
    assert refused.value.code == 400
