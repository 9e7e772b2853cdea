"""Refusing places for what a job writes that there are not."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from bottega.errors import ValidationException
from bottega.jobs.job_files import ML_ROOT
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectStore


def check_bucket(objects: ObjectStore, where: str, uri: str) -> None:
    """Refuse an S3 URI whose bucket does not exist.

    Args:
        where: the member of the request that has it.

    Raises:
        ValidationException: there is no such bucket, or it is no S3 URI.
    """
    try:
        bucket, _ = s3_uris.split(uri)
    except ValidationException as error:
        raise ValidationException(f"{where}: {error.message}") from error
    try:
        objects.bucket(bucket)
    except BucketMissing as error:
        raise ValidationException(
            f"{where}: the bucket {bucket!r} does not exist. Create it first."
        ) from error


def check_folder(where: str, local: str, usual: str, taken: Iterable[str]) -> None:
    """Refuse a folder that is not under ``/opt/ml``, or that would hide other files.

    Args:
        where: the member of the request that names it.
        usual: the folder when none is named; empty for none.
        taken: folders that the job needs for other files.

    Raises:
        ValidationException: it cannot be had.
    """
    inside = posixpath.normpath(local)
    if not inside.startswith(f"{ML_ROOT}/") or ".." in local.split("/") or "\0" in local:
        raise ValidationException(f"{where} is {local!r}; it must be a folder under {ML_ROOT}.")
    if any(f"{other}/".startswith(f"{inside}/") for other in taken):
        raise ValidationException(
            f"{where} is {local!r}, which the job needs for other files"
            + (f"; {usual} is the usual place." if usual else ".")
        )
