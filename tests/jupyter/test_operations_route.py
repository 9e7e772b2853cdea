"""Operations through the extension: passed on as they are, as the user, to a daemon that lives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from bottega.testing.daemon import TestDaemon

Fetch = Callable[..., Any]


def refusal(refused: pytest.ExceptionInfo[HTTPClientError]) -> tuple[int, dict[str, Any]]:
    assert refused.value.response is not None
    return refused.value.code, json.loads(refused.value.response.body)


async def call(jp_fetch: Fetch, service: str, operation: str, request: Any = None) -> Any:
    body = json.dumps(request or {})
    answer = await jp_fetch("bottega", "operations", service, operation, method="POST", body=body)
    return json.loads(answer.body)


async def test_an_operation_is_passed_on(jp_fetch: Fetch, studio: TestDaemon) -> None:
    assert "TrainingJobSummaries" in await call(jp_fetch, "sagemaker", "ListTrainingJobs")
    assert (await call(jp_fetch, "bottega", "DescribeStudio"))["Home"] == str(studio.home)
    assert (await call(jp_fetch, "logs", "DescribeLogGroups"))["logGroups"] is not None
    assert (await call(jp_fetch, "cloudwatch", "DescribeAlarms"))["MetricAlarms"] == []
    scaled = {"ServiceNamespace": "sagemaker"}
    targets = await call(jp_fetch, "application-autoscaling", "DescribeScalableTargets", scaled)
    assert targets["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("service", "operation", "body", "status", "code"),
    [
        (
            "sagemaker",
            "DescribeTrainingJob",
            '{"TrainingJobName": "x"}',
            400,
            "ValidationException",
        ),
        ("sagemaker", "Nonsense", "{}", 400, "UnknownOperationException"),
        ("s3", "ListBuckets", "{}", 400, "UnknownOperationException"),
        ("sagemaker", "ListTrainingJobs", "{", 400, "SerializationException"),
    ],
)
async def test_a_refusal_is_passed_on(
    jp_fetch: Fetch, service: str, operation: str, body: str, status: int, code: str
) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("bottega", "operations", service, operation, method="POST", body=body)
    found, described = refusal(refused)
    assert (found, described["code"]) == (status, code)
    assert described["message"]


async def test_a_body_that_is_too_large_is_refused(jp_fetch: Fetch, studio: TestDaemon) -> None:
    body = json.dumps({"NameContains": "x" * studio.config.max_body_bytes})
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(
            "bottega", "operations", "sagemaker", "ListTrainingJobs", method="POST", body=body
        )
    assert refusal(refused)[0] == 413


class TestItsDaemon:
    """With a home whose daemon comes and goes."""

    @pytest.fixture
    def bottega_home(self, fresh: TestDaemon) -> Any:
        return fresh.home

    async def test_it_is_started_on_first_need_and_again(
        self, jp_fetch: Fetch, fresh: TestDaemon
    ) -> None:
        from bottega.daemon import lifecycle

        assert lifecycle.running(fresh.config) is None
        await call(jp_fetch, "bottega", "DescribeStudio")
        record = lifecycle.running(fresh.config)
        assert record is not None
        import psutil

        psutil.Process(record.pid).kill()
        psutil.wait_procs([psutil.Process(record.pid)] if psutil.pid_exists(record.pid) else [])
        await call(jp_fetch, "sagemaker", "ListTrainingJobs")
        again = lifecycle.running(fresh.config)
        assert again is not None
        assert again.pid != record.pid
