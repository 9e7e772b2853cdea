"""The tracking port on MLflow's REST API; MLflow's own client takes seconds to import."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import urllib3

from bottega.tracking.port import (
    MetricPoint,
    TrackedRun,
    Tracking,
    TrackingRefused,
)
from bottega.tracking.rest import ARTIFACTS, PREFIX, TrackingServer

# The bounds of mlflow.utils.validation; a request that passes one of them is refused as a whole.
METRICS_PER_BATCH = 1000
PAIRS_PER_BATCH = 100
BATCH_BYTES = 900_000
NAME_LENGTH = 250
EXPERIMENT_NAME_LENGTH = 500
PARAMETER_LENGTH = 6000
TAG_LENGTH = 8000

_BAD_CHARACTERS = re.compile(r"[^\w/.\- :]")
_UPLOAD_TIMEOUT = urllib3.Timeout(connect=5, read=600)


class MlflowTracking(Tracking):
    """Runs in the MLflow that listens on a Unix socket (``bottega.tracking.server``)."""

    def __init__(
        self,
        socket: Path,
        *,
        address: Callable[[], str],
        token: str,
        changed: Callable[[str], None] = lambda experiment: None,
    ) -> None:
        """Say where the tracker is.

        Args:
            socket: the tracker's own socket.
            address: gives the daemon's address as its clients see it, ``http://127.0.0.1:4117``.
            token: what a client shows to the daemon (``Credentials.tracking_token``).
            changed: told whenever a run has changed, with its experiment's id if that is known.
        """
        self._server = TrackingServer(socket)
        self._address = address
        self._token = token
        self._changed = changed

    @property
    def client_environment(self) -> Mapping[str, str]:
        return {
            "MLFLOW_TRACKING_URI": f"{self._address().rstrip('/')}{PREFIX}",
            "MLFLOW_TRACKING_TOKEN": self._token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }

    def wait_ready(self, timeout: float) -> bool:
        """Wait until the tracker answers, at most ``timeout`` seconds. Returns whether it does."""
        return self._server.wait_ready(timeout)

    def open_run(
        self,
        *,
        experiment: str,
        name: str,
        arn: str,
        started: float,
        tags: Mapping[str, str],
        parameters: Mapping[str, str],
        component: str = "",
        reused: bool = False,
        trial: str | None = None,
    ) -> TrackedRun:
        # One request, for which a job may be waiting: whole, or nothing has happened.
        run = TrackedRun(
            **self._server.ask(
                "entities/open-run",
                {
                    "experiment": _shortened(experiment, EXPERIMENT_NAME_LENGTH),
                    "name": _shortened(name, NAME_LENGTH),
                    "arn": arn,
                    "started": round(started * 1000),
                    "tags": _named(tags, TAG_LENGTH),
                    "parameters": _named(parameters, PARAMETER_LENGTH),
                    "component": component,
                    "reused": reused,
                    "trial": trial,
                },
            )
        )
        self._changed(run.experiment_id)
        return run

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        metrics = [
            {
                "key": _name(point.name),
                "value": _number(point.value),
                "timestamp": point.timestamp,
                "step": point.step,
            }
            for point in points
        ]
        for batch in _batches(metrics, METRICS_PER_BATCH):
            self._server.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": batch})
            self._changed("")

    def log_artifact(self, run_id: str, path: Path, name: str) -> None:
        target = f"{self._artifacts_of(run_id)}/{quote(name)}"
        with path.open("rb") as file:
            self._server.send(
                "PUT",
                f"{ARTIFACTS}{target}",
                body=file,
                headers={"Content-Length": str(path.stat().st_size)},
                timeout=_UPLOAD_TIMEOUT,
            )

    def close_run(
        self, run_id: str, *, status: Literal["FINISHED", "FAILED", "KILLED"], ended: float
    ) -> None:
        end = {"run_id": run_id, "status": status, "end_time": round(ended * 1000)}
        self._server.call("POST", "runs/update", end)
        self._changed("")

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        for batch in _batches(_pairs(tags, TAG_LENGTH), PAIRS_PER_BATCH):
            self._server.call("POST", "runs/log-batch", {"run_id": run_id, "tags": batch})
            self._changed("")

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _artifacts_of(self, run_id: str) -> str:
        """The folder of a run's artifacts, below the tracker's artifact root, quoted."""
        info = self._server.call("GET", f"runs/get?run_id={quote(run_id, safe='')}")["run"]["info"]
        scheme, _, folder = str(info["artifact_uri"]).partition(":")
        if scheme != "mlflow-artifacts":
            raise TrackingRefused(f"run {run_id} keeps its artifacts elsewhere: {scheme}")
        return quote(folder.strip("/"))


def _batches(items: Iterable[Mapping[str, Any]], count: int) -> Iterator[list[Mapping[str, Any]]]:
    """Cut into lists that keep within ``count`` items and :data:`BATCH_BYTES` as JSON."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for item in items:
        length = len(json.dumps(item)) + 2
        if batch and (len(batch) == count or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _named(values: Mapping[str, str], limit: int) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in _pairs(values, limit)}


def _pairs(values: Mapping[str, str], limit: int) -> Iterator[Mapping[str, Any]]:
    """Names and values as MLflow takes them; names that would fall together are numbered."""
    taken: set[str] = set()
    for key, value in values.items():
        name = stem = _name(key)
        number = 1
        while name in taken:
            number += 1
            name = f"{stem[: NAME_LENGTH - 8]}_{number}"
        taken.add(name)
        yield {"key": name, "value": _shortened(value, limit)}


def _name(text: str) -> str:
    """The nearest name MLflow takes: its characters, no empty or dotted path segment."""
    segments = [part for part in _BAD_CHARACTERS.sub("_", text).split("/") if part.strip(".")]
    return "/".join(segments)[:NAME_LENGTH].rstrip("/") or "_"


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _number(value: float) -> float | str:
    """JSON has no words for these three; protobuf's JSON, MLflow's, writes them as strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
