"""The operations on tags, for every kind of resource that has an ARN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from bottega.context import Context
from bottega.errors import ResourceLimitExceeded, ServiceUnavailable, ValidationException
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.tagging import (
    AddTagsInput,
    AddTagsOutput,
    DeleteTagsInput,
    DeleteTagsOutput,
    ListTagsInput,
    ListTagsOutput,
    Tag,
)
from bottega.storage.metadata import ResourceMissing, TooManyTags
from bottega.tracking.entity_documents import entity_of
from bottega.tracking.experiments import EntityKind, ExperimentStore
from bottega.tracking.port import TrackingMissing, TrackingRefused, TrackingUnavailable

MOST_TAGS = 50
"""How many tags a resource may have."""

_RESERVED = "aws:"


@operation("AddTags")
def add_tags(context: Context, request: AddTagsInput) -> AddTagsOutput:
    """Add tags to a resource or give those it has another value; answers with all it has then."""
    wanted: dict[str, str] = {}
    for tag in request["Tags"]:
        if tag["Key"] in wanted:
            raise ValidationException(
                f"Tag keys must be unique: {tag['Key']!r} is given more than once."
            )
        wanted[tag["Key"]] = tag["Value"]
    _refuse_reserved(wanted)
    arn = _arn(request["ResourceArn"])
    try:
        if tracked := _tracked(context, arn):
            with _told():
                experiments, kind, name = tracked
                present = experiments.set_tags(kind, name, wanted, limit=MOST_TAGS)
            return {"Tags": _shown(present.items())}
        tags = context.ports.store.set_tags(arn, wanted, limit=MOST_TAGS)
    except ResourceMissing as error:
        raise _not_found(request["ResourceArn"]) from error
    except TooManyTags as error:
        raise ResourceLimitExceeded(
            f"The resource {request['ResourceArn']} would have more than {MOST_TAGS} tags. Delete "
            "some of its tags first."
        ) from error
    return {"Tags": _shown(tags.items())}


@operation("ListTags")
def list_tags(context: Context, request: ListTagsInput) -> ListTagsOutput:
    """The tags of a resource by key."""
    arn = _arn(request["ResourceArn"])
    try:
        tags = sorted(_tags(context, arn).items())
    except ResourceMissing as error:
        raise _not_found(request["ResourceArn"]) from error
    key, scope = context.ports.credentials.page_key(), f"ListTags:{arn}"
    if "NextToken" in request:
        last = pagination.decode(request["NextToken"], key=key, scope=scope)["after"]
        tags = [(name, value) for name, value in tags if name > last]
    limit = request.get("MaxResults", MOST_TAGS)
    answer: ListTagsOutput = {"Tags": _shown(tags[:limit])}
    if len(tags) > limit:
        answer["NextToken"] = pagination.encode({"after": tags[limit - 1][0]}, key=key, scope=scope)
    return answer


@operation("DeleteTags")
def delete_tags(context: Context, request: DeleteTagsInput) -> DeleteTagsOutput:
    """Remove tags of a resource; keys it does not have are passed over."""
    _refuse_reserved(request["TagKeys"])
    arn = _arn(request["ResourceArn"])
    try:
        if tracked := _tracked(context, arn):
            with _told():
                experiments, kind, name = tracked
                experiments.remove_tags(kind, name, request["TagKeys"])
            return {}
        context.ports.store.remove_tags(arn, request["TagKeys"])
    except ResourceMissing as error:
        raise _not_found(request["ResourceArn"]) from error
    return {}


def _tags(context: Context, arn: str) -> Mapping[str, str]:
    if tracked := _tracked(context, arn):
        with _told():
            experiments, kind, name = tracked
            return experiments.tags(kind, name)
    return context.ports.store.tags(arn)


def _tracked(context: Context, arn: str) -> tuple[ExperimentStore, EntityKind, str] | None:
    """What an ARN is of where the tracker has it: its experiments, the kind and the name."""
    experiments = context.ports.experiments
    if experiments is None or (entity := entity_of(context.ports.config, arn)) is None:
        return None
    return (experiments, *entity)


@contextmanager
def _told() -> Iterator[None]:
    """The tracker's refusals as ours."""
    try:
        yield
    except TrackingMissing as error:
        raise ResourceMissing(error.reason) from error
    except TrackingRefused as error:
        raise ValidationException(error.reason) from error
    except TrackingUnavailable as error:
        raise ServiceUnavailable(str(error)) from error


def _arn(given: str) -> str:
    # ARNs are kept in lower case, and callers build them from names in mixed case.
    return given.lower()


def _shown(tags: Iterable[tuple[str, str]]) -> list[Tag]:
    return [{"Key": key, "Value": value} for key, value in tags]


def _refuse_reserved(keys: Iterable[str]) -> None:
    for key in keys:
        if key.lower().startswith(_RESERVED):
            raise ValidationException(
                f"The tag key {key!r} begins with {_RESERVED!r}, which is reserved for AWS."
            )


def _not_found(arn: str) -> ValidationException:
    return ValidationException(f'Could not find resource "{arn}".')
