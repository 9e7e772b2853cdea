"""The Debugger in the Python programs that a script starts, and a ``smdebug`` for those who use it.

A job's program may be a shell script, a module, or a launcher of workers. Each Python process that
comes of it runs ``sitecustomize`` when it begins; ours starts the Debugger there, and then runs the
one that would have been found without it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

STARTUP = str(Path(__file__).parent / "startup")
SMDEBUG = str(Path(__file__).parent / "smdebug_shadow")


def offer_smdebug() -> None:
    """Have ``smdebug`` be found in this process, behind any that is installed."""
    if SMDEBUG not in sys.path:
        sys.path.append(SMDEBUG)


def offer() -> None:
    """Have the Python programs that are started from here begin with the Debugger."""
    entries = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if STARTUP not in entries:
        os.environ["PYTHONPATH"] = os.pathsep.join([STARTUP, *entries])
