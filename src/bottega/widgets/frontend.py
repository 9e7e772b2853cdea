"""Whether there is a page that can show widgets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

SETTING = "BOTTEGA_WIDGETS"
"""``on`` or ``off`` decides instead of what is seen."""


def shows_widgets() -> bool:
    """Whether what runs now was asked for by a page with cells: JupyterLab, Notebook, VS Code.

    Such a page names the cell in what it sends to the kernel, and sends messages to widgets.
    nbconvert, papermill, a terminal and a plain Python process do neither: there a widget would
    only be a text that says so.
    """
    setting = os.environ.get(SETTING, "").lower()
    if setting in ("on", "off"):
        return setting == "on"
    parent: dict[str, Any] = getattr(shell(), "parent_header", None) or {}
    to_widget = parent.get("header", {}).get("msg_type") == "comm_msg"
    return to_widget or "cellId" in parent.get("metadata", {})


def shell() -> Any:
    """IPython's shell; None outside of IPython."""
    from IPython.core.getipython import get_ipython

    return get_ipython()


def variable_of(value: object) -> str | None:
    """The name by which cells have this very object; None where they have none."""
    names: dict[str, Any] = getattr(shell(), "user_ns", None) or {}
    # IPython's own, such as _ and _1, mean something else after the next cell.
    held = (name for name, other in names.items() if other is value and not name.startswith("_"))
    return next(held, None)


def execution() -> tuple[Any, Any]:
    """What tells the run of one cell from that of another, equal within one."""
    parent: dict[str, Any] = getattr(shell(), "parent_header", None) or {}
    count = getattr(shell(), "execution_count", None)
    return parent.get("header", {}).get("msg_id"), count


def show(bundle: Mapping[str, Any], name: str | None = None) -> None:
    """Display something that is given in all its forms; by a name, so that it can be replaced."""
    from IPython.display import display

    display(dict(bundle), raw=True, display_id=name)  # type: ignore[no-untyped-call]


def replace(bundle: Mapping[str, Any], name: str) -> None:
    """Put something else in the place of what was shown by a name; from any thread."""
    from IPython.display import update_display

    update_display(dict(bundle), raw=True, display_id=name)  # type: ignore[no-untyped-call]
