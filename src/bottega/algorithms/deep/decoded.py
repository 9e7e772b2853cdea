"""The pictures of a channel, decoded once and kept in memory as far as they fit."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.pixels import Pixels

Item = TypeVar("Item")
Result = TypeVar("Result")

_SHARE_OF_MEMORY = 8


class StoredImage(Protocol):
    """One picture as the readers give it."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class StoredImages(Protocol):
    """What ``readers.images.open_images`` gives."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> StoredImage: ...


class DecodedImages:
    """Random access to decoded pictures, from several threads.

    Making one decodes every picture once, so that a broken one is found before the training
    begins. Those that fit the budget are kept; the others are decoded anew whenever they are asked
    for.

    Args:
        images: the channel.
        prepare: turns the bytes of a file into the pixels to keep; a ValueError of it names what is
            wrong with the picture.
        threads: how many decode at a time.
        budget: bytes to keep pictures in; by default an eighth of the machine's memory, or the MiB
            of the variable ``BOTTEGA_READER_MEMORY``.

    Attributes:
        sizes: height and width of each as it was prepared, int64 (n, 2).
        kept: how many are in memory.

    Raises:
        CustomerError: a picture cannot be decoded; the message names it.
    """

    def __init__(
        self,
        images: StoredImages,
        prepare: Callable[[bytes], Pixels],
        *,
        threads: int,
        budget: int | None = None,
    ) -> None:
        self._images = images
        self._prepare = prepare
        self._kept: list[Pixels | None] = [None] * len(images)
        self.sizes = np.zeros((len(images), 2), dtype=np.int64)
        self.kept = 0
        left = memory_budget() if budget is None else budget
        work = in_order(self._decode, range(len(images)), threads=threads)
        for index, pixels in enumerate(work):
            self.sizes[index] = pixels.shape[:2]
            if pixels.nbytes <= left:
                left -= pixels.nbytes
                self._kept[index] = pixels
                self.kept += 1

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Pixels:
        """The pixels, ``uint8`` (height, width, channels); not to be changed."""
        kept = self._kept[index]
        return self._decode(index) if kept is None else kept

    def _decode(self, index: int) -> Pixels:
        item = self._images[index]
        try:
            return self._prepare(item.data)
        except ValueError as error:
            raise CustomerError(
                f"The image {item.name} cannot be used: {error}. Repair it or leave it out."
            ) from error


def memory_budget() -> int:
    """How many bytes of decoded pictures one channel may keep."""
    if given := os.environ.get("BOTTEGA_READER_MEMORY"):
        return int(float(given) * 2**20)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _SHARE_OF_MEMORY


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int
) -> Iterator[Result]:
    """Apply a function to items in threads, a few ahead of who takes the results, in their order.

    What the function raises is raised where its result would have come.
    """
    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
