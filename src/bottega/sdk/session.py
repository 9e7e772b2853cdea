"""A session with a studio: train, find jobs and endpoints, deploy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.sdk import inside_job
from bottega.sdk.client import Client, RemoteClient
from bottega.sdk.data import ChannelSource
from bottega.sdk.endpoint import Endpoint
from bottega.sdk.flow import Flow
from bottega.sdk.model_version import ModelVersion
from bottega.sdk.replays import MOST_BYTES, ReplayedKind, ReplayFolder, make_replay
from bottega.sdk.tracked_run import Run
from bottega.sdk.training_job import TrainingJob
from bottega.sdk.training_request import DEFAULT_INSTANCE, Training, job_name, reserved
from bottega.sdk.tuning_job import TuningJob
from bottega.sdk.tuning_request import TuningSearch

if TYPE_CHECKING:
    from bottega.sdk.notebook_job import NotebookJob


def connect(home: str | os.PathLike[str] | None = None, **settings: Any) -> Session:
    """Connect to the studio of a home, starting its daemon if it does not run.

    The daemon is started again, too, when it is gone by the time the session needs it. Inside a job
    the studio is the one that runs the job.

    Args:
        home: the home folder; ``BOTTEGA_HOME`` or ``~/.bottega`` when absent.
        settings: fields of :class:`bottega.config.Config`, used when the daemon is started.

    Raises:
        ConfigurationError: there is no such setting, or it cannot have that value.
        DaemonNotStarted: the daemon did not come up.
    """
    from bottega.daemon import lifecycle

    if home is None and inside_job.is_job(os.environ):
        return Session(*inside_job.client_of(os.environ))
    config = Config.load(home, **settings)
    record = lifecycle.start(config)
    client = RemoteClient(
        record.url,
        config.region,
        Credentials.load(config).acting(os.environ),
        revive=lambda: lifecycle.start(config).url,
    )
    return Session(client, config)


@dataclass(frozen=True)
class Session:
    """What a person does with a studio, in as few words as it takes."""

    client: Client
    config: Config = field(repr=False)

    def train(
        self,
        algorithm: str | None = None,
        data: ChannelSource | None = None,
        *,
        target: str | None = None,
        validation: ChannelSource | None = None,
        channels: Mapping[str, ChannelSource] | None = None,
        content_type: str = "",
        script: str | os.PathLike[str] | None = None,
        source_dir: str | os.PathLike[str] | None = None,
        image: str = "scikit-learn",
        hyperparameters: Mapping[str, Any] | None = None,
        name: str | None = None,
        metrics: Mapping[str, str] | None = None,
        instance_type: str = DEFAULT_INSTANCE,
        instance_count: int = 1,
        max_runtime: int = 86_400,
        environment: Mapping[str, str] | None = None,
        experiment: str | None = None,
        tags: Mapping[str, str] | None = None,
        wait: bool = True,
        logs: bool = True,
        **more_hyperparameters: Any,
    ) -> TrainingJob:
        """Train a model.

        Args:
            algorithm: a built-in algorithm such as ``"xgboost"``; or give ``script``.
            data: the ``train`` channel: a DataFrame, a path, or an ``s3://`` URI.
            target: for algorithms: the label column of ``data`` and ``validation``. Without it,
                files
                are sent as they are: CSV with the label in the first column and no header.
            validation: the ``validation`` channel.
            channels: further channels by name.
            content_type: of files and URIs whose suffix does not tell, such as an ``s3://`` prefix.
            script: a Python file, or a folder whose ``train.py`` is run, in script mode. A frame
                reaches
                it as ``train.csv`` with a header.
            source_dir: a folder that goes along with the script: modules, ``requirements.txt``,
                ``inference.py``.
            image: what the script runs in: ``scikit-learn``, ``xgboost`` or ``python``.
            hyperparameters: by name; keyword arguments that are no parameter here count too. None
                leaves
                one at its default.
            name: of the job; made from the algorithm and the time when absent.
            metrics: for scripts: metric name to the regular expression that finds it in the log.
            instance_type: an ``ml.*`` name; jobs run on this machine whatever it says.
            instance_count: how many hosts work together.
            max_runtime: seconds after which the job is stopped.
            environment: variables of the job's processes.
            experiment: the MLflow experiment the run belongs to.
            tags: of the job.
            wait: return only when the job has ended, showing its progress.
            logs: while waiting, show the job's output too.

        Returns:
            The job; with ``wait`` it has completed.

        Raises:
            DataError: the data cannot be sent as it is.
            ValidationException: the request is refused; the message says what to change.
            JobFailed: with ``wait``, the job failed; the message is its FailureReason.
        """
        request = Training(
            algorithm=algorithm,
            data=data,
            target=target,
            validation=validation,
            channels=channels or {},
            content_type=content_type,
            script=script,
            source_dir=source_dir,
            image=image,
            hyperparameters={**(hyperparameters or {}), **more_hyperparameters},
            name=name,
            metrics=metrics or {},
            instance_type=instance_type,
            instance_count=instance_count,
            max_runtime=max_runtime,
            environment=environment or {},
            tags=tags or {},
        ).request(self.client, self.config, reserved(self.train))
        if experiment:
            request["ExperimentConfig"] = {"ExperimentName": experiment}
        self.client.call("sagemaker", "CreateTrainingJob", request)
        job = TrainingJob(self.client, request["TrainingJobName"])
        if wait:
            job.wait(logs=logs)
        return job

    def tune(
        self,
        algorithm: str | None = None,
        data: ChannelSource | None = None,
        *,
        objective_metric: str,
        objective_type: Literal["Minimize", "Maximize"] | None = None,
        ranges: Mapping[str, Any] | None = None,
        strategy: str = "Bayesian",
        max_jobs: int | None = None,
        max_parallel_jobs: int = 2,
        early_stopping: bool = False,
        max_tuning_runtime: int | None = None,
        target_value: float | None = None,
        seed: int | None = None,
        resources: tuple[int | None, int | None] | None = None,
        warm_start: Sequence[str] = (),
        transfer_learning: bool = False,
        name: str | None = None,
        wait: bool = True,
        **training: Any,
    ) -> TuningJob:
        """Train a model many times to find its best hyperparameters.

        Args:
            algorithm: a built-in algorithm, or give ``script``; as for :meth:`train`.
            data: the ``train`` channel.
            objective_metric: what the models are judged by, such as ``"validation:rmse"``.
            objective_type: which way is better; built-in algorithms know it of their metrics.
            ranges: by hyperparameter: a tuple ``(low, high)``, or ``(low, high, "log")`` with a
                scaling (linear, log, reverse-log, auto), or a list of values to choose from. When
                absent, what a built-in algorithm recommends for its most important ones.
            strategy: Bayesian, Random, Grid or Hyperband.
            max_jobs: how many training jobs; 20 when absent, and all combinations for Grid.
            max_parallel_jobs: how many run at a time.
            early_stopping: whether weak training jobs are stopped early.
            max_tuning_runtime: seconds after which the whole search is stopped.
            target_value: of the objective; the search ends when it is reached.
            seed: of the search. The same seed gives the same search.
            resources: for Hyperband: the least and the most epochs of a training job; None leaves
                one open.
            warm_start: names of earlier tuning jobs to learn from.
            transfer_learning: whether they may have had other data.
            name: of the tuning job, at most 32 characters; made when absent.
            wait: return only when the search has ended, showing its progress.
            training: further arguments of :meth:`train`, and hyperparameters that stay as they are.

        Returns:
            The tuning job; with ``wait`` it has ended.

        Raises:
            DataError: the data cannot be sent as it is.
            ValidationException: the request is refused; the message says what to change.
            JobFailed: with ``wait``, the search failed; the message is its FailureReason.
        """
        search = TuningSearch(
            objective_metric=objective_metric,
            objective_type=objective_type,
            ranges=ranges,
            strategy=strategy,
            max_jobs=max_jobs,
            max_parallel_jobs=max_parallel_jobs,
            early_stopping=early_stopping,
            max_runtime=max_tuning_runtime,
            target_value=target_value,
            seed=seed,
            resources=resources,
            warm_start=warm_start,
            transfer_learning=transfer_learning,
        )
        wanted = {"algorithm": algorithm, "data": data, "name": name, **training}
        job = search.start(self.client, self.config, wanted, reserved(self.tune))
        if wait:
            job.wait()
        return job

    def run_notebook(
        self,
        path: str | os.PathLike[str],
        *,
        parameters: Mapping[str, Any] | None = None,
        name: str | None = None,
        kernel_name: str | None = None,
        instance_type: str = DEFAULT_INSTANCE,
        max_runtime: int = 86_400,
        dependencies: Sequence[str | os.PathLike[str]] = (),
        environment: Mapping[str, str] | None = None,
        experiment: str | None = None,
        wait: bool = True,
        logs: bool = True,
    ) -> NotebookJob:
        """Run a notebook as a job; :meth:`NotebookJob.collect` brings the executed copy back.

        Args:
            path: the notebook, as it is saved.
            parameters: values for the variables of the cell tagged ``parameters``, as papermill has
                it.
            name: of the job; made from the notebook's name and the time when absent.
            kernel_name: the kernel; the notebook's own, or Python's, when absent.
            instance_type: an ``ml.*`` name; jobs run on this machine whatever it says.
            max_runtime: seconds after which the job is stopped.
            dependencies: files and folders that the notebook needs, relative to its own folder.
                They lie at the same place in the job; a ``requirements.txt`` is installed.
            environment: variables of the notebook's process.
            experiment: the MLflow experiment the run belongs to.
            wait: return only when the job has ended, showing its progress.
            logs: while waiting, show the job's output too.

        Raises:
            DataError: there is no such notebook, or something that cannot be sent with it.
            JobFailed: with ``wait``, a cell failed; the message has its traceback.
        """
        from bottega.sdk.notebook_job import run_notebook

        return run_notebook(
            self,
            path,
            parameters=parameters,
            kernel_name=kernel_name,
            dependencies=dependencies,
            environment=environment,
            wait=wait,
            logs=logs,
            name=name or job_name(Path(os.fspath(path)).stem),
            instance_type=instance_type,
            max_runtime=max_runtime,
            experiment=experiment,
        )

    def job(self, name: str) -> TrainingJob:
        """A training job by name; its methods raise when there is none."""
        return TrainingJob(self.client, name)

    def jobs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Summaries of training jobs, newest first; ``filters`` as in ListTrainingJobs."""
        request = {"SortBy": "CreationTime", "SortOrder": "Descending", **filters}
        return self.pages("ListTrainingJobs", "TrainingJobSummaries", request)

    def replay(
        self,
        job: str,
        folder: str | os.PathLike[str] = ".",
        *,
        kind: ReplayedKind = "Training",
        host: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> ReplayFolder:
        """Bring what a job had into a folder, with a notebook that does it again.

        The folder has the code, copies of the data, the hyperparameters and the variables, without
        credentials and without what looks like a secret. What is gone or has changed since the job
        ran is in the notes.

        Args:
            job: the name of a job that has ended.
            folder: in which ``replay-<job>`` is made.
            kind: ``Training`` or ``Processing``.
            host: whose part is done again; the first one when absent.
            most_bytes: of data.

        Raises:
            ClientFault: there is no such job, it has not ended, or its data are more than that.
        """
        return make_replay(self.client, job, folder, kind=kind, host=host, most_bytes=most_bytes)

    def tuning_job(self, name: str) -> TuningJob:
        """A tuning job by name; its methods raise when there is none."""
        return TuningJob(self.client, name)

    def tuning_jobs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Summaries of tuning jobs, newest first.

        Args:
            filters: as in ListHyperParameterTuningJobs.
        """
        request = {"SortBy": "CreationTime", "SortOrder": "Descending", **filters}
        return self.pages(
            "ListHyperParameterTuningJobs", "HyperParameterTuningJobSummaries", request
        )

    def run(self, run_id: str) -> Run:
        """A run of the tracking store, whoever logged it; its methods raise when there is none."""
        return Run(self.client, self.config, run_id)

    def endpoint(self, name: str) -> Endpoint:
        """An endpoint by name; its methods raise when there is none."""
        return Endpoint(self.client, name)

    def model_version(self, name: str) -> ModelVersion:
        """A registered version, as ``group/number`` or by its ARN; its methods raise when there is
        none.
        """
        return ModelVersion(self.client, name)

    def endpoints(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Summaries of endpoints, newest first; ``filters`` as in ListEndpoints."""
        return self.pages("ListEndpoints", "Endpoints", filters)

    def flow(
        self,
        source: str | os.PathLike[str] | None = None,
        *,
        query: str = "",
        **options: Any,
    ) -> Flow:
        """A flow of the Data Wrangler.

        Args:
            source: a ``.flow`` file to go on with, or data to begin with: a path, an ``s3://`` URI,
                or with ``query`` an URL of SQLAlchemy's; empty when absent.
            query: of a database.
            options: of data, see :meth:`bottega.sdk.flow.Flow.read`.
        """
        if source is None:
            return Flow(self.client)
        path = Path(source)
        if path.suffix == ".flow" and not os.fspath(source).startswith("s3://"):
            folder = path.expanduser().absolute().parent
            return Flow(self.client, path.expanduser().read_text("utf-8"), folder=folder)
        return Flow(self.client).read(source, query=query, **options)

    def pages(
        self, operation: str, member: str, request: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Every item of a List operation, page by page."""
        token: dict[str, str] = {}
        while True:
            page = self.client.call("sagemaker", operation, {**request, **token})
            yield from page[member]
            if "NextToken" not in page:
                return
            token = {"NextToken": page["NextToken"]}

    def describe(self) -> dict[str, Any]:
        """Version, home, bucket, role, capacity and the address of MLflow."""
        return self.client.call("bottega", "DescribeStudio")
