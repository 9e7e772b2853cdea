"""ListCapturedRecords: what data capture has kept of an endpoint, from the newest end."""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.registry import operation
from bottega.specs.generated.capture import (
    CapturedData,
    CapturedRecord,
    ListCapturedRecordsRequest,
    ListCapturedRecordsResponse,
)
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectInfo, ObjectMissing, ObjectStore

log = logging.getLogger(__name__)

_RECORDS = 20
_OBJECTS_SHOWN = 20
MOST_COUNTED = 10_000
"""Objects that are counted at most."""
MOST_READ_BYTES = 16 * 1024 * 1024
"""Bytes of objects that are read at most for one answer, the first one apart."""
SHOWN_CHARACTERS = 64 * 1024
"""Characters of a body that are answered at most."""
_DELIMITERS = ("/", "/", "/", "/", "-", "-", "")
"""What ends the year, the month, the day, the hour, the minute and the second in a key."""


class _Found(NamedTuple):
    """One object of captured records."""

    place: str
    """Its key below the variant's folder, which begins with the time of its first record."""
    variant: str
    info: ObjectInfo


@operation("ListCapturedRecords", service="bottega")
def list_captured_records(
    context: Context, request: ListCapturedRecordsRequest
) -> ListCapturedRecordsResponse:
    """The newest records, the newest objects, and how much there is."""
    name = request["EndpointName"]
    described = context.call("sagemaker", "DescribeEndpoint", {"EndpointName": name})
    settings: Mapping[str, Any] = described.get("DataCaptureConfig") or {}
    recorder = context.ports.routes.capture
    answer: ListCapturedRecordsResponse = {
        "Records": [],
        "Objects": [],
        "ObjectCount": 0,
        "ByteCount": 0,
        "MoreObjects": False,
        "RecordsWaiting": recorder.waiting(name) if recorder else 0,
        "RecordsDropped": recorder.dropped(name) if recorder else 0,
    }
    destination = settings.get("DestinationS3Uri")
    if not destination:
        return answer
    answer["DestinationS3Uri"] = destination
    answer["SamplingPercentage"] = settings["CurrentSamplingPercentage"]
    objects = context.ports.objects
    try:
        bucket, folder = s3_uris.split(f"{destination.rstrip('/')}/{name}/")
        variants = _variants(objects, bucket, folder, request.get("VariantName"))
        counted, more = _counted(objects, bucket, [f"{folder}{name}/" for name in variants])
        newest = _newest(objects, bucket, folder, variants)
        shown = list(islice(newest, _OBJECTS_SHOWN))
    except (BucketMissing, ValidationException):
        return answer  # nothing was ever written there
    answer["ObjectCount"] = len(counted)
    answer["ByteCount"] = sum(counted)
    answer["MoreObjects"] = more
    answer["Objects"] = [
        {
            "S3Uri": f"s3://{bucket}/{found.info.key}",
            "VariantName": found.variant,
            "Size": found.info.size,
            "LastModifiedTime": found.info.modified,
        }
        for found in shown
    ]
    answer["Records"] = _records(objects, shown, request.get("MaxRecords", _RECORDS))
    return answer


def _variants(
    objects: ObjectStore, bucket: str, folder: str, wanted: str | None
) -> tuple[str, ...]:
    if wanted:
        return (wanted,)
    page = objects.page(bucket, prefix=folder, delimiter="/")
    return tuple(prefix[len(folder) : -1] for prefix in page.prefixes)


def _counted(objects: ObjectStore, bucket: str, prefixes: Iterable[str]) -> tuple[list[int], bool]:
    """The sizes of the objects under some prefixes, and whether there are more."""
    each = (info.size for prefix in prefixes for info in objects.each(bucket, prefix))
    sizes = list(islice(each, MOST_COUNTED))
    return sizes, next(each, None) is not None


def _newest(
    objects: ObjectStore, bucket: str, folder: str, variants: Iterable[str]
) -> Iterator[_Found]:
    """The objects of some variants, newest first, listed only as far as they are asked for."""
    return heapq.merge(
        *(_of_variant(objects, bucket, folder, variant) for variant in variants),
        key=lambda found: found.place,
        reverse=True,
    )


def _of_variant(objects: ObjectStore, bucket: str, folder: str, variant: str) -> Iterator[_Found]:
    root = f"{folder}{variant}/"

    def below(prefix: str, level: int) -> Iterator[ObjectInfo]:
        if not _DELIMITERS[level]:
            yield from sorted(objects.each(bucket, prefix), key=lambda x: x.key, reverse=True)
            return
        # A listing has the oldest first, and no level has more names than a page.
        page = objects.page(bucket, prefix=prefix, delimiter=_DELIMITERS[level])
        for name in reversed(page.prefixes):
            yield from below(name, level + 1)

    for info in below(root, 0):
        yield _Found(info.key[len(root) :], variant, info)


def _records(objects: ObjectStore, shown: Iterable[_Found], limit: int) -> list[CapturedRecord]:
    records: list[CapturedRecord] = []
    read = 0
    for found in shown:
        read += found.info.size
        if len(records) >= limit or (records and read > MOST_READ_BYTES):
            break
        try:
            with closing(objects.open(found.info.bucket, found.info.key)) as stream:
                lines = stream.read().splitlines()
        except ObjectMissing:
            continue  # somebody has deleted it since it was listed
        for line in reversed(lines):
            if len(records) == limit:
                break
            if (record := _record(found, line)) is not None:
                records.append(record)
    # Objects of several variants overlap in time; within a second the order is that of the lines.
    records.sort(key=lambda record: record["InferenceTime"], reverse=True)
    return records


def _record(found: _Found, line: bytes) -> CapturedRecord | None:
    """A line as it is answered; None where somebody else wrote it, in another form."""
    try:
        record = json.loads(line)
        metadata, data = record["eventMetadata"], record["captureData"]
        moment = datetime.strptime(metadata["inferenceTime"], "%Y-%m-%dT%H:%M:%SZ")
        answer: CapturedRecord = {
            "EventId": metadata["eventId"],
            "InferenceTime": moment.replace(tzinfo=UTC).timestamp(),
            "VariantName": found.variant,
        }
        if metadata.get("inferenceId"):
            answer["InferenceId"] = metadata["inferenceId"]
        if metadata.get("customAttributes"):
            answer["CustomAttributes"] = metadata["customAttributes"][0]
        if "endpointInput" in data:
            answer["Input"] = _data(data["endpointInput"])
        if "endpointOutput" in data:
            answer["Output"] = _data(data["endpointOutput"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("%s has a line that is no captured record: %r", found.info.key, error)
        return None
    return answer


def _data(side: Mapping[str, str]) -> CapturedData:
    data = side["data"]
    return {
        "ContentType": side["observedContentType"],
        "Encoding": side["encoding"],  # type: ignore[typeddict-item]
        "Data": data[:SHOWN_CHARACTERS],
        "Truncated": len(data) > SHOWN_CHARACTERS,
    }
