"""Numbers found in log lines."""

from __future__ import annotations

import pytest

from bottega.algorithms.registry import algorithm
from bottega.compute.logs import LogEvent
from bottega.features.training import metrics
from bottega.features.training.metrics import BadMetricDefinition, MetricScraper

STOCK = {"Name": "validation:auc", "Regex": r".*\[[0-9]+\].*#011validation-auc:(\S+)"}


def events(*lines: str) -> list[LogEvent]:
    return [LogEvent(1000 + n, line, n) for n, line in enumerate(lines)]


def test_the_stock_xgboost_expression_matches_a_tab():
    scraper = MetricScraper.of([STOCK])
    lines = events("[0]\ttrain-auc:0.9\tvalidation-auc:0.8", "noise", "[1]\tvalidation-auc:0.85")
    points = list(scraper.feed(lines))
    assert [(p.name, p.value, p.timestamp, p.step) for p in points] == [
        ("validation:auc", 0.8, 1000, 0),
        ("validation:auc", 0.85, 1002, 1),
    ]
    assert scraper.final() == [{"MetricName": "validation:auc", "Value": 0.85, "Timestamp": 1.002}]


def test_the_built_in_expressions_are_looked_for_by_their_text_and_find_the_same():
    definitions = [
        {"Name": metric.name, "Regex": metric.regex}
        for metric in algorithm("xgboost").metric_definitions
    ]
    scraper = MetricScraper.of(definitions)
    assert all(definition.needle for definition in scraper.definitions)
    lines = events(
        "[0]\ttrain-rmse:1.5\tvalidation-rmse:2.5\tvalidation-error@0.7:0.1",
        "[1]\ttrain-mlogloss:3e-2",
        "rmse is not told here",
    )
    found = {(p.name, p.value) for p in scraper.feed(lines)}
    plain = {
        (item.name, float(match.group(1)))
        for item in scraper.definitions
        for line in lines
        if (match := item.pattern.search(line.message.replace("\t", "#011")))
    }
    assert found == plain
    assert {("train:rmse", 1.5), ("validation:rmse", 2.5), ("train:mlogloss", 0.03)} <= found


@pytest.mark.parametrize("expression", ["loss=(.+)", r".*\[[0-9]+\].*#011(a|b):(\S+)", "(.*)"])
def test_an_expression_of_another_form_is_tried_on_every_line(expression: str):
    scraper = MetricScraper.of([{"Name": "m", "Regex": expression}])
    assert [definition.needle for definition in scraper.definitions] == [""]


def test_reading_a_log_again_gives_the_same_points():
    lines = events(*(f"loss={n / 10}" for n in range(20)))
    definition = [{"Name": "loss", "Regex": r"loss=([0-9.]+)"}]
    first = list(MetricScraper.of(definition).feed(lines))
    second = list(MetricScraper.of(definition).feed(lines))
    assert first == second
    assert len(first) == 20


def test_one_line_can_carry_several_metrics_and_odd_numbers():
    scraper = MetricScraper.of(
        [{"Name": "a", "Regex": "a=([^ ]+)"}, {"Name": "b", "Regex": "b=([^ ]+)"}]
    )
    points = list(scraper.feed(events("a=1e-3 b=-2.5", "a=nonsense b=3")))
    assert [(p.name, p.value) for p in points] == [("a", 0.001), ("b", -2.5), ("b", 3.0)]


@pytest.mark.parametrize(
    ("expression", "what"), [("(", "not valid"), ("loss", "no group"), ("*", "not valid")]
)
def test_a_bad_expression_is_refused_by_name(expression: str, what: str):
    with pytest.raises(BadMetricDefinition, match=f"'m'.*{what}"):
        MetricScraper.of([{"Name": "m", "Regex": expression}])


def test_an_expression_that_explodes_does_not_hang():
    scraper = MetricScraper.of([{"Name": "m", "Regex": r"(a+)+$"}])
    assert list(scraper.feed(events("a" * 60 + "!"))) == []


def test_at_most_forty_final_metrics():
    definitions = [{"Name": f"m{n}", "Regex": rf"m{n}=(\d+)"} for n in range(50)]
    scraper = MetricScraper.of(definitions)
    list(scraper.feed(events(" ".join(f"m{n}=1" for n in range(50)))))
    assert len(scraper.final()) == 40


def test_an_expression_that_is_always_too_slow_is_given_up(monkeypatch, caplog):
    monkeypatch.setattr(metrics, "MATCH_TIMEOUT_SECONDS", 0.001)
    slow = {"Name": "slow", "Regex": r"(a|aa)+$"}
    scraper = MetricScraper.of([slow, {"Name": "loss", "Regex": "loss=([0-9.]+)"}])
    lines = events(*["loss=1 " + "a" * 80 + "b"] * 50)
    assert [point.name for point in scraper.feed(lines)] == ["loss"] * 50
    assert [definition.name for definition in scraper.definitions] == ["loss"]
    assert [record.args for record in caplog.records] == [("slow",)]
