"""`bottega replay JOB`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bottega.cli.options import home_option
from bottega.sdk.replays import MOST_BYTES


@click.command()
@home_option
@click.argument("job")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="In which replay-JOB is made.",
)
@click.option(
    "--kind",
    type=click.Choice(["training", "processing"]),
    default="training",
    show_default=True,
    help="What the job is.",
)
@click.option("--host", help="Whose part is done again, such as algo-2; the first one otherwise.")
@click.option(
    "--max-bytes",
    type=click.IntRange(min=0),
    default=MOST_BYTES,
    show_default=True,
    help="Of data.",
)
@click.option("--shell", is_flag=True, help="Open a shell in it, with the job's variables.")
def replay(
    home: Path | None,
    job: str,
    folder: Path,
    kind: str,
    host: str | None,
    max_bytes: int,
    shell: bool,
) -> None:
    """Bring code, data and environment of a job into a folder, to do it again.

    The folder has a notebook; `python -m bottega.container.replay FOLDER --debug` does the same
    without one, and opens the debugger where the program fails.
    """
    from bottega.sdk.session import connect

    made = connect(home).replay(
        job,
        folder,
        kind="Processing" if kind == "processing" else "Training",
        host=host,
        most_bytes=max_bytes,
    )
    click.echo(f"Notebook: {made.notebook}")
    for note in made.notes:
        click.echo(f"Note:     {note}")
    if made.secrets:
        click.echo(f"Left out: {', '.join(made.secrets)}")
    click.echo(f"Run it:   python -m bottega.container.replay {made.folder} --debug")
    if shell:
        _open_shell(made.folder)


def _open_shell(folder: Path) -> None:
    """Become a shell in the code's folder."""
    from bottega.container.replay import Replay

    found = Replay.of(folder)
    os.environ.update(found.environment)
    os.chdir(found.code)
    program = os.environ.get("SHELL") or "/bin/sh"
    os.execv(program, [program])
