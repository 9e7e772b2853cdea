"""S3's own refusals, and how those of the object store become them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bottega.errors import BadDigest, ClientFault
from bottega.registry import COVERAGE_PAGE
from bottega.storage import objects as store

_EXAMPLE_BUCKETS = (
    "sagemaker-example-files-prod-",
    "sagemaker-sample-",
    "sagemaker-servicecatalog-seedcode-",
    "example-notebooks-data-config",
)
"""How the names of AWS's public buckets with example data begin."""


class NoSuchBucket(ClientFault):
    code = "NoSuchBucket"
    status = 404


class NoSuchKey(ClientFault):
    code = "NoSuchKey"
    status = 404


class NoSuchUpload(ClientFault):
    code = "NoSuchUpload"
    status = 404


class BucketAlreadyOwnedByYou(ClientFault):
    code = "BucketAlreadyOwnedByYou"
    status = 409


class BucketNotEmpty(ClientFault):
    code = "BucketNotEmpty"
    status = 409


class InvalidBucketName(ClientFault):
    code = "InvalidBucketName"


class IllegalLocationConstraint(ClientFault):
    """The bucket is asked for in another region than this bottega stands for."""

    code = "IllegalLocationConstraintException"


class InvalidDigest(ClientFault):
    """A checksum that is none: not base64, or not of the algorithm's length."""

    code = "InvalidDigest"


class KeyTooLong(ClientFault):
    code = "KeyTooLongError"


class MetadataTooLarge(ClientFault):
    code = "MetadataTooLarge"


class InvalidPart(ClientFault):
    code = "InvalidPart"


class InvalidPartOrder(ClientFault):
    code = "InvalidPartOrder"


class EntityTooSmall(ClientFault):
    code = "EntityTooSmall"


class InvalidRange(ClientFault):
    code = "InvalidRange"
    status = 416


class PreconditionFailed(ClientFault):
    code = "PreconditionFailed"
    status = 412


class NotModified(ClientFault):
    """The caller has the object already; an answer without a body."""

    code = "NotModified"
    status = 304


class NotImplementedHere(ClientFault):
    """S3 has it, this bottega does not. Not a 5xx, which clients would send again."""

    code = "NotImplemented"


def not_implemented(what: str) -> NotImplementedHere:
    return NotImplementedHere(
        f"{what} is not implemented by this bottega. {COVERAGE_PAGE} lists what is."
    )


def no_such_bucket(name: str) -> NoSuchBucket:
    message = "The specified bucket does not exist"
    if name.startswith(_EXAMPLE_BUCKETS):
        message += (
            f". {name} is a public bucket of AWS with example data, which this bottega does not "
            "have: create a bucket of that name here and upload the files that the example reads"
        )
    return NoSuchBucket(message, members={"BucketName": name})


@contextmanager
def translated(request: Mapping[str, Any]) -> Iterator[None]:
    """Turn the store's exceptions within the block into refusals of ``request``."""
    try:
        yield
    except store.BucketMissing as error:
        raise no_such_bucket(str(error)) from error
    except store.ObjectMissing as error:
        raise NoSuchKey("The specified key does not exist.", members={"Key": str(error)}) from error
    except store.ObjectExists as error:
        raise PreconditionFailed(
            "At least one of the pre-conditions you specified did not hold",
            members={"Condition": "If-None-Match"},
        ) from error
    except store.UploadMissing as error:
        raise no_such_upload(request.get("UploadId", "")) from error
    except store.ChecksumMismatch as error:
        raise BadDigest(
            f"The checksum you specified did not match what we received: {error}."
        ) from error
    except store.RangeNotSatisfiable as error:
        raise invalid_range(request.get("Range", ""), error.size) from error


def no_such_upload(upload: str) -> NoSuchUpload:
    return NoSuchUpload(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
        "been aborted or completed.",
        members={"UploadId": upload},
    )


def invalid_range(asked: str, size: int) -> InvalidRange:
    return InvalidRange(
        "The requested range is not satisfiable",
        members={"RangeRequested": asked, "ActualObjectSize": str(size)},
    )
