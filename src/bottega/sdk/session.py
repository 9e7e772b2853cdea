"""A session with a studio: train, find jobs and endpoints, deploy."""

from __future__ import annotations

import inspect
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.algorithms import registry
from bottega.algorithms.base import Algorithm
from bottega.config import Config
from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.nearest import nearest
from bottega.sdk import inside_job
from bottega.sdk.client import Client, RemoteClient
from bottega.sdk.data import ChannelSource, ChannelWriter, DataError, PreparedChannel
from bottega.sdk.endpoint import COLUMNS, Endpoint
from bottega.sdk.flow import Flow
from bottega.sdk.model_version import ModelVersion
from bottega.sdk.source import Source
from bottega.sdk.tracked_run import Run
from bottega.sdk.training_job import TrainingJob

if TYPE_CHECKING:
    from bottega.sdk.notebook_job import NotebookJob

DEFAULT_INSTANCE = "ml.m5.large"
FEATURE_DIM = "feature_dim"
"""The hyperparameter that says how many features there are."""


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
        if (algorithm is None) == (script is None):
            raise ClientFault(
                'give either a built-in algorithm, such as "xgboost", or script="train.py"'
            )
        sources = dict(channels or {})
        for key, source in (("train", data), ("validation", validation)):
            if source is None:
                continue
            if key in sources:
                raise DataError(f"the channel {key!r} is given twice; name it once")
            sources[key] = source
        values = _hyperparameters({**(hyperparameters or {}), **more_hyperparameters}, script)
        request: dict[str, Any] = {
            "RoleArn": self.config.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": algorithm or image,
                "TrainingInputMode": "File",
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.config.bucket}/"},
            "ResourceConfig": {
                "InstanceType": instance_type,
                "InstanceCount": instance_count,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime},
        }
        if metrics:
            request["AlgorithmSpecification"]["MetricDefinitions"] = [
                {"Name": key, "Regex": expression} for key, expression in metrics.items()
            ]
        if environment:
            request["Environment"] = dict(environment)
        if experiment:
            request["ExperimentConfig"] = {"ExperimentName": experiment}
        all_tags = dict(tags or {})

        builtin = None
        if script is not None:
            program = Path(os.fspath(script)).expanduser()
            folder = None if source_dir is None else Path(os.fspath(source_dir)).expanduser()
            code = Source.of(program, folder)
            if target is not None:
                raise DataError(
                    "target is for built-in algorithms; a script gets all columns by name. Where "
                    f"it should know the label, give hyperparameters={{'target': {target!r}}}"
                )
            name = name or _job_name(Path(code.program).stem)
            uri = code.upload(self.client, self.config.bucket, f"{name}/source/sourcedir.tar.gz")
            values |= {"sagemaker_program": code.program, "sagemaker_submit_directory": uri}
        else:
            known = _short_name(algorithm or "")
            if known in registry.names():
                builtin = registry.algorithm(known)
                values = {**builtin.starting_values, **values}
                if builtin.supervised and target is None:
                    for key, source in sources.items():
                        _refuse_unlabelled(key, source)
            name = name or _job_name(known)
        writer = ChannelWriter(
            self.client,
            self.config.bucket,
            f"{name}/input",
            target=target,
            for_script=script is not None,
            content_type=content_type,
            algorithm=builtin,
        )
        if prepared := _prepare(writer, sources):
            request["InputDataConfig"] = [channel.as_input() for channel in prepared]
            if builtin is not None:
                values = {**_told_by_data(builtin, prepared), **values}
            all_tags |= self._remember_columns(name, prepared)
        if all_tags:
            request["Tags"] = [{"Key": k, "Value": v} for k, v in all_tags.items()]
        request |= {"TrainingJobName": name, "HyperParameters": values}
        self.client.call("sagemaker", "CreateTrainingJob", request)
        job = TrainingJob(self.client, name)
        if wait:
            job.wait(logs=logs)
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
            name=name or _job_name(Path(os.fspath(path)).stem),
            instance_type=instance_type,
            max_runtime=max_runtime,
            experiment=experiment,
        )

    def _remember_columns(self, name: str, prepared: list[PreparedChannel]) -> dict[str, str]:
        """Keep the order of the feature columns beside the data, so that predictions can use it."""
        columns = next((channel.columns for channel in prepared if channel.name == "train"), ())
        if not columns:
            return {}
        key = f"{name}/input/columns.json"
        uri = self.client.put_object(self.config.bucket, key, json.dumps(columns).encode())
        return {COLUMNS: uri}

    def job(self, name: str) -> TrainingJob:
        """A training job by name; its methods raise when there is none."""
        return TrainingJob(self.client, name)

    def jobs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Summaries of training jobs, newest first; ``filters`` as in ListTrainingJobs."""
        request = {"SortBy": "CreationTime", "SortOrder": "Descending", **filters}
        return self.pages("ListTrainingJobs", "TrainingJobSummaries", request)

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


def _prepare(writer: ChannelWriter, sources: Mapping[str, ChannelSource]) -> list[PreparedChannel]:
    """Bring every channel to the store; the train channel first, as it says the columns' order."""
    prepared: list[PreparedChannel] = []
    columns: tuple[str, ...] = ()
    for name in sorted(sources, key=lambda name: name != "train"):
        channel = writer.prepare(name, sources[name], columns)
        if name == "train":
            columns = channel.columns
        prepared.append(channel)
    return prepared


def _told_by_data(algorithm: Algorithm, prepared: Sequence[PreparedChannel]) -> dict[str, str]:
    """Hyperparameters that the algorithm requires and a table tells: how many features it has."""
    schema = algorithm.hyperparameters
    columns = next((channel.columns for channel in prepared if channel.name == "train"), ())
    if not columns or FEATURE_DIM not in schema or not schema[FEATURE_DIM].required:
        return {}
    return {FEATURE_DIM: str(len(columns))}


def _refuse_unlabelled(channel: str, source: ChannelSource) -> None:
    if hasattr(source, "columns"):
        raise DataError(
            f"channel {channel!r}: say which column of the frame is to be predicted: target=..."
        )


def _hyperparameters(
    values: Mapping[str, Any], script: str | os.PathLike[str] | None
) -> dict[str, str]:
    """Hyperparameters as the text the API takes; lists for scripts as JSON, else with commas."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if hasattr(value, "item") and not getattr(value, "shape", None):
            value = value.item()  # a number of numpy's
        if value is None:
            continue
        if isinstance(value, bool):
            found[name] = str(value).lower()
        elif isinstance(value, (str, int, float)):
            found[name] = str(value)
        elif isinstance(value, (list, tuple)) and script is None:
            found[name] = ",".join(map(str, value))
        elif isinstance(value, (list, tuple, dict)):
            found[name] = json.dumps(value)
        else:
            raise ClientFault(
                f"the hyperparameter {name!r} is a {type(value).__name__}, which cannot be sent"
                + _meant(name)
            )
    return found


def _meant(name: str) -> str:
    known = [x for x in inspect.signature(Session.train).parameters if x != "self"]
    close = nearest(name, known)
    return f"; did you mean the argument {close!r}?" if close else ""


def _short_name(image: str) -> str:
    """``xgboost`` for ``683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1``."""
    return image.rpartition("/")[2].partition(":")[0].removeprefix("sagemaker-")


def _job_name(base: str) -> str:
    """A name nobody else takes, however many sessions make one in the same second."""
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", base).strip("-")[:32].rstrip("-") or "job"
    return f"{slug}-{time.strftime('%Y-%m-%d-%H-%M-%S')}-{secrets.token_hex(3)}"
