"""The log lines by which SageMaker's own algorithms tell how they do.

Metric definitions read them, and people grep for them::

    [07/01/2024 19:50:55 INFO 7] #quality_metric: host=algo-1, epoch=0, train msd <loss>=0.25
    #metrics {"StartTime": 1.7e9, "EndTime": 1.7e9, "Dimensions": {...}, "Metrics": {...}}
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping
from typing import Literal

Goal = Literal["loss", "score"]


class Reporter:
    """Writes the lines of one host.

    Args:
        algorithm: its name as the lines give it, such as ``Linear Learner``.
        host: the name of this host.
        speaks: False for a host that leaves the reporting to another one.
    """

    def __init__(self, algorithm: str, host: str, *, speaks: bool = True) -> None:
        self._algorithm = algorithm
        self._host = host
        self._speaks = speaks
        self._since = time.time()

    def info(self, text: str) -> None:
        """A line for people."""
        self._write("INFO", text)

    def warning(self, text: str) -> None:
        """Something that the user may want to change."""
        self._write("WARNING", text)

    def quality(self, what: str, goal: Goal, value: float, *, epoch: int | None = None) -> None:
        """A metric, such as ``validation mse`` of the goal ``loss`` (less is better)."""
        at = "" if epoch is None else f"epoch={epoch}, "
        self.info(f"#quality_metric: host={self._host}, {at}{what} <{goal}>={_number(value)}")

    def progress(self, done: int, total: int) -> None:
        """How many of the epochs are done."""
        percent = 100 * done / max(1, total)
        self.info(f"#progress_metric: host={self._host}, completed {percent:g} % of epochs")

    def early_stopping(self, value: float, *, epoch: int, criteria: str) -> None:
        """What early stopping looked at."""
        self.info(
            f"#early_stopping_criteria_metric: host={self._host}, epoch={epoch}, "
            f"criteria={criteria}, value={_number(value)}"
        )

    def metrics(self, values: Mapping[str, float], **dimensions: object) -> None:
        """Numbers as one line of JSON, each a sum of one."""
        now = time.time()
        document = {
            "StartTime": self._since,
            "EndTime": now,
            "Dimensions": {
                "Algorithm": self._algorithm,
                "Host": self._host,
                "Operation": "training",
                **dimensions,
            },
            "Metrics": {
                name: {"sum": value, "count": 1, "min": value, "max": value}
                for name, value in values.items()
                if math.isfinite(value)
            },
        }
        self._since = now
        if self._speaks:
            print(f"#metrics {json.dumps(document)}", flush=True)

    def _write(self, level: str, text: str) -> None:
        if self._speaks:
            stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
            print(f"[{stamp} {level} {os.getpid()}] {text}", file=sys.stdout, flush=True)


def quality_regex(what: str, goal: Goal) -> str:
    """A regular expression that finds what :meth:`Reporter.quality` wrote.

    Args:
        what: a regular expression of the metric's name.
        goal: as it was written.
    """
    return rf"#quality_metric: host=\S+, (?:epoch=\d+, )?{what} <{goal}>=(\S+)"


def _number(value: float) -> str:
    return repr(float(value))
