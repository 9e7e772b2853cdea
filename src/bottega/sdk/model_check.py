"""What would keep a model from being served, asked before it is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottega.sdk.client import Client

_CHECKED = ("Image", "ModelDataUrl", "Environment")


def check_containers(
    client: Client, containers: Iterable[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """CheckModel's findings about containers, in their order.

    Args:
        containers: as CreateModel takes them. One whose model is no archive is left out, because
            CheckModel looks into archives.

    Returns:
        ``Severity`` (``Error`` or ``Warning``), ``Where`` and ``Message`` of each finding; empty
        where nothing wrong can be seen from outside.

    Raises:
        ValidationException: a container is none that could be checked: it has no image, say.
    """
    found: list[dict[str, str]] = []
    for container in containers:
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        if source and source.get("CompressionType") != "Gzip":
            continue
        checked = {name: container[name] for name in _CHECKED if name in container}
        if source:
            checked["ModelDataUrl"] = source["S3Uri"]
        found += client.call("bottega", "CheckModel", {"Container": checked})["Findings"]
    return found
