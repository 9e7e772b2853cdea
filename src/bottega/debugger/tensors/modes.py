"""What a training is doing in a step."""

from __future__ import annotations

from enum import Enum


class ModeKeys(Enum):
    """The mode of a step; GLOBAL counts the steps of all modes together."""

    TRAIN = 1
    EVAL = 2
    PREDICT = 3
    GLOBAL = 4

    # Its own is written in Python, and a hook looks things up by mode all the time.
    __hash__ = object.__hash__

    @classmethod
    def of(cls, mode: ModeKeys | str) -> ModeKeys:
        """The mode itself, or the one of that name (``"train"``, ``"EVAL"``).

        Raises:
            ValueError: there is no such mode.
        """
        if isinstance(mode, cls):
            return mode
        try:
            return cls[str(mode).strip().upper()]
        except KeyError:
            names = ", ".join(known.name for known in cls)
            raise ValueError(f"There is no mode {mode!r}; the modes are {names}.") from None
