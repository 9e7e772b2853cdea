"""What features remember of a studio between calls: things that could be made anew at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Thing = TypeVar("Thing")


class Memory:
    """One object of a class for each studio, made by whoever needs it first.

    Nothing in it is state: after a restart it is empty, and everything is as right and only slower.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._things: dict[type, object] = {}

    def of(self, kind: type[Thing], make: Callable[[], Thing]) -> Thing:
        """The studio's object of this class; ``make`` is called once."""
        with self._lock:
            if kind not in self._things:
                self._things[kind] = make()
            thing = self._things[kind]
        assert isinstance(thing, kind)
        return thing

    def close(self) -> None:
        """Close the things that hold something: those that have a method ``close``."""
        with self._lock:
            things, self._things = list(self._things.values()), {}
        for thing in things:
            if callable(close := getattr(thing, "close", None)):
                close()
