"""Incremental training: the artifact of an earlier job, from the channel ``model``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bottega.algorithms.base import Channel, CustomerError
from bottega.algorithms.readers.rows import data_files

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

MODEL_CONTENT_TYPE = "application/x-sagemaker-model"

MODEL_CHANNEL = Channel(
    "model",
    required=False,
    content_types=(MODEL_CONTENT_TYPE,),
    description="The model.tar.gz of an earlier job, to go on from.",
)


@contextmanager
def previous_model(environment: TrainingEnvironment) -> Iterator[Path | None]:
    """The unpacked artifact in the channel ``model``, for as long as it is needed; None without it.

    Raises:
        CustomerError: the channel holds no single archive, or one that is not safe to unpack.
    """
    if MODEL_CHANNEL.name not in environment.input_data_config:
        yield None
        return
    from bottega.container.archives import unpack

    files = data_files(environment.paths.channel(MODEL_CHANNEL.name))
    archives = [path for path in files if path.name.endswith((".tar.gz", ".tgz", ".tar"))]
    if len(archives) != 1:
        names = ", ".join(path.name for path in files) or "nothing"
        raise CustomerError(
            f"The channel model needs the model.tar.gz of one earlier job; it has {names}."
        )
    with tempfile.TemporaryDirectory(prefix="previous-model-") as folder:
        unpack(archives[0], Path(folder))
        yield Path(folder)
