"""From a stored image to the part of it that the network sees; the same in training and serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bottega.algorithms.deep import pixels
from bottega.algorithms.deep.pixels import Pixels

NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Framing:
    """How large images are made, and how much of them is looked at.

    Attributes:
        shape: channels, height and width of what the network sees.
        sides: between which the shorter side of an image is to be, pixels. With ``resize`` both are
            that. Without it training takes images as they are, and serving keeps to the sizes that
            were seen in training.
    """

    shape: tuple[int, int, int]
    sides: tuple[int, int] = (1, NO_LIMIT)

    def prepare(self, data: bytes) -> Pixels:
        """Decode an image and scale it, at least to the size that the network sees.

        Raises:
            ValueError: it is no usable image; the message says why.
        """
        return self.covering(self.scaled(data))

    def scaled(self, data: bytes) -> Pixels:
        """Decode an image and bring its shorter side between the limits.

        Raises:
            ValueError: it is no usable image; the message says why.
        """
        low, high = self.sides
        picture = pixels.decode(data, self.shape[0], at_least=0 if high == NO_LIMIT else high)
        shorter = min(picture.shape[:2])
        return pixels.resize_shorter(picture, min(max(shorter, low), high))

    def covering(self, picture: Pixels) -> Pixels:
        """The picture, enlarged where it is smaller than what the network sees."""
        (_, height, width), (rows, columns) = self.shape, picture.shape[:2]
        if rows >= height and columns >= width:
            return picture
        scale = max(height / rows, width / columns)
        return pixels.resize(
            picture, max(height, round(rows * scale)), max(width, round(columns * scale))
        )

    def cut(self, picture: Pixels, draw: np.random.Generator | None = None) -> Pixels:
        """The part that the network sees: the middle, or with a generator any."""
        _, height, width = self.shape
        spare = picture.shape[0] - height, picture.shape[1] - width
        if draw is None:
            top, left = spare[0] // 2, spare[1] // 2
        else:
            top, left = (int(draw.integers(0, most + 1)) for most in spare)
        return picture[top : top + height, left : left + width]
