"""One frozen configuration: an argument beats the environment beats ``config.toml`` beats the
default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bottega.errors import ClientFault


class ConfigurationError(ClientFault):
    """A setting has a value that it cannot have."""

    code = "ConfigurationError"


@dataclass(frozen=True)
class Config:
    """Everything about one bottega home that a person may set.

    Each field ``name`` is also the environment variable ``BOTTEGA_<NAME>`` and the key ``name`` of
    ``<home>/config.toml``.
    """

    home: Path
    """The folder that holds all state. ``~/.bottega`` unless told otherwise."""
    host: str = "127.0.0.1"
    """The address the daemon listens on."""
    port: int = 0
    """The port the daemon listens on; 0 lets the system choose one, which is then kept in the
    home.
    """
    account: str = "000000000000"
    """The twelve digits that stand for the account in ARNs."""
    region: str = "us-east-1"
    """The region in ARNs and in signatures."""
    database_url: str = ""
    """An SQLAlchemy URL for the metadata; empty means ``<home>/metadata.sqlite``."""
    slots: int = 0
    """How many job hosts run at once; 0 means one per CPU core and at least two."""
    isolation: str = "auto"
    """``auto`` (the best this machine has), ``namespaces``, ``bubblewrap`` or ``process``."""
    stop_grace_seconds: float = 120.0
    """How long a stopped job has between SIGTERM and SIGKILL."""
    max_body_bytes: int = 8 * 1024 * 1024
    """The largest body of a control-plane request."""
    max_invocation_bytes: int = 6_291_456
    """The largest body of InvokeEndpoint that is read; the API's own limit is the default."""
    serverless_idle_seconds: float = 300.0
    """How long a serverless variant that nobody asks keeps its servers."""
    autoscaling_period_seconds: int = 5
    """The grain of autoscaling: capacity grows after three such periods above a policy's target and
    shrinks after fifteen below nine tenths of it. From 1 to 60 whole seconds."""
    docker: str = "auto"
    """What serves models whose image is none of bottega's own: the Docker engine at
    ``DOCKER_HOST`` or at Docker's usual place (``auto``), one at a ``unix://`` address, or none
    (``off``)."""
    docker_pull: bool = False
    """Whether images that the Docker engine has not got are fetched when a model names them."""
    smtp_url: str = ""
    """The mail server that takes what the Debugger's rules have to say: ``smtp://`` or
    ``smtps://[user:password@]host[:port]``. Empty for none: it is shown in the Studio alone."""
    smtp_from: str = ""
    """Who such mail is from; ``bottega@`` the server when empty."""
    notification_webhook: str = ""
    """An ``https://`` address to which the same is posted as JSON, text messages included."""
    tracking: bool = True
    """Whether jobs are tracked in MLflow."""
    preload: bool = True
    """Whether a fork server with the numeric libraries is kept warm for jobs and model servers."""

    @property
    def role_arn(self) -> str:
        """The execution role that stands for the owner of this home."""
        return f"arn:aws:iam::{self.account}:role/BottegaExecutionRole"

    @property
    def bucket(self) -> str:
        """The default bucket, under the name the SageMaker SDK would choose."""
        return f"sagemaker-{self.region}-{self.account}"

    @property
    def private_folders(self) -> tuple[Path, ...]:
        """What no job may look into: this home, and the user's own, with keys of other kinds."""
        own = Path.home().resolve()
        return (self.home,) if own == Path("/") else (self.home, own)

    @property
    def slot_count(self) -> int:
        return self.slots or max(2, os.cpu_count() or 1)

    @classmethod
    def load(
        cls,
        home: str | os.PathLike[str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Config:
        """Collect the settings from arguments, environment and file.

        Args:
            home: the home folder; ``BOTTEGA_HOME`` or ``~/.bottega`` when absent.
            environment: the environment to read; the process's own when absent.
            arguments: settings by field name; those that are None count as not given.

        Raises:
            ConfigurationError: a setting is unknown or has the wrong type; the message names where.
        """
        environment = os.environ if environment is None else environment
        path = Path(home or environment.get("BOTTEGA_HOME") or "~/.bottega").expanduser().resolve()
        types = {f.name: f.type for f in fields(cls) if f.name != "home"}
        values: dict[str, Any] = {}
        file = path / "config.toml"
        if file.exists():
            try:
                values |= tomllib.loads(file.read_text())
            except tomllib.TOMLDecodeError as error:
                raise ConfigurationError(f"{file} is not valid TOML: {error}") from error
        for unknown in values.keys() - types.keys():
            raise ConfigurationError(
                f"{file} sets {unknown!r}, which does not exist; known: {', '.join(sorted(types))}"
            )
        for name in types:
            if text := environment.get(f"BOTTEGA_{name.upper()}"):
                values[name] = text
        values |= {name: value for name, value in arguments.items() if value is not None}
        return cls(home=path, **{k: _convert(k, v, str(types[k])) for k, v in values.items()})


def _convert(name: str, value: Any, kind: str) -> Any:
    try:
        if kind == "bool" and isinstance(value, str):
            return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
        return {"str": str, "int": int, "float": float, "bool": bool}[kind](value)
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigurationError(f"the setting {name} is {value!r}, which is no {kind}") from error
