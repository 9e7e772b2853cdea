"""Handle structured column: JSON and arrays."""

from bottega.wrangler.transforms.structured.arrays import (
    ArrayLength,
    ExplodeArray,
    JoinArray,
    ParseJsonArray,
)
from bottega.wrangler.transforms.structured.flatten import FlattenStructured

__all__ = ["ArrayLength", "ExplodeArray", "FlattenStructured", "JoinArray", "ParseJsonArray"]
