"""Objects: GetObject, HeadObject, PutObject, CopyObject, DeleteObject, DeleteObjects."""

from __future__ import annotations

from typing import Any, BinaryIO

from bottega.context import Context
from bottega.errors import InvalidRequest, MalformedXML
from bottega.features.objects import conditions
from bottega.features.objects.errors import (
    not_implemented,
    translated,
)
from bottega.features.objects.members import (
    ADDRESS,
    CONTENT,
    DESCRIPTION,
    ENCRYPTION_NOTE,
    check_owner,
    checked_key,
    copy_source,
    described,
    expected_checksums,
    metadata_of,
    quoted,
    refuse_all_but,
    refuse_versions,
    shown_checksums,
)
from bottega.registry import Request, Response, operation
from bottega.storage.objects import ObjectInfo

DEFAULT_TYPE = "binary/octet-stream"
_MOST_DELETED = 1000

_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}
_READ = ADDRESS | {
    *_OVERRIDES,
    "ChecksumMode",
    "IfMatch",
    "IfModifiedSince",
    "IfNoneMatch",
    "IfUnmodifiedSince",
    "Range",
    "VersionId",
}
_COPY_CONDITIONS = {
    "CopySource",
    "CopySourceIfMatch",
    "CopySourceIfModifiedSince",
    "CopySourceIfNoneMatch",
    "CopySourceIfUnmodifiedSince",
    "ExpectedSourceBucketOwner",
}


@operation("GetObject", service="s3")
def get_object(context: Context, request: Request) -> Response:
    _check_read(context, "GetObject", request)
    bucket, key = request["Bucket"], request["Key"]
    objects = context.ports.objects
    with translated(request):
        info = objects.info(bucket, key)
        while True:
            response, part = _head(request, info)
            start, length = (part.start, part.length) if part else (0, info.size)
            body: BinaryIO = objects.open(bucket, key, start=start, length=length)
            # What is described must be what is sent, though others may write in between.
            now = objects.info(bucket, key)
            if now == info:
                return {**response, "Body": body}
            body.close()
            info = now


@operation("HeadObject", service="s3")
def head_object(context: Context, request: Request) -> Response:
    _check_read(context, "HeadObject", request)
    with translated(request):
        info = context.ports.objects.info(request["Bucket"], request["Key"])
    return _head(request, info)[0]


@operation("PutObject", service="s3", note=f"No access lists, tags or versions. {ENCRYPTION_NOTE}")
def put_object(context: Context, request: Request) -> Response:
    refuse_all_but(ADDRESS | CONTENT | DESCRIPTION | {"IfNoneMatch"}, "PutObject", request)
    check_owner(context, request)
    key = checked_key(request["Key"])
    expected = expected_checksums(request)
    with translated(request):
        info = context.ports.objects.put(
            request["Bucket"],
            key,
            request.get("Body", b""),
            content_type=request.get("ContentType") or DEFAULT_TYPE,
            metadata=metadata_of(request),
            expected=expected,
            only_new=conditions.only_new(request),
        )
    return {"ETag": quoted(info.etag), **shown_checksums(info.checksums)}


@operation("CopyObject", service="s3", note=f"No access lists, tags or versions. {ENCRYPTION_NOTE}")
def copy_object(context: Context, request: Request) -> Response:
    known = ADDRESS | DESCRIPTION | _COPY_CONDITIONS | {"MetadataDirective", "TaggingDirective"}
    refuse_all_but(known, "CopyObject", request)
    check_owner(context, request)
    check_owner(context, request, "ExpectedSourceBucketOwner")
    target = (request["Bucket"], checked_key(request["Key"]))
    source = copy_source(request["CopySource"])
    replacing = request.get("MetadataDirective") == "REPLACE"
    if source == target and not replacing:
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes."
        )
    with translated(request):
        conditions.check_copy_conditions(request, context.ports.objects.info(*source))
        info = context.ports.objects.copy(
            source,
            target,
            content_type=(request.get("ContentType") or DEFAULT_TYPE) if replacing else None,
            metadata=metadata_of(request) if replacing else None,
        )
    copied = {"ETag": quoted(info.etag), "LastModified": info.modified}
    return {"CopyObjectResult": {**copied, **shown_checksums(info.checksums)}}


@operation("DeleteObject", service="s3")
def delete_object(context: Context, request: Request) -> Response:
    refuse_all_but(ADDRESS | {"VersionId"}, "DeleteObject", request)
    refuse_versions(request)
    check_owner(context, request)
    with translated(request):
        context.ports.objects.delete(request["Bucket"], [request["Key"]])
    return {}


@operation("DeleteObjects", service="s3")
def delete_objects(context: Context, request: Request) -> Response:
    known = {"Bucket", "Delete", "ExpectedBucketOwner", "RequestPayer", "ChecksumAlgorithm"}
    refuse_all_but(known, "DeleteObjects", request)
    check_owner(context, request)
    named = request["Delete"]["Objects"]
    if not 1 <= len(named) <= _MOST_DELETED:
        raise MalformedXML(
            f"The XML you provided names {len(named)} objects; between 1 and {_MOST_DELETED} are "
            "allowed."
        )
    wanted: list[str] = []
    errors: list[dict[str, str]] = []
    for each in named:
        if each.get("VersionId") not in (None, "", "null"):
            why = "Buckets here keep one version of each object."
            errors.append({**each, "Code": "NoSuchVersion", "Message": why})
        elif set(each) - {"Key", "VersionId"}:
            why = f"{not_implemented('A conditional delete')}"
            errors.append({"Key": each["Key"], "Code": "NotImplemented", "Message": why})
        else:
            wanted.append(each["Key"])
    with translated(request):
        context.ports.objects.delete(request["Bucket"], wanted)
    quiet = request["Delete"].get("Quiet", False)
    response: dict[str, Any] = {} if quiet else {"Deleted": [{"Key": key} for key in wanted]}
    return {**response, "Errors": errors} if errors else response


def _check_read(context: Context, operation: str, request: Request) -> None:
    refuse_all_but(_READ, operation, request)
    refuse_versions(request)
    check_owner(context, request)


def _head(request: Request, info: ObjectInfo) -> tuple[dict[str, Any], conditions.ByteRange | None]:
    """What GetObject and HeadObject say about the object, and the range that is asked for."""
    conditions.check_conditions(request, info)
    part = conditions.range_of(request, info.size)
    response = described(info) | {
        "AcceptRanges": "bytes",
        "LastModified": info.modified,
        "ContentLength": part.length if part else info.size,
        "ETag": quoted(info.etag),
    }
    if part:
        response["ContentRange"] = part.content_range(info.size)
    elif request.get("ChecksumMode") == "ENABLED":
        # They are of the whole object, so they would not fit a part of it.
        response |= shown_checksums(info.checksums)
    for override, member in _OVERRIDES.items():
        if request.get(override) is not None:
            response[member] = request[override]
    return response, part
