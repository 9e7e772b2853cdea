"""The session of a program that runs as a job."""

from __future__ import annotations

import pytest

from bottega.errors import ClientFault
from bottega.sdk.inside_job import client_of, is_job

JOB = {
    "TRAINING_JOB_ARN": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/j",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "ASIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}


def test_a_job_is_known_by_its_variables():
    assert is_job(JOB)
    assert not is_job({})
    assert not is_job(JOB | {"BOTTEGA_HOME": "/somewhere"}), "a home that is named counts more"


def test_everything_follows_from_the_variables():
    client, config = client_of(JOB)
    assert (client.url, client.region) == ("http://127.0.0.1:1", "eu-west-1")
    assert client.credentials.token == "token"
    assert config.bucket == "sagemaker-eu-west-1-123456789012"
    assert config.role_arn == "arn:aws:iam::123456789012:role/BottegaExecutionRole"


def test_without_network_it_says_so():
    isolated = {key: value for key, value in JOB.items() if key != "AWS_ENDPOINT_URL"}
    with pytest.raises(ClientFault, match="network isolation"):
        client_of(isolated)
