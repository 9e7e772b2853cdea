"""`bottega`: the group of commands. Each command imports what it needs when it runs."""

from __future__ import annotations

import importlib
import sys

import click

import bottega
from bottega.errors import BottegaError

COMMANDS = {
    "doctor": "bottega.cli.doctor:doctor",
    "endpoints": "bottega.cli.endpoints:endpoints",
    "env": "bottega.cli.daemon:env",
    "jobs": "bottega.cli.jobs:jobs",
    "quickstart": "bottega.cli.quickstart:quickstart",
    "replay": "bottega.cli.replay:replay",
    "serve": "bottega.cli.daemon:serve",
    "start": "bottega.cli.daemon:start",
    "status": "bottega.cli.daemon:status",
    "stop": "bottega.cli.daemon:stop",
}


class LazyGroup(click.Group):
    """Loads a command's module only when it is asked for, so that every command starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=bottega.__version__, prog_name="bottega")
def cli() -> None:
    """An open SageMaker that runs where you are."""


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit code 1."""
    try:
        cli()
    except (BottegaError, OSError) as error:
        click.echo(f"bottega: {error}", err=True)
        sys.exit(1)
