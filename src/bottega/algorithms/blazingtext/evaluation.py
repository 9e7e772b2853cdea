"""How well word vectors agree with people about which words are alike: WordSim-353.

The pairs are data of others and do not come with bottega. They are read from files of these names
in the channel ``eval``, or beside the text in the channel ``train``; each line has two words and
people's score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bottega.container.environment import TrainingEnvironment

WORD_PAIR_FILES = ("EN-WS-353-ALL.txt", "EN-WS-353-REL.txt", "EN-WS-353-SIM.txt")
EVALUATION_CHANNEL = "eval"
NO_PAIRS = (
    "evaluation is True, but there are no word pairs, so that there is no mean_rho. Put "
    f"{WORD_PAIR_FILES[0]} (WordSim-353: two words and a score a line) into a channel "
    f"{EVALUATION_CHANNEL!r}, or set evaluation to False."
)

Pairs = Sequence[tuple[str, str, float]]


def word_pairs(environment: TrainingEnvironment) -> dict[str, Pairs]:
    """The word pairs of a job, by the name of their file; empty when it has none.

    Raises:
        CustomerError: a line is not two words and a number.
    """
    from bottega.algorithms.readers.rows import data_files
    from bottega.algorithms.readers.sources import is_piped

    found: dict[str, Path] = {}
    for channel in ("train", EVALUATION_CHANNEL):
        if channel not in environment.input_data_config:
            continue
        if is_piped(environment, channel):
            if channel == EVALUATION_CHANNEL:
                raise CustomerError(
                    f"The channel {channel} must be in File or FastFile mode: the names of its "
                    "files tell which word pairs they hold."
                )
            continue
        files = data_files(environment.paths.channel(channel))
        named = {path.name: path for path in files if path.name in WORD_PAIR_FILES}
        if channel == EVALUATION_CHANNEL and not named:
            names = ", ".join(path.name for path in files) or "nothing"
            raise CustomerError(
                f"The channel {channel} needs {' or '.join(WORD_PAIR_FILES)}; it has {names}."
            )
        found |= named
    return {name: _read(found[name]) for name in WORD_PAIR_FILES if name in found}


def _read(path: Path) -> Pairs:
    pairs = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        if not (fields := line.lower().split()):
            continue
        try:
            first, second, score = fields
            pairs.append((first, second, float(score)))
        except ValueError as error:
            raise CustomerError(
                f"Line {number} of {path.name} must be two words and a score: {line.strip()!r}."
            ) from error
    return pairs


def evaluate(
    pairs: Mapping[str, Pairs], words: Sequence[bytes], vectors: NDArray[np.float32]
) -> dict[str, Any]:
    """Rank correlation of the words' cosine with people's scores.

    Args:
        pairs: by file.
        words: lower and upper case are the same here, as in the word pairs.
        vectors: one for each word.

    Returns:
        For each file ``not_found``, ``spearmans_rho`` and ``total_pairs``, and ``mean_rho`` over
        those files that have a rho; a rho is 0 where fewer than two pairs are known.
    """
    import numpy as np
    from scipy.stats import spearmanr

    places: dict[str, int] = {}
    for place, word in enumerate(words):
        places.setdefault(word.decode("utf-8", "replace").lower(), place)
    found: dict[str, Any] = {}
    for name, lines in pairs.items():
        known = [(a, b, score) for a, b, score in lines if a in places and b in places]
        left = vectors[[places[a] for a, _, _ in known]].astype(np.float64)
        right = vectors[[places[b] for _, b, _ in known]].astype(np.float64)
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        cosines = (left * right).sum(axis=1) / np.maximum(lengths, 1e-30)
        scores = [score for _, _, score in known]
        varied = len(set(scores)) > 1 and len(set(cosines.tolist())) > 1
        found[name] = {
            "not_found": len(lines) - len(known),
            "spearmans_rho": float(spearmanr(cosines, scores).statistic) if varied else 0.0,
            "total_pairs": len(lines),
        }
    found["mean_rho"] = sum(one["spearmans_rho"] for one in found.values()) / len(found)
    return found


def as_json(found: Mapping[str, Any]) -> str:
    """The text of the log and of ``eval.json``."""
    return json.dumps(found, indent=4)
