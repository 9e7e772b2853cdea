"""When a tensor is saved, and in which form: the parameters of a hook and of its collections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.reductions import Reduction

DEFAULT_INTERVAL = 500
_WORDS = {"true": True, "false": False}


def flag(text: str | bool, name: str) -> bool:
    """A parameter that is true or false.

    Raises:
        ValueError: it is neither.
    """
    found = _WORDS.get(str(text).strip().lower())
    if found is None:
        raise ValueError(f"{name} is {text!r}; it is either true or false.")
    return found


def words(text: str) -> list[str]:
    """The parts of a list with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass(frozen=True)
class SaveConfigMode:
    """The steps of one mode that are saved."""

    save_interval: int = DEFAULT_INTERVAL
    """Every so manieth step, from step 0 on."""
    save_steps: tuple[int, ...] = ()
    """These and no others, where there are any."""
    start_step: int = 0
    """The interval holds from this step on."""
    end_step: int | None = None
    """The interval holds up to the step before this one."""

    def should_save_step(self, step: int) -> bool:
        """Whether a step is one of them."""
        if self.save_steps:
            return step in self.save_steps
        within = step >= self.start_step and (self.end_step is None or step < self.end_step)
        return within and step % self.save_interval == 0

    def with_parameters(self, parameters: Mapping[str, Any], prefix: str = "") -> SaveConfigMode:
        """This, with what parameters of that prefix (``train.``) say otherwise.

        Raises:
            ValueError: a parameter is not what it has to be.
        """
        changed: dict[str, Any] = {}
        for name, least in (("save_interval", 1), ("start_step", 0), ("end_step", 0)):
            if (given := parameters.get(prefix + name)) is not None:
                changed[name] = _number(given, prefix + name, least)
        if (given := parameters.get(prefix + "save_steps")) is not None:
            changed["save_steps"] = tuple(
                _number(step, prefix + "save_steps", 0) for step in words(str(given))
            )
        elif "save_interval" in changed:
            changed["save_steps"] = ()  # an interval of its own, in place of what it would inherit
        return replace(self, **changed)

    def to_json(self) -> dict[str, Any]:
        """As it stands in a file with collections."""
        return {
            "save_interval": self.save_interval,
            "save_steps": list(self.save_steps),
            "start_step": self.start_step,
            "end_step": self.end_step,
        }


def _number(text: Any, name: str, least: int) -> int:
    try:
        number = int(str(text).strip())
    except ValueError:
        number = least - 1
    if number < least:
        raise ValueError(f"{name} is {text!r}; it has to be a whole number of at least {least}.")
    return number


@dataclass(frozen=True)
class SaveConfig:
    """The steps that are saved, by mode."""

    modes: Mapping[ModeKeys, SaveConfigMode] = field(
        default_factory=lambda: dict.fromkeys(ModeKeys, SaveConfigMode())
    )

    @classmethod
    def every(cls, interval: int) -> SaveConfig:
        """Every so manieth step of each mode."""
        return cls(dict.fromkeys(ModeKeys, SaveConfigMode(interval)))

    def should_save_step(self, mode: ModeKeys, step: int) -> bool:
        """Whether a step of a mode, counted in that mode, is saved."""
        return self.modes[mode].should_save_step(step)

    def with_parameters(self, parameters: Mapping[str, Any]) -> SaveConfig:
        """This, with what ``save_interval``, ``eval.start_step`` and their like say otherwise.

        Raises:
            ValueError: a parameter is not what it has to be.
        """
        return SaveConfig(
            {
                mode: found.with_parameters(parameters).with_parameters(
                    parameters, f"{mode.name.lower()}."
                )
                for mode, found in self.modes.items()
            }
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in a file with collections."""
        return {mode.name: found.to_json() for mode, found in self.modes.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SaveConfig:
        """From a file with collections; what it leaves out is as by default."""
        modes = {}
        for mode in ModeKeys:
            given = content.get(mode.name) or {}
            known = {name: value for name, value in given.items() if value is not None}
            known["save_steps"] = tuple(known.get("save_steps", ()))
            modes[mode] = SaveConfigMode(**known)
        return cls(modes)


@dataclass(frozen=True)
class ReductionConfig:
    """In which form tensors are saved."""

    reductions: tuple[Reduction, ...] = ()
    save_raw_tensor: bool = True
    """Whether the tensor itself is saved beside its reductions."""
    save_shape: bool = False

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> ReductionConfig | None:
        """What the parameters say; None where they say nothing of it.

        A tensor with reductions is saved itself only where ``save_raw_tensor`` says so.

        Raises:
            ValueError: there is no such reduction.
        """
        if not parameters.keys() & {"reductions", "save_raw_tensor", "save_shape"}:
            return None
        reductions = tuple(
            Reduction.parse(word) for word in words(str(parameters.get("reductions") or ""))
        )
        raw = parameters.get("save_raw_tensor", not reductions)
        shape = parameters.get("save_shape", False)
        return cls(reductions, flag(raw, "save_raw_tensor"), flag(shape, "save_shape"))

    def to_json(self) -> dict[str, Any]:
        """As it stands in a file with collections, with the reductions smdebug reads.

        Its list of reductions has no median.
        """
        names = [str(one) for one in self.reductions if one.name != "median"]
        return {
            "save_raw_tensor": self.save_raw_tensor,
            "reductions": ",".join(names),
            "save_shape": self.save_shape,
        }
