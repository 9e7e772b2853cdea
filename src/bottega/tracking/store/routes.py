"""The grid's questions, and SageMaker's entities, as routes beside MLflow's.

They lie outside ``/mlflow``, which is all that the daemon's proxy leads to, so only who can open
the socket reaches them: the daemon.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from mlflow.exceptions import MlflowException
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bottega.tracking.store import catalogue, courses, importance, metric_points
from bottega.tracking.store.connections import Reader, Readers
from bottega.tracking.store.entities import questions as entities
from bottega.tracking.store.writes import Writes

PREFIX = "/bottega/"

Arguments = Mapping[str, Any]


class Store(Protocol):
    """What the questions are asked of."""

    @property
    def readers(self) -> Readers:
        """For what only reads."""

    @property
    def writes(self) -> Writes:
        """For what changes something."""


Question = Callable[[Store, Arguments], Any]

log = logging.getLogger(__name__)


def _query(asked: Arguments) -> Any:
    return catalogue.run_query(
        asked["experiment_ids"],
        asked.get("filter", ""),
        asked.get("sort_by", ""),
        asked.get("ascending", False),
    )


def _in_one_state(ask: Callable[[Reader, Arguments], Any]) -> Question:
    """A question whose whole answer is of one state of the database."""

    def answer(store: Store, asked: Arguments) -> Any:
        with store.readers.read() as reader:
            return ask(reader, asked)

    return answer


def _experiments(reader: Reader, asked: Arguments) -> Any:
    return catalogue.experiments(reader, asked["filter"], asked["offset"], asked["limit"])


def _columns(reader: Reader, asked: Arguments) -> Any:
    return catalogue.columns(reader, asked["experiment_ids"])


def _runs(reader: Reader, asked: Arguments) -> Any:
    wanted = {kind: asked[kind] for kind in ("metrics", "params", "tags")}
    return catalogue.window(reader, _query(asked), asked["offset"], asked["limit"], wanted)


def _run(reader: Reader, asked: Arguments) -> Any:
    return catalogue.run(reader, asked["run_id"])


def _courses(reader: Reader, asked: Arguments) -> Any:
    return courses.courses(reader, asked["run_ids"], asked["metrics"], asked["most"])


def _importance(store: Store, asked: Arguments) -> Any:
    return importance.importance(store.readers, _query(asked), asked["metric"])


def _put_metrics(store: Store, asked: Arguments) -> Any:
    return store.writes.run(lambda connection: metric_points.put_all(connection, asked["puts"]))


def _metric_series(reader: Reader, asked: Arguments) -> Any:
    return metric_points.series(reader.connection, asked)


def _in_turn(change: entities.Change) -> Question:
    """A change that is whole and on the disk when it is answered."""
    return lambda store, asked: store.writes.run(lambda connection: change(connection, asked))


QUESTIONS: Mapping[str, Question] = {
    "experiments": _in_one_state(_experiments),
    "columns": _in_one_state(_columns),
    "runs": _in_one_state(_runs),
    "run": _in_one_state(_run),
    "courses": _in_one_state(_courses),
    "importance": _importance,
    "metrics/put": _put_metrics,
    "metrics/series": _in_one_state(_metric_series),
    **{name: _in_one_state(ask) for name, ask in entities.READS.items()},
    **{name: _in_turn(change) for name, change in entities.CHANGES.items()},
}


def routes(store: Callable[[], Store]) -> Starlette:
    """The application that answers ``POST /bottega/<question>``, arguments and answer as JSON."""

    def route(name: str, question: Question) -> Route:
        def answer(body: bytes) -> Any:
            return question(store(), json.loads(body))

        async def endpoint(request: Request) -> Response:
            try:
                found = await run_in_threadpool(answer, await request.body())
            except catalogue.Missing as missing:
                return _refusal(404, "RESOURCE_DOES_NOT_EXIST", str(missing))
            except catalogue.Exists as exists:
                return _refusal(400, "RESOURCE_ALREADY_EXISTS", str(exists))
            except catalogue.Refusal as refusal:
                return _refusal(400, "INVALID_PARAMETER_VALUE", str(refusal))
            except MlflowException as error:
                status: Any = error.get_http_status_code
                return _refusal(status(), error.error_code, error.message)
            except sqlite3.OperationalError as error:  # the disk is full, say
                return _refusal(503, "TEMPORARILY_UNAVAILABLE", str(error))
            return _json(200, found)

        return Route(f"{PREFIX}{name}", endpoint, methods=["POST"])

    return Starlette(routes=[route(name, question) for name, question in QUESTIONS.items()])


def _refusal(status: int, code: str, message: str) -> Response:
    return _json(status, {"error_code": code, "message": message})


def _json(status: int, content: Any) -> Response:
    # Starlette's own class refuses NaN, which Python's reader at the other end takes.
    return Response(json.dumps(content), status, media_type="application/json")
