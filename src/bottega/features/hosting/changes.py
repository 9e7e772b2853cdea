"""Changing what is wanted of an endpoint, where its status allows that."""

from __future__ import annotations

from collections.abc import Callable

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting.refusals import NOUNS, not_found
from bottega.features.hosting.resources import ENDPOINT, IN_PROGRESS
from bottega.storage.metadata import Resource, ResourceMissing


def change_endpoint(
    context: Context, name: str, change: Callable[[Resource], Resource], kind: str = ENDPOINT
) -> Resource:
    """Change one endpoint, or one inference component.

    Raises:
        ValidationException: there is none of that name.
    """
    try:
        return context.ports.store.modify(kind, name, change)
    except ResourceMissing as error:
        raise not_found(context, kind, name) from error


def refuse_in_progress(endpoint: Resource) -> None:
    """
    Raises:
        ValidationException: something else is under way; in SageMaker's words.
    """
    if endpoint.status in IN_PROGRESS:
        noun = NOUNS[endpoint.kind][1]
        raise ValidationException(f'Cannot update in-progress {noun} "{endpoint.arn}".')


def refuse_unless_settled(endpoint: Resource) -> None:
    """
    Raises:
        ValidationException: the endpoint does not serve, or something else is under way.
    """
    refuse_in_progress(endpoint)
    if endpoint.status != "InService":
        noun = NOUNS[endpoint.kind][1]
        raise ValidationException(
            f'Cannot update {noun} "{endpoint.arn}" with status "{endpoint.status}"; '
            "it can only be deleted."
        )
