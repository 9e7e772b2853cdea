"""Changing what is wanted of an endpoint, where its status allows that."""

from __future__ import annotations

from collections.abc import Callable

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting.refusals import not_found
from bottega.features.hosting.resources import ENDPOINT, IN_PROGRESS
from bottega.storage.metadata import Resource, ResourceMissing


def change_endpoint(
    context: Context, name: str, change: Callable[[Resource], Resource]
) -> Resource:
    """Change one endpoint.

    Raises:
        ValidationException: there is none of that name.
    """
    try:
        return context.ports.store.modify(ENDPOINT, name, change)
    except ResourceMissing as error:
        raise not_found(context, ENDPOINT, name) from error


def refuse_in_progress(endpoint: Resource) -> None:
    """
    Raises:
        ValidationException: something else is under way; in SageMaker's words.
    """
    if endpoint.status in IN_PROGRESS:
        raise ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def refuse_unless_settled(endpoint: Resource) -> None:
    """
    Raises:
        ValidationException: the endpoint does not serve, or something else is under way.
    """
    refuse_in_progress(endpoint)
    if endpoint.status != "InService":
        raise ValidationException(
            f'Cannot update endpoint "{endpoint.arn}" with status "{endpoint.status}"; '
            "it can only be deleted."
        )
