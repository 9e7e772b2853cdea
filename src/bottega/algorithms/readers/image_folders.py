"""Images as files of a channel, labelled by a list or by an annotation for each image."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.image_labels import boxes_label
from bottega.algorithms.readers.image_sets import (
    MAGIC_BYTES,
    ImageItem,
    ImageSet,
    looks_like_image,
)
from bottega.algorithms.readers.rows import data_files, open_data

if TYPE_CHECKING:
    from bottega.algorithms.readers.image_labels import LabelCheck
    from bottega.algorithms.readers.rows import Floats

SUFFIXES = (".jpg", ".jpeg", ".png")
_NAMED = 3


class FolderSet(ImageSet):
    """Images of a folder and their labels.

    Args:
        folder: the channel's.
        labelled: the relative path of each image and its label.
        check: called for every label.

    Raises:
        CustomerError: a file is missing, or is neither JPEG nor PNG.
    """

    def __init__(
        self, folder: Path, labelled: Iterator[tuple[str, Floats]], check: LabelCheck
    ) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._labels = array("f")
        self._ends = array("q", [0])
        for name, label in labelled:
            _check_image(folder / name, name)
            check(label, name)
            self._names.append(name)
            self._labels.extend(label.tolist())
            self._ends.append(len(self._labels))

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> ImageItem:
        name = self.name(index)
        try:
            data = (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            raise CustomerError(f"{name} vanished while the job was running.") from error
        return ImageItem(name, data, self.label(index))

    def label(self, index: int) -> Floats:
        self.name(index)
        return np.array(self._labels[self._ends[index] : self._ends[index + 1]], dtype=np.float32)

    def name(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._names[index]


def _check_image(path: Path, name: str) -> None:
    with path.open("rb") as file:
        head = file.read(MAGIC_BYTES)
    if not looks_like_image(head):
        raise CustomerError(
            f"{name} is neither a JPEG nor a PNG file{'; it is empty' if not head else ''}."
        )


def listed(
    folder: Path, list_folder: Path, channel: str, *, sharded: bool = False
) -> Iterator[tuple[str, Floats]]:
    """The images and labels of ``.lst`` files: index, label or labels, and path, between tabs.

    Args:
        folder: where the images are.
        list_folder: the folder of the channel with the lists.
        channel: the name of the channel with the images, for messages.
        sharded: the folder has this host's share of the images; other hosts have the others.

    Raises:
        CustomerError: a line is no such line, or names an image that is not there.
    """
    lists = data_files(list_folder)
    if not lists:
        raise CustomerError(
            f"The channel {channel}_lst has no .lst file; it tells the label of each image."
        )
    for path in lists:
        with open_data(path) as file:
            for number, line in _lines(file, path.name):
                where = f"line {number} of {path.name}"
                name, label = _listed_image(channel, line, where)
                if (folder / name).is_file():
                    yield name, label
                elif not sharded:
                    raise CustomerError(
                        f"{where} names {name!r}, which is no file of the channel {channel}."
                    )


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
        except UnicodeDecodeError as error:
            raise CustomerError(f"line {number} of {name} is no text in UTF-8.") from error
        if text.strip():
            yield number, text


def _listed_image(channel: str, line: str, where: str) -> tuple[str, Floats]:
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) < 3:
        raise CustomerError(
            f"{where} has {len(fields)} field(s) between tabs; it needs an index, a label, and the "
            "path of an image in the channel."
        )
    name = fields[-1]
    try:
        int(float(fields[0]))
        label = np.array([float(field) for field in fields[1:-1]], dtype=np.float32)
    except (ValueError, OverflowError) as error:
        raise CustomerError(
            f"{where} must be an index, a label, and a path, in this order; an index or label is "
            f"no number ({', '.join(fields[:-1])[:80]})."
        ) from error
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name:
        raise CustomerError(f"{where} names {name!r}, which is no path in the channel {channel}.")
    return name, label


def annotated(
    folder: Path, annotations: Path, channel: str, *, sharded: bool = False
) -> Iterator[tuple[str, Floats]]:
    """The images of a folder, each with the boxes of its annotation.

    An annotation belongs to the image that its ``file`` names, else to the one whose path differs
    from its own in the suffix alone, else to the only one of that name in any folder. With
    ``sharded``, images that are not there are taken to be on other hosts.

    Raises:
        CustomerError: an annotation is unreadable or has no image, or an image has none or several.
    """
    files = [path for path in data_files(annotations) if path.suffix.lower() == ".json"]
    if not files:
        raise CustomerError(
            f"The channel {channel}_annotation has no .json file; each image needs one."
        )
    images = _Images(folder)
    done: dict[str, str] = {}
    found: list[tuple[str, Floats]] = []
    for path in files:
        name = path.relative_to(annotations).as_posix()
        document = _document(path, name)
        image = images.of(document, name)
        if not image and sharded:
            continue
        if not image:
            raise CustomerError(
                f"{name} has no image: there is no {path.stem}.jpg or {path.stem}.png in the "
                f'channel {channel}, and its "file" names none.'
            )
        if image in done:
            raise CustomerError(f"{done[image]} and {name} are both annotations of {image}.")
        done[image] = name
        found.append((image, boxes_label(document, name)))
    missing = [name for name in images.names if name not in done]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise CustomerError(
            f"{', '.join(missing[:_NAMED])}{more} of the channel {channel} have no annotation in "
            f'{channel}_annotation. An image without objects needs one with "annotations": [].'
        )
    yield from found


class _Images:
    """The images of a folder by what annotations call them."""

    def __init__(self, folder: Path) -> None:
        paths = [path.relative_to(folder) for path in data_files(folder)]
        self.names = [path.as_posix() for path in paths if path.suffix.lower() in SUFFIXES]
        self._all = {path.as_posix() for path in paths}
        self._stems: dict[str, str] = {}
        self._bare: dict[str, str] = {}
        for path in paths:
            self._stems.setdefault(path.with_suffix("").as_posix(), path.as_posix())
            self._bare.setdefault(path.stem, path.as_posix())
        self._count = Counter(path.with_suffix("").as_posix() for path in paths)
        self._count_bare = Counter(path.stem for path in paths)

    def of(self, document: Any, annotation: str) -> str:
        """The image of an annotation; empty when there is none. Raises: CustomerError for two."""
        named = document.get("file") if isinstance(document, dict) else None
        if isinstance(named, str) and named in self._all:
            return named
        path = PurePosixPath(annotation)
        for key, names, count in (
            (path.with_suffix("").as_posix(), self._stems, self._count),
            (path.stem, self._bare, self._count_bare),
        ):
            if count[key] > 1:
                raise CustomerError(
                    f'{annotation} may belong to several images called {key}; say which in "file".'
                )
            if key in names:
                return names[key]
        return ""


def _document(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CustomerError(f"{name} is no JSON: {error}.") from error


def channel_records(folder: Path) -> Sequence[Path]:
    """The RecordIO files of a folder: those called ``.rec`` where there are such, else all."""
    files = data_files(folder)
    return [path for path in files if path.suffix.lower() == ".rec"] or files
