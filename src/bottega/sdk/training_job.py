"""A training job in the hands of its user."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, ClientFault, ResourceNotFound, ValidationException
from bottega.sdk.client import Client
from bottega.sdk.endpoint import Endpoint, columns_uri, deploy_model
from bottega.sdk.model_check import check_containers
from bottega.sdk.model_version import ModelVersion, register_version
from bottega.sdk.progress import JobProgress
from bottega.sdk.source import serving_program

NOT_FOUND = "Requested resource not found."
"""SageMaker's whole message for a job that is not there; it names neither the job nor a way on."""
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FIRST_POLL_SECONDS = 0.03
LONGEST_POLL_SECONDS = 0.5


class JobFailed(ClientFault):
    """The job ended without completing; the message is its FailureReason."""

    code = "JobFailed"


@dataclass
class TrainingJob:
    """One job, by name. Everything is read when asked for, so it is always the present state."""

    client: Client = field(repr=False)
    name: str

    def describe(self) -> dict[str, Any]:
        """DescribeTrainingJob's answer.

        Raises:
            ResourceNotFound: there is no such job.
        """
        return self._call("DescribeTrainingJob")

    def _call(self, operation: str) -> dict[str, Any]:
        try:
            return self.client.call("sagemaker", operation, {"TrainingJobName": self.name})
        except (ValidationException, ResourceNotFound) as error:
            if error.message != NOT_FOUND:
                raise
            raise ResourceNotFound(
                f"There is no training job {self.name!r}; `bottega jobs list` lists those there are"
            ) from error

    @property
    def status(self) -> str:
        """InProgress, Completed, Failed, Stopping or Stopped."""
        return str(self.describe()["TrainingJobStatus"])

    @property
    def metrics(self) -> dict[str, float]:
        """The final value of each metric."""
        found = self.describe().get("FinalMetricDataList", [])
        return {item["MetricName"]: float(item["Value"]) for item in found}

    @property
    def model_uri(self) -> str:
        """``s3://.../model.tar.gz``."""
        return str(self.describe()["ModelArtifacts"]["S3ModelArtifacts"])

    def explain(self) -> dict[str, Any]:
        """Why the job failed: ExplainJobFailure's answer, whose ``Cause`` has a ``Code``, a
        ``Sentence`` and the ``Advice`` what to do.

        Raises:
            ClientFault: it did not fail.
        """
        request = {"JobKind": "Training", "JobName": self.name}
        return self.client.call("bottega", "ExplainJobFailure", request)

    @property
    def run_url(self) -> str | None:
        """The job's run in MLflow's pages; None while there is none."""
        details = self.describe().get("MlflowDetails")
        tracking = self.client.call("bottega", "DescribeStudio").get("TrackingUri")
        if not details or not tracking:
            return None
        experiment, run = details["MlflowExperimentId"], details["MlflowRunId"]
        return f"{tracking}/#/experiments/{experiment}/runs/{run}"

    def stop(self) -> None:
        """Ask the job to stop; ``wait`` waits for it."""
        self._call("StopTrainingJob")

    def delete(self) -> None:
        """Forget the job; it must have ended. Its artifacts stay."""
        self._call("DeleteTrainingJob")

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        """The job's output line by line, of several hosts with the host's name in front.

        Args:
            follow: go on until the job has ended.
        """
        reader = _LogReader(self.client, self.name)
        pause = FIRST_POLL_SECONDS
        _ = self.status  # raises when there is no such job
        while True:
            ended = not follow or self.status not in ("InProgress", "Stopping")
            lines = reader.read()
            yield from lines
            if ended and not lines:
                return
            if not ended and not lines:
                time.sleep(pause)
                pause = min(LONGEST_POLL_SECONDS, pause * 1.5)
            else:
                pause = FIRST_POLL_SECONDS

    def wait(self, *, logs: bool = True, quiet: bool = False) -> TrainingJob:
        """Wait for the job's end, showing a progress bar and, with ``logs``, its output.

        Breaking off (Ctrl-C) ends the waiting only; the job goes on.

        Raises:
            JobFailed: it failed or was stopped.
        """
        try:
            description = self._follow(logs=logs, quiet=quiet)
        except KeyboardInterrupt:
            if not quiet:
                print(
                    f"The training job {self.name} goes on. "
                    f"`bottega jobs stop {self.name}` stops it; "
                    f"`bottega jobs logs -f {self.name}` follows it."
                )
            raise
        if description["TrainingJobStatus"] != "Completed":
            reason = description.get("FailureReason", description["SecondaryStatus"])
            raise JobFailed(
                f"Training job {self.name}: {description['TrainingJobStatus']}. {reason}"
            )
        return self

    def _follow(self, *, logs: bool, quiet: bool) -> dict[str, Any]:
        """Show the job until it ends; returns its last description."""
        reader = _LogReader(self.client, self.name)
        pause = FIRST_POLL_SECONDS
        with JobProgress(self.name, show_logs=logs, quiet=quiet) as progress:
            while True:
                description = self.describe()
                lines = reader.read()
                progress.update(description, lines)
                if lines:
                    pause = FIRST_POLL_SECONDS
                elif description["TrainingJobStatus"] not in ("InProgress", "Stopping"):
                    return description
                else:
                    time.sleep(pause)
                    pause = min(LONGEST_POLL_SECONDS, pause * 1.5)

    def download_model(self, folder: str | Path) -> Path:
        """Fetch ``model.tar.gz`` into a folder; returns the file."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        bucket, _, key = self.model_uri.removeprefix("s3://").partition("/")
        file = target / "model.tar.gz"
        self.client.get_object(bucket, key, file)
        return file

    def check(
        self, *, script: str | None = None, environment: Mapping[str, str] | None = None
    ) -> list[dict[str, str]]:
        """What would keep the model from being served, before it is deployed.

        Args:
            script: as for :meth:`deploy`.
            environment: further variables of the model server.

        Returns:
            CheckModel's findings, with ``Severity``, ``Where`` and ``Message``; empty where nothing
            wrong can be seen from outside.

        Raises:
            ClientFault: the job has not completed.
        """
        job = self._completed("deployed")
        return check_containers(self.client, [self._container(job, script, environment)])

    def deploy(
        self,
        name: str | None = None,
        *,
        script: str | None = None,
        environment: Mapping[str, str] | None = None,
        instance_type: str = "ml.m5.large",
        instance_count: int = 1,
        serverless: Mapping[str, Any] | None = None,
        asynchronous: Mapping[str, Any] | None = None,
        capture: Mapping[str, Any] | None = None,
        wait: bool = True,
    ) -> Endpoint:
        """Put the model behind an endpoint.

        Args:
            name: of the endpoint; the job's name when absent.
            script: for jobs in script mode: the file of its code that has ``model_fn``. When
                absent,
                ``inference.py`` where there is one, else the training script.
            environment: further variables of the model server.
            instance_type: an ``ml.*`` name; model servers run on this machine whatever it says.
            instance_count: how many model servers share the requests.
            serverless: ServerlessConfig, for model servers that come and go with the requests,
                instead of instances.
            asynchronous: AsyncInferenceConfig, for an endpoint that answers with objects.
            capture: DataCaptureConfig, to keep requests and answers.
            wait: return only when the endpoint is in service.

        Raises:
            ClientFault: the job has not completed, or the name is taken.
            EndpointFailed: with ``wait``, the endpoint did not come into service.
        """
        description = self._completed("deployed")
        return deploy_model(
            self.client,
            name or self.name,
            container=self._container(description, script, environment),
            role=description["RoleArn"],
            columns=columns_uri(self.client, description["TrainingJobArn"]),
            instance_type=instance_type,
            instance_count=instance_count,
            serverless=serverless,
            asynchronous=asynchronous,
            capture=capture,
            wait=wait,
        )

    def register(
        self,
        group: str,
        *,
        description: str = "",
        approved: bool = False,
        script: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ModelVersion:
        """Put the model into the registry, as the next version of a group.

        Args:
            group: the model package group; made where there is none of the name.
            description: of the version.
            approved: whether it may be deployed at once; otherwise it waits for ``approve``.
            script: as for :meth:`deploy`.
            environment: further variables of the model server.

        Raises:
            ClientFault: the job has not completed.
        """
        job = self._completed("registered")
        return register_version(
            self.client,
            group,
            container=self._container(job, script, environment),
            description=description,
            approved=approved,
            generated_by=job["TrainingJobArn"],
            columns=columns_uri(self.client, job["TrainingJobArn"]),
        )

    def _completed(self, what: str) -> dict[str, Any]:
        """The job's description.

        Raises:
            ClientFault: it has not completed, so that it cannot be ``what``.
        """
        description = self.describe()
        if description["TrainingJobStatus"] != "Completed":
            raise ClientFault(
                f"training job {self.name} is {description['TrainingJobStatus']}; only a completed "
                f"job can be {what}"
            )
        return description

    def _container(
        self,
        description: dict[str, Any],
        script: str | None,
        environment: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        """What serves the model of the job."""
        variables = self._script(description, script) | dict(environment or {})
        container = {
            "Image": description["AlgorithmSpecification"]["TrainingImage"],
            "ModelDataUrl": description["ModelArtifacts"]["S3ModelArtifacts"],
        }
        return container | ({"Environment": variables} if variables else {})

    def _script(self, description: dict[str, Any], script: str | None) -> dict[str, str]:
        """The variables that name the code of a job in script mode; none for an algorithm."""
        values = description.get("HyperParameters", {})
        program = _unquoted(values.get("sagemaker_program", ""))
        if not program:
            if script is not None:
                raise ClientFault(f"training job {self.name} has no script; leave script out")
            return {}
        source = _unquoted(values.get("sagemaker_submit_directory", ""))
        if script is None and source.startswith("s3://"):
            script = serving_program(self.client, source, program)
        variables = {"SAGEMAKER_PROGRAM": script or program}
        return variables | ({"SAGEMAKER_SUBMIT_DIRECTORY": source} if source else {})


def _unquoted(value: str) -> str:
    """A hyperparameter as it was meant: the SageMaker SDK sends each one as JSON."""
    return value.strip('"')


class _LogReader:
    """Reads every stream of a job from where it left off."""

    def __init__(self, client: Client, job: str) -> None:
        self._client = client
        self._job = job
        self._tokens: dict[str, str] = {}

    def read(self) -> list[str]:
        try:
            found = self._client.call(
                "logs",
                "DescribeLogStreams",
                {"logGroupName": LOG_GROUP, "logStreamNamePrefix": f"{self._job}/"},
            )
        except BottegaError as error:
            if error.code == "ResourceNotFoundException":  # nothing was written yet
                return []
            raise
        streams = [stream["logStreamName"] for stream in found["logStreams"]]
        lines: list[str] = []
        for stream in streams:
            host = stream.rpartition("/")[2].rpartition("-")[0]
            prefix = f"{host} | " if len(streams) > 1 else ""
            lines += [prefix + message for message in self._messages(stream)]
        return lines

    def _messages(self, stream: str) -> list[str]:
        request: dict[str, str | bool] = {
            "logGroupName": LOG_GROUP,
            "logStreamName": stream,
            "startFromHead": True,
        }
        if stream in self._tokens:
            request["nextToken"] = self._tokens[stream]
        answer = self._client.call("logs", "GetLogEvents", request)
        self._tokens[stream] = answer["nextForwardToken"]
        return [event["message"] for event in answer["events"]]
