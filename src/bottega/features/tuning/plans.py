"""What a tuning job is to do, decided once at its creation: ranges, limits, seed, criteria."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from bottega.tuning.completion import Criteria
from bottega.tuning.search import SearchPlan, Strategy
from bottega.tuning.spaces import CategoricalRange, ContinuousRange, IntegerRange, Range

_KINDS: Mapping[str, type[ContinuousRange] | type[IntegerRange] | type[CategoricalRange]] = {
    "Continuous": ContinuousRange,
    "Integer": IntegerRange,
    "Categorical": CategoricalRange,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_SEED_STEP = 1_000_003
"""Between the seeds of two definitions of a tuning job."""


@dataclass(frozen=True)
class DefinitionPlan:
    """How one training job definition is searched."""

    name: str
    """DefinitionName; empty where a single definition has none."""
    metric: str
    """Of its objective."""
    ranges: tuple[Range, ...]
    max_resource: int | None
    """Hyperband's MaxResource: as given, or as the static hyperparameters say it."""


@dataclass(frozen=True)
class TuningPlan:
    """What a tuning job is to do."""

    strategy: Strategy
    early_stopping: bool
    """TrainingJobEarlyStoppingType Auto."""
    maximize: bool
    seed: int
    most_trials: int
    parallel: int
    """MaxParallelTrainingJobs."""
    runtime_seconds: int
    """After its creation no trial starts and none goes on."""
    target: float | None
    not_improving: int | None
    on_convergence: bool
    min_resource: int | None
    definitions: tuple[DefinitionPlan, ...]

    @property
    def criteria(self) -> Criteria:
        return Criteria(
            most_trials=self.most_trials,
            target=self.target,
            not_improving=self.not_improving,
            on_convergence=self.on_convergence,
            maximize=self.maximize,
        )

    @property
    def judges_running(self) -> bool:
        """Whether running trials may be stopped for being weak."""
        return self.early_stopping or self.strategy == "Hyperband"

    def search(self, definition: DefinitionPlan) -> SearchPlan:
        """The search of one of the definitions."""
        place = self.definitions.index(definition)
        return SearchPlan(
            strategy=self.strategy,
            maximize=self.maximize,
            ranges=definition.ranges,
            seed=self.seed + place * _SEED_STEP,
            most_trials=math.ceil(self.most_trials / len(self.definitions)),
            min_resource=self.min_resource,
            max_resource=definition.max_resource,
        )

    def definition(self, name: str) -> DefinitionPlan:
        """The definition of this name."""
        return next(found for found in self.definitions if found.name == name)

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        found["definitions"] = [
            {**asdict(definition), "ranges": [range_as_json(one) for one in definition.ranges]}
            for definition in self.definitions
        ]
        return found

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        definitions = tuple(
            DefinitionPlan(
                **{**one, "ranges": tuple(range_from_json(item) for item in one["ranges"])}
            )
            for one in fields["definitions"]
        )
        return cls(**{**fields, "definitions": definitions})


def range_as_json(searched: Range) -> dict[str, Any]:
    """A range as it is kept."""
    return {"type": range_type(searched), **asdict(searched)}


def range_type(searched: Range) -> str:
    """``Continuous``, ``Integer`` or ``Categorical``."""
    return _NAMES[type(searched)]


def range_from_json(fields: Mapping[str, Any]) -> Range:
    """What :func:`range_as_json` kept."""
    values = {name: value for name, value in fields.items() if name != "type"}
    if fields["type"] == "Categorical":
        return CategoricalRange(values["name"], tuple(values["values"]))
    return _KINDS[fields["type"]](**values)
