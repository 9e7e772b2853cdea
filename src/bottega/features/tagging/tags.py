"""The operations on tags, for every kind of resource that has an ARN."""

from __future__ import annotations

from collections.abc import Iterable

from bottega.context import Context
from bottega.errors import ResourceLimitExceeded, ValidationException
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
        tags = sorted(context.ports.store.tags(arn).items())
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
    try:
        context.ports.store.remove_tags(_arn(request["ResourceArn"]), request["TagKeys"])
    except ResourceMissing as error:
        raise _not_found(request["ResourceArn"]) from error
    return {}


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
