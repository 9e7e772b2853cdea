"""What a tuning job is to do comes back from the store as it was decided."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.features.tuning.plans import DefinitionPlan, TuningPlan
from bottega.tuning.spaces import CategoricalRange, ContinuousRange, IntegerRange

NAMES = st.text(min_size=1, max_size=8)
RANGES = st.one_of(
    st.builds(
        ContinuousRange,
        NAMES,
        st.floats(-1e6, 0),
        st.floats(0, 1e6),
        st.sampled_from(["Auto", "Linear"]),
    ),
    st.builds(IntegerRange, NAMES, st.integers(-9, 0), st.integers(1, 9), st.just("Linear")),
    st.builds(CategoricalRange, NAMES, st.lists(NAMES, min_size=1, unique=True).map(tuple)),
)
DEFINITIONS = st.builds(
    DefinitionPlan,
    NAMES,
    NAMES,
    st.lists(RANGES, min_size=1, max_size=3).map(tuple),
    st.none() | st.integers(1, 100),
)
PLANS = st.builds(
    TuningPlan,
    strategy=st.sampled_from(["Bayesian", "Random", "Grid", "Hyperband"]),
    early_stopping=st.booleans(),
    maximize=st.booleans(),
    seed=st.integers(0, 2**31),
    most_trials=st.integers(1, 750),
    parallel=st.integers(1, 100),
    runtime_seconds=st.integers(120, 10**6),
    target=st.none() | st.floats(-10, 10),
    not_improving=st.none() | st.integers(3, 9),
    on_convergence=st.booleans(),
    min_resource=st.none() | st.integers(1, 9),
    definitions=st.lists(DEFINITIONS, min_size=1, max_size=3, unique_by=lambda one: one.name).map(
        tuple
    ),
)


@given(PLANS)
@settings(max_examples=30, deadline=None)
def test_a_plan_comes_back(plan: TuningPlan) -> None:
    assert TuningPlan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


@given(PLANS)
@settings(max_examples=20, deadline=None)
def test_definitions_are_searched_with_seeds_of_their_own(plan: TuningPlan) -> None:
    searches = [plan.search(definition) for definition in plan.definitions]
    assert len({search.seed for search in searches}) == len(searches)
    assert searches[0].seed == plan.seed
    assert sum(search.most_trials or 0 for search in searches) >= plan.most_trials
