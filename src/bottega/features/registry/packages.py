"""The operations on model packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from bottega.context import Context
from bottega.errors import BottegaError, ConflictException, ValidationException
from bottega.features.registry.entities import (
    GROUP,
    PACKAGE,
    arn_of,
    find,
    missing,
    stored_name,
)
from bottega.features.registry.numbering import digest_of, take_number
from bottega.features.registry.rules import (
    MOST_PROPERTIES,
    check_names,
    check_new,
    check_specifications,
)
from bottega.registry import operation
from bottega.specs.generated.registry import (
    BatchDescribeModelPackageInput,
    BatchDescribeModelPackageOutput,
    CreateModelPackageInput,
    CreateModelPackageOutput,
    DeleteModelPackageInput,
    DescribeModelPackageInput,
    DescribeModelPackageOutput,
    UpdateModelPackageInput,
    UpdateModelPackageOutput,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

_ECHOED = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "SourceAlgorithmSpecification",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "AdditionalInferenceSpecifications",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
)
_REPLACED = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelLifeCycle",
)
_BATCH = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
)


@operation(
    "CreateModelPackage",
    note="Validated are the images and the model data; ValidationSpecification, "
    "CertifyForMarketplace and ManagedStorageType are refused. SecurityConfig and the supported "
    "instance types are recorded but change nothing here.",
)
def create_model_package(
    context: Context, request: CreateModelPackageInput
) -> CreateModelPackageOutput:
    """Register a model: as the next version of a group, or by itself under a name."""
    check_new(request)
    if "ModelPackageGroupName" not in request:
        return {"ModelPackageArn": _create_unversioned(context, request)}
    store = context.ports.store
    group = find(context, GROUP, request["ModelPackageGroupName"])
    number = take_number(store, group.name, request)
    if number is None:
        raise missing(context, GROUP, group.name)
    own = {
        "ModelPackageGroupName": group.body["ModelPackageGroupName"],
        "ModelPackageVersion": number,
        "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
    }
    name = f"{group.body['ModelPackageGroupName']}/{number}"
    package = _package(context, request, name, own)
    try:
        store.create(package)
    except ResourceExists:  # by a former try of the same request
        return {"ModelPackageArn": package.arn}
    if not store.get_many(GROUP, (group.name,)):  # deleted meanwhile
        store.delete(PACKAGE, package.name)
        raise missing(context, GROUP, group.name)
    return {"ModelPackageArn": package.arn}


def _create_unversioned(context: Context, request: CreateModelPackageInput) -> str:
    package = _package(context, request, request["ModelPackageName"], {})
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    try:
        context.ports.store.create(package, tags=tags)
    except ResourceExists as error:
        token = request.get("ClientToken")
        known = error.existing.private
        if token and (token, package.private["digest"]) == (known["token"], known["digest"]):
            return package.arn
        raise ConflictException(
            f"A model package of the name {request['ModelPackageName']} already exists "
            f"({package.arn}). Choose another name, or delete it first."
        ) from error
    return package.arn


def _package(
    context: Context, request: CreateModelPackageInput, name: str, own: Mapping[str, Any]
) -> Resource:
    """The resource of a new package, which is yet to be validated."""
    now = context.ports.clock.now()
    arn = arn_of(context.ports.config, PACKAGE, name)
    body = {
        **{key: request[key] for key in _ECHOED if key in request},  # type: ignore[literal-required]
        **own,
        "ModelPackageName": name,
        "ModelPackageArn": arn,
        "CreationTime": now,
        "CreatedBy": context.caller.user_context,
        "ModelPackageStatus": "Pending",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
    }
    private = {"token": request.get("ClientToken", ""), "digest": digest_of(request)}
    return Resource(
        PACKAGE,
        name.lower(),
        arn,
        "Pending",
        created=now,
        modified=now,
        body=body,
        private=private,
    )


@operation("DescribeModelPackage")
def describe_model_package(
    context: Context, request: DescribeModelPackageInput
) -> DescribeModelPackageOutput:
    """Everything that is known of a package."""
    answer: Any = dict(find(context, PACKAGE, request["ModelPackageName"]).body)
    if request.get("IncludedData") == "MetadataOnly" and "ModelCard" in answer:
        card = answer["ModelCard"]
        answer["ModelCard"] = {k: v for k, v in card.items() if k != "ModelCardContent"}
    return cast(DescribeModelPackageOutput, answer)


@operation("BatchDescribeModelPackage")
def batch_describe_model_package(
    context: Context, request: BatchDescribeModelPackageInput
) -> BatchDescribeModelPackageOutput:
    """Several packages; those that are not there are answered as errors."""
    found: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for arn in request["ModelPackageArnList"]:
        try:
            body = find(context, PACKAGE, arn).body
        except BottegaError as error:
            errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        else:
            found[arn] = {key: body[key] for key in _BATCH if key in body}
    answer: Any = {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}
    return cast(BatchDescribeModelPackageOutput, answer)


@operation("UpdateModelPackage")
def update_model_package(
    context: Context, request: UpdateModelPackageInput
) -> UpdateModelPackageOutput:
    """Approve or reject a version, or change what is said of it; other containers are validated
    again."""
    package = find(context, PACKAGE, request["ModelPackageArn"])
    now = context.ports.clock.now()

    def changed(present: Resource) -> Resource:
        body = _changed(present.body, request)
        body["LastModifiedTime"] = now
        body["LastModifiedBy"] = context.caller.user_context
        status = present.status
        if (
            "InferenceSpecification" in request
            or "AdditionalInferenceSpecificationsToAdd" in request
        ):
            status = body["ModelPackageStatus"] = "Pending"
        return replace(present, status=status, body=body)

    try:
        context.ports.store.modify(PACKAGE, package.name, changed)
    except ResourceMissing as error:
        raise missing(context, PACKAGE, package.name) from error
    return {"ModelPackageArn": package.arn}


def _changed(body: Mapping[str, Any], request: UpdateModelPackageInput) -> dict[str, Any]:
    changed = {
        **body,
        **{key: request[key] for key in _REPLACED if key in request},  # type: ignore[literal-required]
    }
    if "ModelApprovalStatus" in request and "ModelPackageVersion" not in body:
        raise ValidationException(
            "ModelApprovalStatus does not apply to a package without a group. Leave it out."
        )
    if "ModelCard" in request:
        changed["ModelCard"] = {**body.get("ModelCard", {}), **request["ModelCard"]}
    if more := request.get("AdditionalInferenceSpecificationsToAdd"):
        every = [*body.get("AdditionalInferenceSpecifications", ()), *more]
        check_names(item["Name"] for item in every)
        changed["AdditionalInferenceSpecifications"] = every
    logged = changed.get("ModelPackageRegistrationType") == "Logged"
    check_specifications(changed, logged=logged)
    properties = dict(body.get("CustomerMetadataProperties", {}))
    for key in request.get("CustomerMetadataPropertiesToRemove", ()):
        properties.pop(key, None)
    properties.update(request.get("CustomerMetadataProperties", {}))
    if len(properties) > MOST_PROPERTIES:
        raise ValidationException(
            f"A model package can have at most {MOST_PROPERTIES} CustomerMetadataProperties; it "
            f"would have {len(properties)}. Remove some with CustomerMetadataPropertiesToRemove."
        )
    changed.pop("CustomerMetadataProperties", None)
    if properties:
        changed["CustomerMetadataProperties"] = properties
    return changed


@operation("DeleteModelPackage")
def delete_model_package(context: Context, request: DeleteModelPackageInput) -> None:
    """Remove a package; models that were made of it stay, and its number is not used again."""
    name = stored_name(context, PACKAGE, request["ModelPackageName"])
    try:
        context.ports.store.delete(PACKAGE, name)
    except ResourceMissing as error:
        raise missing(context, PACKAGE, name) from error
