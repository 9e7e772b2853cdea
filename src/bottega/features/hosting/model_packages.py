"""Containers that are named by a version of a model package instead of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException

_TAKEN = ("Image", "ModelDataUrl", "ModelDataSource", "ContainerHostname")


def with_package(context: Context, where: str, container: Mapping[str, Any]) -> Mapping[str, Any]:
    """A container with what its ModelPackageName stands for; any other is left as it is.

    What the package says is kept in the model, so that the model outlives it.

    Raises:
        ValidationException: there is no such package, it cannot be deployed, or Image or data are
            given beside it.
    """
    name = container.get("ModelPackageName")
    if not name:
        if container.get("InferenceSpecificationName"):
            raise ValidationException(
                f"{where}InferenceSpecificationName needs {where}ModelPackageName."
            )
        return container
    for member in ("Image", "ModelDataUrl", "ModelDataSource"):
        if container.get(member):
            raise ValidationException(
                f"{where}{member} and {where}ModelPackageName are both given; the package says it "
                "already."
            )
    package = context.call("sagemaker", "DescribeModelPackage", {"ModelPackageName": name})
    found = _specification(where, container, package).get("Containers", ())
    if len(found) != 1:
        raise ValidationException(
            f"{where}ModelPackageName: the package {name} describes {len(found)} containers; one "
            "container of a model can stand for a package of one."
        )
    taken = {key: found[0][key] for key in _TAKEN if found[0].get(key)}
    environment = {**found[0].get("Environment", {}), **container.get("Environment", {})}
    return {**taken, **container, **({"Environment": environment} if environment else {})}


def _specification(
    where: str, container: Mapping[str, Any], package: Mapping[str, Any]
) -> Mapping[str, Any]:
    arn = package["ModelPackageArn"]
    if package.get("ModelApprovalStatus") in ("Rejected", "PendingManualApproval"):
        raise ValidationException(
            f"{where}ModelPackageName: the model package {arn} has the approval status "
            f"{package['ModelApprovalStatus']}; only an approved one can be deployed."
        )
    wanted = container.get("InferenceSpecificationName")
    if wanted:
        for more in package.get("AdditionalInferenceSpecifications", ()):
            if more["Name"] == wanted:
                return dict(more)
        raise ValidationException(
            f"{where}InferenceSpecificationName: the model package {arn} has no specification of "
            f"the name {wanted!r}."
        )
    found = package.get("InferenceSpecification")
    if not found:
        raise ValidationException(
            f"{where}ModelPackageName: the model package {arn} has no InferenceSpecification, so "
            "that it is not known what serves it."
        )
    return dict(found)
