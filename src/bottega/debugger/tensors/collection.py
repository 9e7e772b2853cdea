"""Collections: tensors that are saved, and read, together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bottega.debugger.tensors.exceptions import BrokenTensorFile
from bottega.debugger.tensors.saving import ReductionConfig, SaveConfig


@dataclass
class Collection:
    """Tensors that belong together.

    A tensor is of the collection when it is named in it or when a pattern is found in its name.
    """

    name: str
    include_regex: list[str] = field(default_factory=list)
    tensor_names: set[str] = field(default_factory=set)
    save_config: SaveConfig | None = None
    reduction_config: ReductionConfig | None = None
    save_histogram: bool = True

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return (
            re.compile("|".join(f"(?:{one})" for one in self.include_regex))
            if (self.include_regex)
            else None
        )

    def include(self, patterns: str | Iterable[str]) -> None:
        """Take the tensors with a name in which one of the patterns is found.

        Raises:
            re.error: a pattern is not a regular expression.
        """
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            re.compile(pattern)
            self.include_regex.append(pattern)
        self.__dict__.pop("_pattern", None)

    def has(self, tensor: str) -> bool:
        """Whether a tensor belongs to it."""
        if tensor in self.tensor_names:
            return True
        return self._pattern is not None and self._pattern.search(tensor) is not None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a worker's file."""
        return {
            "name": self.name,
            "include_regex": self.include_regex,
            "tensor_names": sorted(self.tensor_names),
            "reduction_config": self.reduction_config.to_json() if self.reduction_config else None,
            "save_config": self.save_config.to_json() if self.save_config else None,
            "save_histogram": self.save_histogram,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Collection:
        """From a worker's file."""
        reduction, save = content.get("reduction_config"), content.get("save_config")
        return cls(
            name=str(content["name"]),
            include_regex=list(content.get("include_regex") or ()),
            tensor_names=set(content.get("tensor_names") or ()),
            save_config=SaveConfig.from_json(save) if save else None,
            reduction_config=ReductionConfig.from_parameters(reduction) if reduction else None,
            save_histogram=bool(content.get("save_histogram", True)),
        )


def written(collections: Iterable[Collection], workers: int) -> bytes:
    """The content of a worker's file with collections."""
    content = {
        "collections": {one.name: one.to_json() for one in collections},
        "_meta": {"num_workers": workers},
    }
    return json.dumps(content).encode()


def read(content: bytes, name: str) -> tuple[dict[str, Collection], int]:
    """The collections in a worker's file, and how many workers write.

    Raises:
        BrokenTensorFile: the content is not that of such a file.
    """
    try:
        found = json.loads(content)
        collections = {
            key: Collection.from_json(value) for key, value in found["collections"].items()
        }
        return collections, int(found.get("_meta", {}).get("num_workers", 1))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenTensorFile(f"{name} is not a file with collections: {error}") from error
