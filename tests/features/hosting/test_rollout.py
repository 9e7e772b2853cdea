"""Rollouts as values: steps, baking, alarms, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.errors import ValidationException
from bottega.features.hosting import policies, rollout
from bottega.features.hosting.policies import Policy
from bottega.features.hosting.rollout import Rollout, Seen


def blue_green(type_: str = "ALL_AT_ONCE", wait: int = 0, **more: Any) -> dict[str, Any]:
    sizes = {key: more.pop(key) for key in ("CanarySize", "LinearStepSize") if key in more}
    routing = {"Type": type_, "WaitIntervalInSeconds": wait, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}}


def rolling(size: dict[str, Any], wait: int = 0, **more: Any) -> dict[str, Any]:
    policy = {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}
    return {"RollingUpdatePolicy": policy}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def seen(now: float, **more: Any) -> Seen:
    return Seen(**{"now": now, "target_ready": True, "active_ready": True, **more})


POLICIES = st.one_of(
    st.builds(blue_green),
    st.builds(lambda n: blue_green("CANARY", CanarySize=percent(n)), st.integers(1, 50)),
    st.builds(lambda n: blue_green("LINEAR", LinearStepSize=percent(n)), st.integers(10, 50)),
    st.builds(lambda n: rolling(percent(n)), st.integers(5, 50)),
    st.builds(
        lambda n, back: rolling(count(n), RollbackMaximumBatchSize=count(back)),
        st.integers(1, 4),
        st.integers(1, 4),
    ),
)


@pytest.mark.parametrize(
    ("policy", "instances", "steps"),
    [
        ({}, 4, [1.0]),
        (blue_green(), 4, [1.0]),
        (blue_green("CANARY", CanarySize=percent(20)), 5, [0.2, 1.0]),
        (blue_green("CANARY", CanarySize=count(1)), 4, [0.25, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(30)), 1, [0.3, 0.6, 0.9, 1.0]),
        (blue_green("LINEAR", LinearStepSize=count(1)), 3, [1 / 3, 2 / 3, 1.0]),
        (rolling(count(2)), 5, [0.4, 0.8, 1.0]),
        (rolling(percent(5)), 2, [0.5, 1.0]),
    ],
)
def test_the_steps_of_a_policy(policy: dict[str, Any], instances: int, steps: list[float]) -> None:
    assert Policy.of(policy).steps(instances) == pytest.approx(steps)


@settings(max_examples=60, deadline=None)
@given(POLICIES, st.integers(1, 12), st.integers(1, 12))
def test_capacity_never_falls_and_the_end_is_reached(
    policy: dict[str, Any], before: int, after: int
) -> None:
    state = rollout.begin(policy, after, 0.0, "me")
    for _ in range(100):
        target = rollout.wanted_of_target(state, after)
        active = rollout.wanted_of_active(state, before)
        # What serves can take all of the traffic: each part at least its share of the fleet.
        assert target >= state.share * after - 1e-6
        assert active >= (1 - state.share) * before - 1e-6
        following = rollout.advance(state, after, seen(1.0))
        assert following.share >= state.share
        if following.phase == "Succeeded":
            assert following.share == 1.0
            return
        state = following
    pytest.fail(f"it did not end: {state}")


@settings(max_examples=60, deadline=None)
@given(POLICIES, st.integers(1, 12), st.integers(1, 12), st.integers(0, 20))
def test_an_alarm_brings_all_traffic_back(
    policy: dict[str, Any], before: int, after: int, at: int
) -> None:
    state = rollout.begin(policy, after, 0.0, "me")
    for _ in range(at):
        following = rollout.advance(state, after, seen(1.0))
        if following.phase == "Succeeded":
            break
        state = following
    state = rollout.advance(state, after, seen(1.0, alarming=("errors",)))
    assert state.phase == "RollingBack"
    assert "errors is in ALARM" in state.reason
    for _ in range(100):
        active = rollout.wanted_of_active(state, before)
        assert active >= (1 - state.share) * before - 1e-6
        following = rollout.advance(state, after, seen(1.0))
        assert following.share <= state.share
        if following.phase == "RolledBack":
            assert following.share == 0.0
            return
        state = following
    pytest.fail(f"it did not end: {state}")


def test_nothing_shifts_before_the_target_is_ready() -> None:
    state = rollout.begin(blue_green(), 1, 0.0, "me")
    assert rollout.advance(state, 1, seen(5.0, target_ready=False)) == state


def test_every_step_bakes_for_its_time() -> None:
    state = rollout.begin(blue_green("CANARY", wait=60, CanarySize=percent(10)), 10, 0.0, "me")
    state = rollout.advance(state, 10, seen(1.0))
    assert (state.phase, state.share) == ("ActivatingTraffic", 0.1)
    state = rollout.advance(state, 10, seen(2.0))
    assert state.phase == "Baking"
    state = rollout.advance(state, 10, seen(61.0))
    assert (state.phase, state.share) == ("Baking", 0.1)
    assert rollout.bake_ends(state) == 62.0
    state = rollout.advance(state, 10, seen(62.0))
    assert (state.phase, state.share) == ("ActivatingTraffic", 1.0)


def test_the_old_servers_are_kept_for_the_termination_wait() -> None:
    state = rollout.begin(blue_green(TerminationWaitInSeconds=30), 1, 0.0, "me")
    for _ in range(3):
        state = rollout.advance(state, 1, seen(1.0))
    assert state.phase == "Terminating"
    assert rollout.advance(state, 1, seen(30.9)) == state
    assert rollout.advance(state, 1, seen(31.0)).phase == "Succeeded"


def test_a_deployment_that_takes_too_long_is_rolled_back() -> None:
    state = rollout.begin(blue_green(MaximumExecutionTimeoutInSeconds=600), 1, 0.0, "me")
    waiting = rollout.advance(state, 1, seen(599.0, target_ready=False))
    assert waiting == state
    late = rollout.advance(state, 1, seen(600.0, target_ready=False))
    assert late.phase == "RollingBack"
    assert "MaximumExecutionTimeoutInSeconds" in late.reason


def test_an_alarm_that_is_deleted_rolls_back() -> None:
    state = rollout.advance(Rollout(), 1, seen(1.0, missing=("gone",)))
    assert state.phase == "RollingBack"
    assert "deleted: gone" in state.reason


def test_a_rolling_update_goes_back_in_batches() -> None:
    policy = rolling(count(2), RollbackMaximumBatchSize=count(1))
    state = Rollout(policy=policy, phase="Baking", share=0.5, goal=0.5)
    state = rollout.roll_back(state, 4, "because", 1.0)
    assert (state.share, state.goal) == (0.5, 0.25)
    assert rollout.wanted_of_active(state, 4) == 3
    assert rollout.advance(state, 4, seen(1.0, active_ready=False)) == state
    state = rollout.advance(state, 4, seen(1.0))
    assert (state.share, state.goal) == (0.25, 0.0)
    assert rollout.advance(state, 4, seen(1.0)).phase == "RolledBack"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"AutoRollbackConfiguration": {}}, "neither BlueGreenUpdatePolicy nor Rolling"),
        ({**blue_green(), **rolling(percent(50))}, "use one of them"),
        (blue_green("CANARY"), "CanarySize is missing"),
        (blue_green("LINEAR"), "LinearStepSize is missing"),
        (blue_green(CanarySize=percent(10)), "CanarySize does not go with Type ALL_AT_ONCE"),
        (blue_green("CANARY", CanarySize=percent(51)), "51% .*must be at most 50%"),
        (blue_green("CANARY", CanarySize=count(3)), "75% of the 4 instances"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), "must be 10 to 50%"),
        (rolling(percent(4)), "MaximumBatchSize.Value 4 .*must be 5 to 50%"),
        (rolling(count(3)), "75%"),
        (
            rolling(count(1), RollbackMaximumBatchSize=count(5)),
            "RollbackMaximumBatchSize.Value 5 .*at most 100%",
        ),
        (
            {**blue_green(), "AutoRollbackConfiguration": {"Alarms": [{}]}},
            r"Alarms\[0\].AlarmName is missing",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(policy: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationException, match=words):
        policies.check(policy, 4, serverless=False)


def test_a_serverless_variant_moves_all_at_once() -> None:
    policies.check(blue_green(), 0, serverless=True)
    with pytest.raises(ValidationException, match="serverless variant has no instances"):
        policies.check(rolling(percent(50)), 0, serverless=True)
