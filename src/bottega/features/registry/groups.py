"""The operations on model package groups."""

from __future__ import annotations

from typing import Any, cast

from bottega import listing
from bottega.context import Context
from bottega.errors import ConflictException, ValidationException
from bottega.features.registry.entities import (
    GROUP,
    PACKAGE,
    arn_of,
    find,
    missing,
)
from bottega.registry import operation
from bottega.specs.generated.registry import (
    CreateModelPackageGroupInput,
    CreateModelPackageGroupOutput,
    DeleteModelPackageGroupInput,
    DescribeModelPackageGroupInput,
    DescribeModelPackageGroupOutput,
    ListModelPackageGroupsInput,
    ListModelPackageGroupsOutput,
)
from bottega.storage.metadata import (
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourceQuery,
    VersionConflict,
)

_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)


@operation("CreateModelPackageGroup", note="ManagedConfiguration is refused.")
def create_model_package_group(
    context: Context, request: CreateModelPackageGroupInput
) -> CreateModelPackageGroupOutput:
    """Make a group, whose packages are versions of one model."""
    if request.get("ManagedConfiguration", {}).get("ManagedStorageType"):
        raise ValidationException(
            "ManagedConfiguration.ManagedStorageType is not there yet: packages name their model "
            "data in the object store. Leave it out."
        )
    ports = context.ports
    name = request["ModelPackageGroupName"]
    arn = arn_of(ports.config, GROUP, name)
    now = ports.clock.now()
    body: dict[str, Any] = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": arn,
        "CreationTime": now,
        "CreatedBy": context.caller.user_context,
        "ModelPackageGroupStatus": "Completed",
    }
    if "ModelPackageGroupDescription" in request:
        body["ModelPackageGroupDescription"] = request["ModelPackageGroupDescription"]
    group = Resource(GROUP, name.lower(), arn, "Completed", created=now, modified=now, body=body)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    try:
        ports.store.create(group, tags=tags)
    except ResourceExists as error:
        raise ValidationException(f"Model Package Group already exists: {arn}") from error
    return {"ModelPackageGroupArn": arn}


@operation("DescribeModelPackageGroup")
def describe_model_package_group(
    context: Context, request: DescribeModelPackageGroupInput
) -> DescribeModelPackageGroupOutput:
    """Everything that is known of a group."""
    answer: Any = dict(find(context, GROUP, request["ModelPackageGroupName"]).body)
    return cast(DescribeModelPackageGroupOutput, answer)


@operation("DeleteModelPackageGroup")
def delete_model_package_group(context: Context, request: DeleteModelPackageGroupInput) -> None:
    """Remove a group that has no packages."""
    store = context.ports.store
    while True:
        group = find(context, GROUP, request["ModelPackageGroupName"])
        query = ResourceQuery(PACKAGE, name_contains=f"{group.name}/")
        versions = [
            found for found in store.outlines(query) if found.name.startswith(f"{group.name}/")
        ]
        if versions:
            raise ConflictException(
                f"Model Package Group {group.arn} cannot be deleted because it still contains "
                f"{len(versions)} Model Packages. Delete them first."
            )
        try:
            # A package that is being created gives its group another version.
            store.delete(GROUP, group.name, seen=group)
        except VersionConflict:
            continue
        except ResourceMissing as error:
            raise missing(context, GROUP, group.name) from error
        return


@operation("ListModelPackageGroups")
def list_model_package_groups(
    context: Context, request: ListModelPackageGroupsInput
) -> ListModelPackageGroupsOutput:
    """One page of groups."""
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"ModelPackageGroupSummaryList": []}  # nobody else's are here
    page = listing.page(context, "ListModelPackageGroups", GROUP, request)
    answer: Any = {
        "ModelPackageGroupSummaryList": [
            {key: found.body[key] for key in _SUMMARY if key in found.body}
            for found in page.resources
        ]
    }
    if page.next_token:
        answer["NextToken"] = page.next_token
    return cast(ListModelPackageGroupsOutput, answer)
