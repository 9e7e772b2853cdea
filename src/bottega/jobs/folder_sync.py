"""Uploading what a running job writes, while it writes."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from bottega.jobs.artifacts import NO_KEY, is_key
from bottega.jobs.job_files import HostFolder, Mark, NoFile, Unreadable
from bottega.storage import s3_uris
from bottega.storage.objects import ObjectStore

log = logging.getLogger(__name__)


@dataclass
class FolderSync:
    """Uploads files of one host that are new or changed since the last call.

    A file is taken once two looks in a row found it unchanged, so that one being written is not
    uploaded half; the last call, after the job has ended, takes everything. What cannot be read or
    named in the object store is told to the daemon's log, once, and left out.
    """

    folder: HostFolder
    uri: str
    _uploaded: dict[str, Mark] = field(default_factory=dict)
    _seen: Mapping[str, Mark] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def sync(self, objects: ObjectStore, *, final: bool = False) -> int:
        """Upload what is ripe; returns the number of files. Raises: BucketMissing."""
        bucket, prefix = s3_uris.split(self.uri)
        prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        present: dict[str, Mark] = {}
        count = 0
        try:
            for name, mark in self.folder.files():
                present[name] = mark
                if self._uploaded.get(name) == mark or not (final or self._seen.get(name) == mark):
                    continue
                count += self._upload(objects, bucket, prefix + name, name)
        except Unreadable as error:
            self._tell(str(error))
        self._seen = present
        self._uploaded = {name: mark for name, mark in self._uploaded.items() if name in present}
        return count

    def _upload(self, objects: ObjectStore, bucket: str, key: str, name: str) -> bool:
        if not is_key(key):
            self._tell(NO_KEY.format(name))
            return False
        try:
            with self.folder.open(name) as stream:
                mark = Mark.of(os.fstat(stream.fileno()))
                objects.put(bucket, key, stream)
        except NoFile:  # the job replaced or removed it meanwhile
            return False
        except Unreadable as error:
            self._tell(str(error))
            return False
        self._uploaded[name] = mark
        return True

    def _tell(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            log.warning("not every file for %s is uploaded: %s", self.uri, problem)
