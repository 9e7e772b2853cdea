"""`bottega doctor`: what this machine gives, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import bottega
from bottega.cli.options import home_option
from bottega.config import Config
from bottega.daemon import lifecycle

LIBRARIES = (
    "boto3",
    "botocore",
    "mlflow",
    "numpy",
    "pandas",
    "scikit-learn",
    "sqlalchemy",
    "xgboost",
)
MARKS = {"ok": "  ok", "note": "note", "problem": " BAD"}
LEAST_FREE_BYTES = 2 * 1024**3


@click.command()
@home_option
def doctor(home: Path | None) -> None:
    """Check this machine; exit code 1 when something must be mended."""
    config = Config.load(home)
    problems = 0
    for mark, text in _findings(config):
        problems += mark == "problem"
        click.echo(f"{MARKS[mark]}  {text}")
    sys.exit(1 if problems else 0)


def _findings(config: Config) -> Iterator[tuple[str, str]]:
    yield (
        "ok",
        f"bottega {bottega.__version__}, Python {platform.python_version()}, {sys.executable}",
    )
    yield "ok", f"{platform.platform()}, {os.cpu_count()} cores, {config.slot_count} slots"
    for name in LIBRARIES:
        yield "ok", f"{name} {importlib.metadata.version(name)}"
    yield from _home(config)
    yield from _isolation(config)


def _home(config: Config) -> Iterator[tuple[str, str]]:
    if not config.home.exists():
        yield "note", f"the home {config.home} does not exist yet; `bottega start` makes it"
        return
    free = shutil.disk_usage(config.home).free
    text = f"the home {config.home} has {free / 1024**3:.1f} GiB free"
    if free > LEAST_FREE_BYTES:
        yield "ok", text
    else:
        yield "problem", f"{text}; jobs need room: delete what you do not need there"
    keys = config.home / "credentials.json"
    if keys.exists() and keys.stat().st_mode & 0o077:
        yield "problem", f"others can read {keys}; run: chmod 600 {keys}"
    record = lifecycle.running(config)
    if record is None:
        yield "note", "the daemon does not run; `bottega start` starts it"
        return
    yield "ok", f"the daemon {record.version} answers at {record.url}"
    if record.version != bottega.__version__:
        yield (
            "problem",
            f"the daemon is bottega {record.version}, this command {bottega.__version__}; run: "
            "bottega stop && bottega start",
        )


def _isolation(config: Config) -> Iterator[tuple[str, str]]:
    from bottega.compute.local.runner import LocalRunner

    runner = LocalRunner(
        state_dir=config.home / "runner", isolation=config.isolation, preload_enabled=False
    )
    try:
        for name, text in runner.describe().items():
            if name != "fork server":  # the daemon has one; this command needs none
                yield "ok", f"{name}: {text}"
    finally:
        runner.close()
