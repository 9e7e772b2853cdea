"""Groups and packages as stored resources: their names, their ARNs, and how they are found.

A package of a group is stored under ``<group>/<version>``, one without a group under its name; both
in lower case, as in their ARNs, so that a name and an ARN lead to the same resource.
"""

from __future__ import annotations

from bottega.config import Config
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.identifiers import sagemaker_arn
from bottega.storage.metadata import Resource, ResourceMissing

GROUP = "ModelPackageGroup"
PACKAGE = "ModelPackage"

_RESOURCE_TYPES = {GROUP: "model-package-group", PACKAGE: "model-package"}


def arn_of(config: Config, kind: str, name: str) -> str:
    """The ARN a group or package has, or would have."""
    return sagemaker_arn(config.region, config.account, _RESOURCE_TYPES[kind], name)


def stored_name(context: Context, kind: str, name_or_arn: str) -> str:
    """The name in the store of what a request names.

    Raises:
        ValidationException: it is an ARN of something else, or of another account or region.
    """
    if not name_or_arn.startswith("arn:"):
        return name_or_arn.lower()
    prefix = arn_of(context.ports.config, kind, "")
    if not name_or_arn.lower().startswith(prefix):
        raise not_found(kind, name_or_arn)
    return name_or_arn.lower().removeprefix(prefix)


def find(context: Context, kind: str, name_or_arn: str) -> Resource:
    """One group or package.

    Raises:
        ValidationException: there is none.
    """
    name = stored_name(context, kind, name_or_arn)
    try:
        return context.ports.store.get(kind, name)
    except ResourceMissing as error:
        raise missing(context, kind, name) from error


def missing(context: Context, kind: str, name: str) -> ValidationException:
    """The answer for a group or package that is not in the store under that name."""
    store = context.ports.store
    if kind == PACKAGE and "/" not in name and store.get_many(GROUP, (name,)):
        return ValidationException(
            f"{PACKAGE} {name} does not exist; it is the name of a group. Name one of its "
            f"versions, as in {name}/1."
        )
    return not_found(kind, arn_of(context.ports.config, kind, name))


def not_found(kind: str, arn: str) -> ValidationException:
    """SageMaker's answer for a group or package that does not exist."""
    return ValidationException(f"{kind} {arn} does not exist.")
