"""What every built-in algorithm says about itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from bottega.algorithms import registry
from bottega.algorithms.base import Algorithm

EIGHT = {
    "blazingtext",
    "factorization-machines",
    "image-classification",
    "kmeans",
    "linear-learner",
    "object-detection",
    "seq2seq",
    "xgboost",
}
HEAVY = {"numpy", "scipy", "pandas", "sklearn", "xgboost", "numba", "torch", "PIL", "pyarrow"}


def test_there_are_eight() -> None:
    assert set(registry.names()) == EIGHT


@pytest.mark.parametrize("name", registry.names())
def test_its_description_is_whole(name: str) -> None:
    found = registry.algorithm(name)
    assert found.name == name
    assert found.title
    assert found.summary.endswith(".")
    assert any(channel.name == "train" and channel.required for channel in found.channels)
    assert all(channel.content_types and channel.description for channel in found.channels)
    assert found.accepts
    assert any(parameter.essential for parameter in found.hyperparameters.parameters)
    for parameter in found.hyperparameters.visible():
        assert parameter.description.endswith("."), parameter.name
        if parameter.default is not None:
            parameter.convert(parameter.default)
    for metric in found.metric_definitions:
        assert re.compile(metric.regex).groups >= 1
    assert len({metric.name for metric in found.metric_definitions}) == len(
        found.metric_definitions
    )
    values = {**found.hyperparameters.defaults(), **found.starting_values}
    missing = found.hyperparameters.problems(values)
    assert all("required" in str(problem) for problem in missing)


@pytest.mark.parametrize("name", registry.names())
def test_what_is_wrong_with_a_hyperparameter_is_said(name: str) -> None:
    schema = registry.algorithm(name).hyperparameters
    number = next(
        parameter
        for parameter in schema.visible()
        if parameter.interval is not None and parameter.kind in ("integer", "continuous")
    )
    problems = {problem.name: str(problem) for problem in schema.problems({number.name: "-1e99"})}
    assert number.name in problems
    assert "-1e99" in problems[number.name]
    assert number.range in problems[number.name]
    unknown = {problem.name for problem in schema.problems({"no_such_thing": "1"})}
    assert "no_such_thing" in unknown


@pytest.mark.parametrize(
    ("hyperparameters", "label", "said"),
    [
        ({"predictor_type": "binary_classifier"}, 1.0, ""),
        ({"predictor_type": "binary_classifier"}, 2.0, "neither 0 nor 1"),
        ({"predictor_type": "multiclass_classifier", "num_classes": "3"}, 2.0, ""),
        ({"predictor_type": "multiclass_classifier", "num_classes": "3"}, 3.0, "[0,3)"),
        ({"predictor_type": "multiclass_classifier", "num_classes": "3"}, 0.5, "[0,3)"),
        ({"predictor_type": "regressor"}, -7.5, ""),
        ({"predictor_type": "regressor"}, float("nan"), "not a number"),
        ({}, float("inf"), "not a number"),
    ],
)
def test_labels_that_linear_learner_cannot_learn(
    hyperparameters: dict[str, str], label: float, said: str
) -> None:
    found = registry.algorithm("linear-learner").unfit_label(label, hyperparameters)
    assert said in found
    assert bool(found) == bool(said)


def test_describing_them_is_light() -> None:
    statement = (
        "import json, sys\n"
        "from bottega.algorithms import registry\n"
        "for name in registry.names(): registry.algorithm(name).missing()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert {module.partition(".")[0] for module in json.loads(run.stdout)} & HEAVY == set()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deep(type(registry.algorithm("xgboost"))):  # type: ignore[misc]
        libraries = ("json", "no_such_library")
        extra = "deep"

    found: Algorithm = Deep()
    assert "no_such_library" in found.missing()
    assert "bottega[deep]" in found.missing()
    assert registry.algorithm("xgboost").missing() == ""
