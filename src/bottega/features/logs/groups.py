"""What the operations on logs share: naming groups, and refusing as CloudWatch Logs does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.compute.logs import StreamMissing
from bottega.context import Context
from bottega.errors import (
    InvalidParameterException,
    ResourceNotFoundException,
    ValidationException,
)
from bottega.specs import pagination

PAGE_BYTES = 1_048_576
"""The most a page of events holds, counted as CloudWatch does."""
EVENT_OVERHEAD = 26
"""Bytes that each event counts besides its message."""

OWN_PREFIX = "/bottega/"
"""Groups that hold no lines of the user's programs."""

_ARN_MARK = ":log-group:"


def group_of(request: Mapping[str, Any]) -> str:
    """The group that a request names, directly or by ARN.

    Raises:
        InvalidParameterException: it names none, or does so twice.
    """
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise InvalidParameterException(
            "You must include either logGroupIdentifier or logGroupName, but not both."
        )
    return str(name) if name is not None else group_of_identifier(str(identifier))


def group_of_identifier(identifier: str) -> str:
    """The group of a name or of an ARN ``arn:aws:logs:<region>:<account>:log-group:<name>``."""
    if _ARN_MARK not in identifier:
        return identifier
    return identifier.partition(_ARN_MARK)[2]


def arn_of(context: Context, group: str) -> str:
    """The group's ARN, without the trailing ``:*``."""
    config = context.ports.config
    return f"arn:aws:logs:{config.region}:{config.account}{_ARN_MARK}{group}"


def group_missing() -> ResourceNotFoundException:
    """The refusal the SDKs wait on: a job that has not printed anything has no group yet."""
    return ResourceNotFoundException("The specified log group does not exist.")


def stream_missing(context: Context, group: str) -> ResourceNotFoundException:
    """The refusal of a stream, or of its group where that is what is missing."""
    try:
        context.ports.logs.streams(group)
    except StreamMissing:
        return group_missing()
    return ResourceNotFoundException("The specified log stream does not exist.")


def encode_token(context: Context, position: Mapping[str, Any], scope: str) -> str:
    """A token that nobody else can make up; the same position gives the same token."""
    return pagination.encode(position, key=context.ports.credentials.page_key(), scope=scope)


def decode_token(context: Context, token: str, scope: str) -> Mapping[str, Any]:
    """The position that a token stands for.

    Raises:
        InvalidParameterException: it is not one of ours, or was made for something else.
    """
    try:
        return pagination.decode(token, key=context.ports.credentials.page_key(), scope=scope)
    except ValidationException as error:
        raise invalid_token() from error


def invalid_token() -> InvalidParameterException:
    return InvalidParameterException("The specified nextToken is invalid.")
