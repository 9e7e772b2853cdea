"""Has the SageMaker Python SDK waste no time between two questions.

Made for a service that takes minutes, the SDK sleeps 5 seconds before it first looks at a job and
30 before it looks at an endpoint, whatever the service answers. Here both are often ready by then.
``bottega env`` names this module in ``BOTOCORE_EXPERIMENTAL__PLUGINS`` and its folder in
``PYTHONPATH``; botocore imports it when it makes a client. Where the client is SageMaker's,

* the SDK's modules that poll get a ``time`` whose sleeps are short: a fifth of a second, then
  longer and longer, up to two seconds;
* the SDK checks its configuration file against its schema once, not at each of the dozen times that
  a call looks something up there, which takes longer than a short job.

No file of the SDK and nothing else in the process is changed, and ``BOTTEGA_SDK_PACE=off`` leaves
the SDK as it is. The module is imported by interpreters that need not have bottega, so it uses the
standard library alone.
"""

from __future__ import annotations

import os
import sys
import threading
import time as _time
from collections.abc import Callable
from types import ModuleType
from typing import Any

POLLING = {
    "sagemaker.session": True,
    "sagemaker.core.resources": False,
    "sagemaker.core.helper.session_helper": True,
    "sagemaker.core.common_utils": False,
    "sagemaker.core.processing": True,
}
"""The modules that poll, of 2.x and of 3.x, and whether they also count the seconds between two
questions: SDK 2.x reads logs each 10 seconds and asks for the job's status once 30 have passed. Its
clock therefore goes on by the length of the sleep that it asked for."""

CHECKING = {
    "sagemaker.utils": "",
    "sagemaker.core.config.config_manager": "SageMakerConfig",
}
"""Where SDK 2.x and 3.x find the function that checks a configuration; 3.x in a class."""
CHECK = "validate_sagemaker_config"

FIRST_SECONDS = 0.2
GROWTH = 1.3
LONGEST_SECONDS = 2.0


def initialize_client_plugin(client: Any) -> None:
    """Called by botocore with each new client."""
    if client.meta.service_model.service_name != "sagemaker":
        return
    if os.environ.get("BOTTEGA_SDK_PACE", "on") == "off":
        return
    for name, counts in POLLING.items():
        module = sys.modules.get(name)
        if module is not None and getattr(module, "time", None) is _time:
            module.time = Pace(counts)  # type: ignore[attr-defined]
    for name, owner in CHECKING.items():
        place: Any = sys.modules.get(name)
        place = getattr(place, owner, None) if owner else place
        check = getattr(place, CHECK, None)
        if check is not None and not isinstance(check, Once):
            setattr(place, CHECK, Once(check))


class Once:
    """A check that is made once for each value that passes it."""

    def __init__(self, check: Callable[..., None]) -> None:
        self._check = check
        self._passed: set[str] = set()

    def __call__(self, configuration: Any = None) -> None:
        """Raises what the check raises."""
        text = repr(configuration)
        if text not in self._passed:
            self._check(configuration)
            self._passed.add(text)


class Pace(ModuleType):
    """The module ``time`` with short sleeps, each thread's for itself."""

    def __init__(self, counts: bool) -> None:
        super().__init__("time")
        self._counts = counts
        self._thread = threading.local()

    def __getattr__(self, name: str) -> Any:
        return getattr(_time, name)

    def sleep(self, seconds: float) -> None:
        """Pause between two questions: not as long as was asked for."""
        own = self._thread.__dict__
        # Another call of the SDK's is another wait, which begins with short pauses. The frame is
        # kept until then, so that no later one can be taken for it.
        caller = sys._getframe(1)
        number = own["number"] if own.get("caller") is caller else 0
        pause = min(seconds, FIRST_SECONDS * GROWTH**number, LONGEST_SECONDS)
        _time.sleep(pause)
        own["caller"], own["number"] = caller, min(number + 1, 50)
        own["ahead"] = own.get("ahead", 0.0) + seconds - pause

    def time(self) -> float:
        """Seconds since the epoch, and those that were to be slept and were not.

        A caller that has a time limit of its own, a variable ``timeout``, gets the real time.
        """
        limited = sys._getframe(1).f_locals.get("timeout") is not None
        ahead = self._thread.__dict__.get("ahead", 0.0)
        return _time.time() + (ahead if self._counts and not limited else 0.0)
