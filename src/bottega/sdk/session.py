"""A session with a studio: train, find jobs and endpoints, deploy."""

from __future__ import annotations

import json
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.sdk.client import Client, RemoteClient
from bottega.sdk.data import ChannelSource, DataError, prepare_channel
from bottega.sdk.endpoint import COLUMNS, Endpoint
from bottega.sdk.training_job import TrainingJob

DEFAULT_INSTANCE = "ml.m5.large"
DEFAULT_ROUNDS = 100


def connect(home: str | os.PathLike[str] | None = None, **settings: Any) -> Session:
    """Connect to the studio of a home, starting its daemon if it does not run.

    Args:
        home: the home folder; ``BOTTEGA_HOME`` or ``~/.bottega`` when absent.
        settings: fields of :class:`bottega.config.Config`, used when the daemon is started.

    Raises:
        DaemonNotStarted: the daemon did not come up.
    """
    from bottega.daemon import lifecycle

    config = Config.load(home, **settings)
    record = lifecycle.start(config)
    client = RemoteClient(record.url, config.region, Credentials.load(config))
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
        script: str | os.PathLike[str] | None = None,
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
            target: the label column of ``data`` and ``validation``.
            validation: the ``validation`` channel.
            channels: further channels by name.
            script: a Python file, or a folder whose ``train.py`` is run, in script mode.
            image: what the script runs in: ``scikit-learn``, ``xgboost`` or ``python``.
            hyperparameters: by name; keyword arguments that are no parameter here count too.
            name: of the job; made from the algorithm and the time when absent.
            metrics: for scripts: metric name to the regular expression that finds it in the log.
            max_runtime: seconds after which the job is stopped.
            experiment: the MLflow experiment the run belongs to.
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
            raise ClientFault("give an algorithm or a script, and not both")
        base = algorithm or Path(os.fspath(script or "")).stem
        name = name or f"{_slug(base)}-{time.strftime('%Y-%m-%d-%H-%M-%S')}-{time.time_ns() % 10**9:09d}"
        bucket = self.config.bucket
        sources = dict(channels or {})
        if data is not None:
            sources["train"] = data
        if validation is not None:
            sources["validation"] = validation
        prepared = [
            prepare_channel(
                self.client, key, source, target=target, bucket=bucket, prefix=f"{name}/input"
            )
            for key, source in sources.items()
        ]
        values = {k: _text(v) for k, v in {**(hyperparameters or {}), **more_hyperparameters}.items()}
        if algorithm == "xgboost":
            values.setdefault("num_round", str(DEFAULT_ROUNDS))
        if script is not None:
            values |= self._submit(Path(script), name)
        specification: dict[str, Any] = {
            "TrainingImage": algorithm or image,
            "TrainingInputMode": "File",
        }
        if metrics:
            specification["MetricDefinitions"] = [
                {"Name": key, "Regex": expression} for key, expression in metrics.items()
            ]
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.config.role_arn,
            "AlgorithmSpecification": specification,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/"},
            "ResourceConfig": {
                "InstanceType": instance_type,
                "InstanceCount": instance_count,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime},
            "HyperParameters": values,
        }
        if prepared:
            request["InputDataConfig"] = [channel.as_input() for channel in prepared]
        if environment:
            request["Environment"] = dict(environment)
        if experiment:
            request["ExperimentConfig"] = {"ExperimentName": experiment}
        columns = next((c.columns for c in prepared if c.name == "train"), ())
        all_tags = dict(tags or {}) | self._remember_columns(name, columns)
        if all_tags:
            request["Tags"] = [{"Key": k, "Value": v} for k, v in all_tags.items()]
        self.client.call("sagemaker", "CreateTrainingJob", request)
        job = TrainingJob(self.client, name)
        if wait:
            job.wait(logs=logs)
        return job

    def _remember_columns(self, name: str, columns: tuple[str, ...]) -> dict[str, str]:
        """Keep the order of the feature columns beside the data, so that predictions can use it."""
        if not columns:
            return {}
        key = f"{name}/input/columns.json"
        uri = self.client.put_object(self.config.bucket, key, json.dumps(columns).encode())
        return {COLUMNS: uri}

    def _submit(self, script: Path, name: str) -> dict[str, str]:
        """Send a script with what lies in its folder, as the SageMaker SDK does."""
        if not script.exists():
            raise DataError(f"the script {script} does not exist")
        program = "train.py" if script.is_dir() else script.name
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            archive = Path(scratch) / "sourcedir.tar.gz"
            with tarfile.open(archive, "w:gz") as tar:
                if script.is_dir():
                    tar.add(script, arcname=".")
                else:
                    tar.add(script, arcname=script.name)
            uri = self.client.put_object(
                self.config.bucket, f"{name}/source/sourcedir.tar.gz", archive
            )
        return {"sagemaker_program": program, "sagemaker_submit_directory": uri}

    def job(self, name: str) -> TrainingJob:
        """A training job by name; its methods raise when there is none."""
        return TrainingJob(self.client, name)

    def jobs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Summaries of training jobs, newest first; ``filters`` as in ListTrainingJobs."""
        request = {"SortBy": "CreationTime", "SortOrder": "Descending", **filters}
        return self.pages("ListTrainingJobs", "TrainingJobSummaries", request)

    def endpoint(self, name: str) -> Endpoint:
        """An endpoint by name; its methods raise when there is none."""
        return Endpoint(self.client, name)

    def endpoints(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Summaries of endpoints, newest first; ``filters`` as in ListEndpoints."""
        return self.pages("ListEndpoints", "Endpoints", filters)

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


def _slug(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-")[:32] or "job"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
