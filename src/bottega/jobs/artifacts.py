"""What a job leaves behind: model and output archives in the object store."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from bottega.jobs.job_files import HostFolder, NoFile, Unreadable
from bottega.storage import s3_uris
from bottega.storage.objects import ObjectStore

LONGEST_KEY = 1024
"""Bytes of an object's key, as S3 has it."""
NO_KEY = "{!r} cannot be part of an object's key: it is no text, or too long"


def upload_tree(
    objects: ObjectStore, folder: HostFolder, uri: str, *, archive: bool, scratch: Path
) -> int:
    """Put a folder's files under ``uri``: as one gzipped tar of that name, or each file by itself.

    Links are followed only where they stay inside the folder, so that a job cannot smuggle out
    files of the machine. The archive's order and owners are fixed: the same files give the same
    archive.

    Args:
        uri: ``s3://.../model.tar.gz``, or the prefix ``s3://.../model`` without ``archive``.
        scratch: a folder for the archive while it is made.

    Returns:
        How many files there were.

    Raises:
        Unreadable: a file cannot be read, or its name cannot be part of a key.
        BucketMissing: the bucket is gone.
    """
    bucket, key = s3_uris.split(uri)
    if not archive:
        return _upload_each(objects, folder, bucket, key)
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".tar.gz") as draft:
        count = _pack(folder, draft)
        draft.flush()
        objects.put(bucket, key, Path(draft.name), content_type="application/gzip")
    return count


def _upload_each(objects: ObjectStore, folder: HostFolder, bucket: str, prefix: str) -> int:
    count = 0
    for name in folder.files_and_links():
        key = f"{prefix}/{name}"
        if not is_key(key):
            raise Unreadable(NO_KEY.format(name))
        try:
            with folder.open(name, follow=True) as stream:
                objects.put(bucket, key, stream)
        except NoFile:
            continue
        count += 1
    return count


def _pack(folder: HostFolder, target: IO[bytes]) -> int:
    count = 0
    with (
        # Its own header would hold the present time.
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", dereference=True) as tar,
    ):
        for name in folder.files_and_links():
            try:
                with folder.open(name, follow=True) as stream:
                    tar.addfile(_plain(tar.gettarinfo(arcname=name, fileobj=stream)), stream)
            except NoFile:
                continue
            count += 1
    return count


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def is_key(text: str) -> bool:
    """Whether a text can be the key of an object: file names may be any bytes, keys may not."""
    try:
        return len(text.encode()) <= LONGEST_KEY
    except UnicodeEncodeError:
        return False


def has_files(folder: HostFolder) -> bool:
    """Whether there is anything to upload."""
    return next(folder.files_and_links(), None) is not None
