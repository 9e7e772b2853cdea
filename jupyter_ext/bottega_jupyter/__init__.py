"""Bottega inside a Jupyter server: the routes the Studio asks, and the Studio itself."""

from __future__ import annotations

from typing import Any

from bottega import __version__

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built JupyterLab extension is."""
    return [{"src": "labextension", "dest": "@bottega/labextension"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What the Jupyter server loads."""
    from bottega_jupyter.app import BottegaApp

    return [{"module": "bottega_jupyter", "app": BottegaApp}]
