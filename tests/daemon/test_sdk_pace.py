"""What an SDK's modules see of the time once the plugin is there."""

from __future__ import annotations

import sys
import time
import types
from types import SimpleNamespace
from typing import Any

import pytest

from bottega.daemon.client_modules import bottega_sdk_pace
from bottega.daemon.client_modules.bottega_sdk_pace import Once, Pace, initialize_client_plugin


def client_of(service: str) -> Any:
    return SimpleNamespace(
        meta=SimpleNamespace(service_model=SimpleNamespace(service_name=service))
    )


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module in the place of the SDK's, with the real ``time``."""
    module = types.ModuleType("sagemaker.session")
    module.time = time  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sagemaker.session", module)
    return module


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is really slept, without sleeping."""
    pauses: list[float] = []
    monkeypatch.setattr(bottega_sdk_pace._time, "sleep", pauses.append)
    return pauses


def test_sagemakers_client_shortens_the_pauses(sdk: Any, slept: list[float]) -> None:
    initialize_client_plugin(client_of("s3"))
    assert sdk.time is time
    initialize_client_plugin(client_of("sagemaker"))
    paced = sdk.time
    assert isinstance(paced, Pace)
    initialize_client_plugin(client_of("sagemaker"))
    assert sdk.time is paced

    def wait(questions: int) -> None:
        for _ in range(questions):
            sdk.time.sleep(10)

    wait(30)
    wait(1)
    sdk.time.sleep(0.01)
    assert slept[0] == bottega_sdk_pace.FIRST_SECONDS
    assert slept[:30] == sorted(slept[:30])
    assert slept[29] == bottega_sdk_pace.LONGEST_SECONDS
    assert slept[30] == bottega_sdk_pace.FIRST_SECONDS
    assert slept[31] == 0.01
    assert sdk.time.strftime is time.strftime


def test_the_user_can_keep_the_sdk_as_it_is(sdk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTTEGA_SDK_PACE", "off")
    initialize_client_plugin(client_of("sagemaker"))
    assert sdk.time is time


def test_the_clock_goes_on_by_what_was_to_be_slept(slept: list[float]) -> None:
    pace = Pace(counts=True)
    before = pace.time()
    for _ in range(3):
        pace.sleep(10)
    assert pace.time() - before >= 30 - sum(slept) - 0.001
    timeout = 5  # noqa: F841  a caller with a limit of its own
    assert pace.time() == pytest.approx(time.time(), abs=5)


def test_the_other_sdk_keeps_the_real_time(slept: list[float]) -> None:
    pace = Pace(counts=False)
    pace.sleep(1000)
    assert pace.time() == pytest.approx(time.time(), abs=5)


def test_a_configuration_is_checked_once() -> None:
    seen: list[Any] = []

    def check(configuration: Any) -> None:
        seen.append(configuration)
        if configuration == "bad":
            raise ValueError("bad")

    once = Once(check)
    for _ in range(3):
        once({"a": 1})
        with pytest.raises(ValueError, match="bad"):
            once("bad")
    once({"a": 2})
    assert seen == [{"a": 1}, "bad", "bad", "bad", {"a": 2}]
