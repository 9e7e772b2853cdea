"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def home_option(command: Command) -> Command:
    """``--home``: which home to work on."""
    option = click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        default=None,
        help="The home folder; BOTTEGA_HOME or ~/.bottega by default.",
    )
    return option(command)


def address_options(command: Command) -> Command:
    """``--host`` and ``--port``: where the daemon listens."""
    command = click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=None,
        help="The port to listen on; any free one by default.",
    )(command)
    return click.option(
        "--host", default=None, help="The address to listen on; 127.0.0.1 by default."
    )(command)


def json_option(command: Command) -> Command:
    """``--json``: print what the API answers instead of a table."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
