"""Images that come through a pipe: RecordIO files and augmented manifests."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.images import (
    ImageItem,
    ImageSet,
    Kind,
    boxes,
    open_images,
    write_image_records,
)
from bottega.algorithms.readers.recordio import frame
from bottega.container.environment import ConfigurationMissing
from bottega.testing.job_folder import JobFolder

JPEG = b"\xff\xd8\xff\xe0 not really a picture"
PNG = b"\x89PNG\r\n\x1a\n not really a picture"
DETECTED = {
    "image_size": [{"width": 10, "height": 20, "depth": 3}],
    "annotations": [{"class_id": 5, "left": 5, "top": 5, "width": 5, "height": 5}],
}


def piped(
    tmp_path: Path,
    content: bytes | None,
    kind: Kind = "classification",
    media: str = "application/x-recordio",
    wrapper: str = "RecordIO",
    **parameters: str,
) -> ImageSet:
    job = JobFolder(tmp_path / "ml", parameters, image="image-classification")
    config = {"TrainingInputMode": "Pipe", "RecordWrapperType": wrapper, "ContentType": media}
    job.config("inputdataconfig", {"train": config})
    pipe = job.root / "input" / "data" / "train_0"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    if content is None:  # refused before anybody would read
        return open_images(job.read(), "train", kind=kind)

    def feed() -> None:
        try:
            with pipe.open("wb") as stream:
                stream.write(content)
        except BrokenPipeError:  # the reader has refused what came before
            return

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        return open_images(job.read(), "train", kind=kind)
    finally:
        thread.join()


def wrapped(*records: bytes) -> bytes:
    return b"".join(frame(record) for record in records)


def test_recordio_files_come_through_a_pipe(tmp_path: Path) -> None:
    stream = io.BytesIO()
    for label in (3, 4):
        write_image_records(stream, [ImageItem("", PNG, np.array([label], dtype=np.float32))])
    images = piped(tmp_path, stream.getvalue(), wrapper="None")
    assert [each.label.tolist() for each in images] == [[3.0], [4.0]]
    assert images[1].name == "record 2 of the channel train"
    assert images[0].data == PNG


@pytest.mark.parametrize("media", ["application/x-recordio", "image/jpeg"])
def test_an_augmented_manifest_gives_images_with_classes(tmp_path: Path, media: str) -> None:
    large = JPEG + bytes(3 << 20)
    content = wrapped(JPEG, b"1", large, b'"0"', PNG, b"2.0")
    images = piped(tmp_path, content, media=media)
    assert [each.label.tolist() for each in images] == [[1.0], [0.0], [2.0]]
    assert images[1].data == large
    assert images[2].data == PNG


@pytest.mark.parametrize(
    ("media", "labels"),
    [
        ("application/x-recordio", ([1, 0, 1], [0, 0, 1])),
        ("application/x-recordio; label-format=multi-hot", ([1, 0, 1], [0, 0, 1])),
        ("application/x-recordio;label-format=class-id", ([0, 2], [2])),
        ('application/x-recordio; Label-Format="class-id"', ("[0, 2]", '["2"]')),
    ],
)
def test_several_labels_become_one_for_each_class(
    tmp_path: Path, media: str, labels: tuple[object, object]
) -> None:
    content = wrapped(*(part for label in labels for part in (JPEG, json.dumps(label).encode())))
    images = piped(tmp_path, content, media=media, num_classes="3")
    assert [each.label.tolist() for each in images] == [[1, 0, 1], [0, 0, 1]]


def test_an_augmented_manifest_gives_images_with_boxes(tmp_path: Path) -> None:
    content = wrapped(JPEG, json.dumps(DETECTED).encode())
    images = piped(tmp_path, content, kind="detection")
    assert boxes(images[0]).tolist() == [[5, 0.5, 0.25, 1.0, 0.5]]


@pytest.mark.parametrize(
    ("records", "kind", "said"),
    [
        ((b"1", JPEG), "classification", "comes after its label"),
        ((JPEG, b"1", JPEG), "classification", "image 2 of the channel train has no label"),
        ((JPEG, b"dog"), "classification", "no JSON: 'dog'"),
        ((JPEG, b'"dog"'), "classification", "no JSON"),
        ((JPEG, b"true"), "classification", "must be a class"),
        ((JPEG, b"{}"), "classification", "must be a class"),
        ((JPEG, b"[0, 2]"), "classification", "label-format=class-id"),
        ((JPEG, b"-3"), "classification", "no class"),
        ((b"text", b"1"), "classification", "image 1 of the channel train is neither"),
        ((wrapped(JPEG), b"1"), "classification", "Leave RecordWrapperType unset"),
        ((JPEG, b"1"), "detection", "image_size and annotations"),
        ((), "classification", "has no images"),
    ],
)
def test_bad_pairs_are_refused(
    tmp_path: Path, records: tuple[bytes, ...], kind: Kind, said: str
) -> None:
    with pytest.raises(CustomerError, match=said):
        piped(tmp_path, wrapped(*records), kind=kind)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (JPEG, "channel train sends is no row of records: at byte 0, .* needs RecordWrapperType"),
        (wrapped(JPEG, b"1")[:-4], "the data end at byte 44, within record 2"),
        (wrapped(JPEG, b"1") + b"abcdefgh", "at byte 48, where record 3 should begin"),
    ],
)
def test_a_broken_stream_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(CustomerError, match=said):
        piped(tmp_path, content)


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ("application/x-recordio;label-format=one-hot", "must be multi-hot or class-id"),
        ("application/x-recordio;label-format=class-id", "num_classes"),
    ],
)
def test_bad_label_formats_are_refused(tmp_path: Path, media: str, said: str) -> None:
    with pytest.raises(CustomerError, match=said):
        piped(tmp_path, None, media=media)


def test_a_class_that_there_is_not_is_refused(tmp_path: Path) -> None:
    media = "application/x-recordio;label-format=class-id"
    with pytest.raises(CustomerError, match="names class 2; num_classes=2 has 0 to 1"):
        piped(tmp_path, wrapped(JPEG, b"[2]"), media=media, num_classes="2")


def test_image_files_do_not_come_through_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="augmented manifest"):
        piped(tmp_path, None, media="image/png", wrapper="None")


def test_a_missing_pipe_is_the_platforms_fault(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml")
    job.config("inputdataconfig", {"train": {"TrainingInputMode": "Pipe"}})
    with pytest.raises(ConfigurationMissing, match="train_0"):
        open_images(job.read(), "train", kind="detection")
