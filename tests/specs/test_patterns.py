from __future__ import annotations

import pytest

from bottega.specs import patterns
from bottega.specs.generation import table
from bottega.specs.models import service_model

SERVICES = (*table()["coverage"]["whole"], *table()["coverage"]["partly"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_the_models_can_be_used(service: str) -> None:
    model = service_model(service)
    found = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names}
    for pattern in found - {None}:
        assert patterns.matches(pattern, "") in (True, False)


@pytest.mark.parametrize(
    ("pattern", "value", "match"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc\n", False),
        ("^[a-z]+$", "abc\n", False),
        ("[a-z]+", "abc!", False),
        (".*", "", True),
        (".*", "one\ntwo", False),
        (r"[\S\s]*", "one\ntwo", True),
        (r"\w+", "é", False),
        (r"\d+", "٣", False),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Größe 3 数", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "what?", False),
        (r"\p{ASCII}*", "plain", True),
        (r"\p{ASCII}*", "é", False),
        (r"\A\S[\p{Print}]*\z", "printable text", True),
        (r"\A\S[\p{Print}]*\z", "tab\there", False),
        (r"arn:[\p{Alnum}\-]+:lambda", "arn:aws-cn:lambda", True),
        (r"arn:[\p{Alnum}\-]+:lambda", "arn:äws:lambda", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "emoji \U0001f600", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "line\n", False),
    ],
)
def test_patterns_mean_what_they_mean_in_java(pattern: str, value: str, match: bool) -> None:
    assert patterns.matches(pattern, value) is match


def test_endless_backtracking_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.01)
    priority_class = service_model("sagemaker").shape_for("ClusterSchedulerPriorityClassName")
    assert not patterns.matches(priority_class.metadata["pattern"], "a" * 5000 + "!")
