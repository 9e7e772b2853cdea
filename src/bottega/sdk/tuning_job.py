"""A hyperparameter tuning job in the hands of its user."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bottega.errors import ClientFault, ResourceNotFound, ValidationException
from bottega.sdk.client import Client
from bottega.sdk.endpoint import Endpoint
from bottega.sdk.progress import TuningProgress
from bottega.sdk.training_job import (
    FIRST_POLL_SECONDS,
    LONGEST_POLL_SECONDS,
    NOT_FOUND,
    JobFailed,
    TrainingJob,
)

if TYPE_CHECKING:
    import pandas

PAGE = 1000
RUNNING = ("InProgress", "Stopping")


@dataclass
class TuningJob:
    """One tuning job, by name. Everything is read when asked for, so it is always the present
    state.
    """

    client: Client = field(repr=False)
    name: str

    def describe(self) -> dict[str, Any]:
        """DescribeHyperParameterTuningJob's answer.

        Raises:
            ResourceNotFound: there is no such tuning job.
        """
        return self._call("DescribeHyperParameterTuningJob")

    def progress(self, most_points: int = 1000) -> dict[str, Any]:
        """DescribeTuningProgress's answer: counters, the best so far, the parameters' importance.

        Args:
            most_points: of the course of the best.

        Raises:
            ResourceNotFound: there is no such tuning job.
        """
        request = {"TuningJobName": self.name, "MaxPoints": most_points}
        return self._asked("bottega", "DescribeTuningProgress", request)

    def _call(self, operation: str) -> dict[str, Any]:
        request = {"HyperParameterTuningJobName": self.name}
        return self._asked("sagemaker", operation, request)

    def _asked(self, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self.client.call(service, operation, request)
        except (ValidationException, ResourceNotFound) as error:
            if not isinstance(error, ResourceNotFound) and error.message != NOT_FOUND:
                raise
            raise ResourceNotFound(
                f"There is no tuning job {self.name!r}; session.tuning_jobs() lists those there are"
            ) from error

    @property
    def status(self) -> str:
        """InProgress, Completed, Failed, Stopping or Stopped."""
        return str(self.describe()["HyperParameterTuningJobStatus"])

    @property
    def best(self) -> TrainingJob:
        """The training job with the best objective so far.

        Raises:
            ClientFault: none has one yet.
        """
        return TrainingJob(self.client, self._best()["TrainingJobName"])

    @property
    def best_parameters(self) -> dict[str, str]:
        """The tuned hyperparameters of the best training job.

        Raises:
            ClientFault: none has an objective yet.
        """
        return dict(self._best()["TunedHyperParameters"])

    @property
    def best_value(self) -> float:
        """The objective of the best training job.

        Raises:
            ClientFault: none has one yet.
        """
        return float(self._best()["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])

    def _best(self) -> dict[str, Any]:
        description = self.describe()
        if "BestTrainingJob" not in description:
            raise ClientFault(f"Best training job not available for tuning job: {self.name}")
        best: dict[str, Any] = description["BestTrainingJob"]
        return best

    def stop(self) -> None:
        """Ask the job to stop, with its training jobs; ``wait`` waits for it."""
        self._call("StopHyperParameterTuningJob")

    def delete(self) -> None:
        """Forget the tuning job; it must have ended. Its training jobs stay."""
        self._call("DeleteHyperParameterTuningJob")

    def wait(self, *, quiet: bool = False) -> TuningJob:
        """Wait for the job's end, showing how many training jobs have ended and the best so far.

        A job that was stopped has what it found until then; that is no failure. Breaking off
        (Ctrl-C) ends the waiting only.

        Raises:
            JobFailed: it failed; the message is its FailureReason.
        """
        try:
            description = self._follow(quiet)
        except KeyboardInterrupt:
            if not quiet:
                print(
                    f"The tuning job {self.name} goes on. "
                    f"bottega.connect().tuning_job({self.name!r}).stop() stops it."
                )
            raise
        if description["HyperParameterTuningJobStatus"] == "Failed":
            reason = description.get("FailureReason", "No reason is known.")
            raise JobFailed(f"Tuning job {self.name}: Failed. {reason}")
        return self

    def _follow(self, quiet: bool) -> dict[str, Any]:
        pause = FIRST_POLL_SECONDS
        with TuningProgress(self.name, quiet=quiet) as shown:
            while True:
                description = self.describe()
                shown.update(description)
                if description["HyperParameterTuningJobStatus"] not in RUNNING:
                    return description
                time.sleep(pause)
                pause = min(LONGEST_POLL_SECONDS, pause * 1.5)

    def each_trial(self, **order: Any) -> Iterator[dict[str, Any]]:
        """Every training job of the tuning job as ListTuningTrials has it, by number.

        Args:
            order: further members of the request, such as ``SortBy="Objective"``.
        """
        offset, total = 0, 1
        while offset < total:
            page = self._asked(
                "bottega",
                "ListTuningTrials",
                {
                    "TuningJobName": self.name,
                    "Offset": offset,
                    "MaxResults": PAGE,
                    "CoursePoints": 0,
                    **order,
                },
            )
            yield from page["Trials"]
            total = page["Total"]
            offset += PAGE

    def trials(self) -> pandas.DataFrame:
        """A row for each training job, in the order in which they were made.

        The columns are those of the SageMaker SDK's ``HyperparameterTuningJobAnalytics``: one for
        each tuned hyperparameter (numbers where all values are), TrainingJobName,
        TrainingJobStatus, FinalObjectiveValue (NaN where there is none), TrainingStartTime and
        TrainingEndTime (UTC), TrainingElapsedTimeSeconds, and TrainingJobDefinitionName where the
        definitions have names.
        """
        import pandas

        found = list(self.each_trial())
        names = list(dict.fromkeys(name for trial in found for name in trial["Parameters"]))
        columns: dict[str, Any] = {
            name: _numbers_where_all_are([trial["Parameters"].get(name) for trial in found])
            for name in names
        }
        columns["TrainingJobName"] = [trial["TrainingJobName"] for trial in found]
        columns["TrainingJobStatus"] = [trial["Status"] for trial in found]
        columns["FinalObjectiveValue"] = pandas.Series(
            [
                trial.get("Objective") if trial["ObjectiveStatus"] == "Succeeded" else None
                for trial in found
            ],
            dtype=float,
        )
        for column, member in (("Start", "StartTime"), ("End", "EndTime")):
            times = pandas.Series([trial.get(member) for trial in found], dtype=float)
            columns[f"Training{column}Time"] = pandas.to_datetime(times, unit="s", utc=True)
        took = columns["TrainingEndTime"] - columns["TrainingStartTime"]
        columns["TrainingElapsedTimeSeconds"] = took.dt.total_seconds()
        if any(trial["DefinitionName"] for trial in found):
            columns["TrainingJobDefinitionName"] = [trial["DefinitionName"] for trial in found]
        return pandas.DataFrame(columns)

    def deploy(self, name: str | None = None, **settings: Any) -> Endpoint:
        """Put the model of the best training job behind an endpoint.

        Args:
            name: of the endpoint; the tuning job's name when absent.
            settings: as for :meth:`bottega.sdk.training_job.TrainingJob.deploy`.

        Raises:
            ClientFault: there is no best training job yet, or it has no model: Hyperband stops
                trials, and one that was stopped may be the best.
        """
        return self.best.deploy(name or self.name, **settings)


def _numbers_where_all_are(texts: list[str | None]) -> list[Any]:
    try:
        return [None if text is None else float(text.strip('"')) for text in texts]
    except ValueError:
        return [None if text is None else text.strip('"') for text in texts]
