"""The built-in algorithms by name; none is imported before it is asked for."""

from __future__ import annotations

import importlib
from functools import cache

from bottega.algorithms.base import Algorithm

# name -> module and class. The modules are light; the libraries come in when a job runs.
_ALGORITHMS = {
    "blazingtext": ("bottega.algorithms.blazingtext.algorithm", "BlazingText"),
    "factorization-machines": (
        "bottega.algorithms.factorization_machines.algorithm",
        "FactorizationMachines",
    ),
    "image-classification": (
        "bottega.algorithms.image_classification.algorithm",
        "ImageClassification",
    ),
    "kmeans": ("bottega.algorithms.kmeans.algorithm", "KMeans"),
    "linear-learner": ("bottega.algorithms.linear_learner.algorithm", "LinearLearner"),
    "object-detection": ("bottega.algorithms.object_detection.algorithm", "ObjectDetection"),
    "seq2seq": ("bottega.algorithms.seq2seq.algorithm", "Seq2Seq"),
    "xgboost": ("bottega.algorithms.xgboost.algorithm", "XGBoost"),
}


def names() -> tuple[str, ...]:
    """Every built-in algorithm."""
    return tuple(sorted(_ALGORITHMS))


@cache
def algorithm(name: str) -> Algorithm:
    """The algorithm of an image name.

    Raises:
        KeyError: there is no such algorithm.
    """
    module, attribute = _ALGORITHMS[name]
    found: type[Algorithm] = getattr(importlib.import_module(module), attribute)
    return found()
