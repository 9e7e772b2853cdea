"""A training job in the hands of its user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, ClientFault
from bottega.sdk.client import Client
from bottega.sdk.endpoint import Endpoint, columns_uri, deploy_model
from bottega.sdk.progress import JobProgress

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
        """DescribeTrainingJob's answer."""
        return self.client.call("sagemaker", "DescribeTrainingJob", {"TrainingJobName": self.name})

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
        self.client.call("sagemaker", "StopTrainingJob", {"TrainingJobName": self.name})

    def delete(self) -> None:
        """Forget the job; it must have ended. Its artifacts stay."""
        self.client.call("sagemaker", "DeleteTrainingJob", {"TrainingJobName": self.name})

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        """The job's output line by line, of several hosts with the host's name in front.

        Args:
            follow: go on until the job has ended.
        """
        reader = _LogReader(self.client, self.name)
        pause = FIRST_POLL_SECONDS
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

        Raises:
            JobFailed: it failed or was stopped.
        """
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
                    break
                else:
                    time.sleep(pause)
                    pause = min(LONGEST_POLL_SECONDS, pause * 1.5)
        if description["TrainingJobStatus"] != "Completed":
            reason = description.get("FailureReason", description["SecondaryStatus"])
            raise JobFailed(
                f"Training job {self.name}: {description['TrainingJobStatus']}. {reason}"
            )
        return self

    def download_model(self, folder: str | Path) -> Path:
        """Fetch ``model.tar.gz`` into a folder; returns the file."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        bucket, _, key = self.model_uri.removeprefix("s3://").partition("/")
        file = target / "model.tar.gz"
        self.client.get_object(bucket, key, file)
        return file

    def deploy(
        self,
        name: str | None = None,
        *,
        instance_type: str = "ml.m5.large",
        instance_count: int = 1,
        wait: bool = True,
    ) -> Endpoint:
        """Put the model behind an endpoint.

        Args:
            name: of the endpoint; the job's name when absent.

        Raises:
            EndpointFailed: with ``wait``, the endpoint did not come into service.
        """
        description = self.describe()
        if description["TrainingJobStatus"] != "Completed":
            raise ClientFault(
                f"training job {self.name} is {description['TrainingJobStatus']}; only a completed "
                "job can be deployed"
            )
        values = description.get("HyperParameters", {})
        environment = {}
        if program := values.get("sagemaker_program"):
            environment = {
                "SAGEMAKER_PROGRAM": program,
                "SAGEMAKER_SUBMIT_DIRECTORY": values["sagemaker_submit_directory"],
            }
        return deploy_model(
            self.client,
            name or self.name,
            image=description["AlgorithmSpecification"]["TrainingImage"],
            model_uri=description["ModelArtifacts"]["S3ModelArtifacts"],
            role=description["RoleArn"],
            environment=environment,
            columns=columns_uri(self.client, description["TrainingJobArn"]),
            instance_type=instance_type,
            instance_count=instance_count,
            wait=wait,
        )


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
