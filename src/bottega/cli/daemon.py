"""`bottega serve|start|stop|status|env`."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from bottega.cli.options import address_options, home_option
from bottega.config import Config
from bottega.daemon import lifecycle
from bottega.errors import ClientFault


@click.command()
@home_option
@address_options
def serve(home: Path | None, host: str | None, port: int | None) -> None:
    """Run the daemon in the foreground."""
    from bottega.daemon import main

    sys.exit(main.run(Config.load(home, host=host, port=port)))


@click.command()
@home_option
@address_options
def start(home: Path | None, host: str | None, port: int | None) -> None:
    """Start the daemon in the background, unless it runs."""
    record = lifecycle.start(Config.load(home, host=host, port=port))
    click.echo(f"bottega {record.version} serves at {record.url} (process {record.pid})")
    if (host or record.host, port or record.port) != (record.host, record.port):
        raise ClientFault(
            f"it was running before, at {record.url}, and stays there; `bottega stop` first to "
            "move it to another address"
        )


@click.command()
@home_option
def stop(home: Path | None) -> None:
    """Stop the daemon. Training jobs go on and are taken up again at the next start."""
    record = lifecycle.stop(Config.load(home))
    if record is None:
        click.echo("bottega is not running")
    else:
        click.echo(f"stopped the bottega at {record.url}")


@click.command()
@home_option
def status(home: Path | None) -> None:
    """Say whether the daemon runs; exit code 3 when it does not."""
    config = Config.load(home)
    record = lifecycle.running(config)
    if record is None:
        click.echo(f"bottega is not running for {config.home}; `bottega start` starts it")
        sys.exit(3)
    since = datetime.fromtimestamp(record.started).isoformat(" ", "seconds")
    click.echo(f"bottega {record.version} serves {config.home}")
    click.echo(f"  at     {record.url} (process {record.pid})")
    click.echo(f"  since  {since}")


@click.command()
@home_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["shell", "json", "dotenv"]),
    default="shell",
    show_default=True,
)
def env(home: Path | None, form: str) -> None:
    """Print the variables with which boto3, the SageMaker SDKs and mlflow find this bottega.

    Use it as: eval "$(bottega env)"
    """
    from bottega.credentials import Credentials
    from bottega.daemon.environment import (
        as_dotenv,
        as_shell,
        client_environment,
        with_emptied,
    )

    config = Config.load(home)
    record = lifecycle.start(config)
    values = client_environment(config, Credentials.load(config), record.url)
    if form == "shell":
        click.echo(as_shell(values))
    elif form == "json":
        click.echo(json.dumps(with_emptied(values), indent=2))
    else:
        click.echo(as_dotenv(with_emptied(values)))
