"""Where every process of the local runner begins: ``python entry.py <what> <arguments>``.

A script and not a module, so that it works without site packages and wherever bottega was imported
from.
"""

import os
import sys


def _find_bottega() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    # Python puts a script's folder first; its modules must not be taken for others of the same
    # name.
    if sys.path and os.path.abspath(sys.path[0]) == here:
        del sys.path[0]
    root = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    if root not in sys.path:
        sys.path.append(root)


def _main(what: str, arguments: list[str]) -> None:
    if what == "supervisor":
        from bottega.compute.local.supervisor import main

        main(arguments)
    elif what == "keeper":
        from bottega.compute.local.keeper import main

        main(arguments)
    elif what == "module":
        from bottega.compute.local.program import run_module

        run_module(arguments[0], arguments[1:])
    elif what == "fork-server":
        from bottega.compute.local.forkserver import main

        main(arguments)
    elif what == "try-namespaces":
        from bottega.compute.local.namespaces import main

        main(arguments)
    else:
        sys.exit(f"entry.py cannot start {what!r}")


if __name__ == "__main__":
    _find_bottega()
    _main(sys.argv[1], sys.argv[2:])
