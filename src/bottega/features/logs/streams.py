"""The operations that list log groups and their streams."""

from __future__ import annotations

from bottega.compute import logs
from bottega.compute.logs import StreamMissing
from bottega.context import Context
from bottega.errors import InvalidParameterException
from bottega.features.logs.groups import (
    OWN_PREFIX,
    arn_of,
    decode_token,
    encode_token,
    group_missing,
    group_of,
    group_of_identifier,
    invalid_token,
)
from bottega.registry import operation
from bottega.specs.generated.logs import (
    DescribeLogGroupsRequest,
    DescribeLogGroupsResponse,
    DescribeLogStreamsRequest,
    DescribeLogStreamsResponse,
    LogGroup,
    LogStream,
)

_PAGE = 50


@operation(
    "DescribeLogGroups",
    service="logs",
    note="Groups come into being with the first line of a job; creationTime is left out.",
)
def describe_log_groups(
    context: Context, request: DescribeLogGroupsRequest
) -> DescribeLogGroupsResponse:
    """The groups that have a stream, by name."""
    prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    if prefix and pattern:
        raise InvalidParameterException(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    wanted = request.get("logGroupIdentifiers")
    names = None if wanted is None else {group_of_identifier(name) for name in wanted}
    # Every group here is of the standard class, which asking for the infrequent ones includes.
    any_class = request.get("logGroupClass", "STANDARD") != "DELIVERY"
    found = [
        group
        for group in context.ports.logs.groups()
        if any_class
        # What is not the user's own is for those who ask for it.
        and (not group.startswith(OWN_PREFIX) or prefix.startswith(OWN_PREFIX) or names is not None)
        and group.startswith(prefix)
        and pattern in group
        and (names is None or group in names)
    ]
    scope = f"DescribeLogGroups:{prefix}:{pattern}:{sorted(names or ())}"
    if "nextToken" in request:
        last = decode_token(context, request["nextToken"], scope)["after"]
        found = [group for group in found if group > last]
    limit = request.get("limit", _PAGE)
    answer: DescribeLogGroupsResponse = {
        "logGroups": [_group(context, group) for group in found[:limit]]
    }
    if len(found) > limit:
        answer["nextToken"] = encode_token(context, {"after": found[limit - 1]}, scope)
    return answer


def _group(context: Context, group: str) -> LogGroup:
    arn = arn_of(context, group)
    return {
        "logGroupName": group,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "metricFilterCount": 0,
    }


@operation(
    "DescribeLogStreams",
    service="logs",
    note="At most 50 streams and never a nextToken: the SageMaker SDK would ask for ever. "
    "Narrow the prefix to see others.",
)
def describe_log_streams(
    context: Context, request: DescribeLogStreamsRequest
) -> DescribeLogStreamsResponse:
    """The streams of one group."""
    group = group_of(request)
    prefix = request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy", "LogStreamName") == "LastEventTime"
    if by_time and prefix:
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    if "nextToken" in request:  # none was ever given out
        raise invalid_token()
    try:
        found = context.ports.logs.streams(group, prefix=prefix)
    except StreamMissing as error:
        raise group_missing() from error
    ordered = sorted(
        found,
        key=lambda stream: (stream.last_event or 0 if by_time else 0, stream.name),
        reverse=request.get("descending", False),
    )
    arn = arn_of(context, group)
    limit = request.get("limit", _PAGE)
    return {"logStreams": [_stream(arn, stream) for stream in ordered[:limit]]}


def _stream(group_arn: str, stream: logs.LogStream) -> LogStream:
    shown: LogStream = {
        "logStreamName": stream.name,
        "creationTime": round(stream.created * 1000),
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": stream.size,
    }
    if stream.first_event is not None:
        shown["firstEventTimestamp"] = stream.first_event
    if stream.last_event is not None:
        shown["lastEventTimestamp"] = stream.last_event
        shown["lastIngestionTime"] = stream.last_event
    return shown
