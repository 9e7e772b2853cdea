"""One module a feature; each names its routes in ``routes``."""

from __future__ import annotations

import importlib
from typing import Any

FEATURES = (
    *("about", "archives", "artifacts", "channels", "deployments", "events", "invocations"),
    *("model_checks", "notebook_jobs", "objects", "operations", "previews", "registrations"),
    *("replays", "sources"),
)


def all_routes() -> list[tuple[str, type[Any]]]:
    """Every route of the extension: a pattern, and the handler that answers there."""
    found: list[tuple[str, type[Any]]] = []
    for feature in FEATURES:
        found += importlib.import_module(f"{__name__}.{feature}").routes
    return found
