"""BlazingText's hyperparameters: names, types and ranges as SageMaker documents them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

SUPERVISED = "supervised"
BATCH_SKIPGRAM = "batch_skipgram"
WORD_VECTOR_MODES = (BATCH_SKIPGRAM, "skipgram", "cbow")
CONTENT_TYPES = ("text/plain", "application/jsonlines", "application/x-recordio")
"""Of the channels; plain text where a channel says nothing."""

_POSITIVE = Interval(1)
_OF_WORD_VECTORS = Condition("mode", WORD_VECTOR_MODES)
_OF_CLASSIFICATION = Condition("mode", (SUPERVISED,))
_OF_SUBWORDS = Condition("subwords", ("True",))


def _boolean(text: str) -> bool:
    if (word := text.lower()) not in ("true", "false"):
        raise ValueError("is not one of True, False")
    return word == "true"


def _check_subwords(found: Mapping[str, Any]) -> None:
    if not found.get("subwords", False):
        return
    if found.get("mode") == BATCH_SKIPGRAM:
        message = "not possible with mode batch_skipgram; use skipgram or cbow."
        raise HyperparameterError("subwords", message)
    shortest, longest = found.get("min_char", 3), found.get("max_char", 6)
    if shortest > longest:
        message = f"{shortest} is more than max_char, which is {longest}."
        raise HyperparameterError("min_char", message)


SCHEMA = HyperparameterSchema(
    parameters=(
        Hyperparameter(
            "mode",
            "categorical",
            "What to train: supervised is a text classifier, the others learn word vectors.",
            choices=(*WORD_VECTOR_MODES, SUPERVISED),
            required=True,
            essential=True,
            tunable=TunableRange(choices=WORD_VECTOR_MODES),
        ),
        Hyperparameter(
            "epochs",
            "integer",
            "How many times the training data are gone through.",
            default="5",
            interval=_POSITIVE,
            essential=True,
            tunable=TunableRange(5, 15),
        ),
        Hyperparameter(
            "learning_rate",
            "continuous",
            "Size of the first steps; it falls in a straight line to 0.",
            default="0.05",
            interval=Interval(0, open_minimum=True),
            essential=True,
            tunable=TunableRange(0.005, 0.01),
        ),
        Hyperparameter(
            "min_count",
            "integer",
            "Words that occur less often are left out.",
            default="5",
            interval=Interval(0),
            essential=True,
            tunable=TunableRange(0, 100),
        ),
        Hyperparameter(
            "vector_dim",
            "integer",
            "Dimensions of a vector.",
            default="100",
            interval=_POSITIVE,
            essential=True,
            tunable=TunableRange(32, 300),
        ),
        Hyperparameter(
            "word_ngrams",
            "integer",
            "The most words of a word n-gram that is a feature of a text.",
            default="2",
            interval=_POSITIVE,
            used_when=_OF_CLASSIFICATION,
            essential=True,
            tunable=TunableRange(1, 3),
        ),
        Hyperparameter(
            "window_size",
            "integer",
            "The most words to each side of a word that are its context.",
            default="5",
            interval=_POSITIVE,
            used_when=_OF_WORD_VECTORS,
            essential=True,
            tunable=TunableRange(1, 10),
        ),
        Hyperparameter(
            "negative_samples",
            "integer",
            "How many words are drawn for each that is right.",
            default="5",
            interval=_POSITIVE,
            used_when=_OF_WORD_VECTORS,
            tunable=TunableRange(5, 25),
        ),
        Hyperparameter(
            "sampling_threshold",
            "continuous",
            "Share of all words above which a word is left out by chance; 0 keeps every word.",
            default="0.0001",
            interval=Interval(0, 1),
            used_when=_OF_WORD_VECTORS,
            tunable=TunableRange(0.0001, 0.001),
        ),
        Hyperparameter(
            "batch_size",
            "integer",
            "The most pairs of words that share the words drawn; 2 * window_size + 1 is good.",
            default="11",
            interval=_POSITIVE,
            used_when=Condition("mode", (BATCH_SKIPGRAM,)),
            tunable=TunableRange(8, 32),
        ),
        Hyperparameter(
            "buckets",
            "integer",
            "Into how many vectors the n-grams of words or characters are hashed.",
            default="2000000",
            interval=Interval(1, 2**30),
            tunable=TunableRange(1_000_000, 10_000_000),
        ),
        Hyperparameter(
            "subwords",
            "categorical",
            "Whether a word's vector is made of those of its character n-grams too.",
            default="False",
            choices=("True", "False"),
            parse=_boolean,
            used_when=Condition("mode", ("skipgram", "cbow")),
        ),
        Hyperparameter(
            "min_char",
            "integer",
            "Characters of the shortest character n-gram.",
            default="3",
            interval=_POSITIVE,
            used_when=_OF_SUBWORDS,
        ),
        Hyperparameter(
            "max_char",
            "integer",
            "Characters of the longest character n-gram.",
            default="6",
            interval=_POSITIVE,
            used_when=_OF_SUBWORDS,
        ),
        Hyperparameter(
            "evaluation",
            "categorical",
            "Whether the vectors are judged by word pairs of WordSim-353, where they are given.",
            default="True",
            choices=("True", "False"),
            parse=_boolean,
            used_when=_OF_WORD_VECTORS,
        ),
        Hyperparameter(
            "early_stopping",
            "categorical",
            "Whether to stop when the accuracy on the channel validation rises no more.",
            default="False",
            choices=("True", "False"),
            parse=_boolean,
            used_when=_OF_CLASSIFICATION,
        ),
        Hyperparameter(
            "patience",
            "integer",
            "Epochs without a better accuracy after which training stops.",
            default="4",
            interval=_POSITIVE,
            used_when=Condition("early_stopping", ("True",)),
        ),
        Hyperparameter(
            "min_epochs",
            "integer",
            "Epochs that are trained in any case.",
            default="5",
            interval=_POSITIVE,
            used_when=Condition("early_stopping", ("True",)),
        ),
        Hyperparameter("_tuning_objective_metric", "text", "The metric of tuning.", hidden=True),
    ),
    rules=(_check_subwords,),
)
