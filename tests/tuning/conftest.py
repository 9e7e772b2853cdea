"""Spaces to search, and trials as a tuning job would report them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from bottega.tuning.search import Search, SearchPlan
from bottega.tuning.spaces import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Range,
    problem,
)
from bottega.tuning.trials import Trial

MakeTrial = Callable[..., Trial]

_SCALINGS = st.sampled_from(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"])
_NUMBERS = st.floats(-1e6, 1e6) | st.floats(1e-9, 1) | st.sampled_from([0.0, 0.5, 0.999])
_WHOLE = st.integers(-50, 50) | st.integers(1, 10_000)
_TEXTS = st.text("abc\"'[]{} 0", min_size=1, max_size=6)


def _continuous(name: str) -> st.SearchStrategy[Range]:
    return st.builds(
        lambda ends, scaling: ContinuousRange(name, min(ends), max(ends), scaling),
        st.tuples(_NUMBERS, _NUMBERS),
        _SCALINGS,
    )


def _integer(name: str) -> st.SearchStrategy[Range]:
    return st.builds(
        lambda ends, scaling: IntegerRange(name, min(ends), max(ends), scaling),
        st.tuples(_WHOLE, _WHOLE),
        _SCALINGS,
    )


def _categorical(name: str) -> st.SearchStrategy[Range]:
    values = st.lists(_TEXTS, min_size=1, max_size=3, unique=True)
    return st.builds(lambda found: CategoricalRange(name, tuple(found)), values)


@st.composite
def _spaces(draw: st.DrawFn) -> tuple[Range, ...]:
    kinds = st.sampled_from([_continuous, _integer, _categorical])
    chosen = draw(st.lists(kinds, min_size=1, max_size=4))
    return tuple(
        draw(kind(f"p{number}").filter(lambda found: not problem(found)))
        for number, kind in enumerate(chosen)
    )


@pytest.fixture(scope="session")
def spaces() -> st.SearchStrategy[tuple[Range, ...]]:
    """Ranges that can be searched."""
    return _spaces()


@pytest.fixture(scope="session")
def small_spaces() -> st.SearchStrategy[tuple[Range, ...]]:
    """Categorical ranges of a few dozen configurations at most."""
    names = ["p0", "p1", "p2"]
    return st.tuples(*map(_categorical, names)).map(tuple)


@pytest.fixture(scope="session")
def trial() -> MakeTrial:
    """A trial by its number and the course of its objective, ended unless told otherwise."""

    def make(
        number: int,
        *values: float,
        state: str = "succeeded",
        stopped_early: bool = False,
        **parameters: str,
    ) -> Trial:
        ended = state == "succeeded"
        return Trial(
            number=number,
            definition="",
            parameters=parameters,
            state=state,  # type: ignore[arg-type]
            objective=values[-1] if ended else None,
            course=tuple(enumerate(values, 1)),
            stopped_early=stopped_early,
        )

    return make


@pytest.fixture(scope="session")
def searched() -> Callable[[SearchPlan, int, Callable[[Trial], float]], list[Trial]]:
    """The trials of a whole search, one after the other, with a function as objective."""

    def run(plan: SearchPlan, count: int, objective: Callable[..., float]) -> list[Trial]:
        search, trials = Search(plan), list[Trial]()
        for number in range(count):
            parameters = search.ask(trials)
            if parameters is None:
                break
            value = objective(parameters)
            trials.append(Trial(number, "", parameters, "succeeded", value, ((1, value),)))
        return trials

    return run
