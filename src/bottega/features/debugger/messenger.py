"""Sends what rules have to say, in threads of its own: a mail server that hangs holds up nothing
but mail.

A message is sent at least once. Before each try it is written down that there is one, and after it
what came of it, so that a kill between the two sends the message once more; it carries the same
identity then, by which a receiver knows it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from bottega.controller import Controller
from bottega.features.debugger import actions, outbox
from bottega.features.debugger.messages import MessageNotSent, send
from bottega.features.debugger.outbox import Letter
from bottega.ports import Ports
from bottega.storage.metadata import ResourceMissing, ResourceQuery

log = logging.getLogger(__name__)

PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0)
"""Seconds from one try to the next."""
MOST_ATTEMPTS = len(PAUSES) + 1
"""How often a message is sent, kills included, before that is given up."""
_THREADS = 4
_CLOSING_SECONDS = 2.0
"""How long those who are sending may take to come to an end."""


class MessengerController(Controller):
    """Sends the messages of one studio.

    It begins when the host asks for :meth:`pending`, and ends with :meth:`close`; what is not sent
    by then is in the store still.
    """

    kind = outbox.KIND

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        """
        Args:
            wake: has the host call :meth:`reconcile` for a name soon.
        """
        self._ports = ports
        self._wake = wake
        self._names: SimpleQueue[str | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._sending: set[str] = set()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def pending(self) -> Iterable[str]:
        """All messages, the oldest first."""
        self._start()
        query = ResourceQuery(self.kind, descending=False)
        return [entry.name for entry in self._ports.store.each(query)]

    def reconcile(self, name: str) -> float | None:
        """Hand a message that is due to those who send."""
        with self._lock:
            if name in self._sending:
                return None
        try:
            letter = Letter.of(self._ports.store.get(self.kind, name))
        except ResourceMissing:
            return None
        stands = actions.outcome(self._ports, letter.evaluation, letter.number)
        if stands in (None, actions.DONE, actions.FAILED):
            outbox.drop(self._ports, name)
            return None
        now = self._ports.clock.now()
        if now < letter.due:
            return min(letter.due - now, PAUSES[-1])
        if letter.attempts >= MOST_ATTEMPTS:
            self._end(
                letter, actions.FAILED, "bottega ended while it was being sent; it may have arrived"
            )
            return None
        # The last try has a pause, too: a kill in its midst is told from an answer after it.
        pause = PAUSES[min(letter.attempts, len(PAUSES) - 1)]
        outbox.count(self._ports, letter, now + pause)
        with self._lock:
            self._sending.add(name)
        self._names.put(name)
        return None

    def close(self) -> None:
        """Send nothing new. Who is sending and does not end soon is left behind; its message is
        sent again after the next start."""
        self._closing.set()
        for _ in self._threads:
            self._names.put(None)
        for thread in self._threads:
            thread.join(_CLOSING_SECONDS / _THREADS)
        self._threads = []

    def _start(self) -> None:
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._work, name=f"messages-{number}", daemon=True)
                for number in range(_THREADS)
            ]
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while (name := self._names.get()) is not None and not self._closing.is_set():
            try:
                self._send(name)
            except Exception:
                log.exception("sending the message %s failed", name)
            finally:
                with self._lock:
                    self._sending.discard(name)
                self._wake(name)

    def _send(self, name: str) -> None:
        try:
            letter = Letter.of(self._ports.store.get(self.kind, name))
        except ResourceMissing:  # the training was deleted
            return
        message = letter.message
        try:
            how = send(self._ports.config, message)
        except MessageNotSent as problem:
            log.warning("the rule %s of %s: %s", message.rule, message.job, problem)
            if problem.lasting or letter.attempts >= MOST_ATTEMPTS:
                self._end(letter, actions.FAILED, f"shown in the Studio, but {problem}")
            else:
                actions.note(
                    self._ports,
                    letter.evaluation,
                    letter.number,
                    Outcome=actions.BEGUN,
                    Message=f"{problem}; try {letter.attempts} of {MOST_ATTEMPTS}, the next one "
                    f"follows in {PAUSES[letter.attempts - 1]:g} seconds",
                )
            return
        self._end(letter, actions.DONE, how)

    def _end(self, letter: Letter, outcome: str, message: str) -> None:
        """Write down what came of it, and then forget it: the other way around, a kill between the
        two would leave it without an outcome."""
        actions.end(self._ports, letter.evaluation, letter.number, outcome, message)
        outbox.drop(self._ports, letter.name)
