"""Multipart uploads: begin, upload or copy parts, list them, complete, abort."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bottega.context import Context
from bottega.errors import InvalidArgument, InvalidRequest, MalformedXML
from bottega.features.objects import conditions
from bottega.features.objects.errors import (
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    no_such_upload,
    translated,
)
from bottega.features.objects.members import (
    ADDRESS,
    CHECKSUMS,
    CONTENT,
    DESCRIPTION,
    ENCRYPTION_NOTE,
    check_owner,
    checked_key,
    copy_source,
    expected_checksums,
    metadata_of,
    owner_of,
    quoted,
    refuse_all_but,
)
from bottega.features.objects.objects import DEFAULT_TYPE
from bottega.registry import Request, Response, operation
from bottega.storage import objects as store
from bottega.storage.checksums import COMPUTABLE

SMALLEST_PART = 5 * 1024 * 1024
"""Bytes of every part but the last."""
_MOST_PARTS = 10_000
_MOST_LISTED = 1000
_UPLOAD = ADDRESS | {"UploadId"}


@operation(
    "CreateMultipartUpload", service="s3", note=f"No access lists or tags. {ENCRYPTION_NOTE}"
)
def create_multipart_upload(context: Context, request: Request) -> Response:
    known = ADDRESS | DESCRIPTION | {"ChecksumAlgorithm", "ChecksumType"}
    refuse_all_but(known, "CreateMultipartUpload", request)
    check_owner(context, request)
    bucket, key = request["Bucket"], checked_key(request["Key"])
    with translated(request):
        upload = context.ports.objects.begin_upload(
            bucket,
            key,
            content_type=request.get("ContentType") or DEFAULT_TYPE,
            metadata=metadata_of(request),
        )
    response = {"Bucket": bucket, "Key": key, "UploadId": upload}
    if algorithm := request.get("ChecksumAlgorithm"):
        response["ChecksumAlgorithm"] = algorithm
    return response


@operation("UploadPart", service="s3")
def upload_part(context: Context, request: Request) -> Response:
    refuse_all_but(_UPLOAD | CONTENT | {"PartNumber"}, "UploadPart", request)
    _check_upload(context, request)
    expected = expected_checksums(request)
    with translated(request):
        part = context.ports.objects.put_part(
            request["UploadId"], _number(request), request.get("Body", b""), expected=expected
        )
    checked = {
        member: expected[algorithm]
        for member, (algorithm, _) in CHECKSUMS.items()
        if algorithm in expected and algorithm in COMPUTABLE
    }
    return {"ETag": quoted(part.etag), **checked}


@operation("UploadPartCopy", service="s3")
def upload_part_copy(context: Context, request: Request) -> Response:
    known = _UPLOAD | {
        "CopySource",
        "CopySourceIfMatch",
        "CopySourceIfModifiedSince",
        "CopySourceIfNoneMatch",
        "CopySourceIfUnmodifiedSince",
        "CopySourceRange",
        "ExpectedSourceBucketOwner",
        "PartNumber",
    }
    refuse_all_but(known, "UploadPartCopy", request)
    check_owner(context, request, "ExpectedSourceBucketOwner")
    _check_upload(context, request)
    number = _number(request)
    source = copy_source(request["CopySource"])
    objects = context.ports.objects
    with translated(request):
        info = objects.info(*source)
        conditions.check_copy_conditions(request, info)
        wanted = conditions.copied_range(request, info.size)
        with objects.open(*source, start=wanted.start, length=wanted.length) as stream:
            part = objects.put_part(request["UploadId"], number, stream)
    return {"CopyPartResult": {"ETag": quoted(part.etag), "LastModified": part.modified}}


@operation("CompleteMultipartUpload", service="s3")
def complete_multipart_upload(context: Context, request: Request) -> Response:
    # The checksums of the whole are not compared: each part's MD5, which is its ETag, is.
    known = _UPLOAD | {"MultipartUpload", "IfNoneMatch", "MpuObjectSize", "ChecksumType"}
    refuse_all_but(known, "CompleteMultipartUpload", request)
    _check_upload(context, request)
    named = request.get("MultipartUpload", {}).get("Parts", [])
    if not named:
        raise MalformedXML("The XML you provided names no part; at least one is needed.")
    chosen = [(each.get("PartNumber", 0), each.get("ETag", "").strip('"')) for each in named]
    _check_parts(context, request, chosen)
    with translated(request):
        try:
            info = context.ports.objects.complete_upload(
                request["UploadId"], chosen, only_new=conditions.only_new(request)
            )
        except store.InvalidPart as error:
            # Only when a part was uploaded anew since it was looked at.
            raise _invalid_part(str(error), request) from error
    return {
        "Location": f"/{info.bucket}/{quote(info.key)}",
        "Bucket": info.bucket,
        "Key": info.key,
        "ETag": quoted(info.etag),
    }


@operation("AbortMultipartUpload", service="s3")
def abort_multipart_upload(context: Context, request: Request) -> Response:
    refuse_all_but(_UPLOAD, "AbortMultipartUpload", request)
    _check_upload(context, request)
    with translated(request):
        context.ports.objects.abort_upload(request["UploadId"])
    return {}


@operation("ListParts", service="s3")
def list_parts(context: Context, request: Request) -> Response:
    refuse_all_but(_UPLOAD | {"MaxParts", "PartNumberMarker"}, "ListParts", request)
    _check_upload(context, request)
    after = request.get("PartNumberMarker", 0)
    limit = min(request.get("MaxParts", _MOST_LISTED), _MOST_LISTED)
    if limit < 0 or after < 0:
        raise InvalidArgument("max-parts and part-number-marker must not be negative.")
    with translated(request):
        parts = context.ports.objects.parts(request["UploadId"])
    later = [part for part in parts if part.number > after]
    shown = later[:limit]
    response: dict[str, Any] = {
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "UploadId": request["UploadId"],
        "PartNumberMarker": after,
        "MaxParts": limit,
        "IsTruncated": len(later) > limit,
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": part.modified,
                "ETag": quoted(part.etag),
                "Size": part.size,
            }
            for part in shown
        ],
        "Initiator": owner_of(context),
        "Owner": owner_of(context),
        "StorageClass": "STANDARD",
    }
    if shown:
        response["NextPartNumberMarker"] = shown[-1].number
    return response


def _check_upload(context: Context, request: Request) -> None:
    """Refuse an upload that is not for this bucket and key. Raises: NoSuchUpload."""
    check_owner(context, request)
    with translated(request):
        place = context.ports.objects.upload_key(request["UploadId"])
    if place != (request["Bucket"], request["Key"]):
        raise no_such_upload(request["UploadId"])


def _number(request: Request) -> int:
    number = int(request["PartNumber"])
    if not 1 <= number <= _MOST_PARTS:
        raise InvalidArgument(
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
            members={"ArgumentName": "partNumber", "ArgumentValue": str(number)},
        )
    return number


def _check_parts(context: Context, request: Request, chosen: list[tuple[int, str]]) -> None:
    """Raises: InvalidPartOrder, InvalidPart, EntityTooSmall, InvalidRequest."""
    with translated(request):
        there = {part.number: part for part in context.ports.objects.parts(request["UploadId"])}
    previous = 0
    for number, etag in chosen:
        if number <= previous:
            raise InvalidPartOrder(
                "The list of parts was not in ascending order. Parts must be ordered by part "
                "number.",
                members={"UploadId": request["UploadId"]},
            )
        previous = number
        if number not in there or there[number].etag != etag:
            found = f"has the ETag {there[number].etag}" if number in there else "was not uploaded"
            raise _invalid_part(f"part {number} {found}", request)
    for number, _ in chosen[:-1]:
        if (size := there[number].size) < SMALLEST_PART:
            raise EntityTooSmall(
                "Your proposed upload is smaller than the minimum allowed size: part "
                f"{number} has {size} bytes, and all but the last need {SMALLEST_PART}.",
                members={
                    "ProposedSize": str(size),
                    "MinSizeAllowed": str(SMALLEST_PART),
                    "PartNumber": str(number),
                },
            )
    total = sum(there[number].size for number, _ in chosen)
    if (claimed := request.get("MpuObjectSize")) not in (None, total):
        raise InvalidRequest(f"The parts have {total} bytes together, not {claimed}.")


def _invalid_part(why: str, request: Request) -> InvalidPart:
    return InvalidPart(
        "One or more of the specified parts could not be found. The part may not have been "
        f"uploaded, or the specified entity tag may not match the part's entity tag: {why}.",
        members={"UploadId": request["UploadId"]},
    )
