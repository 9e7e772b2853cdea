"""The images of a channel, from RecordIO files, files with lists or annotations, or a pipe.

=======================================  =====================================================
content type                             where labels come from
=======================================  =====================================================
``application/x-recordio``               the records (MXNet's ``im2rec``), in files or a pipe
``application/x-recordio``, Pipe mode    an augmented manifest's second attribute
and RecordWrapperType RecordIO
``application/x-image``, ``image/jpeg``  classification: ``.lst`` files in ``<channel>_lst``;
and ``image/png``                        detection: ``.json`` files in ``<channel>_annotation``
=======================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.image_folders import (
    FolderSet,
    annotated,
    channel_records,
    listed,
)
from bottega.algorithms.readers.image_labels import (
    BoxLabels,
    ClassLabels,
    LabelFormat,
    boxes_label,
    class_label,
    parse_boxes,
)
from bottega.algorithms.readers.image_pipes import spool_pairs, spool_records
from bottega.algorithms.readers.image_records import (
    FileSource,
    RecordSet,
    pack_image,
    unpack_image,
    write_image_records,
)
from bottega.algorithms.readers.image_sets import ImageItem, ImageSet
from bottega.algorithms.readers.rows import data_files

if TYPE_CHECKING:
    from bottega.algorithms.readers.image_labels import LabelCheck
    from bottega.algorithms.readers.image_pipes import LabelOf
    from bottega.algorithms.readers.rows import Floats
    from bottega.container.environment import TrainingEnvironment

__all__ = [
    "ImageItem",
    "ImageSet",
    "Kind",
    "boxes",
    "open_images",
    "pack_image",
    "unpack_image",
    "write_image_records",
]

Kind = Literal["classification", "detection"]

RECORDIO = "application/x-recordio"
IMAGES = ("application/x-image", "image/jpeg", "image/png")
_FORMATS: Mapping[str, LabelFormat] = {"multi-hot": "multi-hot", "class-id": "class-id"}
_COMPANIONS: Mapping[Kind, str] = {"classification": "_lst", "detection": "_annotation"}


def open_images(environment: TrainingEnvironment, channel: str, *, kind: Kind) -> ImageSet:
    """Open the images of a channel; what is wrong with any label or file is said at once.

    Args:
        environment: of this host; ``num_classes`` is read for labels in the format ``class-id``.
        channel: ``train`` or ``validation``.
        kind: what labels mean.

    Returns:
        At least one image. Where a job has several hosts, this one may have none.

    Raises:
        CustomerError: the channel is missing or empty, its content type cannot be read, or an
            image or a label is missing, damaged or in the wrong place.
    """
    config = environment.input_data_config.get(channel)
    if config is None:
        raise CustomerError(f"The job has no channel {channel!r}.")
    media, parameters = _media(config, environment, channel, kind)
    check: LabelCheck = ClassLabels() if kind == "classification" else BoxLabels()
    found: ImageSet
    if media == RECORDIO and config.get("TrainingInputMode") == "Pipe":
        found = _from_pipe(environment, channel, kind, parameters, check)
    elif media == RECORDIO:
        folder = environment.paths.channel(channel)
        paths = channel_records(folder)
        sources = [FileSource(path, path.relative_to(folder).as_posix()) for path in paths]
        found = RecordSet(sources, check)
    else:
        found = _from_files(environment, channel, kind, check)
    if not len(found) and len(environment.hosts) == 1:
        raise CustomerError(f"The channel {channel} has no images.")
    return found


def boxes(item: ImageItem) -> Floats:
    """The boxes of an image for detection.

    Returns:
        ``float32``, boxes x 5: class, xmin, ymin, xmax, ymax; the corners are fractions of the
        image's width and height, cut off at its edges. No rows for an image without objects.

    Raises:
        CustomerError: the label holds no boxes; :func:`open_images` has found that out before.
    """
    return parse_boxes(item.label, item.name)


def _media(
    config: Mapping[str, Any], environment: TrainingEnvironment, channel: str, kind: Kind
) -> tuple[str, dict[str, str]]:
    """The content type and its parameters; without one, what the other channels suggest."""
    given = str(config.get("ContentType") or "")
    media, *rest = (part.strip() for part in given.split(";"))
    pairs = [part.partition("=") for part in rest if part]
    parameters = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    if not media:
        companion = channel + _COMPANIONS[kind]
        media = IMAGES[0] if companion in environment.input_data_config else RECORDIO
    if config.get("TrainingInputMode") == "Pipe" and media.lower() in IMAGES:
        # The documentation's own example of an augmented manifest calls the channel so.
        if config.get("RecordWrapperType") != "RecordIO":
            raise CustomerError(
                f"The channel {channel} cannot read images through a pipe unless they come from "
                "an augmented manifest with RecordWrapperType RecordIO."
            )
        media = RECORDIO
    if media.lower() not in (RECORDIO, *IMAGES):
        raise CustomerError(
            f"The content type {given!r} of the channel {channel} cannot be read; "
            f"{', '.join((RECORDIO, *IMAGES))} can."
        )
    return media.lower(), parameters


def _from_pipe(
    environment: TrainingEnvironment,
    channel: str,
    kind: Kind,
    parameters: Mapping[str, str],
    check: LabelCheck,
) -> ImageSet:
    pipe = environment.paths.data / f"{channel}_0"
    if environment.input_data_config[channel].get("RecordWrapperType") != "RecordIO":
        return RecordSet([spool_records(pipe, channel)], check)
    label_of: LabelOf = boxes_label
    if kind == "classification":
        given = parameters.get("label-format", "multi-hot").lower()
        if given not in _FORMATS:
            raise CustomerError(
                f"The label-format {given!r} of the channel {channel} must be multi-hot or "
                "class-id."
            )
        classes = _classes(environment) if given == "class-id" else 0
        label_of = cast("LabelOf", partial(class_label, form=_FORMATS[given], classes=classes))
    return RecordSet([spool_pairs(pipe, channel, label_of)], check)


def _classes(environment: TrainingEnvironment) -> int:
    given = environment.raw_hyperparameters.get("num_classes", "")
    if not given.isdigit() or not int(given):
        raise CustomerError("Labels in the format class-id need the hyperparameter num_classes.")
    return int(given)


def _from_files(
    environment: TrainingEnvironment, channel: str, kind: Kind, check: LabelCheck
) -> ImageSet:
    companion = channel + _COMPANIONS[kind]
    if companion not in environment.input_data_config:
        raise CustomerError(
            f"The channel {channel} has images as files, so the job needs a channel {companion} "
            f"with {'a .lst file' if kind == 'classification' else 'an annotation for each image'}."
        )
    folder, labels = environment.paths.channel(channel), environment.paths.channel(companion)
    if not data_files(folder):
        return RecordSet([], check)
    config = environment.input_data_config[channel]
    sharded = len(environment.hosts) > 1 and config.get("S3DistributionType") == "ShardedByS3Key"
    labelled = listed if kind == "classification" else annotated
    return FolderSet(folder, labelled(folder, labels, channel, sharded=sharded), check)
