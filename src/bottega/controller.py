"""The controller contract: operations write what is wanted, controllers make it so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable


class Controller(ABC):
    """Brings resources of one kind to their wanted state.

    The host (``bottega.daemon.controller_host``) calls :meth:`reconcile` for every name of
    :meth:`pending` at start, whenever a resource of :attr:`kind` changes, and whenever something
    calls the host's ``wake``. One name is never reconciled by two threads at once.
    """

    kind: str
    """The kind of resource whose changes wake this controller."""

    @abstractmethod
    def pending(self) -> Iterable[str]:
        """The names that need attention after a start, in the order they should get it."""

    @abstractmethod
    def reconcile(self, name: str) -> float | None:
        """Do the next step for one resource.

        Must be idempotent and safe to kill at any line: it looks at what is, not at what it did
        before. Must not block for long without doing work: what takes time runs behind the runner
        or in slices.

        Returns:
            Seconds after which to be called again, or None to wait for a change or a wake.

        Raises:
            Exception: logged; the host tries again with growing pauses.
        """
