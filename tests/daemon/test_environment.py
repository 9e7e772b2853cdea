from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.daemon.environment import client_environment

URL = "http://127.0.0.1:4117"


class _Asked(Exception):
    """Ends a call where its request would be sent."""


def address_of(service: str, operation: str, **settings: Any) -> str:
    """Where a client of a new session would send a request."""
    session = boto3.Session()
    client = session.client(service, **settings)

    def stop(request: Any, **_: Any) -> None:
        raise _Asked(request.url)

    client.meta.events.register("before-send", stop)
    with pytest.raises(_Asked) as asked:
        getattr(client, operation)()
    return str(asked.value)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.load(tmp_path / "home", environment={})


@pytest.fixture
def environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = client_environment(config, Credentials.load(config), URL)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "il-central-1"])
def test_the_address_of_sts_that_the_sdks_have_built_in_leads_to_the_daemon(
    environment: dict[str, str], region: str
) -> None:
    built_in = f"https://sts.{region}.amazonaws.com"
    asked = address_of("sts", "get_caller_identity", region_name=region, endpoint_url=built_in)
    assert asked == f"{URL}/"


def test_in_other_partitions_too(environment: dict[str, str]) -> None:
    built_in = "https://sts.cn-north-1.amazonaws.com.cn"
    asked = address_of(
        "sts", "get_caller_identity", region_name="cn-north-1", endpoint_url=built_in
    )
    assert asked == f"{URL}/"


def test_an_address_of_somebody_elses_is_kept(environment: dict[str, str]) -> None:
    other = "http://127.0.0.1:9"
    assert address_of("sts", "get_caller_identity", endpoint_url=other) == f"{other}/"
    assert address_of("sts", "get_caller_identity") == f"{URL}/"


def test_no_other_service_is_concerned(environment: dict[str, str]) -> None:
    iam = "https://iam.amazonaws.com"
    assert address_of("iam", "list_roles", endpoint_url=iam) == f"{iam}/"


def test_folders_of_models_that_the_user_has_are_kept(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = Credentials.load(config)
    own = str(config.home / "aws-models")
    monkeypatch.setenv("AWS_DATA_PATH", "/models/a")
    first = client_environment(config, credentials, URL)["AWS_DATA_PATH"]
    assert first == os.pathsep.join([own, "/models/a"])
    monkeypatch.setenv("AWS_DATA_PATH", first)
    again = client_environment(config, credentials, URL)["AWS_DATA_PATH"]
    assert again == first


def test_a_proxy_of_the_users_is_not_asked_for_the_daemon(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "intranet.example,127.0.0.1")
    values = client_environment(config, Credentials.load(config), URL)
    assert values["NO_PROXY"] == values["no_proxy"]
    hosts = values["NO_PROXY"].split(",")
    assert hosts.count("127.0.0.1") == 1
    assert {"intranet.example", "localhost", "sts.us-east-1.amazonaws.com"} <= set(hosts)


def test_the_rules_follow_the_daemon(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials.load(config)
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
        for name, value in client_environment(config, credentials, url).items():
            monkeypatch.setenv(name, value)
        built_in = "https://sts.us-east-1.amazonaws.com"
        assert address_of("sts", "get_caller_identity", endpoint_url=built_in) == f"{url}/"


def test_the_sdks_know_the_role_of_everything_that_has_one(environment: dict[str, str]) -> None:
    settings = yaml.safe_load(Path(environment["SAGEMAKER_USER_CONFIG_OVERRIDE"]).read_text())
    sections = settings["SageMaker"]
    for name in ("TrainingJob", "ProcessingJob", "AutoMLJob", "FeatureGroup", "Pipeline"):
        assert sections[name] == {"RoleArn": environment["BOTTEGA_ROLE_ARN"]}
    assert sections["Model"] == {"ExecutionRoleArn": environment["BOTTEGA_ROLE_ARN"]}


def test_whoever_has_switched_proxies_off_keeps_them_off(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    values = client_environment(config, Credentials.load(config), URL)
    assert values["no_proxy"] == values["NO_PROXY"] == "*"
