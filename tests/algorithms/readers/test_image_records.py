"""Images in RecordIO files: framing, headers, labels, and what is wrong with them."""

from __future__ import annotations

import io
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.image_records import FileSource, scan
from bottega.algorithms.readers.images import (
    ImageItem,
    boxes,
    open_images,
    pack_image,
    unpack_image,
    write_image_records,
)
from bottega.algorithms.readers.recordio import MAGIC_BYTES, frame
from bottega.testing.job_folder import JobFolder

JPEG = b"\xff\xd8\xff\xe0 not really a picture"
PNG = b"\x89PNG\r\n\x1a\n not really a picture"


def item(label: object, data: bytes = JPEG, name: str = "x") -> ImageItem:
    return ImageItem(name, data, np.atleast_1d(np.asarray(label, dtype=np.float32)))


def packed(*items: ImageItem) -> bytes:
    stream = io.BytesIO()
    assert write_image_records(stream, items) == len(items)
    return stream.getvalue()


def job(tmp_path: Path, content: bytes, **parameters: str) -> JobFolder:
    folder = JobFolder(tmp_path / "ml", parameters, image="image-classification")
    return folder.channel("train", "application/x-recordio", {"train.rec": content})


@given(
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=200),
    st.binary(max_size=40),
)
def test_labels_and_data_come_back(labels: list[float], rest: bytes) -> None:
    label, data = unpack_image(pack_image(labels, PNG + rest))
    assert label.tolist() == labels
    assert label.dtype == np.float32
    assert data == PNG + rest


def test_the_header_is_that_of_mxnet() -> None:
    assert pack_image(3.0, JPEG, index=7) == struct.pack("<IfQQ", 0, 3.0, 7, 0) + JPEG
    two = struct.pack("<IfQQff", 2, 0.0, 0, 0, 1.0, 0.0)
    assert pack_image([1, 0], JPEG) == two + JPEG


def test_images_are_read_in_any_order_from_several_files(tmp_path: Path) -> None:
    tricky = JPEG + bytes(-(24 + len(JPEG)) % 4) + MAGIC_BYTES + b"more" + MAGIC_BYTES * 2
    first = packed(item(0), item(1, tricky))
    second = packed(item(2, PNG))
    environment = job(tmp_path, first).channel(
        "train",
        "application/x-recordio",
        {"more/val.rec": second, "train.idx": "0\t0\n", "train.lst": "0\t0\tx\n"},
    )
    images = open_images(environment.read(), "train", kind="classification")
    assert len(images) == 3
    assert [(each.name, each.data, each.label.tolist()) for each in images] == [
        ("record 1 of more/val.rec", PNG, [2.0]),
        ("record 1 of train.rec", JPEG, [0.0]),
        ("record 2 of train.rec", tricky, [1.0]),
    ]
    assert images[2] != images[0]
    assert images.label(2).tolist() == [1.0]
    assert images.name(0) == "record 1 of more/val.rec"
    for outside in (3, -1):
        with pytest.raises(IndexError):
            images[outside]


def test_many_threads_read_the_same_set(tmp_path: Path) -> None:
    content = packed(*(item(n, JPEG + struct.pack("<I", n) * n) for n in range(100)))
    images = open_images(job(tmp_path, content).read(), "train", kind="classification")
    wrong: list[int] = []

    def read(seed: int) -> None:
        order = np.random.default_rng(seed).permutation(100).tolist()
        wrong.extend(n for n in order if images[n].data != JPEG + struct.pack("<I", n) * n)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_labels_longer_than_a_glance_are_read(tmp_path: Path) -> None:
    label = np.zeros(1000)
    label[999] = 1
    content = packed(item(label), item(label))
    images = open_images(job(tmp_path, content).read(), "train", kind="classification")
    assert images.label(1).sum() == 1.0
    assert images[1].data == JPEG


