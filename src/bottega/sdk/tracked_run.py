"""A run of the tracking store in the hands of its user, whoever logged it."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.config import Config
from bottega.container.formats import mlflow_inference
from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.sdk import inside_job
from bottega.sdk.client import Client
from bottega.sdk.data import DataError
from bottega.sdk.endpoint import Endpoint, deploy_model
from bottega.sdk.run_artifacts import RunArtifacts
from bottega.sdk.training_job import TrainingJob
from bottega.tar_archives import tarfile

IMAGE = "python"
TOKEN = "MLFLOW_TRACKING_TOKEN"
_SINGLE = re.compile(r"^\s+inputs: '((?:[^']|'')*)'", re.MULTILINE)
_DOUBLE = re.compile(r'^\s+inputs: "((?:[^"\\]|\\.)*)"', re.MULTILINE | re.DOTALL)


@dataclass
class Run:
    """One run, by its id. Everything is read when asked for, so it is always the present state."""

    client: Client = field(repr=False)
    config: Config = field(repr=False)
    run_id: str

    def describe(self) -> dict[str, Any]:
        """DescribeRun's answer.

        Raises:
            ResourceNotFound: there is no such run.
        """
        return self.client.call("bottega", "DescribeRun", {"RunId": self.run_id})

    def register(self, name: str, *, model: str | None = None) -> str:
        """Put the run's model into the tracker's registry; returns its version.

        Args:
            name: of the registered model; made when there is none.
            model: which of the run's models; needed only where it has several.

        Raises:
            ValidationException: there is no such model.
        """
        request = {"RunId": self.run_id, "ModelName": name}
        if model is not None:
            request["ArtifactPath"] = model
        return str(self.client.call("bottega", "RegisterRunModel", request)["Version"])

    def download_model(self, folder: str | Path, *, model: str | None = None) -> Path:
        """Fetch a model that the run logged with mlflow; returns its folder.

        Args:
            folder: where the model's own folder is made.
            model: which of the run's models; needed only where it has several.

        Raises:
            ClientFault: there is no such model, or its files are kept elsewhere.
        """
        name = _chosen(self.describe(), model)
        target = Path(folder) / (name.rpartition("/")[2] or name)
        artifacts = self._artifacts()
        artifacts.download(artifacts.model_location(self.run_id, name), target)
        return target

    def check(self) -> list[dict[str, str]]:
        """What would keep the run's model from being served, before it is deployed.

        Of the run of a training job that is what :meth:`TrainingJob.check` finds. The files of a
        model that was logged with mlflow come to the object store when it is deployed; of it can be
        told only that it is there.

        Raises:
            ClientFault: the run has no model, or several.
        """
        description = self.describe()
        if job := description["Run"].get("TrainingJobName"):
            return TrainingJob(self.client, job).check()
        _chosen(description, None)
        return []

    def deploy(
        self,
        name: str | None = None,
        *,
        model: str | None = None,
        environment: Mapping[str, str] | None = None,
        instance_type: str = "ml.m5.large",
        instance_count: int = 1,
        serverless: Mapping[str, Any] | None = None,
        asynchronous: Mapping[str, Any] | None = None,
        capture: Mapping[str, Any] | None = None,
        wait: bool = True,
    ) -> Endpoint:
        """Put the run's model behind an endpoint.

        The run of a training job deploys the job's model. Any other run deploys the model it logged
        with mlflow, loaded as a Python function in this installation's own packages.

        Args:
            name: of the endpoint; made of the run's name and id when absent.
            model: which of the models logged with mlflow; needed only where there are several.
            environment: further variables of the model server.
            instance_type: an ``ml.*`` name; model servers run on this machine whatever it says.
            instance_count: how many model servers share the requests.
            serverless: ServerlessConfig, for model servers that come and go with the requests,
                instead of instances.
            asynchronous: AsyncInferenceConfig, for an endpoint that answers with objects.
            capture: DataCaptureConfig, to keep requests and answers.
            wait: return only when the endpoint is in service.

        Raises:
            ClientFault: the run has no such model, or the name is taken.
            EndpointFailed: with ``wait``, the endpoint did not come into service.
        """
        description = self.describe()
        job = description["Run"].get("TrainingJobName")
        if job and model is None:
            return TrainingJob(self.client, job).deploy(
                name,
                environment=environment,
                instance_type=instance_type,
                instance_count=instance_count,
                serverless=serverless,
                asynchronous=asynchronous,
                capture=capture,
                wait=wait,
            )
        endpoint = name or _endpoint_name(description["Run"]["RunName"], self.run_id)
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            folder = self.download_model(scratch, model=_chosen(description, model))
            columns = model_columns(folder)
            archive = _archive(folder, Path(scratch) / "model.tar.gz")
            place = f"{endpoint}/{self.run_id}"
            uri = self._put(f"{place}/model.tar.gz", archive)
            known = self._put(f"{place}/columns.json", json.dumps(columns).encode())
        # CSV unless asked otherwise: then predict gives an array, as for built-in algorithms.
        variables = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv", **(environment or {})}
        container = {"Image": IMAGE, "ModelDataUrl": uri, "Environment": variables}
        return deploy_model(
            self.client,
            endpoint,
            container=container,
            role=self.config.role_arn,
            columns=known if columns else None,
            instance_type=instance_type,
            instance_count=instance_count,
            serverless=serverless,
            asynchronous=asynchronous,
            capture=capture,
            wait=wait,
        )

    def _put(self, key: str, source: bytes | Path) -> str:
        return self.client.put_object(self.config.bucket, key, source)

    def _artifacts(self) -> RunArtifacts:
        uri = self.client.call("bottega", "DescribeStudio").get("TrackingUri")
        if not uri:
            raise ClientFault("tracking is switched off in this studio, so it has no runs")
        if inside_job.is_job(os.environ):
            return RunArtifacts(uri, os.environ.get(TOKEN, ""))
        return RunArtifacts(uri, Credentials.load(self.config).tracking_token)


def model_columns(folder: Path) -> list[str]:
    """The names of a model's inputs, in its own order; empty where it has no names for them.

    Args:
        folder: of the model, as MLflow logged it.

    Raises:
        DataError: this is no model's folder, or its signature cannot be read.
    """
    file = folder / "MLmodel"
    if not file.is_file():
        raise DataError(f"{folder.name} is no model that MLflow logged: it has no file MLmodel")
    text = file.read_text()
    # MLflow writes the inputs as JSON within YAML, in quotes and folded into lines.
    try:
        if single := _SINGLE.search(text):
            inputs = json.loads(re.sub(r"\s*\n\s*", " ", single[1]).replace("''", "'"))
        elif double := _DOUBLE.search(text):
            unfolded = re.sub(r"\\\n\s*\\?|\s*\n\s*", "", double[1])
            inputs = json.loads(json.loads(f'"{unfolded}"'))
        else:
            return []  # it was logged without a signature
        return [column["name"] for column in inputs if "name" in column]
    except (ValueError, TypeError) as error:
        raise DataError(f"the signature in {file.name} cannot be read: {error}") from error


def _chosen(description: Mapping[str, Any], model: str | None) -> str:
    run, models = description["Run"], description["LoggedModels"]
    if model is not None:
        if model not in models:
            raise ClientFault(f"run {run['RunId']} has no model {model!r}, but: {models}")
        return model
    if not models:
        raise ClientFault(
            f"run {run['RunId']} has logged no model; log one with mlflow.<flavor>.log_model"
        )
    if len(models) > 1:
        raise ClientFault(f"run {run['RunId']} has several models; say model=..., one of: {models}")
    return str(models[0])


def _archive(model: Path, target: Path) -> Path:
    """The archive that a model server starts from: the model, and the script that loads it."""
    script = Path(mlflow_inference.__file__)
    with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
        code = Path(scratch) / "inference.py"
        shutil.copy(script, code)
        with tarfile.open(target, "w:gz") as tar:
            tar.add(model, arcname=mlflow_inference.FOLDER)
            tar.add(code, arcname="code/inference.py")
    return target


def _endpoint_name(run_name: str, run_id: str) -> str:
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", run_name).strip("-")[:40].rstrip("-")
    return f"{slug}-{run_id[:8]}" if slug else f"run-{run_id[:8]}"
