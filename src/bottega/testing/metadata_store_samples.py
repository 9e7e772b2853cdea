"""Resources for tests of metadata stores."""

from __future__ import annotations

from typing import Any, Literal

from bottega.storage.metadata import Resource

ORDERS: tuple[Literal["created", "modified", "name", "status"], ...] = (
    "created",
    "modified",
    "name",
    "status",
)


def resource(name: str, *, kind: str = "Model", status: str = "", **members: Any) -> Resource:
    """A resource to create; ``members`` go into the fields of :class:`Resource`."""
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}".lower()
    values = {"created": 1000.0, "modified": 1000.0, **members}
    return Resource(kind, name, values.pop("arn", arn), status, **values)
