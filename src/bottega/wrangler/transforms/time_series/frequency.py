"""Frequencies: how far the moments of a regular series are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.parameters import Parameter

_SECOND = 1_000_000
_UNITS: Mapping[str, tuple[str, int]] = {
    "Secondly": ("microseconds", _SECOND),
    "Minutely": ("microseconds", 60 * _SECOND),
    "Hourly": ("microseconds", 3600 * _SECOND),
    "Daily": ("microseconds", 86_400 * _SECOND),
    "Weekly": ("microseconds", 7 * 86_400 * _SECOND),
    "Monthly": ("months", 1),
    "Quarterly": ("months", 3),
    "Yearly": ("months", 12),
}
_MONDAY = 4 * 86_400 * _SECOND


@dataclass(frozen=True)
class Frequency:
    """Steps of a fixed length, or of whole months."""

    unit: str
    size: int
    """Microseconds or months."""
    origin: int = 0
    """Where steps begin, in microseconds since 1970."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Frequency:
        """The frequency that parameters say."""
        unit, size = _UNITS[values["offset_description"]]
        origin = _MONDAY if values["offset_description"] == "Weekly" else 0
        return cls(unit, size * int(values["quantity"]), origin)

    @property
    def is_months(self) -> bool:
        """Whether its steps differ in length."""
        return self.unit == "months"

    def step_of(self, moment: str) -> str:
        """SQL for the number of the step in which a TIMESTAMP lies."""
        if self.is_months:
            number = f"((year({moment}) - 1970) * 12 + month({moment}) - 1)"
        else:
            number = f"(epoch_us({moment}) - {self.origin})"
        # The engine's division of whole numbers goes towards zero.
        return (
            f"(({number} - (({number} % {self.size}) + {self.size}) % {self.size}) // {self.size})"
        )

    def start_of(self, step: str) -> str:
        """SQL for the TIMESTAMP at which a step begins."""
        if self.is_months:
            return f"(TIMESTAMP '1970-01-01' + to_months(({step} * {self.size})::INTEGER))"
        return f"make_timestamp({self.origin} + {step} * {self.size})"

    def write_starts(self, column: str) -> list[str]:
        """Python statements that put every moment of a column at the beginning of its step."""
        if self.is_months:
            return [
                f'months = {column}.to_numpy().astype("datetime64[M]").astype("int64")',
                f"months = months // {self.size} * {self.size}",
                f'{column} = months.astype("datetime64[M]").astype("datetime64[us]")',
            ]
        return [
            f'origin, step = pd.Timestamp("{self._origin_text}"), {self._delta}',
            f"{column} = origin + ({column} - origin) // step * step",
        ]

    @property
    def pandas(self) -> str:
        """What ``pd.date_range`` takes, as source."""
        return f"pd.DateOffset(months={self.size})" if self.is_months else self._delta

    @property
    def _origin_text(self) -> str:
        return "1970-01-05" if self.origin else "1970-01-01"

    @property
    def _delta(self) -> str:
        for word, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
            if self.size % (size * _SECOND) == 0:
                return f"pd.Timedelta({word}={self.size // (size * _SECOND)})"
        return f"pd.Timedelta(seconds={self.size // _SECOND})"


def frequency_parameters(group: str = "frequency") -> tuple[Parameter, Parameter]:
    """Unit and number."""
    return (
        Parameter(
            "offset_description",
            "choice",
            "Frequency unit",
            "The unit of the steps; weeks begin on Monday, quarters in January.",
            path=f"{group}.offset_description",
            default="Daily",
            choices=tuple(_UNITS),
        ),
        Parameter(
            "quantity",
            "integer",
            "Frequency quantity",
            "How many units a step has.",
            path=f"{group}.quantity",
            default=1,
            minimum=1,
            maximum=10_000,
        ),
    )
