"""Begins the Debugger in a Python process of a job; see ``debugging.children``."""

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _run_the_other_one() -> None:
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _begin() -> None:
    try:
        from bottega.container.debugging import session
    except ImportError:  # a Python without bottega, in an environment of the script's own
        return
    session.start_when_needed()


_run_the_other_one()
_begin()
