"""Uploading what a running job writes, while it writes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bottega.jobs.artifacts import NO_KEY, is_key
from bottega.jobs.job_files import HostFolder, Mark, NoFile, Unreadable
from bottega.jobs.upload_journal import UploadJournal
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
    at_once: bool = False
    """Take files as soon as they are there: they come whole, or may be taken half and again."""
    wanted: Callable[[str], bool] = lambda name: True
    """Which files to take, by their names below the folder."""
    placed: Callable[[str, str, str], None] = lambda bucket, key, name: None
    """Is told of every file that was uploaded: the object's bucket and key, the file's name."""
    journal: UploadJournal | None = None
    """Where uploads are noted; what it knows is not uploaded again."""
    _uploaded: dict[str, Mark] = field(default_factory=dict)
    _seen: Mapping[str, Mark] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.journal is not None:
            self._uploaded.update(self.journal.read())

    def sync(self, objects: ObjectStore, *, final: bool = False) -> int:
        """Upload what is ripe; returns the number of files. Raises: BucketMissing."""
        bucket, prefix = self._target()
        ripe = final or self.at_once
        present: dict[str, Mark] = {}
        count = 0
        try:
            for name, mark in self.folder.files():
                if not self.wanted(name):
                    continue
                present[name] = mark
                if self._uploaded.get(name) == mark or not (ripe or self._seen.get(name) == mark):
                    continue
                count += self._upload(objects, bucket, prefix + name, name)
        except Unreadable as error:
            self._tell(str(error))
        self._seen = present
        self._uploaded = {name: mark for name, mark in self._uploaded.items() if name in present}
        return count

    def _target(self) -> tuple[str, str]:
        bucket, prefix = s3_uris.split(self.uri)
        return bucket, f"{prefix.rstrip('/')}/" if prefix else ""

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
        self.placed(bucket, key, name)
        if self.journal is not None:
            self.journal.add({name: mark})
        return True

    def _tell(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            log.warning("not every file for %s is uploaded: %s", self.uri, problem)
