"""The files of a model: ``model.best``, ``config.json`` and the two vocabularies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.seq2seq.network import Network
from bottega.algorithms.seq2seq.settings import ModelSettings
from bottega.algorithms.seq2seq.vocabulary import SOURCE_FILE, TARGET_FILE, Vocabulary

WEIGHTS_FILE, SETTINGS_FILE = "model.best", "config.json"


def save_weights(folder: Path, network: Network) -> None:
    """Write ``model.best``, whole or not at all: a dictionary of float32 tensors on the CPU."""
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    checkpoints.save(weights, folder / WEIGHTS_FILE)


def save_facts(
    folder: Path, settings: ModelSettings, source: Vocabulary, target: Vocabulary
) -> None:
    """Write all but the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SETTINGS_FILE).write_text(settings.to_json(), encoding="utf-8")
    (folder / SOURCE_FILE).write_text(source.to_json(), encoding="utf-8")
    (folder / TARGET_FILE).write_text(target.to_json(), encoding="utf-8")


def load(
    folder: Path, device: Any = "cpu"
) -> tuple[Network, ModelSettings, Vocabulary, Vocabulary]:
    """Read a model; the network is in evaluation mode.

    Raises:
        CustomerError: a file is missing or is not what it should be.
    """
    try:
        text = (folder / SETTINGS_FILE).read_text(encoding="utf-8")
        settings = ModelSettings.from_json(text)
    except (OSError, ValueError) as error:
        raise CustomerError(
            f"The model's {SETTINGS_FILE} cannot be used: {error}. A model of this algorithm has "
            f"{WEIGHTS_FILE}, {SETTINGS_FILE}, {SOURCE_FILE} and {TARGET_FILE}."
        ) from error
    source, target = (Vocabulary.read(folder / name) for name in (SOURCE_FILE, TARGET_FILE))
    for vocabulary, words, name in (
        (source, settings.source_words, SOURCE_FILE),
        (target, settings.target_words, TARGET_FILE),
    ):
        if len(vocabulary) != words:
            raise CustomerError(
                f"The model was trained with {words} ids, and its {name} has {len(vocabulary)}."
            )
    network = Network(settings)
    try:
        weights = checkpoints.load(folder / WEIGHTS_FILE)
        checkpoints.load_state(network, weights, f"The model's {WEIGHTS_FILE}")
    except ValueError as error:
        raise CustomerError(str(error)) from error
    return network.to(device).eval(), settings, source, target
