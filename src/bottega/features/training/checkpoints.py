"""Checkpoints: from the object store to the job at its start, and back all the while it runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectStore

log = logging.getLogger(__name__)

DEFAULT_LOCAL_PATH = "/opt/ml/checkpoints"


def fetch(objects: ObjectStore, uri: str, folder: Path) -> int:
    """Copy what an earlier job left under ``uri`` into the job's folder; returns the number of
    files.
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
            target.parent.mkdir(parents=True, exist_ok=True)
            objects.download(bucket, info.key, target)
            count += 1
    except BucketMissing:
        return 0
    return count


@dataclass
class CheckpointSync:
    """Uploads files of one host that are new or changed since the last call.

    A file is taken once two looks in a row found it unchanged, so that one being written is not
    uploaded half; the last call, after the job has ended, takes everything.
    """

    folder: Path
    uri: str
    _uploaded: dict[str, tuple[int, int]] = field(default_factory=dict)
    _seen: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def sync(self, objects: ObjectStore, *, final: bool = False) -> int:
        """Upload what is ripe; returns the number of files."""
        bucket, prefix = s3_uris.split(self.uri)
        prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        present: dict[str, tuple[int, int]] = {}
        count = 0
        for path in sorted(self.folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            name = path.relative_to(self.folder).as_posix()
            try:
                stat = path.stat()
                mark = (stat.st_mtime_ns, stat.st_size)
                present[name] = mark
                if self._uploaded.get(name) == mark or not (final or self._seen.get(name) == mark):
                    continue
                objects.put(bucket, prefix + name, path)
            except FileNotFoundError:  # the job replaced or removed it meanwhile
                continue
            self._uploaded[name] = mark
            count += 1
        self._seen = present
        return count
