"""``%load_ext bottega``: SageMaker's ways in the fewest words, for notebooks."""

from __future__ import annotations

from typing import Any


def load(shell: Any) -> None:
    """Give a shell the magics, and the completion of their words."""
    from bottega.magics import completion
    from bottega.magics.magics import BottegaMagics

    magics = BottegaMagics(shell)
    shell.register_magics(magics)
    # A reload must not do it twice.
    if lone_title not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(lone_title)
    completion.install(shell, magics.words)


def lone_title(lines: list[str]) -> list[str]:
    """Let ``%%train`` and ``%%tune`` stand without hyperparameters below them: IPython refuses an
    empty cell.

    Args:
        lines: of the whole cell, as IPython gives them to its input transformers.
    """
    if lines and lines[0].startswith(("%%train", "%%tune")) and not "".join(lines[1:]).strip():
        return [lines[0][1:]]
    return lines
