"""A program for tests: ``python -m bottega.testing.script_program TEXT`` runs the Python text."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    exec(compile(sys.argv[1], "script", "exec"), {"__name__": "__main__"})
