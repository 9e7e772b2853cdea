"""The variables with which ordinary AWS, SageMaker and MLflow clients find this bottega."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.daemon.sts_rules import write_rules

SERVICES = (
    *("SAGEMAKER", "SAGEMAKER_RUNTIME", "SAGEMAKER_METRICS", "SAGEMAKER_A2I_RUNTIME"),
    *("SAGEMAKER_FEATURESTORE_RUNTIME", "SAGEMAKER_INFERENCE_ROUTER_RUNTIME"),
    *("STS", "IAM", "S3", "CLOUDWATCH_LOGS", "CLOUDWATCH", "APPLICATION_AUTO_SCALING"),
)
"""Services whose own endpoint variable, where one is set already, would beat
``AWS_ENDPOINT_URL``.
"""

CLIENT_MODULES = Path(__file__).with_name("client_modules")
"""The folder of what clients import: it has one module, which shortens the SDKs' pauses."""

UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CA_BUNDLE")
"""Variables that would lead a client elsewhere, or make its signature another one."""

_WITH_ROLE = (
    *("TrainingJob", "ProcessingJob", "AutoMLJob", "AutoMLJobV2", "CompilationJob"),
    *("FeatureGroup", "Pipeline"),
)
"""What the SDKs make under a role: sections of their configuration file."""


def client_environment(config: Config, credentials: Credentials, url: str) -> dict[str, str]:
    """Everything a client needs, as one flat mapping.

    Args:
        url: where the daemon answers.
    """
    direct = _without_proxy(config)
    return {
        "AWS_ENDPOINT_URL": url,
        **{f"AWS_ENDPOINT_URL_{service}": url for service in SERVICES},
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_REGION": config.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DATA_PATH": _before(write_rules(config, url), "AWS_DATA_PATH"),
        "PYTHONPATH": _before(CLIENT_MODULES, "PYTHONPATH"),
        "BOTOCORE_EXPERIMENTAL__PLUGINS": "bottega=bottega_sdk_pace",
        "NO_PROXY": direct,
        "no_proxy": direct,
        "BOTTEGA_HOME": str(config.home),
        "BOTTEGA_ROLE_ARN": config.role_arn,
        "BOTTEGA_BUCKET": config.bucket,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(write_sdk_config(config)),
        "MLFLOW_TRACKING_URI": f"{url}/mlflow",
        "MLFLOW_TRACKING_TOKEN": credentials.tracking_token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _before(folder: Path, variable: str) -> str:
    """A variable that lists folders, with one more in front of those it has in this process."""
    present = os.environ.get(variable, "").split(os.pathsep)
    kept = [path for path in present if path and path != str(folder)]
    return os.pathsep.join([str(folder), *kept])


def _without_proxy(config: Config) -> str:
    """What no proxy is asked for, where this process has one: the daemon.

    Of a client that was given STS's address at AWS, botocore looks that address up, although the
    rules lead the request to the daemon.
    """
    own = ["127.0.0.1", "localhost", config.host, f"sts.{config.region}.amazonaws.com"]
    present = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if "*" in present.split(","):
        return "*"  # it counts only where it stands alone
    return ",".join(dict.fromkeys([*own, *(host for host in present.split(",") if host)]))


def write_sdk_config(config: Config) -> str:
    """The SageMaker SDK's configuration file: our bucket and role, and no telemetry.

    With the bucket's name the SDK need not ask for the account to make one up.
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
  Model:
    ExecutionRoleArn: {config.role_arn}
"""
    for section in _WITH_ROLE:
        text += f"  {section}:\n    RoleArn: {config.role_arn}\n"
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
    return "\n".join(f"{name}={_quoted(value)}" for name, value in values.items())


def with_emptied(values: Mapping[str, str]) -> dict[str, str]:
    """The values for a form that cannot unset.

    An empty token counts as none. The other variables would be taken for a profile or a file with
    an empty name, and do no harm as they are: keys beat a profile, and nothing here is encrypted.
    """
    return {**values, "AWS_SESSION_TOKEN": "", "AWS_SECURITY_TOKEN": ""}


def _quoted(value: str) -> str:
    """In quotes that keep every character as it is, as far as the format has such."""
    if "'" not in value:
        return f"'{value}'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
