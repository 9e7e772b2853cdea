"""Buckets: ListBuckets, CreateBucket, HeadBucket, GetBucketLocation, DeleteBucket."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from bottega.context import Context
from bottega.features.objects.errors import (
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraint,
    InvalidBucketName,
    no_such_bucket,
    translated,
)
from bottega.features.objects.members import check_owner, owner_of, refuse_all_but
from bottega.registry import Request, Response, operation
from bottega.storage import objects as store

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_MOST_BUCKETS = 10_000


@operation("ListBuckets", service="s3")
def list_buckets(context: Context, request: Request) -> Response:
    prefix, after = request.get("Prefix", ""), request.get("ContinuationToken", "")
    limit = request.get("MaxBuckets", _MOST_BUCKETS)
    region = context.ports.config.region
    here = request.get("BucketRegion", region) == region
    found = [
        bucket
        for bucket in context.ports.objects.buckets()
        if here and bucket.name.startswith(prefix) and bucket.name > after
    ]
    response: dict[str, Any] = {
        "Buckets": [
            {"Name": each.name, "CreationDate": each.created, "BucketRegion": region}
            for each in found[:limit]
        ],
        "Owner": owner_of(context),
    }
    if prefix:
        response["Prefix"] = prefix
    if len(found) > limit:
        response["ContinuationToken"] = found[limit - 1].name
    return response


@operation("CreateBucket", service="s3", note="One region, private access, no object lock.")
def create_bucket(context: Context, request: Request) -> Response:
    known = {"Bucket", "ACL", "CreateBucketConfiguration", "ObjectOwnership"}
    refuse_all_but(known, "CreateBucket", request)
    name = request["Bucket"]
    _check_name(name)
    wanted = request.get("CreateBucketConfiguration", {})
    refuse_all_but({"LocationConstraint"}, "CreateBucketConfiguration", wanted)
    region = context.ports.config.region
    if (place := wanted.get("LocationConstraint")) not in (None, "", region):
        raise IllegalLocationConstraint(
            f"The {place} location constraint is incompatible for the region specific endpoint "
            f"this request was sent to: this bottega stands for {region}."
        )
    try:
        context.ports.objects.create_bucket(name)
    except store.BucketExists as error:
        raise BucketAlreadyOwnedByYou(
            "Your previous request to create the named bucket succeeded and you already own it.",
            members={"BucketName": name},
        ) from error
    return {"Location": f"/{name}"}


@operation("HeadBucket", service="s3")
def head_bucket(context: Context, request: Request) -> Response:
    _existing(context, request)
    return {"BucketRegion": context.ports.config.region}


@operation("GetBucketLocation", service="s3")
def get_bucket_location(context: Context, request: Request) -> Response:
    _existing(context, request)
    region = context.ports.config.region
    # S3 has no word for its first region.
    return {} if region == "us-east-1" else {"LocationConstraint": region}


@operation("DeleteBucket", service="s3", note="Open multipart uploads in it are thrown away.")
def delete_bucket(context: Context, request: Request) -> Response:
    check_owner(context, request)
    with translated(request):
        try:
            context.ports.objects.delete_bucket(request["Bucket"])
        except store.BucketNotEmpty as error:
            raise BucketNotEmpty(
                "The bucket you tried to delete is not empty. Delete its objects first.",
                members={"BucketName": request["Bucket"]},
            ) from error
    return {}


def _existing(context: Context, request: Request) -> store.Bucket:
    try:
        found = context.ports.objects.bucket(request["Bucket"])
    except store.BucketMissing as error:
        raise no_such_bucket(request["Bucket"]) from error
    check_owner(context, request)
    return found


def _check_name(name: str) -> None:
    """Raises: InvalidBucketName, by the rules for general purpose buckets."""
    wrong = ""
    if not _NAME.fullmatch(name):
        wrong = (
            "3 to 63 lower-case letters, digits, dots and hyphens are allowed, with a letter or "
            "digit at both ends"
        )
    elif ".." in name:
        wrong = "two dots must not stand together"
    elif _is_address(name):
        wrong = "it must not look like an IP address"
    elif name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
        wrong = "its beginning or end is reserved by AWS"
    if wrong:
        raise InvalidBucketName(
            f"The specified bucket is not valid: {wrong}.", members={"BucketName": name}
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
