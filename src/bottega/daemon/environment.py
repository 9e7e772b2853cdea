"""The variables with which ordinary AWS, SageMaker and MLflow clients find this bottega."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from bottega.config import Config
from bottega.credentials import Credentials

UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CA_BUNDLE")
"""Variables that would lead a client elsewhere, or make its signature another one."""


def client_environment(config: Config, credentials: Credentials, url: str) -> dict[str, str]:
    """Everything a client needs, as one flat mapping.

    Args:
        url: where the daemon answers.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_REGION": config.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "BOTTEGA_HOME": str(config.home),
        "BOTTEGA_ROLE_ARN": config.role_arn,
        "BOTTEGA_BUCKET": config.bucket,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(write_sdk_config(config)),
        "MLFLOW_TRACKING_URI": f"{url}/mlflow",
        "MLFLOW_TRACKING_TOKEN": credentials.tracking_token,
    }


def write_sdk_config(config: Config) -> str:
    """The SageMaker SDK's configuration file: our bucket and role, and no telemetry.

    With a bucket of its own the SDK never asks STS for the account, a call whose address it has built in.
    """
    file = config.home / "sagemaker-sdk.yaml"
    text = f"""\
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: {config.bucket}
  TrainingJob:
    RoleArn: {config.role_arn}
  Model:
    ExecutionRoleArn: {config.role_arn}
"""
    if not file.exists() or file.read_text() != text:
        draft = file.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(file)
    return str(file)


def as_shell(values: Mapping[str, str]) -> str:
    """Lines for ``eval "$(bottega env)"``."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([*lines, f"unset {' '.join(UNSET)}"])


def as_dotenv(values: Mapping[str, str]) -> str:
    """Lines for a ``.env`` file."""
    return "\n".join(f'{name}="{value}"' for name, value in values.items())
