"""An endpoint in the hands of its user."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.errors import ClientFault, ResourceNotFound, ValidationException
from bottega.sdk.client import Client
from bottega.sdk.data import decode_predictions, encode_rows

POLL_SECONDS = 0.03
LONGEST_POLL_SECONDS = 0.5
COLUMNS = "bottega:columns"
"""The tag of a job or a model that says where the order of its feature columns is kept."""


class EndpointFailed(ClientFault):
    """The endpoint did not come into service; the message is its FailureReason."""

    code = "EndpointFailed"


@dataclass
class Endpoint:
    """One endpoint, by name."""

    client: Client = field(repr=False)
    name: str
    _columns: tuple[str, ...] | None = field(default=None, repr=False)

    def describe(self) -> dict[str, Any]:
        """DescribeEndpoint's answer."""
        return self.client.call("sagemaker", "DescribeEndpoint", {"EndpointName": self.name})

    @property
    def status(self) -> str:
        """Creating, InService, Updating, Failed, ..."""
        return str(self.describe()["EndpointStatus"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns of the model, in order; empty when they are not known."""
        if self._columns is None:
            self._columns = self._find_columns()
        return self._columns

    def _find_columns(self) -> tuple[str, ...]:
        config = self.client.call(
            "sagemaker",
            "DescribeEndpointConfig",
            {"EndpointConfigName": self.describe()["EndpointConfigName"]},
        )
        model = self.client.call(
            "sagemaker",
            "DescribeModel",
            {"ModelName": config["ProductionVariants"][0]["ModelName"]},
        )
        if not (uri := columns_uri(self.client, model["ModelArn"])):
            return ()
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            file = Path(scratch) / "columns.json"
            self.client.get_object(bucket, key, file)
            return tuple(json.loads(file.read_text()))

    def wait(self, timeout: float = 600.0) -> Endpoint:
        """Wait until the endpoint is in service.

        Raises:
            EndpointFailed: it failed.
            TimeoutError: it is not in service after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        pause = POLL_SECONDS
        while time.monotonic() < deadline:
            description = self.describe()
            status = description["EndpointStatus"]
            if status == "InService":
                return self
            if status not in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
                raise EndpointFailed(
                    f"Endpoint {self.name}: {status}. {description.get('FailureReason', '')}"
                )
            time.sleep(pause)
            pause = min(LONGEST_POLL_SECONDS, pause * 1.2)
        raise TimeoutError(f"endpoint {self.name} is not in service after {timeout:.0f} s")

    def predict(self, rows: Any, *, content_type: str | None = None, accept: str = "*/*") -> Any:
        """Predict.

        Args:
            rows: a DataFrame (columns are brought into the model's order and the label is left out), an
                array, a list of rows, one row, a dict (JSON), text or bytes (CSV unless said otherwise).
            content_type: of the body, where the kind of ``rows`` does not tell.
            accept: the content type wanted.

        Returns:
            An array for CSV answers, the parsed document for JSON, bytes for anything else.

        Raises:
            ModelError: the model server refused or failed.
        """
        columns = self.columns if hasattr(rows, "to_csv") else ()
        payload = encode_rows(rows, columns)
        body, kind = self.client.invoke(
            self.name,
            payload.body,
            content_type=content_type or payload.content_type,
            accept=accept,
        )
        return decode_predictions(body, kind)

    def delete(self, *, wait: bool = True) -> None:
        """Delete the endpoint, and its configuration and models when nothing else needs them."""
        config_name = self.describe()["EndpointConfigName"]
        config = self.client.call(
            "sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": config_name}
        )
        self.client.call("sagemaker", "DeleteEndpoint", {"EndpointName": self.name})
        while wait and self._exists():
            time.sleep(POLL_SECONDS)
        if config_name == self.name:  # made by ``deploy``, so it belongs to this endpoint alone
            request = {"EndpointConfigName": config_name}
            self.client.call("sagemaker", "DeleteEndpointConfig", request)
            for variant in config["ProductionVariants"]:
                self.client.call("sagemaker", "DeleteModel", {"ModelName": variant["ModelName"]})

    def _exists(self) -> bool:
        try:
            self.describe()
        except (ValidationException, ResourceNotFound):
            return False
        return True


def columns_uri(client: Client, arn: str) -> str | None:
    """Where the order of the feature columns of a job or model is kept; None when it is not known."""
    tags = client.call("sagemaker", "ListTags", {"ResourceArn": arn})["Tags"]
    return next((tag["Value"] for tag in tags if tag["Key"] == COLUMNS), None)


def deploy_model(
    client: Client,
    name: str,
    *,
    image: str,
    model_uri: str,
    role: str,
    environment: Mapping[str, str],
    columns: str | None,
    instance_type: str,
    instance_count: int,
    wait: bool,
) -> Endpoint:
    """Create model, configuration and endpoint, all of the same name.

    Args:
        columns: where the order of the feature columns is kept, if it is known.
    """
    container: dict[str, Any] = {"Image": image, "ModelDataUrl": model_uri}
    if environment:
        container["Environment"] = dict(environment)
    model: dict[str, Any] = {
        "ModelName": name,
        "ExecutionRoleArn": role,
        "PrimaryContainer": container,
    }
    if columns is not None:
        model["Tags"] = [{"Key": COLUMNS, "Value": columns}]
    client.call("sagemaker", "CreateModel", model)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": instance_type,
        "InitialInstanceCount": instance_count,
    }
    client.call(
        "sagemaker",
        "CreateEndpointConfig",
        {"EndpointConfigName": name, "ProductionVariants": [variant]},
    )
    client.call(
        "sagemaker", "CreateEndpoint", {"EndpointName": name, "EndpointConfigName": name}
    )
    endpoint = Endpoint(client, name)
    return endpoint.wait() if wait else endpoint
