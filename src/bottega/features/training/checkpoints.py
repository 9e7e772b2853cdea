"""Checkpoints: from the object store to the job at its start; ``bottega.jobs.folder_sync`` brings
them back."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from bottega.jobs.staging import placing
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectStore

DEFAULT_LOCAL_PATH = "/opt/ml/checkpoints"


def fetch(objects: ObjectStore, uri: str, folder: Path) -> int:
    """Copy what an earlier job left under ``uri`` into the job's folder; returns the number of
    files.

    Raises:
        InputError: a key cannot become a file.
    """
    bucket, prefix = s3_uris.split(uri)
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    count = 0
    try:
        for info in objects.each(bucket, prefix):
            name = PurePosixPath(info.key[len(prefix) :])
            if info.key.endswith("/") or name.is_absolute() or ".." in name.parts:
                continue
            target = folder / name
            with placing(bucket, info.key):
                target.parent.mkdir(parents=True, exist_ok=True)
                objects.download(bucket, info.key, target)
            count += 1
    except BucketMissing:
        return 0
    return count
