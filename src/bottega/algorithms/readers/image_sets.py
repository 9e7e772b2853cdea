"""Images with their labels, read one at a time in any order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bottega.algorithms.readers.rows import Floats

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
MAGIC_BYTES = max(len(JPEG), len(PNG))
"""So many bytes of a file tell whether it is an image that can be trained on."""


@dataclass(frozen=True)
class ImageItem:
    """One image as it is stored."""

    name: str
    """What messages call it: a path inside its channel, or the number of a record."""
    data: bytes
    """A JPEG or PNG file; whether its pixels can be decoded is not known yet."""
    label: Floats
    """One-dimensional. Classification: the class, or a 0 or 1 for each class. Detection: see
    :func:`bottega.algorithms.readers.images.boxes`."""


class ImageSet(ABC):
    """The images of a channel. Only an index is in memory; every read goes to the file.

    Safe to use from several threads, and in processes forked after it was opened.
    """

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> ImageItem:
        """Read one image, from 0. Raises: IndexError; CustomerError when its file changed."""

    @abstractmethod
    def label(self, index: int) -> Floats:
        """The label of one image, without reading the image."""

    @abstractmethod
    def name(self, index: int) -> str:
        """What messages call one image."""

    def __iter__(self) -> Iterator[ImageItem]:
        return (self[index] for index in range(len(self)))


def looks_like_image(data: bytes) -> bool:
    """Whether the beginning of a file is that of a JPEG or a PNG."""
    return data.startswith((JPEG, PNG))
