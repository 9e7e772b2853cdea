"""A version in the model registry in the hands of its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bottega.errors import ValidationException
from bottega.sdk.client import Client
from bottega.sdk.endpoint import COLUMNS, Endpoint, deploy_model
from bottega.sdk.model_check import check_containers


@dataclass
class ModelVersion:
    """One model package. Everything is read when asked for, so it is always the present state."""

    client: Client = field(repr=False)
    name: str
    """Its ARN, or ``group/number``."""

    def describe(self) -> dict[str, Any]:
        """DescribeModelPackage's answer.

        Raises:
            ValidationException: there is no such version.
        """
        return self.client.call(
            "sagemaker", "DescribeModelPackage", {"ModelPackageName": self.name}
        )

    @property
    def status(self) -> str:
        """Pending, InProgress, Completed or Failed."""
        return str(self.describe()["ModelPackageStatus"])

    @property
    def approval(self) -> str:
        """Approved, Rejected or PendingManualApproval."""
        return str(self.describe()["ModelApprovalStatus"])

    def approve(self, reason: str = "") -> ModelVersion:
        """Allow the version to be deployed."""
        return self._decide("Approved", reason)

    def reject(self, reason: str = "") -> ModelVersion:
        """Forbid the version to be deployed; endpoints that serve it go on."""
        return self._decide("Rejected", reason)

    def _decide(self, status: str, reason: str) -> ModelVersion:
        request = {
            "ModelPackageArn": self.describe()["ModelPackageArn"],
            "ModelApprovalStatus": status,
            "ApprovalDescription": reason,
        }
        self.client.call("sagemaker", "UpdateModelPackage", request)
        return self

    def delete(self) -> None:
        """Forget the version; models and endpoints that were made of it stay."""
        self.client.call("sagemaker", "DeleteModelPackage", {"ModelPackageName": self.name})

    def check(self) -> list[dict[str, str]]:
        """What would keep the version from being served, before it is deployed.

        Returns:
            CheckModel's findings, with ``Severity``, ``Where`` and ``Message``; empty where nothing
            wrong can be seen from outside.

        Raises:
            ValidationException: there is no such version.
        """
        specification = self.describe().get("InferenceSpecification", {})
        return check_containers(self.client, specification.get("Containers", []))

    def deploy(
        self,
        name: str | None = None,
        *,
        instance_type: str = "ml.m5.large",
        instance_count: int = 1,
        serverless: Mapping[str, Any] | None = None,
        asynchronous: Mapping[str, Any] | None = None,
        capture: Mapping[str, Any] | None = None,
        wait: bool = True,
    ) -> Endpoint:
        """Put the version behind an endpoint.

        Args:
            name: of the endpoint; ``<group>-<number>`` when absent.
            instance_type: an ``ml.*`` name; model servers run on this machine whatever it says.
            instance_count: how many model servers share the requests.
            serverless: ServerlessConfig, for model servers that come and go with the requests,
                instead of instances.
            asynchronous: AsyncInferenceConfig, for an endpoint that answers with objects.
            capture: DataCaptureConfig, to keep requests and answers.
            wait: return only when the endpoint is in service.

        Raises:
            ValidationException: the version is not approved.
            ClientFault: the name is taken.
            EndpointFailed: with ``wait``, the endpoint did not come into service.
        """
        found = self.describe()
        return deploy_model(
            self.client,
            name or found["ModelPackageName"].replace("/", "-"),
            container={"ModelPackageName": found["ModelPackageArn"]},
            role=self.client.call("bottega", "DescribeStudio")["RoleArn"],
            columns=found.get("CustomerMetadataProperties", {}).get(COLUMNS),
            instance_type=instance_type,
            instance_count=instance_count,
            serverless=serverless,
            asynchronous=asynchronous,
            capture=capture,
            wait=wait,
        )


def register_version(
    client: Client,
    group: str,
    *,
    container: Mapping[str, Any],
    description: str,
    approved: bool,
    generated_by: str,
    columns: str | None,
) -> ModelVersion:
    """Create the next version of a group, and the group where there is none.

    Args:
        container: what serves the model.
        generated_by: the ARN of the job it is from.
        columns: where the order of the feature columns is kept, if it is known.
    """
    _ensure_group(client, group)
    request: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {"Containers": [dict(container)]},
        "ModelApprovalStatus": "Approved" if approved else "PendingManualApproval",
        "MetadataProperties": {"GeneratedBy": generated_by},
    }
    if description:
        request["ModelPackageDescription"] = description
    if columns:
        request["CustomerMetadataProperties"] = {COLUMNS: columns}
    created = client.call("sagemaker", "CreateModelPackage", request)
    return ModelVersion(client, str(created["ModelPackageArn"]))


def _ensure_group(client: Client, group: str) -> None:
    name = {"ModelPackageGroupName": group}
    try:
        client.call("sagemaker", "DescribeModelPackageGroup", name)
        return
    except ValidationException as error:
        if "does not exist" not in error.message:
            raise
    try:
        client.call("sagemaker", "CreateModelPackageGroup", name)
    except ValidationException as error:
        if "already exists" not in error.message:  # somebody was faster
            raise
