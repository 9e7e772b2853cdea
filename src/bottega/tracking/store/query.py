"""A search for runs, as data: MLflow's own parser reads it, our own statements answer it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["attribute", "metric", "param", "tag", "dataset"]

RUN_NAME_TAG = "mlflow.runName"
COLUMNS = {
    "run_id": "run_uuid",
    "run_name": "name",
    "user_id": "user_id",
    "status": "status",
    "start_time": "start_time",
    "end_time": "end_time",
    "artifact_uri": "artifact_uri",
}
"""MLflow's attributes of a run, and the columns they are in."""
DURATION = "duration"
"""An attribute that MLflow does not sort by."""


@dataclass(frozen=True)
class Condition:
    """One comparison of a filter; all of a filter's must hold."""

    kind: Kind
    key: str
    comparator: str
    """Upper case: ``=``, ``LIKE``, ``IS NULL``; or ``HAS``, ``IS NAN`` and ``LACKS``, our own."""
    value: Any = None


@dataclass(frozen=True)
class SortKey:
    kind: Kind
    key: str
    ascending: bool


NEWEST_FIRST = SortKey("attribute", "start_time", False)


@dataclass(frozen=True)
class RunQuery:
    """Which runs, in which order.

    The natural order, newest start first and then ids upwards, decides between runs that are equal
    in ``order``. Runs without a value come last, whichever way the order goes; NaN before them.
    """

    experiment_ids: tuple[int, ...]
    stages: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    order: tuple[SortKey, ...] = ()

    def restricted(self, *conditions: Condition) -> RunQuery:
        """The same with further conditions."""
        return replace(self, conditions=(*self.conditions, *conditions))

    def identity(self) -> tuple[object, ...]:
        """What the number of matching runs depends on."""
        return (self.experiment_ids, self.stages, self.conditions)


def parse_conditions(text: str | None) -> tuple[Condition, ...] | None:
    """Read a filter in MLflow's language.

    Returns:
        The conditions; None for a filter that only MLflow itself can answer.

    Raises:
        MlflowException: the filter is wrong; the message says why.
    """
    found = [_condition(part) for part in _language().parse_search_filter(text)]
    known = tuple(condition for condition in found if condition is not None)
    return known if len(known) == len(found) else None


def _condition(part: dict[str, Any]) -> Condition | None:
    language = _language()
    kind, value = part["type"], part["value"]
    comparator = part["comparator"].upper()
    key = language.translate_key_alias(part["key"])
    if isinstance(value, list | tuple):
        value = tuple(value)
    if language.is_string_attribute(kind, key, comparator) or language.is_numeric_attribute(
        kind, key, comparator
    ):
        if key == "run_name":  # as MLflow does: the oldest runs have their name in a tag only
            return Condition("tag", RUN_NAME_TAG, comparator, value)
        return Condition("attribute", key, comparator, value) if key in COLUMNS else None
    if language.is_metric(kind, comparator):
        return Condition("metric", key, comparator, float(value))
    if language.is_param(kind, comparator):
        return Condition("param", key, comparator, value)
    if language.is_tag(kind, comparator):
        return Condition("tag", key, comparator, value)
    if language.is_dataset(kind, comparator):
        return Condition("dataset", key, comparator, value)
    return None


def parse_order(clauses: Iterable[str] | None) -> tuple[SortKey, ...] | None:
    """Read ``metrics.auc DESC`` and its like; as :func:`parse_conditions`.

    Raises:
        MlflowException: a clause is wrong, or two name the same.
    """
    language = _language()
    keys: list[SortKey] = []
    for clause in clauses or ():
        kind, key, ascending = language.parse_order_by_for_search_runs(clause)
        key = language.translate_key_alias(key)
        kinds: dict[str, Kind] = {"metric": "metric", "parameter": "param", "tag": "tag"}
        if kind == "attribute" and key in COLUMNS:
            keys.append(SortKey("attribute", key, ascending))
        elif kind in kinds:
            keys.append(SortKey(kinds[kind], key, ascending))
        else:
            return None
    if len({(key.kind, key.key) for key in keys}) < len(keys):
        return None  # MLflow has the words for it
    return tuple(keys)


def stages_of(view: Any) -> tuple[str, ...]:
    """The stages of life that a view type of MLflow's shows."""
    from mlflow.entities import LifecycleStage

    return tuple(sorted(LifecycleStage.view_type_to_stages(view)))


def numbers(experiment_ids: Sequence[str | int]) -> tuple[int, ...]:
    """Experiment ids as the database has them.

    Raises:
        MlflowException: one is no number.
    """
    from mlflow.utils.validation import _parse_experiment_id

    return tuple(sorted({_parse_experiment_id(number) for number in experiment_ids}))


def _language() -> Any:
    """MLflow's parser, which is not typed."""
    from mlflow.utils.search_utils import SearchUtils

    return SearchUtils
