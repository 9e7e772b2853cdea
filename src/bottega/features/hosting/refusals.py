"""The words with which hosting refuses, in one place because clients match on some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.identifiers import sagemaker_arn

COVERAGE_PAGE = "docs/coverage.md"

NOUNS: Mapping[str, tuple[str, str]] = {
    "Model": ("model", "model"),
    "EndpointConfig": ("endpoint-config", "endpoint configuration"),
    "Endpoint": ("endpoint", "endpoint"),
    "InferenceComponent": ("inference-component", "inference component"),
}
"""Kind to the resource type in its ARN and the noun in SageMaker's messages."""


def arn_of(context: Context, kind: str, name: str) -> str:
    """The ARN a resource has, or would have."""
    config = context.ports.config
    return sagemaker_arn(config.region, config.account, NOUNS[kind][0], name)


def not_found(context: Context, kind: str, name: str) -> ValidationException:
    """SageMaker's answer for a resource that does not exist."""
    return ValidationException(f'Could not find {NOUNS[kind][1]} "{arn_of(context, kind, name)}".')


def already_exists(context: Context, kind: str, name: str) -> ValidationException:
    """SageMaker's answer for a name that is taken."""
    return ValidationException(
        f'Cannot create already existing {NOUNS[kind][1]} "{arn_of(context, kind, name)}".'
    )


def not_there_yet(what: str) -> ValidationException:
    """The answer for a part of the API that bottega does not have."""
    return ValidationException(
        f"{what} is not there yet. {COVERAGE_PAGE} lists what this bottega does; "
        "leave it out and send the request again."
    )


def refuse_members(where: str, given: Mapping[str, Any], members: tuple[str, ...]) -> None:
    """Refuse the members that ask for something bottega does not have.

    A member that is empty or false asks for nothing.

    Raises:
        ValidationException: for the first one, naming its path.
    """
    for member in members:
        if given.get(member):
            raise not_there_yet(f"{where}{member}")
