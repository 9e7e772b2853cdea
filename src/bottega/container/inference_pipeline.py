"""Serial inference: the answer of one container is the request of the next.

The containers of an instance live in one process. Each has its own model, its own ML root below
``containers`` and its own settings; what they share are the process's variables, of which a later
container's value holds, and its imported modules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError

PIPELINE_IMAGE = "inference-pipeline"
"""In BOTTEGA_IMAGE, where a model has several containers."""
PIPELINE_FILE = "pipeline.json"
"""Below the ML root: a list of ``image``, ``environment`` and ``hostname``, one for each."""
PIPELINE_FOLDER = "containers"
"""Below the ML root: ``1/model``, ``2/model``, … of the containers."""


def containers(ml_root: Path) -> Sequence[tuple[str, str, Path, Mapping[str, str], str]]:
    """What to load: for each container what to call it, its image, its model, its variables and its
    ``ContainerHostname``, which may be empty.

    Raises:
        CustomerError: the file is not there.
    """
    try:
        entries: list[dict[str, Any]] = json.loads((ml_root / PIPELINE_FILE).read_text())
    except OSError as error:
        raise CustomerError(f"The inference pipeline cannot be read: {error}") from error
    return [
        (
            f"Container {number} ({entry['image']})",
            entry["image"],
            ml_root / PIPELINE_FOLDER / str(number) / "model",
            entry["environment"],
            entry.get("hostname", ""),
        )
        for number, entry in enumerate(entries, 1)
    ]
