"""Starts the feeder of a host's pipes (see ``bottega.container.feeder``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from bottega.container import feeder
from bottega.container.environment import TrainingEnvironment

_held: list[int] = []
"""Descriptors that say that this process is alive."""


def start(environment: TrainingEnvironment) -> None:
    """Make the first pipe of each channel in Pipe mode, and start the feeder of all of them.

    The feeder ends with this process, also when another program takes this process over. Does
    nothing for channels that the platform has not prepared: somebody else feeds these.
    """
    feeds: list[dict[str, Any]] = []
    for name, config in environment.input_data_config.items():
        folder = environment.paths.pipe(name)
        if config.get("TrainingInputMode") == "Pipe" and (folder / feeder.PLAN).is_file():
            pipe = str(environment.paths.data / name)
            feeder.make_pipe(f"{pipe}_0")
            feeds.append({"channel": name, "folder": str(folder), "pipe": pipe})
    if not feeds:
        return
    host = environment.hosts.index(environment.current_host)
    orders = {
        "feeds": [{**feed, "host": host, "hosts": len(environment.hosts)} for feed in feeds],
        "failure": str(environment.paths.failure),
        "parent": os.getpid(),
    }
    read_end, write_end = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", feeder.__file__, json.dumps(orders)],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            # A program that signals its whole group does not mean the feeder.
            start_new_session=True,
        )
    finally:
        os.close(read_end)
    # It lives until we end, which the garbage collector would take for a mistake.
    process.returncode = 0
    # A program that takes this process over goes on holding it.
    os.set_inheritable(write_end, True)
    _held.append(write_end)
