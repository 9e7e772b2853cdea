"""The catalogue port on the tracking server: its answers about runs, and MLflow's registry."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from bottega.tracking.catalogue import (
    Artifact,
    DatasetInput,
    ExperimentOverview,
    ExperimentWindow,
    Importances,
    MetricCourse,
    RunCatalogue,
    RunColumns,
    RunDetails,
    RunModel,
    RunOverview,
    RunSearch,
    RunWindow,
)
from bottega.tracking.experiments import INPUT_TAG
from bottega.tracking.port import TrackingExists, TrackingRefused
from bottega.tracking.rest import ARTIFACTS, TrackingServer

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
"""How long a question waits for a tracker that is starting."""
READING = urllib3.Timeout(connect=5, read=20)
WEIGHING = urllib3.Timeout(connect=5, read=180)
"""For importances, which take a forest over thousands of runs."""
LARGEST_TEXT_BYTES = 256 * 1024
"""Of a file that tells about an environment; what is larger is something else."""
JOB_MODEL = "model"
"""Where the run of a training job has the job's ``model.tar.gz``."""
_LOG_OF_MODELS = "mlflow.log-model.history"
_NO_DATA = f"{INPUT_TAG}SageMaker."
"""What SageMaker counts among the inputs of a job beside its data: the image."""
_FACTS = {
    "bottega.image": "image",
    "mlflow.source.git.commit": "git commit",
    "mlflow.docker.image.name": "docker image",
}
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.\-]*)\s*(?:\[[^\]]*\])?\s*([=<>~!][^;#]*)?")
_PYTHON = re.compile(r"^python:\s*['\"]?([\w.]+)", re.MULTILINE)


class TrackingServerCatalogue(RunCatalogue):
    """Runs in the tracking server that listens on a Unix socket."""

    def __init__(
        self,
        socket: Path,
        *,
        changed: Callable[[str], None] = lambda experiment: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Say where the tracker is.

        Args:
            socket: the tracker's own socket.
            changed: told the experiment's id whenever something was registered.
            patience: seconds that a question waits for a tracker that is starting.
        """
        self._server = TrackingServer(socket)
        self._changed = changed
        self._patience = patience

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def experiments(self, words: str, *, offset: int, limit: int) -> ExperimentWindow:
        found = self._ask("experiments", filter=words, offset=offset, limit=limit)
        overviews = [
            ExperimentOverview(
                item["experiment_id"],
                item["name"],
                item["runs"],
                _seconds(item["created"]),
                _seconds(item["updated"]),
            )
            for item in found["experiments"]
        ]
        return ExperimentWindow(overviews, found["total"])

    def search(self, search: RunSearch) -> RunWindow:
        found = self._ask("runs", **_question(search))
        return RunWindow([_overview(item) for item in found["runs"]], found["total"])

    def columns(self, experiment_ids: Sequence[str]) -> RunColumns:
        return RunColumns(**self._ask("columns", experiment_ids=list(experiment_ids)))

    def describe(self, run_id: str) -> RunDetails:
        found = self._ask("run", run_id=run_id)
        run = _overview(found["run"])
        artifacts = self._artifacts(run_id)
        models = [
            RunModel(item["name"], item["location"], item["model_id"]) for item in found["models"]
        ]
        models += _folders(run, artifacts, found["artifact_uri"], {model.path for model in models})
        inputs = [
            DatasetInput(item["name"], item["digest"], item["source"], item["context"])
            for item in found["inputs"]
        ]
        inputs += [
            DatasetInput(key.removeprefix(INPUT_TAG), "", uri, "channel")
            for key, uri in sorted(run.tags.items())
            if key.startswith(INPUT_TAG) and not key.startswith(_NO_DATA)
        ]
        return RunDetails(
            run=run,
            experiment_name=found["experiment_name"],
            artifacts=artifacts,
            inputs=inputs,
            environment=self._environment(run, models),
            models=models,
        )

    def courses(
        self, run_ids: Sequence[str], *, metrics: Sequence[str] | None, most: int
    ) -> Sequence[MetricCourse]:
        wanted = None if metrics is None else list(metrics)
        found = self._ask("courses", run_ids=list(run_ids), metrics=wanted, most=most)
        return [
            MetricCourse(
                item["run_id"],
                item["name"],
                item["steps"],
                [time / 1000 for time in item["times"]],
                item["values"],
                item["points"],
            )
            for item in found
        ]

    def importances(self, search: RunSearch, metric: str) -> Importances:
        question = {"metric": metric, **_question(search)}
        found = self._ask("importance", timeout=WEIGHING, **question)
        shares = [(item["param"], item["importance"]) for item in found["importances"]]
        return Importances(shares, found["runs"], found["method"])

    def register(self, run: RunDetails, model: RunModel, name: str) -> str:
        self._server.await_ready(self._patience)
        try:
            self._server.call("POST", "registered-models/create", {"name": name})
        except TrackingExists:
            log.debug("%s gets a further version", name)
        version: dict[str, Any] = {
            "name": name,
            "source": model.location,
            "run_id": run.run.run_id,
        }
        if model.model_id:
            version["model_id"] = model.model_id
        if run.run.job:
            version["tags"] = [{"key": "bottega.job", "value": run.run.job}]
        answer = self._server.call("POST", "model-versions/create", version)
        self._changed(run.run.experiment_id)
        return str(answer["model_version"]["version"])

    def _ask(
        self, question: str, *, timeout: urllib3.Timeout | None = None, **arguments: Any
    ) -> Any:
        return self._server.ask_when_ready(
            question, arguments, timeout=timeout or READING, patience=self._patience
        )

    def _artifacts(self, run_id: str) -> list[Artifact]:
        found: list[Artifact] = []
        token = ""
        while True:
            path = f"artifacts/list?run_id={quote(run_id, safe='')}&page_token={quote(token)}"
            page = self._server.call("GET", path, timeout=READING)
            found += [
                Artifact(
                    item["path"],
                    None if item.get("is_dir") else int(item.get("file_size", 0)),
                    bool(item.get("is_dir", False)),
                )
                for item in page.get("files", [])
            ]
            token = page.get("next_page_token", "")
            if not token:
                return found

    def _environment(self, run: RunOverview, models: Sequence[RunModel]) -> dict[str, str]:
        """What the newest model and the tags tell about where the run was made."""
        found = {name: run.tags[tag] for tag, name in _FACTS.items() if tag in run.tags}
        for model in models[-1:]:
            if python := _PYTHON.search(self._text(f"{model.location}/python_env.yaml")):
                found["python"] = python[1]
            for line in self._text(f"{model.location}/requirements.txt").splitlines():
                if match := _REQUIREMENT.match(line):
                    found[match[1]] = (match[2] or "").strip().removeprefix("==")
        return found

    def _text(self, uri: str) -> str:
        """A small file among the artifacts that the tracker keeps; empty if it cannot be had, or
        is not small."""
        address = urlsplit(uri)
        if address.scheme != "mlflow-artifacts":
            return ""  # kept by somebody else
        path = ARTIFACTS + quote(address.path.strip("/"))
        try:
            content = self._server.send("GET", path, timeout=READING, most=LARGEST_TEXT_BYTES + 1)
        except TrackingRefused:  # it is not there, or a tag named what can be no path
            return ""
        return content.decode(errors="replace") if len(content) <= LARGEST_TEXT_BYTES else ""


def _question(search: RunSearch) -> dict[str, Any]:
    def names(chosen: Sequence[str] | None) -> list[str] | None:
        return None if chosen is None else list(chosen)

    return {
        "experiment_ids": list(search.experiment_ids),
        "filter": search.filter,
        "sort_by": search.sort_by,
        "ascending": search.ascending,
        "offset": search.offset,
        "limit": search.limit,
        "metrics": names(search.metrics),
        "params": names(search.params),
        "tags": names(search.tags),
    }


def _overview(item: Mapping[str, Any]) -> RunOverview:
    times = {name: _seconds(item[name]) for name in ("started", "ended")}
    return RunOverview(**{**item, **times})


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _folders(
    run: RunOverview, artifacts: Sequence[Artifact], root: str, taken: set[str]
) -> list[RunModel]:
    """Models that lie among the run's own artifacts: of older clients, and of training jobs."""
    paths = [] if taken else _logged_before(run.tags.get(_LOG_OF_MODELS, ""))
    if run.job and any(item.path == JOB_MODEL and item.is_directory for item in artifacts):
        paths.append(JOB_MODEL)
    return [
        RunModel(path, f"{root}/{path}", "") for path in dict.fromkeys(paths) if path not in taken
    ]


def _logged_before(history: str) -> list[str]:
    """The paths in the tag in which clients before MLflow 3 note each model they log."""
    try:
        entries = json.loads(history or "[]")
        paths = [str(entry["artifact_path"]) for entry in entries if entry.get("artifact_path")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []  # anybody may write a tag; this one says nothing
    return [path for path in paths if ".." not in path.split("/")]
