"""Decoding, scaling and normalising pictures, with the files that people really have."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bottega.algorithms.deep import pixels


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def gradient(height: int, width: int) -> np.ndarray:
    across = np.linspace(0, 255, width)[None, :, None]
    down = np.linspace(0, 255, height)[:, None, None]
    return np.concatenate(np.broadcast_arrays(across, down, 255 - across), axis=2).astype(np.uint8)


def test_a_png_keeps_its_pixels():
    picture = gradient(5, 9)
    found = pixels.decode(encoded(Image.fromarray(picture)))
    np.testing.assert_array_equal(found, picture)
    assert found.flags.c_contiguous


def test_a_jpeg_is_close():
    picture = gradient(32, 48)
    found = pixels.decode(encoded(Image.fromarray(picture), "JPEG", quality=95))
    assert np.abs(found.astype(int) - picture).mean() < 4


@pytest.mark.parametrize(("channels", "shape"), [(1, (4, 6, 1)), (3, (4, 6, 3)), (4, (4, 6, 4))])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "CMYK"])
def test_every_mode_gives_the_channels_asked_for(mode: str, channels: int, shape: tuple[int, ...]):
    picture = Image.fromarray(gradient(4, 6)).convert(mode)
    data = encoded(picture, "JPEG" if mode == "CMYK" else "PNG")
    assert pixels.decode(data, channels).shape == shape


def test_16_bits_become_8():
    deep = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
    found = pixels.decode(encoded(Image.fromarray(deep)), 1)
    assert found[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_alpha_is_dropped_and_colours_stay():
    picture = np.dstack([gradient(3, 3), np.zeros((3, 3), np.uint8)])
    np.testing.assert_array_equal(
        pixels.decode(encoded(Image.fromarray(picture))), picture[:, :, :3]
    )


def test_a_rotation_in_exif_is_not_carried_out():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(gradient(4, 10)), "JPEG", exif=exif)
    assert pixels.decode(data).shape == (4, 10, 3)


def test_a_large_jpeg_may_be_decoded_smaller_but_not_too_small():
    data = encoded(Image.fromarray(gradient(400, 640)), "JPEG")
    assert pixels.decode(data, at_least=60).shape == (100, 160, 3)
    assert pixels.decode(data, at_least=300).shape == (400, 640, 3)


def _huge_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_200, 9_600, 14_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int):
    with pytest.raises(ValueError, match=r"pixels|too large"):
        pixels.decode(_huge_png(side, side))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JPEG or PNG"),
        (b"GIF89a nothing", "no JPEG or PNG"),
        (b"\xff\xd8\xff\xe0 nothing", "damaged"),
        (encoded(Image.fromarray(gradient(8, 8)))[:-30], "damaged"),
        (encoded(Image.fromarray(gradient(64, 64)), "JPEG")[:-400], "damaged"),
        (encoded(Image.fromarray(gradient(8, 8)), "BMP"), "no JPEG or PNG"),
    ],
)
def test_what_cannot_be_decoded_says_why(data: bytes, reason: str):
    with pytest.raises(ValueError, match=reason):
        pixels.decode(data)


_PICTURE = encoded(Image.fromarray(gradient(12, 12)))
_PHOTO = encoded(Image.fromarray(gradient(24, 24)), "JPEG")


@given(
    data=st.sampled_from([_PICTURE, _PHOTO]),
    places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
)
def test_damage_is_either_seen_or_harmless(data: bytes, places: list[tuple[int, int]]):
    broken = bytearray(data)
    for place, value in places:
        broken[place % len(broken)] = value
    # Nothing but ValueError may come out.
    with contextlib.suppress(ValueError):
        found = pixels.decode(bytes(broken))
        assert found.ndim == 3
        assert found.dtype == np.uint8


@given(height=st.integers(1, 40), width=st.integers(1, 40), side=st.integers(1, 50))
def test_the_shorter_side_becomes_what_is_asked(height: int, width: int, side: int):
    found = pixels.resize_shorter(gradient(height, width), side)
    assert min(found.shape[:2]) == side
    longer, shorter = max(height, width), min(height, width)
    assert abs(max(found.shape[:2]) - side * longer / shorter) <= 1


def test_a_grey_picture_can_be_scaled():
    assert pixels.resize(gradient(8, 8)[:, :, :1].copy(), 4, 6).shape == (4, 6, 1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_normalised_pixels_have_about_mean_0_and_deviation_1(channels: int):
    draw = np.random.default_rng(0)
    # Photographs: about grey, and seldom at the ends.
    picture = np.clip(draw.normal(118, 58, (4, 30, 30, channels)), 0, 255).astype(np.uint8)
    found = pixels.normalise(pixels.to_tensor(picture, torch.device("cpu")))
    assert found.shape == (4, channels, 30, 30)
    assert found.dtype == torch.float32
    assert abs(float(found[:, : min(3, channels)].mean())) < 0.2
    assert 0.8 < float(found[:, : min(3, channels)].std()) < 1.2


def test_normalising_is_what_torchvision_documents():
    picture = torch.tensor([255, 0, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    assert pixels.normalise(picture).flatten().tolist() == pytest.approx(expected, rel=1e-5)
