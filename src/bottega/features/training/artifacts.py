"""What a job leaves behind: model and output archives in the object store."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from bottega.storage import s3_uris
from bottega.storage.objects import ObjectStore


def upload_tree(
    objects: ObjectStore, folder: Path, uri: str, *, archive: bool, scratch: Path
) -> int:
    """Put a folder's files under ``uri``: as one gzipped tar of that name, or each file by itself.

    Links are followed only where they stay inside the folder, so that a job cannot smuggle out
    files of the machine. The archive's order and owners are fixed; the same files give the same
    archive.

    Args:
        uri: ``s3://.../model.tar.gz``, or the prefix ``s3://.../model`` without ``archive``.
        scratch: a folder for the archive while it is made.

    Returns:
        How many files there were.
    """
    files = [path for path in sorted(folder.rglob("*")) if _inside(path, folder)]
    bucket, key = s3_uris.split(uri)
    if not archive:
        for path in files:
            objects.put(bucket, f"{key}/{path.relative_to(folder).as_posix()}", path)
        return len(files)
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".tar.gz") as draft:
        with tarfile.open(fileobj=draft, mode="w:gz", compresslevel=3, dereference=True) as tar:
            for path in files:
                tar.add(path, arcname=path.relative_to(folder).as_posix(), filter=_plain)
        draft.flush()
        objects.put(bucket, key, Path(draft.name), content_type="application/gzip")
    return len(files)


def _inside(path: Path, folder: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def has_files(folder: Path) -> bool:
    """Whether there is anything to upload."""
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))
