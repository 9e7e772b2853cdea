"""From the bytes of a JPEG or PNG to pixels, and from pixels to tensors.

Pictures are ``uint8`` arrays (height, width, channels). They are decoded as they lie in the file:
a rotation that EXIF asks for is not carried out, an alpha channel is dropped unless it is wanted,
16 bits become 8.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

Pixels = NDArray[np.uint8]

MAX_PIXELS = 2**26
"""Larger pictures are refused before anything is decoded: a file of a few kilobytes can ask for
gigabytes."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
CHANNELS = tuple(_MODES)
"""How many channels a picture can be decoded to: grey, colours, colours with alpha."""
_MEAN = {
    1: (0.449,),
    3: (0.485, 0.456, 0.406),
    4: (0.485, 0.456, 0.406, 0.5),
}
_DEVIATION = {
    1: (0.226,),
    3: (0.229, 0.224, 0.225),
    4: (0.229, 0.224, 0.225, 0.5),
}


def decode(data: bytes, channels: int = 3, *, at_least: int = 0) -> Pixels:
    """Decode a picture.

    Args:
        data: a whole JPEG or PNG file.
        channels: 1, 3 or 4.
        at_least: a JPEG may be decoded at a half, a quarter or an eighth of its size, which is much
            faster, as long as its shorter side keeps this many pixels; 0 for its full size.

    Returns:
        The pixels, ``uint8`` (height, width, channels), C-contiguous.

    Raises:
        ValueError: it is no whole JPEG or PNG, or too large; the message says which, without the
            name of the file.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(
                    f"it has {width} x {height} pixels, more than the {MAX_PIXELS} that are allowed"
                )
            if at_least and min(width, height) >= 2 * at_least:
                scale = at_least / min(width, height)
                image.draft(None, (int(width * scale), int(height * scale)))
            return _array(image, channels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"it is too large: {error}") from error
    except UnidentifiedImageError as error:
        raise ValueError("it is no JPEG or PNG image") from error
    except (OSError, SyntaxError, EOFError, struct.error, zlib.error, MemoryError) as error:
        raise ValueError(f"it is damaged: {str(error) or type(error).__name__}") from error


def _array(image: Any, channels: int) -> Pixels:
    mode = _MODES[channels]
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow would cut off what is above 255, not scale it.
        deep = np.asarray(image).astype(np.int64)
        grey = np.clip(deep >> 8, 0, 255).astype(np.uint8)
        image = Image.fromarray(grey)
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    pixels = np.asarray(image.convert(mode), dtype=np.uint8)
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], channels))


def resize(pixels: Pixels, height: int, width: int) -> Pixels:
    """Scale a picture to this size, whatever its proportions."""
    if pixels.shape[:2] == (height, width):
        return pixels
    flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    scaled = Image.fromarray(flat).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(scaled, dtype=np.uint8).reshape(height, width, pixels.shape[2])


def resize_shorter(pixels: Pixels, side: int) -> Pixels:
    """Scale a picture so that its shorter side has this many pixels; proportions are kept."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    if shorter == side:
        return pixels
    return resize(
        pixels, max(side, round(height * side / shorter)), max(side, round(width * side / shorter))
    )


def to_tensor(pictures: Any, device: Any) -> Any:
    """Move a batch of pictures to a device.

    Args:
        pictures: ``uint8`` (n, height, width, channels), an array that can be written to.
        device: a ``torch.device``.

    Returns:
        A ``uint8`` tensor (n, channels, height, width) there.
    """
    tensor = torch.from_numpy(pictures)
    if device.type == "cuda":
        tensor = tensor.pin_memory().to(device, non_blocking=True)
    return tensor.permute(0, 3, 1, 2)


def normalise(pictures: Any) -> Any:
    """Scale pixels to what networks learn from, with the means that torchvision's weights expect.

    Args:
        pictures: a tensor (n, channels, height, width) from 0 to 255, ``uint8`` or float.

    Returns:
        A float32 tensor of about mean 0 and deviation 1.
    """
    channels = int(pictures.shape[1])
    mean = torch.tensor(_MEAN[channels], device=pictures.device).view(1, -1, 1, 1)
    deviation = torch.tensor(_DEVIATION[channels], device=pictures.device).view(1, -1, 1, 1)
    return (pictures.float() / 255.0 - mean) / deviation
