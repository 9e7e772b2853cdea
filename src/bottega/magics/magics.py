"""The magics. Each turns its words into a call of the SDK, and shows what came of it."""

from __future__ import annotations

import itertools
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class

from bottega.errors import ClientFault
from bottega.magics import (
    debugging,
    experiment,
    hyperparameter_cell,
    notebook,
    range_cell,
    tuning,
    values,
)
from bottega.magics.arguments import UsageRefused, pairs
from bottega.magics.completion import Words
from bottega.magics.jobs import follow, show
from bottega.magics.parsers import PARSERS
from bottega.magics.refusals import plainly
from bottega.sdk.endpoint import Endpoint
from bottega.sdk.session import Session, connect
from bottega.sdk.training_job import TrainingJob
from bottega.sdk.tuning_job import TuningJob
from bottega.widgets import EndpointTester, frontend
from bottega.widgets.wording import Table, duration, when

JOB, TUNING, ENDPOINT = "_job", "_tuning", "_endpoint"
"""The variables that hold the last job, the last tuning job and the last endpoint."""


@magics_class
class BottegaMagics(Magics):
    """``%%train``, ``%%tune``, ``%deploy``, ``%predict``, ``%jobs``, ``%debug_job``, ``%tunings``,
    ``%endpoints``, ``%%experiment``, ``%run_as_job`` and ``%bottega``.
    """

    shell: Any
    _session: Session | None = None
    _experiment: str | None = None

    @property
    def studio(self) -> Session:
        """The session, connected on first need."""
        if self._session is None:
            self._session = connect()
        return self._session

    @property
    def words(self) -> Words:
        """What completion may offer without starting anything."""
        return Words(self.shell, lambda: self._session)

    @line_cell_magic
    @plainly
    def train(self, line: str, cell: str | None = None) -> None:
        """Train a model; ``%%train -h`` says how."""
        found = PARSERS["train"].parse_line(line)
        if found.into:
            _check_variable(found.into)
        arguments = self._data(found)
        experiment_name = found.experiment or self._experiment
        settings = {
            "name": found.name,
            "experiment": experiment_name,
            "instance_type": found.instance_type,
            "instance_count": found.instance_count,
            "content_type": found.content_type,
            "metrics": pairs(found.metric) or None,
        }
        if found.script:
            job = self._train_script(found, cell, arguments | settings)
        else:
            if not found.algorithm:
                PARSERS["train"].error("name an algorithm, such as xgboost, or give --script")
            given = hyperparameter_cell.parse(cell or "", self.shell.ev) | pairs(found.hp)
            job = self.studio.train(
                found.algorithm, hyperparameters=given, wait=False, **arguments, **settings
            )
        self._assign(JOB, job, found.into)
        follow(job, wait=not found.no_wait)

    @line_cell_magic
    @plainly
    def tune(self, line: str, cell: str | None = None) -> None:
        """Find the best hyperparameters of a model; ``%%tune -h`` says how."""
        found = PARSERS["tune"].parse_line(line)
        if found.into:
            _check_variable(found.into)
        search = tuning.search_arguments(found)
        ranges, fixed = tuning.given_ranges(found)
        arguments = self._data(found) | {
            "name": found.name,
            "instance_type": found.instance_type,
            "instance_count": found.instance_count,
            "content_type": found.content_type,
            "metrics": pairs(found.metric) or None,
        }
        if found.script:
            with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
                job = self.studio.tune(
                    script=_script(found, cell, "tune", scratch),
                    image=found.image,
                    hyperparameters=fixed,
                    ranges=ranges,
                    wait=False,
                    **arguments,
                    **search,
                )
        else:
            if not found.algorithm:
                PARSERS["tune"].error("name an algorithm, such as xgboost, or give --script")
            searched, given = range_cell.parse(cell or "", self.shell.ev)
            job = self.studio.tune(
                found.algorithm,
                hyperparameters=given | fixed,
                ranges=(searched | ranges) or None,
                wait=False,
                **arguments,
                **search,
            )
        self._assign(TUNING, job, found.into)
        tuning.follow(job, wait=not found.no_wait)

    def _data(self, found: Namespace) -> dict[str, Any]:
        arguments: dict[str, Any] = {"target": found.target}
        for name in ("data", "validation"):
            if word := getattr(found, name):
                arguments[name] = values.channel_source(self.shell, word, f"--{name}")
        if channels := pairs(found.channel, "channel"):
            arguments["channels"] = {
                name: values.channel_source(self.shell, word, f"--channel {name}")
                for name, word in channels.items()
            }
        return arguments

    def _train_script(
        self, found: Namespace, cell: str | None, arguments: Mapping[str, Any]
    ) -> TrainingJob:
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            script = _script(found, cell, "train", scratch)
            return self.studio.train(
                script=script,
                image=found.image,
                hyperparameters=pairs(found.hp),
                wait=False,
                **arguments,
            )

    @line_magic
    @plainly
    def deploy(self, line: str) -> None:
        """Put a job's model behind an endpoint; ``%deploy -h`` says how."""
        found = PARSERS["deploy"].parse_line(line)
        if found.into:
            _check_variable(found.into)
        endpoint = self._job(found.job).deploy(
            found.name, instance_type=found.instance_type, instance_count=found.instance_count
        )
        self._assign(ENDPOINT, endpoint, found.into)
        print(f"Endpoint {endpoint.name}: InService. %predict {endpoint.name} ROWS predicts.")
        if frontend.shows_widgets():
            EndpointTester(endpoint)._ipython_display_()

    @line_magic
    @plainly
    def predict(self, line: str) -> Any:
        """Predict with an endpoint; ``%predict -h`` says how."""
        words = line.split(None, 1)
        found = PARSERS["predict"].parse_line(words[0] if words else "")
        if len(words) < 2:
            PARSERS["predict"].error("give the rows: a variable, a file, or 5.1,3.5,1.4")
        rows = values.rows(self.shell, words[1].strip())
        endpoint = self._endpoint(found.endpoint)
        if isinstance(rows, values.FileBody):
            return endpoint.predict(rows.body, content_type=rows.content_type)
        return endpoint.predict(rows)

    @line_magic
    @plainly
    def jobs(self, line: str) -> Table | None:
        """List training jobs, or show one; ``%jobs -h`` says how."""
        found = PARSERS["jobs"].parse_line(line)
        if found.job:
            show(self._job(found.job))
            return None
        filters = {"StatusEquals": found.status, "NameContains": found.name}
        summaries = self.studio.jobs(**{key: value for key, value in filters.items() if value})
        rows = []
        for item in itertools.islice(summaries, found.limit):
            end = item.get("TrainingEndTime")
            took = "" if end is None else duration(end - item["CreationTime"])
            created = when(item["CreationTime"])
            rows.append((item["TrainingJobName"], item["SecondaryStatus"], created, took))
        return Table(("Name", "Status", "Created", "Took"), tuple(rows), "No training jobs.")

    @line_magic
    @plainly
    def debug_job(self, line: str) -> None:
        """Show what the rules of a training job found; ``%debug_job -h`` says how."""
        found = PARSERS["debug_job"].parse_line(line)
        if found.into:
            _check_variable(found.into)
        job = self._job(found.job)
        if found.into:
            self.shell.user_ns[found.into] = debugging.trial(job)
        debugging.show(job)

    @line_magic
    @plainly
    def tunings(self, line: str) -> Table | None:
        """List tuning jobs, or show one; ``%tunings -h`` says how."""
        found = PARSERS["tunings"].parse_line(line)
        if found.job:
            held = self.shell.user_ns.get(found.job)
            job = held if isinstance(held, TuningJob) else self.studio.tuning_job(found.job)
            tuning.show(job)
            return None
        filters = {"StatusEquals": found.status, "NameContains": found.name}
        summaries = self.studio.tuning_jobs(
            **{key: value for key, value in filters.items() if value}
        )
        rows = []
        for item in itertools.islice(summaries, found.limit):
            counts = item["TrainingJobStatusCounters"]
            ended = sum(counts.values()) - counts["InProgress"]
            rows.append(
                (
                    item["HyperParameterTuningJobName"],
                    item["HyperParameterTuningJobStatus"],
                    item["Strategy"],
                    f"{ended} ended, {counts['InProgress']} running",
                    when(item["CreationTime"]),
                )
            )
        columns = ("Name", "Status", "Strategy", "Trials", "Created")
        return Table(columns, tuple(rows), "No tuning jobs.")

    @line_magic
    @plainly
    def endpoints(self, line: str) -> Table:
        """List endpoints; ``%endpoints -h`` says how."""
        found = PARSERS["endpoints"].parse_line(line)
        filters = {"StatusEquals": found.status} if found.status else {}
        rows = [
            (item["EndpointName"], item["EndpointStatus"], when(item["CreationTime"]))
            for item in itertools.islice(self.studio.endpoints(**filters), found.limit)
        ]
        return Table(("Name", "Status", "Created"), tuple(rows), "No endpoints.")

    @cell_magic
    @plainly
    def experiment(self, line: str, cell: str) -> None:
        """Run the cell inside an MLflow run; ``%%experiment -h`` says how."""
        found = PARSERS["experiment"].parse_line(line)
        outer, self._experiment = self._experiment, found.experiment
        try:
            experiment.run_cell(self.shell, self.studio, found.experiment, found.run, cell)
        finally:
            self._experiment = outer

    @line_magic
    @plainly
    def run_as_job(self, line: str) -> None:
        """Run a notebook as a job; ``%run_as_job -h`` says how."""
        found = PARSERS["run_as_job"].parse_line(line)
        if notebook.is_in_job():
            print("This is the job: %run_as_job does nothing in it.")
            return
        path = Path(found.notebook).expanduser() if found.notebook else notebook.current(self.shell)
        job = self.studio.run_notebook(
            path,
            parameters={k: notebook.value(v) for k, v in pairs(found.parameter).items()},
            name=found.name,
            kernel_name=found.kernel,
            dependencies=found.dependencies,
            experiment=self._experiment,
            wait=False,
        )
        self._assign(JOB, job, None)
        if found.no_wait:
            follow(job, wait=False)
            print(f"{JOB}.collect() fetches the executed copy when it has ended.")
            return
        notebook.follow_and_collect(job, path.parent)

    @line_magic
    @plainly
    def bottega(self, line: str) -> None:
        """Say which studio this is, and which magics there are."""
        PARSERS["bottega"].parse_line(line)
        facts = self.studio.describe()
        print(f"bottega {facts['Version']}, home {facts['Home']}")
        print(f"{facts['SlotsInUse']} of {facts['Slots']} slots in use")
        print(f"bucket s3://{facts['DefaultBucket']}, role {facts['RoleArn']}")
        if "TrackingUri" in facts:
            print(f"MLflow {facts['TrackingUri']}")
        for parser in PARSERS.values():
            print(f"  {parser.prog:<13} {(parser.description or '').splitlines()[0]}")

    def _assign(self, name: str, value: Any, more: str | None) -> None:
        self.shell.user_ns[name] = value
        if more:
            self.shell.user_ns[more] = value

    def _job(self, word: str | None) -> TrainingJob:
        found = self.shell.user_ns.get(word or JOB)
        if isinstance(found, TuningJob):
            return found.best
        if isinstance(found, TrainingJob):
            return found
        if not word:
            raise ClientFault("no job was trained in this notebook yet; name one, %jobs lists them")
        return self.studio.job(word)

    def _endpoint(self, word: str) -> Endpoint:
        found = self.shell.user_ns.get(word)
        return found if isinstance(found, Endpoint) else self.studio.endpoint(word)


def _script(found: Namespace, cell: str | None, magic: str, folder: str) -> Path:
    """The cell as a file that can be trained with."""
    if found.algorithm:
        PARSERS[magic].error("a script has no algorithm; --image names what it runs in")
    if not (cell or "").strip():
        raise UsageRefused(f"%%{magic} --script: the cell below it is the script; it is empty")
    script = Path(folder) / "train.py"
    script.write_text(cell or "", encoding="utf-8")
    return script


def _check_variable(name: str) -> None:
    if not name.isidentifier():
        raise UsageRefused(f"--into {name}: that is no name of a variable")
