"""The short way for a search for runs: its JSON from the rows, without protobuf in between."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from mlflow.entities import Metric, Run, ViewType
from mlflow.utils.proto_json_utils import message_to_json

from bottega.tracking.store.short_ways import Way

if TYPE_CHECKING:
    from bottega.tracking.store.indexed_store import IndexedStore

log = logging.getLogger(__name__)

MOST = 50_000
"""MLflow takes no larger pages."""
_PAGE = 1000
_VIEWS = {
    "ACTIVE_ONLY": ViewType.ACTIVE_ONLY,
    "DELETED_ONLY": ViewType.DELETED_ONLY,
    "ALL": ViewType.ALL,
}
_WORDS = {math.inf: "Infinity", -math.inf: "-Infinity"}
_OF_A_METRIC = ("model_id", "dataset_name", "dataset_digest", "run_id")
_more_of_a_metric = attrgetter(*_OF_A_METRIC)
_TEXTS = ("filter", "page_token")
_LISTS = ("experiment_ids", "order_by")
_ASKED = {*_TEXTS, *_LISTS, "run_view_type", "max_results"}


def search_way(store: Callable[[], IndexedStore]) -> Mapping[str, Way]:
    """The way for ``runs/search``.

    Args:
        store: the one that MLflow has opened.
    """

    def search(asked: Any) -> bytes | None:
        if not _understood(asked):
            return None
        try:
            return _answer(store(), asked)
        except Exception as error:
            # Nothing has been changed: MLflow meets it, too, and has the words for it.
            log.debug("a search is left to MLflow: %r", error)
            return None

    return {"runs/search": search}


def _answer(store: IndexedStore, asked: Mapping[str, Any]) -> bytes:
    find: Any = store.search_runs
    found = find(
        asked.get("experiment_ids", []),
        asked.get("filter", ""),
        _VIEWS[asked.get("run_view_type", "ACTIVE_ONLY")],
        asked.get("max_results", _PAGE),
        asked.get("order_by", []),
        asked.get("page_token") or None,
    )
    answer: dict[str, Any] = {"runs": [_document(run) for run in found]} if found else {}
    if found.token:
        answer["next_page_token"] = found.token.decode()
    return msgspec.json.encode(answer)


def _understood(asked: Any) -> bool:
    return (
        isinstance(asked, dict)
        and asked.keys() <= _ASKED
        and all(type(asked.get(name, "")) is str for name in _TEXTS)
        and all(_texts(asked.get(name, [])) for name in _LISTS)
        and type(asked.get("max_results", _PAGE)) is int
        and 0 < asked.get("max_results", _PAGE) <= MOST
        and type(asked.get("run_view_type", "ALL")) is str
        and asked.get("run_view_type", "ALL") in _VIEWS
    )


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(type(one) is str for one in values)


def _document(run: Run) -> dict[str, Any]:
    """A run as protobuf's JSON has it: what is empty is left out."""
    info: Any = run.info
    members = {
        "run_uuid": info.run_id,
        "run_id": info.run_id,
        "run_name": info.run_name,
        "experiment_id": info.experiment_id,
        "user_id": info.user_id,
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time or None,
        "artifact_uri": info.artifact_uri or None,
        "lifecycle_stage": info.lifecycle_stage,
    }
    data: Any = run.data
    return {
        "info": {name: value for name, value in members.items() if value is not None},
        "data": _filled(
            metrics=[_metric(one) for one in data._metric_objs],
            params=_pairs(data.params),
            tags=_pairs(data.tags),
        ),
        "inputs": _message(run.inputs),
        "outputs": _message(run.outputs),
    }


def _metric(metric: Metric) -> dict[str, Any]:
    value = metric.value
    found = {
        "key": metric.key,
        "value": value if math.isfinite(value) else _WORDS.get(value, "NaN"),
        "timestamp": metric.timestamp,
        "step": metric.step,
    }
    for name, more in zip(_OF_A_METRIC, _more_of_a_metric(metric), strict=True):
        if more:
            found[name] = more
    return found


def _pairs(values: Mapping[str, str | None]) -> list[dict[str, str]]:
    return [
        {"key": key} if value is None else {"key": key, "value": value}
        for key, value in values.items()
    ]


def _filled(**members: list[Any]) -> dict[str, list[Any]]:
    return {name: values for name, values in members.items() if values}


def _message(part: Any) -> dict[str, Any]:
    """Inputs and outputs, which few runs have."""
    if not any(_lists(part)):
        return {}
    written: Any = message_to_json
    found: dict[str, Any] = json.loads(written(part.to_proto(), pretty=False))
    return found


def _lists(part: Any) -> Iterable[Any]:
    return (value for value in vars(part).values() if isinstance(value, list))
