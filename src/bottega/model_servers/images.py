"""Which images a model can have: bottega's own runtimes, and what a Docker engine runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottega.algorithms import images
from bottega.algorithms.images import DOCKER, Image, UnsupportedImage
from bottega.compute.docker.engine import (
    EngineUnavailable,
    ImageMissing,
    enters_namespaces,
    find_engine,
)
from bottega.config import Config
from bottega.errors import ValidationException


def resolve(config: Config, image: str) -> Image:
    """Find what serves an image: a runtime of bottega's own where one stands for it, otherwise the
    Docker engine, which must have it.

    Raises:
        UnsupportedImage: neither does; the message says how it would.
    """
    try:
        return images.resolve(image)
    except UnsupportedImage as refusal:
        try:
            find_engine(config.docker).require(image.strip(), pull=config.docker_pull)
        except (EngineUnavailable, ImageMissing) as error:
            raise UnsupportedImage(
                f"{refusal} Any other image is run by Docker, but {error}."
            ) from error
    return Image(name=DOCKER, kind="container", tag="", script_mode=False)


def is_docker(image: str) -> bool:
    """Whether no runtime of bottega's own stands for an image."""
    try:
        images.resolve(image)
    except UnsupportedImage:
        return True
    return False


def check_docker(containers: Sequence[Mapping[str, Any]], *, isolated: bool) -> None:
    """Refuse what a container of the Docker engine cannot be.

    Args:
        containers: of a model, as CreateModel takes them, with images that were resolved.
        isolated: whether they shall have no network.

    Raises:
        ValidationException: with what to do instead.
    """
    docker = [one["Image"] for one in containers if is_docker(one["Image"])]
    if not docker:
        return
    if len(containers) > 1:
        raise ValidationException(
            f"Containers: {docker[0]!r} is run by Docker, and an inference pipeline is served by "
            "one process of bottega's own images. Make a model of its own of it."
        )
    if containers[0].get("Mode") == "MultiModel":
        raise ValidationException(
            f"Mode MultiModel: {docker[0]!r} is run by Docker, which serves one model a container. "
            "Use one of bottega's own images, or a model for each."
        )
    if isolated and not enters_namespaces():
        raise ValidationException(
            f"EnableNetworkIsolation: {docker[0]!r} is run by Docker, and a container without any "
            "network can be reached only by root, on Linux. Run the studio as root, or set "
            "EnableNetworkIsolation to false."
        )
