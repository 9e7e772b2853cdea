"""Images as files, with lists and with annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.images import ImageSet, Kind, boxes, open_images
from bottega.testing.job_folder import JobFolder

JPEG = b"\xff\xd8\xff\xe0 not really a picture"
PNG = b"\x89PNG\r\n\x1a\n not really a picture"


def annotation(*boxes: tuple[float, ...], **more: Any) -> str:
    names = ("class_id", "left", "top", "width", "height")
    document: dict[str, Any] = {
        "image_size": [{"width": 200, "height": 100, "depth": 3}],
        "annotations": [dict(zip(names, box, strict=True)) for box in boxes],
        "categories": [{"class_id": 0, "name": "cell"}],
    }
    return json.dumps(document | more)


def opened(
    tmp_path: Path,
    kind: Kind,
    images: Mapping[str, bytes | str],
    labels: Mapping[str, bytes | str] | None,
    media: str | None = "application/x-image",
    hosts: tuple[str, ...] = ("algo-1",),
    distribution: str = "FullyReplicated",
) -> ImageSet:
    job = JobFolder(tmp_path / "ml", {}, image="object-detection", hosts=hosts)
    job.channel("train", media, images)
    if labels is not None:
        companion = "train_lst" if kind == "classification" else "train_annotation"
        job.channel(companion, media, labels)
    path = job.root / "input/config/inputdataconfig.json"
    config = json.loads(path.read_text())
    config["train"]["S3DistributionType"] = distribution
    path.write_text(json.dumps(config))
    return open_images(job.read(), "train", kind=kind)


@pytest.mark.parametrize("media", ["application/x-image", "image/png", "image/jpeg", None])
def test_a_list_names_images_and_their_classes(tmp_path: Path, media: str | None) -> None:
    images = opened(
        tmp_path,
        "classification",
        {"dogs/a b.jpg": JPEG, "cats/1.png": PNG, "notes.txt": "not named by the list"},
        {"train.lst": "5\t1\tdogs/a b.jpg\r\n\n1000\t0.000000\tcats/1.png\n"},
        media,
    )
    assert [(each.name, each.data, each.label.tolist()) for each in images] == [
        ("dogs/a b.jpg", JPEG, [1.0]),
        ("cats/1.png", PNG, [0.0]),
    ]
    assert images.label(1).tolist() == [0.0]
    with pytest.raises(IndexError):
        images.label(2)


def test_a_list_may_have_a_label_for_each_class(tmp_path: Path) -> None:
    images = opened(
        tmp_path,
        "classification",
        {"a.jpg": JPEG, "b.jpg": JPEG},
        {"train.lst": "0\t1\t0\t1\ta.jpg\n1\t0\t0\t1\tb.jpg\n"},
    )
    assert images[0].label.tolist() == [1, 0, 1]
    assert images[1].label.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0\t1\tb.jpg", r"line 2 of train\.lst names 'b\.jpg', which is no file of the channel"),
        ("0 1 a.jpg", r"line 2 of train\.lst has 1 field"),
        ("0\ta.jpg", "has 2 field"),
        ("0\ta.jpg\t1", "index, a label, and a path, in this order"),
        ("a.jpg\t1\t0", "in this order"),
        ("0\tdog\ta.jpg", "in this order"),
        ("0\t1\t../secret", "no path in the channel"),
        ("0\t1\t/etc/passwd", "no path in the channel"),
        ("0\t1\t", "no path in the channel"),
        ("0\t1\tempty.jpg", "empty.jpg is neither a JPEG nor a PNG file; it is empty"),
        ("0\t1\tc.gif", r"c\.gif is neither a JPEG nor a PNG"),
        ("0\t1.5\ta.jpg", r"label 1\.5 of a\.jpg is no class"),
        ("0\t-1\ta.jpg", "no class"),
        ("0\tnan\ta.jpg", "no class"),
        ("0\t1\t0\ta.jpg", "has 2 label"),
        ("\udcff\t1\ta.jpg", r"line 2 of train\.lst is no text"),
    ],
)
def test_bad_lines_of_a_list_are_refused(tmp_path: Path, line: str, said: str) -> None:
    text = f"0\t0\ta.jpg\n{line}\n".encode(errors="surrogateescape")
    files = {"a.jpg": JPEG, "empty.jpg": b"", "c.gif": b"GIF89a"}
    with pytest.raises(CustomerError, match=said):
        opened(tmp_path, "classification", files, {"train.lst": text})


def test_annotations_become_normalised_boxes(tmp_path: Path) -> None:
    images = opened(
        tmp_path,
        "detection",
        {"a.jpg": JPEG, "sub/b.png": PNG, "deep/c.jpeg": JPEG, "other.jpg": JPEG},
        {
            "a.json": annotation((0, 50, 25, 100, 50), (2, 190, 0, 20, 10)),
            "sub/b.json": annotation(),
            "c.json": annotation((1, 0, 0, 200, 100), file="elsewhere/c.jpeg"),
            "z.json": annotation((1, 20, 10, 20, 10), file="other.jpg"),
            "readme.txt": "no annotation",
        },
    )
    assert [each.name for each in images] == ["a.jpg", "deep/c.jpeg", "sub/b.png", "other.jpg"]
    assert boxes(images[0]).tolist() == [
        [0, 0.25, 0.25, 0.75, 0.75],
        [2, pytest.approx(0.95), 0, 1, pytest.approx(0.1)],
    ]
    assert boxes(images[2]).shape == (0, 5)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({}, "train_annotation has no .json"),
        ({"b.json": annotation()}, r"b\.json has no image: there is no b\.jpg"),
        (
            {"a.json": annotation(), "x.json": annotation(file="a.jpg")},
            r"both annotations of a\.jpg",
        ),
        ({"a.json": annotation(), "c.json": annotation()}, "may belong to several images"),
        ({"a.json": "{"}, r"a\.json is no JSON"),
        ({"a.json": "[]"}, "must be a JSON object"),
        ({"a.json": "{}"}, "needs"),
        ({"a.json": annotation(image_size=[{"width": 0, "height": 3}])}, "image_size of a.json"),
        (
            {"a.json": annotation(image_size=[{"width": "9", "height": 3}])},
            '"9"; it must be a number',
        ),
        ({"a.json": annotation(annotations=[3])}, "annotation 1 of a.json"),
        ({"a.json": annotation((-1, 0, 0, 9, 9))}, "class_id of annotation 1 of a.json"),
        ({"a.json": annotation((0, 0, 0, 9, 9), (0, 5, 5, 0, 9))}, r"Box 2 of a\.jpg"),
        ({"a.json": annotation((0, 300, 5, 10, 9))}, r"Box 1 of a\.jpg"),
        ({"a.json": annotation()}, r"c\.jpg, c\.png .* have no annotation"),
    ],
)
def test_bad_annotations_are_refused(tmp_path: Path, labels: dict[str, str], said: str) -> None:
    files = {"a.jpg": JPEG} | ({} if "Box" in said else {"c.jpg": JPEG, "c.png": PNG})
    with pytest.raises(CustomerError, match=said):
        opened(tmp_path, "detection", files, labels)


@pytest.mark.parametrize(
    ("kind", "media", "images", "labels", "said"),
    [
        (
            "classification",
            "text/csv",
            {"a.jpg": JPEG},
            {"l.lst": ""},
            "'text/csv' .* cannot be read",
        ),
        ("classification", "image/png", {"a.jpg": JPEG}, None, "needs a channel train_lst"),
        ("detection", "image/png", {"a.jpg": JPEG}, None, "needs a channel train_annotation"),
        (
            "classification",
            "image/png",
            {},
            {"l.lst": "0\t0\ta.jpg"},
            "channel train has no images",
        ),
        ("classification", "image/png", {"a.jpg": JPEG}, {}, "train_lst has no .lst file"),
        ("classification", "image/png", {"a.jpg": JPEG}, {"l.lst": "\n"}, "has no images"),
        ("classification", "application/x-recordio", {}, None, "has no images"),
    ],
)
def test_channels_that_cannot_be_read_are_refused(
    tmp_path: Path,
    kind: Kind,
    media: str,
    images: dict[str, bytes],
    labels: dict[str, str] | None,
    said: str,
) -> None:
    with pytest.raises(CustomerError, match=said):
        opened(tmp_path, kind, images, labels, media)


def test_a_missing_channel_is_told(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml")
    with pytest.raises(CustomerError, match="no channel 'validation'"):
        open_images(job.read(), "validation", kind="classification")


def test_a_host_with_a_share_passes_over_what_other_hosts_have(tmp_path: Path) -> None:
    hosts = ("algo-1", "algo-2")
    lst = {"train.lst": "0\t0\ta.jpg\n1\t1\tb.jpg\n"}
    files = {"a.jpg": JPEG}
    sharded = opened(
        tmp_path / "1", "classification", files, lst, hosts=hosts, distribution="ShardedByS3Key"
    )
    assert [each.name for each in sharded] == ["a.jpg"]
    boxed = opened(
        tmp_path / "2",
        "detection",
        files,
        {"a.json": annotation(), "b.json": annotation()},
        hosts=hosts,
        distribution="ShardedByS3Key",
    )
    assert [each.name for each in boxed] == ["a.jpg"]
    nothing = opened(
        tmp_path / "3", "classification", {}, lst, hosts=hosts, distribution="ShardedByS3Key"
    )
    assert len(nothing) == 0
    with pytest.raises(CustomerError, match=r"b\.jpg"):
        opened(tmp_path / "4", "classification", files, lst, hosts=hosts)


def test_an_image_that_vanishes_is_told(tmp_path: Path) -> None:
    images = opened(tmp_path, "classification", {"a.jpg": JPEG}, {"t.lst": "0\t0\ta.jpg"})
    (tmp_path / "ml/input/data/train/a.jpg").unlink()
    with pytest.raises(CustomerError, match=r"a\.jpg vanished"):
        images[0]
