"""The hyperparameters as they are documented."""

from __future__ import annotations

import pytest

from bottega.algorithms.blazingtext.schema import SCHEMA
from bottega.algorithms.hyperparameters import HyperparameterError
from bottega.algorithms.registry import algorithm

DEFAULTS = {
    "epochs": 5,
    "learning_rate": 0.05,
    "min_count": 5,
    "vector_dim": 100,
    "buckets": 2_000_000,
    "window_size": 5,
    "negative_samples": 5,
    "sampling_threshold": 0.0001,
    "batch_size": 11,
    "subwords": False,
    "min_char": 3,
    "max_char": 6,
    "evaluation": True,
    "word_ngrams": 2,
    "early_stopping": False,
    "min_epochs": 5,
    "patience": 4,
}


def test_defaults() -> None:
    assert SCHEMA.check({"mode": "skipgram", **SCHEMA.defaults()}) == {
        "mode": "skipgram",
        **DEFAULTS,
    }


@pytest.mark.parametrize("mode", ["supervised", "skipgram", "cbow", "batch_skipgram"])
def test_settings_of_other_modes_are_accepted(mode: str) -> None:
    values = {"mode": mode, "batch_size": "11", "word_ngrams": "2", "subwords": "False"}
    assert SCHEMA.check(values)["batch_size"] == 11


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "mode"),
        ({"mode": "word2vec"}, "mode"),
        ({"mode": "cbow", "learning_rate": "0"}, "learning_rate"),
        ({"mode": "cbow", "sampling_threshold": "1.5"}, "sampling_threshold"),
        ({"mode": "cbow", "min_count": "-1"}, "min_count"),
        ({"mode": "cbow", "vector_dim": "0"}, "vector_dim"),
        ({"mode": "cbow", "epochs": "2.5"}, "epochs"),
        ({"mode": "cbow", "subwords": "1"}, "subwords"),
        ({"mode": "batch_skipgram", "subwords": "true"}, "subwords"),
        ({"mode": "cbow", "subwords": "True", "min_char": "4", "max_char": "3"}, "min_char"),
        ({"mode": "cbow", "window": "3"}, "window"),
    ],
)
def test_what_is_refused(values: dict[str, str], name: str) -> None:
    with pytest.raises(HyperparameterError) as error:
        SCHEMA.check(values)
    assert error.value.name == name


def test_recommended_ranges_are_allowed() -> None:
    for parameter in SCHEMA.parameters:
        if (tunable := parameter.tunable) is not None:
            for value in (tunable.minimum, tunable.maximum, *tunable.choices):
                if value is not None:
                    parameter.convert(str(value))


def test_the_objective_follows_the_mode() -> None:
    blazingtext = algorithm("blazingtext")
    names = {definition.name for definition in blazingtext.metric_definitions}
    assert names == {"train:mean_rho", "validation:accuracy"}
    assert list(blazingtext.judged_by({"mode": "supervised"})) == ["validation:accuracy"]
    assert list(blazingtext.judged_by({"mode": "cbow"})) == ["train:mean_rho"]
    assert list(blazingtext.judged_by({})) == ["train:mean_rho"]
