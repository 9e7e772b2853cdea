"""What the tuning job behind a training job is told of it: how its objective metric goes.

The training job's controller reads the log and notes the course here as it grows; with the end of
the job the course is written into its record, in the same step as its status. Tuning looks at both.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bottega.memory import Memory

OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
"""The hyperparameter that tells a training job which metric it is judged by."""

MOST_POINTS = 1000
"""Of a course; a longer one is thinned so that its extremes stay."""

RECORD = "objective_course"
"""The private part of an ended training job that holds :meth:`ObjectiveCourse.as_json`."""


@dataclass(frozen=True)
class ObjectiveCourse:
    """The values of one training job's objective metric, as far as they are known."""

    count: int
    """How many values there were."""
    steps: Sequence[int]
    """Which value each is, from 1."""
    values: Sequence[float]

    @property
    def final(self) -> float | None:
        """The last value; None where there is none or it is no number."""
        if not self.values or not math.isfinite(self.values[-1]):
            return None
        return self.values[-1]

    def as_json(self) -> dict[str, Any]:
        """As it is kept; what is no number is None there."""
        values = [value if math.isfinite(value) else None for value in self.values]
        return {"count": self.count, "steps": list(self.steps), "values": values}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        values = [math.nan if value is None else value for value in fields["values"]]
        return cls(fields["count"], tuple(fields["steps"]), tuple(values))


NO_COURSE = ObjectiveCourse(0, (), ())

_Key = tuple[str, float]


class LiveCourses:
    """The courses of training jobs that run, by name and time of creation.

    In memory only: a daemon that was started again reads the log from its beginning.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._courses: dict[_Key, ObjectiveCourse] = {}
        self._listeners: tuple[Callable[[str], None], ...] = ()

    def note(self, name: str, created: float, course: ObjectiveCourse) -> None:
        """A training job has come so far; listeners hear of it when there is a new value."""
        with self._lock:
            known = self._courses.get((name, created), NO_COURSE)
            self._courses[name, created] = course
            listeners = self._listeners if course.count != known.count else ()
        for listener in listeners:
            listener(name)

    def get(self, name: str, created: float) -> ObjectiveCourse:
        """The course as it was noted last."""
        with self._lock:
            return self._courses.get((name, created), NO_COURSE)

    def forget(self, name: str) -> None:
        """A training job has ended; its record has the course now."""
        with self._lock:
            for key in [key for key in self._courses if key[0] == name]:
                del self._courses[key]

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell ``listener`` the name of each training job that has a new value.

        It is called in the thread that noted it, and must return quickly.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)


def live_courses(memory: Memory) -> LiveCourses:
    """The courses of one studio."""
    return memory.of(LiveCourses, LiveCourses)
