"""How a channel reaches the job: as files (File), as read-only files that are there at once
(FastFile), or as a stream through a named pipe for each epoch (Pipe)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from bottega.errors import ValidationException

Mode = Literal["File", "FastFile", "Pipe"]

MODEL = "application/x-sagemaker-model"


def mode_of(channel: Mapping[str, Any], request: Mapping[str, Any]) -> Mode:
    """The mode of one channel: its own InputMode, else the TrainingInputMode of the job."""
    specification = request.get("AlgorithmSpecification", {})
    return cast(Mode, channel.get("InputMode") or specification.get("TrainingInputMode", "File"))


def check_mode(channel: Mapping[str, Any], mode: Mode) -> None:
    """Refuse what a channel cannot have in its mode.

    Raises:
        ValidationException: with what is wrong, and what to do.
    """
    where = f"InputDataConfig channel {channel['ChannelName']!r}"
    source = channel["DataSource"]["S3DataSource"]
    kind, attributes = source["S3DataType"], source.get("AttributeNames", [])
    if mode != "Pipe":
        for member in ("CompressionType", "RecordWrapperType"):
            if channel.get(member, "None") != "None":
                raise ValidationException(
                    f"{where}: {member} must be None in {mode} mode; it is {channel[member]}."
                )
        if kind == "AugmentedManifestFile":
            raise ValidationException(
                f"{where}: AugmentedManifestFile can only be used if the channel's input mode is "
                f"Pipe; it is {mode}."
            )
    if mode == "FastFile" and kind != "S3Prefix":
        raise ValidationException(
            f"{where}: FastFile mode supports S3Prefix only; S3DataType is {kind}. Use File mode."
        )
    if kind == "AugmentedManifestFile" and not attributes:
        raise ValidationException(
            f"{where}: AugmentedManifestFile needs AttributeNames, the attributes of each line to "
            "send, in their order."
        )
    if kind != "AugmentedManifestFile" and attributes:
        raise ValidationException(
            f"{where}: AttributeNames are for AugmentedManifestFile; S3DataType is {kind}."
        )
    if mode == "Pipe" and channel.get("ContentType", "").partition(";")[0].strip() == MODEL:
        raise ValidationException(
            f"{where}: a model for incremental training needs InputMode File; it is Pipe."
        )


def check_pipes(channels: Sequence[Mapping[str, Any]], request: Mapping[str, Any]) -> None:
    """Refuse channels whose names are those of another channel's pipes.

    Raises:
        ValidationException: naming both.
    """
    names = [channel["ChannelName"] for channel in channels]
    for channel in channels:
        if mode_of(channel, request) != "Pipe":
            continue
        pipes = re.compile(rf"{re.escape(channel['ChannelName'])}_[0-9]+")
        if taken := next(filter(pipes.fullmatch, names), None):
            raise ValidationException(
                f"The channel {taken!r} is called like a pipe of the channel "
                f"{channel['ChannelName']!r}, which is in Pipe mode. Choose another name."
            )
