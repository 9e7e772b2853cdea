"""What is signed is taken by a daemon, whoever signs and whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from bottega.credentials import Credentials
from bottega.errors import InvalidToken
from bottega.sdk.client import RemoteClient
from bottega.sdk.signing import TARGETS, is_repeatable, signed_headers
from bottega.testing.daemon import TestDaemon, running_daemon

SUBJECT = "arn:aws:sts::000000000000:assumed-role/BottegaExecutionRole/ada"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        yield started


def test_a_session_acts_under_its_own_name(daemon: TestDaemon, tmp_path: Path):
    config, credentials = daemon.config, Credentials.load(daemon.config)
    client = RemoteClient(daemon.url, config.region, credentials.session(SUBJECT))
    for service, operation in (
        ("sagemaker", "ListModels"),
        ("logs", "DescribeLogGroups"),
        ("bottega", "DescribeStudio"),
        ("cloudwatch", "DescribeAlarms"),
        ("application-autoscaling", "DescribeScalableTargets"),
    ):
        assert service in TARGETS
        named = service == "application-autoscaling"
        client.call(service, operation, {"ServiceNamespace": "sagemaker"} if named else {})
    client.put_object(config.bucket, "a b/c", b"body")
    client.get_object(config.bucket, "a b/c", tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == b"body"
    lines = (config.home / "audit" / "audit.jsonl").read_text().splitlines()
    callers = {json.loads(line)["caller"] for line in lines}
    assert callers == {SUBJECT}


def test_a_token_of_another_home_is_refused(daemon: TestDaemon):
    forged = Credentials("AKIA", "secret", "0" * 64).session(SUBJECT)
    client = RemoteClient(daemon.url, daemon.config.region, forged)
    with pytest.raises(InvalidToken):
        client.put_object("bucket", "key", b"")


def test_an_object_may_be_sent_unsigned_piece_by_piece(daemon: TestDaemon):
    config = daemon.config
    url = f"{daemon.url}/{config.bucket}/pieces"
    keys = Credentials.load(config)
    headers = signed_headers(keys, "PUT", url, {}, None, scope="s3", region=config.region)
    assert headers["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    with urllib3.PoolManager() as pool:
        answer = pool.request("PUT", url, body=iter([b"a", b"b"]), headers=headers)
    assert answer.status == 200, answer.data


def test_an_object_that_is_left_half_read_disturbs_nobody(daemon: TestDaemon):
    config = daemon.config
    client = RemoteClient(daemon.url, config.region, Credentials.load(config))
    client.put_object(config.bucket, "large", bytes(8 << 20))
    with client.open_object(config.bucket, "large") as stream:
        assert stream.read(3) == bytes(3)
    assert client.call("bottega", "DescribeStudio")["Home"] == str(config.home)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("WatchEvents", True), ("PreviewData", True), ("CreateModel", False), ("StopJob", False)],
)
def test_only_what_changes_nothing_is_repeated(operation: str, expected: bool):
    assert is_repeatable(operation) is expected
