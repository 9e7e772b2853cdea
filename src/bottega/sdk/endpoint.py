"""An endpoint in the hands of its user."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.errors import BottegaError, ClientFault, ResourceNotFound, ValidationException
from bottega.sdk.client import Client
from bottega.sdk.data import DataError
from bottega.sdk.rows import decode_predictions, encode_rows, is_named

POLL_SECONDS = 0.03
LONGEST_POLL_SECONDS = 0.5
COLUMNS = "bottega:columns"
"""The tag of a job or a model that says where the order of its feature columns is kept."""
MADE_FOR = "bottega:endpoint"
"""The tag of a model and a configuration that ``deploy`` made; its value is the endpoint's name."""


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
        config = _describe(self.client, "EndpointConfig", self.describe()["EndpointConfigName"])
        variants = config.get("ProductionVariants", [{}])
        model = _describe(self.client, "Model", variants[0].get("ModelName", ""))
        # AWS lets both be deleted while the endpoint serves; then nobody knows the columns any
        # more.
        if not model or not (uri := columns_uri(self.client, model["ModelArn"])):
            return ()
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            file = Path(scratch) / "columns.json"
            try:
                self.client.get_object(bucket, key, file)
            except ClientFault as error:
                raise DataError(
                    f"the order of the model's columns, {uri}, cannot be read ({error}); send an "
                    "array or a list with the values in the model's order"
                ) from error
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
            rows: a DataFrame, a Series or a list of dicts (columns are brought into the model's
                order and
                the label is left out), an array, a list of rows, one row, a dict (JSON), text or
                bytes (CSV unless said otherwise).
            content_type: of the body, where the kind of ``rows`` does not tell.
            accept: the content type wanted.

        Returns:
            An array for CSV answers, the parsed document for JSON, bytes for anything else.

        Raises:
            DataError: the rows lack a column of the model, or cannot be sent.
            ModelError: the model server refused or failed.
        """
        columns = self.columns if is_named(rows) else ()
        payload = encode_rows(rows, columns)
        body, kind = self.client.invoke(
            self.name,
            payload.body,
            content_type=content_type or payload.content_type,
            accept=accept,
        )
        return decode_predictions(body, kind)

    def delete(self, *, wait: bool = True) -> None:
        """Delete the endpoint, and the configuration and model that ``deploy`` made for it."""
        self.client.call("sagemaker", "DeleteEndpoint", {"EndpointName": self.name})
        while wait and self.exists():
            time.sleep(POLL_SECONDS)
        _delete_what_deploy_made(self.client, self.name)

    def exists(self) -> bool:
        """Whether there is such an endpoint, in service or not."""
        try:
            self.describe()
        except (ValidationException, ResourceNotFound):
            return False
        return True


def columns_uri(client: Client, arn: str) -> str | None:
    """Where the order of the feature columns of a job or model is kept; None when it is not
    known.
    """
    return _tag(client, arn, COLUMNS)


def _tag(client: Client, arn: str, key: str) -> str | None:
    tags = client.call("sagemaker", "ListTags", {"ResourceArn": arn})["Tags"]
    return next((tag["Value"] for tag in tags if tag["Key"] == key), None)


def _describe(client: Client, kind: str, name: str) -> dict[str, Any]:
    """What DescribeModel or DescribeEndpointConfig answers; empty when there is none of that
    name.
    """
    try:
        return client.call("sagemaker", f"Describe{kind}", {f"{kind}Name": name})
    except (ValidationException, ResourceNotFound):
        return {}


def _delete_what_deploy_made(client: Client, endpoint: str) -> None:
    """Delete configuration and model of this name, if :func:`deploy_model` made them."""
    for kind in ("EndpointConfig", "Model"):
        found = _describe(client, kind, endpoint)
        if found and _tag(client, found[f"{kind}Arn"], MADE_FOR) == endpoint:
            client.call("sagemaker", f"Delete{kind}", {f"{kind}Name": endpoint})


def deploy_model(
    client: Client,
    name: str,
    *,
    container: Mapping[str, Any],
    role: str,
    columns: str | None,
    instance_type: str,
    instance_count: int,
    serverless: Mapping[str, Any] | None = None,
    asynchronous: Mapping[str, Any] | None = None,
    capture: Mapping[str, Any] | None = None,
    wait: bool,
) -> Endpoint:
    """Create model, configuration and endpoint, all of the same name; all of them or none.

    Args:
        container: the model's PrimaryContainer.
        columns: where the order of the feature columns is kept, if it is known.
        serverless: ServerlessConfig, in the place of instances.
        asynchronous: AsyncInferenceConfig.
        capture: DataCaptureConfig.

    Raises:
        ClientFault: the name is taken.
        EndpointFailed: with ``wait``, the endpoint did not come into service.
    """
    endpoint = Endpoint(client, name)
    if endpoint.exists():
        raise ClientFault(
            f"there is an endpoint {name} already; give deploy another name, or delete that one"
        )
    _delete_what_deploy_made(client, name)  # of a deployment that was broken off
    mark = [{"Key": MADE_FOR, "Value": name}]
    more = [{"Key": COLUMNS, "Value": columns}] if columns is not None else []
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        **(
            {"ServerlessConfig": dict(serverless)}
            if serverless
            else {"InstanceType": instance_type, "InitialInstanceCount": instance_count}
        ),
    }
    model = {"ModelName": name, "ExecutionRoleArn": role, "PrimaryContainer": dict(container)}
    settings = {"AsyncInferenceConfig": asynchronous, "DataCaptureConfig": capture}
    config = {
        "EndpointConfigName": name,
        "ProductionVariants": [variant],
        "Tags": mark,
        **{member: dict(value) for member, value in settings.items() if value},
    }
    try:
        client.call("sagemaker", "CreateModel", model | {"Tags": [*mark, *more]})
        client.call("sagemaker", "CreateEndpointConfig", config)
        client.call(
            "sagemaker", "CreateEndpoint", {"EndpointName": name, "EndpointConfigName": name}
        )
    except BottegaError:
        _delete_what_deploy_made(client, name)
        raise
    return endpoint.wait() if wait else endpoint