def test_boxes_are_normalised_cut_off_and_without_filling(tmp_path: Path) -> None:
    label = [2, 6, 1, -0.25, 0.5, 0.5, 1.125, 0, -1, -1, -1, -1, -1, -1]
    empty = [4, 5, 640, 480]
    content = packed(item(label), item(empty))
    images = open_images(job(tmp_path, content).read(), "train", kind="detection")
    assert boxes(images[0]).tolist() == [[1.0, 0.0, 0.5, 0.5, 1.0]]
    assert boxes(images[0]).dtype == np.float32
    assert boxes(images[1]).shape == (0, 5)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ([1.0], "holds no boxes"),
        ([2, 5, 0, 0.1, 0.1, 0.5], "does not fit"),
        ([2, 4, 0, 0.1, 0.1, 0.5], "does not fit"),
        ([1, 5, 0, 0.1, 0.1, 0.5, 0.5], "does not fit"),
        ([2, 5, 0.5, 0.1, 0.1, 0.5, 0.5], "must be a whole number"),
        ([2, 5, 0, 0.5, 0.1, 0.5, 0.5], "Box 1 of record 1 of train.rec"),
        ([2, 5, 0, 0.1, 0.1, 0.5, 0.5, 0, 1.2, 0, 1.4, 1], "Box 2 of record 1 of train.rec"),
        ([2, 5, 0, 12, 30, 112, 150], "fractions"),
        ([2, 5, 0, 0.1, float("nan"), 0.5, 0.5], "not finite"),
    ],
)
def test_labels_that_are_no_boxes_are_refused(
    tmp_path: Path, label: list[float], said: str
) -> None:
    with pytest.raises(CustomerError, match=said):
        open_images(job(tmp_path, packed(item(label))).read(), "train", kind="detection")


@pytest.mark.parametrize("label", [1.5, -1.0, float("nan"), float("inf")])
def test_labels_that_are_no_classes_are_refused(tmp_path: Path, label: float) -> None:
    with pytest.raises(CustomerError, match=r"record 2 of train\.rec is no class"):
        open_images(
            job(tmp_path, packed(item(0), item(label))).read(), "train", kind="classification"
        )


def test_labels_of_different_widths_are_refused(tmp_path: Path) -> None:
    content = packed(item([0, 1]), item([1, 0, 0]))
    with pytest.raises(CustomerError, match=r"record 2 of train\.rec has 3 .* record 1 .* has 2"):
        open_images(job(tmp_path, content).read(), "train", kind="classification")


WHOLE = packed(item(0), item(1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WHOLE[:-5], r"ends at byte \d+, but record 2 at byte 60"),
        (WHOLE[:63], r"train\.rec: the data end at byte 63, within record 2"),
        (b"label,1,2\n" * 9, r"train\.rec: at byte 0, where record 1 should begin"),
        (WHOLE[:60] + b"xxxx" + WHOLE[64:], "at byte 60, where record 2 should begin"),
        (WHOLE[:4] + struct.pack("<I", 2**29 - 1) + WHOLE[8:], "says that it has 536870911 bytes"),
        (MAGIC_BYTES + struct.pack("<I", 3 << 29) + WHOLE, "at byte 0, record 1 has"),
        (MAGIC_BYTES + struct.pack("<I", 1 << 29) + WHOLE, "at byte 8, record 1 has"),
        (WHOLE + MAGIC_BYTES + struct.pack("<I", 1 << 29), "within the parts of record 3"),
        (frame(b"short"), "5 bytes, too few"),
        (frame(struct.pack("<IfQQ", 2**31, 0, 0, 0) + JPEG), "speaks of 2147483648 labels"),
        (frame(struct.pack("<IfQQ", 0, 0, 0, 0) + b"GIF89a"), "neither a JPEG nor a PNG"),
        (frame(struct.pack("<IfQQ", 0, 0, 0, 0)), "neither a JPEG nor a PNG"),
    ],
)
def test_damaged_files_are_refused_by_place(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(CustomerError, match=said):
        open_images(job(tmp_path, content).read(), "train", kind="classification")


@given(st.binary(max_size=200), st.integers(0, 150))
def test_a_scan_ends_or_says_what_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.rec"
    path.write_bytes(WHOLE[:cut] + noise)
    source = FileSource(path, "noise.rec")
    refusal, found = "", []
    try:
        found = list(scan(source))
    except CustomerError as error:
        refusal = error.message
    assert bool(refusal) == ("noise.rec" in refusal)
    assert all(each.offset + each.length <= source.size for each in found)


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    folder = job(tmp_path, WHOLE)
    images = open_images(folder.read(), "train", kind="classification")
    with (folder.root / "input/data/train/train.rec").open("r+b") as file:
        file.truncate(70)
    with pytest.raises(CustomerError, match=r"train\.rec became shorter"):
        images[1]
