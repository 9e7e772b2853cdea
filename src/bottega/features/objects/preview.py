"""PreviewData: the first rows of what lies at an S3 URI."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.registry import operation
from bottega.specs.generated.training import PreviewDataRequest, PreviewDataResponse
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectInfo, ObjectMissing, ObjectStore
from bottega.storage.previews.preview import preview
from bottega.storage.previews.source import ObjectSource, PreviewFailed

_ROWS = 20


@operation("PreviewData", service="bottega")
def preview_data(context: Context, request: PreviewDataRequest) -> PreviewDataResponse:
    """Look at the first object that has something in it."""
    objects, uri = context.ports.objects, request["S3Uri"]
    try:
        first, count, size = _survey(objects, *s3_uris.split(uri))
        if first is None:
            raise ValidationException(
                f"There are no objects under {uri}. Check the bucket and the prefix."
            )
        place = f"s3://{first.bucket}/{first.key}"
        found = preview(
            ObjectSource(objects, first.bucket, first.key),
            content_type=request.get("ContentType", ""),
            max_rows=request.get("MaxRows", _ROWS),
        )
    except BucketMissing as error:
        raise ValidationException(f"The bucket of {uri} does not exist.") from error
    except ObjectMissing as error:
        raise ValidationException(f"{uri} was deleted while it was read.") from error
    except PreviewFailed as error:
        raise ValidationException(f"{place} cannot be shown: {error}.") from error
    answer: Any = {"S3Uri": place, "Objects": count, "TotalBytes": size, **found.as_answer()}
    response: PreviewDataResponse = answer
    return response


def _survey(objects: ObjectStore, bucket: str, prefix: str) -> tuple[ObjectInfo | None, int, int]:
    """The object to show, how many there are, and their bytes.

    Shown is the first that a job would read: not empty, and not hidden by its name.
    """
    first: ObjectInfo | None = None
    fallback: ObjectInfo | None = None
    count = size = 0
    for info in objects.each(bucket, prefix):
        if info.key.endswith("/"):
            continue
        count, size = count + 1, size + info.size
        fallback = fallback or info
        if first is None and info.size and not PurePosixPath(info.key).name.startswith((".", "_")):
            first = info
    return first or fallback, count, size
