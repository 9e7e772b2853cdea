"""What a request about a model package must satisfy beyond the shapes of its members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bottega.errors import ValidationException

MOST_SPECIFICATIONS = 15
"""How many AdditionalInferenceSpecifications a package may have."""
MOST_PROPERTIES = 50
"""How many CustomerMetadataProperties a package may have."""

_NOT_THERE = ("ValidationSpecification", "CertifyForMarketplace", "ManagedStorageType")


def check_new(request: Mapping[str, Any]) -> None:
    """Refuse a CreateModelPackage request that makes no sense.

    Raises:
        ValidationException: it does not.
    """
    for member in _NOT_THERE:
        if request.get(member):
            raise ValidationException(
                f"{member} is not there yet. Leave it out: the images and the model data of a "
                "package are validated without it."
            )
    name, group = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
    if bool(name) == bool(group):
        raise ValidationException(
            "Exactly one of ModelPackageName and ModelPackageGroupName must be given: a version "
            "belongs to a group and has a number for a name."
        )
    if name and request.get("ModelApprovalStatus"):
        raise ValidationException(
            "ModelApprovalStatus does not apply to a package without a group. Leave it out, or "
            "give ModelPackageGroupName instead of ModelPackageName."
        )
    if group and request.get("Tags"):
        raise ValidationException(
            "Tags cannot be given to a versioned package. Tag its group instead."
        )
    logged = request.get("ModelPackageRegistrationType") == "Logged"
    if not (
        logged
        or request.get("InferenceSpecification")
        or request.get("SourceAlgorithmSpecification")
        or request.get("SourceUri")
    ):
        raise ValidationException(
            "InferenceSpecification is missing: it says which images serve the model and where its "
            "data lies."
        )
    check_specifications(request, logged=logged)


def check_specifications(request: Mapping[str, Any], *, logged: bool) -> None:
    """Refuse inference specifications that nothing could be served by.

    Args:
        request: with any of InferenceSpecification and AdditionalInferenceSpecifications.
        logged: whether the package is only logged, so that it may lack images.

    Raises:
        ValidationException: a container has no image or two sources of data, or a name is double.
    """
    for where, _, container in containers(request):
        if not container.get("Image") and not logged:
            raise ValidationException(f"{where}.Image is missing: it says what serves the model.")
        if container.get("ModelDataUrl") and container.get("ModelDataSource"):
            raise ValidationException(
                f"{where}.ModelDataUrl and {where}.ModelDataSource are both given; use one of them."
            )
    check_names(item["Name"] for item in request.get("AdditionalInferenceSpecifications", ()))


def check_names(names: Iterable[str]) -> None:
    """Refuse the names of additional specifications.

    Raises:
        ValidationException: one is there twice, or they are too many.
    """
    found: set[str] = set()
    for name in names:
        if name in found:
            raise ValidationException(
                f"AdditionalInferenceSpecifications has the Name {name!r} twice; each needs its "
                "own."
            )
        found.add(name)
    if len(found) > MOST_SPECIFICATIONS:
        raise ValidationException(
            f"A model package can have at most {MOST_SPECIFICATIONS} "
            f"AdditionalInferenceSpecifications; it would have {len(found)}."
        )


def containers(described: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every container of a package or of a request for one.

    Yields:
        Its path in the request, what a validation of it is called, and the container.
    """
    inference = described.get("InferenceSpecification", {})
    for number, container in enumerate(inference.get("Containers", ())):
        yield (
            f"InferenceSpecification.Containers[{number}]",
            f"container-{number + 1}",
            container,
        )
    for index, more in enumerate(described.get("AdditionalInferenceSpecifications", ())):
        for number, container in enumerate(more["Containers"]):
            yield (
                f"AdditionalInferenceSpecifications[{index}].Containers[{number}]",
                f"additional-{index + 1}-container-{number + 1}",
                container,
            )
