"""Answers to clients that ask again and again are held until there is something to tell.

The SageMaker SDKs and botocore's waiters ask DescribeTrainingJob and its like, and pause between
two questions: 30 seconds, or 120. Whoever asks a moment before the job ends would learn of it only
after the pause. So the answer to such a question waits, on the event loop and without a thread,
until the job has left its busy status, but never long:

* A waiter has nothing else to do. Its first question is held up to ``FIRST_SECONDS``, later ones
  as long as it paused before them, so that it never takes more than twice its own time.
* The SDKs show logs between their questions, so they are held only while the job is young, and
  only shortly where they pause shortly.
* The first question that somebody asks of a thing right after making it is a look, not a wait.
* A question that is asked again after a failure (``amz-sdk-request: attempt=2``) is never held: a
  client that has given up on a held answer gets the next one at once.

Everybody else, the Studio and lists included, is answered at once.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from bottega.event_log import EventLog
from bottega.events import Event, ResourceChanged
from bottega.registry import Settling

FIRST_SECONDS = 20.0
"""How long a waiter's first question is held at most."""
LONGEST_SECONDS = 45.0
"""How long any question is held at most: botocore gives up reading after 60."""
YOUNG_SECONDS = 15.0
"""The age of a resource at which an SDK is answered whatever there is to tell."""
LOOK_SECONDS = 4.5
"""SDK 2.x pauses for 5 seconds before its first question; one that comes earlier is no wait."""
SOON_SECONDS = 3.0
"""How long an SDK with short pauses is held: it comes back soon, and has logs to show meanwhile."""
MOST_HELD = 512
"""How many questions are held at a time; those beyond are answered at once."""
_REMEMBERED = 2048

_FEATURES = re.compile(r"(?:^| )m/(\S+)")
_WAITER = "B"
"""botocore's letter for a request that a waiter makes."""
_SDK = "lib/AWS-SageMaker"


@dataclass(frozen=True)
class Asker:
    """What the head of a request tells of who asks."""

    waiter: bool
    """One of botocore's waiters; else one of the SageMaker SDKs."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Asker | None:
        """Who is asking, if it is somebody that may be held."""
        if not headers.get("amz-sdk-request", "attempt=1").startswith("attempt=1"):
            return None
        agent = headers.get("user-agent", "")
        features = _FEATURES.search(agent)
        if features and _WAITER in features[1].split(","):
            return cls(waiter=True)
        return cls(waiter=False) if _SDK in agent else None

    def patience(self, *, age: float, pause: float | None) -> float:
        """How many seconds the answer may be held.

        Args:
            age: seconds since the resource was made.
            pause: seconds since this caller was last answered about it; None for the first time.
        """
        if self.waiter:
            return min(FIRST_SECONDS if pause is None else pause, LONGEST_SECONDS)
        if pause is None and age < LOOK_SECONDS:
            return 0.0
        # The age is negative where the clock was set back.
        young = min(max(0.0, YOUNG_SECONDS - age), YOUNG_SECONDS)
        if pause is None or pause >= LOOK_SECONDS:
            return young
        return min(young, SOON_SECONDS)


class Holder:
    """Holds questions about resources on their way. Safe to use from any thread."""

    def __init__(self, event_log: EventLog) -> None:
        self._event_log = event_log
        self._lock = threading.Lock()
        self._held = 0
        self._answered: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def pause(self, caller: str, settling: Settling, name: str) -> float | None:
        """Seconds since a caller was last answered about a resource; None if never, or long ago."""
        with self._lock:
            last = self._answered.get((caller, settling.kind, name))
        return None if last is None else time.monotonic() - last

    async def hold(
        self, caller: str, settling: Settling, name: str, cursor: str, seconds: float
    ) -> None:
        """Wait until a resource has settled, or for ``seconds``, or until the service ends.

        Args:
            caller: who asks; for the length of its next pause.
            cursor: of the event log, taken before the resource was looked at.
        """
        with self._lock:
            free = self._held < MOST_HELD
            self._held += free
        if free:
            try:
                await self._settled(settling, name, cursor, seconds)
            finally:
                with self._lock:
                    self._held -= 1
        with self._lock:
            self._answered[caller, settling.kind, name] = time.monotonic()
            self._answered.move_to_end((caller, settling.kind, name))
            if len(self._answered) > _REMEMBERED:
                self._answered.popitem(last=False)

    async def _settled(self, settling: Settling, name: str, cursor: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            news = await self._event_log.wait(cursor, seconds=left)
            if news.reset or not news.events:  # nothing more will be told, or not in time
                return
            if any(_settles(event, settling, name) for event in news.events):
                return
            cursor = news.cursor


def _settles(event: Event, settling: Settling, name: str) -> bool:
    return (
        isinstance(event, ResourceChanged)
        and (event.kind, event.name) == (settling.kind, name)
        and (event.change == "deleted" or event.status not in settling.statuses)
    )
