"""The generated blocks of the algorithms' pages."""

from __future__ import annotations

import pytest

from bottega.algorithms import reference, registry
from bottega.algorithms.reference import UnknownBlock, fill


def test_blocks_are_replaced_and_the_rest_stays() -> None:
    page = "# A\n<!-- generated: metrics -->\nold\n<!-- end -->\ntail <!-- end -->\n"
    once = fill(page, {"metrics": "new\n"})
    assert once == ("# A\n<!-- generated: metrics -->\n\nnew\n\n<!-- end -->\ntail <!-- end -->\n")
    assert fill(once, {"metrics": "new"}) == once


def test_a_block_that_nothing_generates_is_refused() -> None:
    with pytest.raises(UnknownBlock, match="'prices'"):
        fill("<!-- generated: prices -->\n<!-- end -->", {"metrics": ""})


@pytest.mark.parametrize("name", registry.names())
def test_every_hyperparameter_and_metric_is_told(name: str) -> None:
    algorithm = registry.algorithm(name)
    table = reference.hyperparameters(algorithm)
    for parameter in algorithm.hyperparameters.visible():
        assert f"`{parameter.name}`" in table
        assert parameter.description.replace("|", r"\|") in table
    lines = table.splitlines()
    assert len(lines) == 2 + len(algorithm.hyperparameters.visible())
    assert {line.replace(r"\|", "").count("|") for line in lines} == {5}
    assert all(
        f"`{metric.name}`" in reference.metrics(algorithm)
        for metric in algorithm.metric_definitions
    )
