"""The extension does not hold up JupyterLab's start."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import jupyter_server.serverapp
before = set(sys.modules)
import bottega_jupyter.app
from bottega_jupyter.routes import all_routes
all_routes()
print(" ".join(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_naming_every_route_loads_nothing_else() -> None:
    """Whatever a route needs besides, it loads when it is first asked."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    standard = sys.stdlib_module_names
    loaded = {name for name in run.stdout.split() if name not in standard}
    assert loaded == {"bottega", "bottega_jupyter", "jupyter_server"}
