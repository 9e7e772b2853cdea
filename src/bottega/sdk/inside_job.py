"""The session of a program that runs as a job: nothing has to be configured there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bottega.config import Config
from bottega.credentials import SessionKeys
from bottega.errors import ClientFault
from bottega.sdk.client import RemoteClient


def is_job(environment: Mapping[str, str]) -> bool:
    """Whether an environment is that of a job, which sees no home."""
    return "TRAINING_JOB_ARN" in environment and "BOTTEGA_HOME" not in environment


def client_of(environment: Mapping[str, str]) -> tuple[RemoteClient, Config]:
    """The studio that runs the job, with the job's own keys.

    Raises:
        ClientFault: the job was started without network.
    """
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    if missing := [name for name in names if not environment.get(name)]:
        raise ClientFault(
            f"this job cannot reach the studio: it has no {missing[0]}. A job with network "
            "isolation has none; start it without"
        )
    url, *keys = (environment[name] for name in names)
    account = environment["TRAINING_JOB_ARN"].split(":")[4]
    config = Config(home=Path("/"), account=account, region=environment["AWS_REGION"])
    return RemoteClient(url, config.region, SessionKeys(*keys)), config
