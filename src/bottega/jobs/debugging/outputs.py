"""Bringing what a training saves for the Debugger to the object store, while it runs.

Tensors are looked for by their index, so that a look lists one small file for each step, however
many tensors a step has, and reads none again. What is in the store is also laid before the process
that evaluates the job's rules.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bottega.debugger.tensors import layout
from bottega.jobs.artifacts import is_key
from bottega.jobs.debugging import configuration
from bottega.jobs.debugging.places import (
    EvaluationPlaces,
    TrainingPlaces,
    host_names,
)
from bottega.jobs.folder_sync import FolderSync
from bottega.jobs.job_files import HostFolder, Mark, NoFile, Unreadable, below_ml_root
from bottega.jobs.upload_journal import UploadJournal
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore

log = logging.getLogger(__name__)

PROFILE_SECONDS = 3.0
"""How often a profile is brought to the store: its files grow, and go there whole each time."""
SYSTEM = "system/incremental"
"""Where below a profile the supervisor's samples of the machine are."""
_DRAFT = ".draft"
_BATCH, _BATCH_BYTES = 200, 4 << 20
"""Objects, and bytes of them, that go to the store at once."""
_STORING_SECONDS = 1.0
"""How long one look brings tensors to the store, while the training goes on."""


def session_name(training: Resource) -> str:
    """What is called after one training job, also when a later one has its name."""
    return f"{training.name}.{int(training.created * 1000)}"


@dataclass
class Mirror:
    """A folder that is given what goes to the store, for the process that evaluates rules.

    Args:
        link: the files may be the objects themselves, because nobody can write to them.
    """

    objects: ObjectStore
    folder: Path
    link: bool

    def has(self, name: str) -> bool:
        """Whether a file of this name lies there."""
        return (self.folder / name).exists()

    def place(self, bucket: str, key: str, name: str) -> None:
        """Lay an object there under a name, whole at once."""
        draft = self.folder / _DRAFT
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            if self.link:
                self.objects.link(bucket, key, draft)
            else:
                self.objects.download(bucket, key, draft)
        except (BucketMissing, ObjectMissing):  # somebody deleted it just now
            return
        self._put(draft, name)

    def write(self, name: str, content: bytes) -> None:
        """Lay these bytes there, whole at once."""
        draft = self.folder / _DRAFT
        self.folder.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)  # it may be a link to an object
        draft.write_bytes(content)
        self._put(draft, name)

    def _put(self, draft: Path, name: str) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft, target)


class _Tensors:
    """The tensors of one host.

    What was saved is laid before the rules first, since somebody may have to be stopped for it, and
    then brought to the store, many objects at once, and then noted: who comes after us, because the
    daemon was killed or the job's configuration changed, goes on there.
    """

    def __init__(
        self, folder: HostFolder, uri: str, mirror: Mirror | None, journal: UploadJournal
    ) -> None:
        self._folder = folder
        self._uri = uri
        self._bucket, self._prefix = s3_uris.split(uri)
        self._mirror = mirror
        self._journal = journal
        self._collections: dict[str, Mark] = {}
        self._shown: set[str] = set()
        self._stored: set[str] = set()
        self._take_up()
        self._rest = FolderSync(
            folder,
            uri,
            wanted=lambda name: _is_whole(name) and name not in self._stored,
            journal=UploadJournal(journal.path.with_suffix(".rest")),
        )

    def _take_up(self) -> None:
        """Go on where somebody else ended. Rules may be new, and then nothing was shown to them."""
        for name, mark in self._journal.read().items():
            shown = self._mirror is None or self._mirror.has(name)
            if layout.parsed_index_name(name) is None:
                if shown:
                    self._collections[name] = mark
                continue
            self._stored.update((*_events_of(name), name))
            if shown:
                self._shown.add(name)

    def look(self, objects: ObjectStore, *, final: bool) -> None:
        """Show and store what is new; when nothing more comes, all of it."""
        collections: dict[str, Mark] = {}
        for name, mark in self._files(layout.COLLECTIONS.partition("/")[0]):
            if self._collections.get(name) != mark:
                self._collections[name] = collections[name] = mark
        indexes = self._files(layout.INDEX)
        steps = {name: mark for name, mark in indexes if name not in self._stored}
        if self._mirror is not None:
            for name in (*collections, *(name for name, _ in indexes if name not in self._shown)):
                for file in (*_events_of(name), name):
                    if (content := self._read(file)) is not None:
                        self._mirror.write(file, content)
                self._shown.add(name)
        until = None if final else time.monotonic() + _STORING_SECONDS
        self._store(objects, {**collections, **steps}, until)
        if final:
            self._rest.sync(objects, final=True)

    def _store(self, objects: ObjectStore, files: Mapping[str, Mark], until: float | None) -> None:
        batch: dict[str, bytes] = {}
        noted: dict[str, Mark] = {}
        for name, mark in files.items():
            for file in (*_events_of(name), name):
                # Where an index is, its events are, or there are none.
                if (content := self._read(file)) is not None:
                    batch[file] = content
                    noted[name] = mark
            if len(batch) >= _BATCH or sum(map(len, batch.values())) >= _BATCH_BYTES:
                self._put(objects, batch, noted)
                batch, noted = {}, {}
                if until is not None and time.monotonic() >= until:
                    return
        if batch:
            self._put(objects, batch, noted)

    def _put(
        self, objects: ObjectStore, batch: Mapping[str, bytes], noted: Mapping[str, Mark]
    ) -> None:
        found = {f"{self._prefix}/{file}": content for file, content in batch.items()}
        objects.put_many(self._bucket, found)
        self._stored.update(batch)
        self._journal.add({name: mark for name, mark in noted.items() if name in batch})

    def _files(self, below: str) -> list[tuple[str, Mark]]:
        folder = HostFolder(self._folder.root, f"{self._folder.name}/{below}")
        try:
            found = [(f"{below}/{name}", mark) for name, mark in folder.files()]
        except Unreadable as error:
            log.warning("tensors for %s cannot be read: %s", self._uri, error)
            return []
        return [(name, mark) for name, mark in found if is_key(f"{self._prefix}/{name}")]

    def _read(self, name: str) -> bytes | None:
        try:
            with self._folder.open(name) as stream:
                return stream.read()
        except (NoFile, Unreadable):  # the end's look says what cannot be read
            return None


def _events_of(name: str) -> tuple[str, ...]:
    """The file with the tensors that an index is of; nothing for any other file."""
    found = layout.parsed_index_name(name)
    return () if found is None else (layout.events_name(found.step, found.worker),)


def _is_whole(name: str) -> bool:
    """Whether a file is none that is just being written."""
    return not (name.startswith(f"{layout.DRAFTS}/") or name.endswith((".tmp", ".draft")))


def _is_of_profile(name: str) -> bool:
    return _is_whole(name) and name.endswith(".json")


class _JobOutputs:
    """The outputs of one job."""

    def __init__(self, ports: Ports, training: Resource) -> None:
        self.lock = threading.Lock()
        self._objects = ports.objects
        self._attempt = training.private.get("attempt", 0)
        self._profiled = 0.0
        self._tensors: list[_Tensors] = []
        self._growing: list[FolderSync] = []
        self._ending: _Ending | None = None
        self._link = ports.runner.shows_mounts()
        self._ruled = any(configuration.rule_configurations(training.body))
        places = TrainingPlaces.of(ports.config, training)
        evaluation = EvaluationPlaces.of(ports.config, session_name(training))
        body, hosts = training.body, host_names(training)
        if (hook := configuration.hook_of(body)) is not None:
            uri = configuration.tensors_uri(body)
            name, mirror = below_ml_root(hook["LocalPath"]), self._mirror(evaluation.tensors)
            self._ending = _Ending(uri, mirror)
            for host in hosts:
                folder = HostFolder(places.host(host), name)
                journal = UploadJournal(places.journal(uri, host))
                self._tensors.append(_Tensors(folder, uri, mirror, journal))
        if uri := configuration.profile_uri(body):
            inside = below_ml_root(configuration.PROFILER_PATH)
            machine = f"{uri}/{SYSTEM}"
            for host in hosts:
                self._follow(
                    HostFolder(places.host(host), inside),
                    uri,
                    evaluation.profile,
                    places.journal(uri, host),
                )
                self._follow(
                    HostFolder(places.root / "profile", host),
                    machine,
                    evaluation.profile / SYSTEM,
                    places.journal(machine, host),
                )
        if (board := configuration.tensorboard_of(body)) is not None:
            uri = configuration.place(body, board["S3OutputPath"], "tensorboard-output")
            for host in hosts:
                folder = HostFolder(places.host(host), below_ml_root(board["LocalPath"]))
                journal = UploadJournal(places.journal(uri, host))
                self._growing.append(FolderSync(folder, uri, journal=journal))

    def _follow(self, folder: HostFolder, uri: str, inside: Path, journal: Path) -> None:
        """A part of the profile."""
        sync = partial(FolderSync, folder, uri, at_once=True, wanted=_is_of_profile)
        if (mirror := self._mirror(inside)) is None:
            self._growing.append(sync(journal=UploadJournal(journal)))
        else:
            noted = UploadJournal(journal, mirror.has)
            self._growing.append(sync(placed=mirror.place, journal=noted))

    def _mirror(self, folder: Path) -> Mirror | None:
        """Where uploaded files are laid, too; None for a job without rules."""
        return Mirror(self._objects, folder, self._link) if self._ruled else None

    def is_of(self, training: Resource) -> bool:
        """Whether it is about this attempt of the job, and knows where its outputs go."""
        return bool(self._attempt == training.private.get("attempt", 0))

    def look(self, *, final: bool) -> None:
        """Upload what is new."""
        for tensors in self._tensors:
            tensors.look(self._objects, final=final)
        now = time.monotonic()
        if final or now - self._profiled >= PROFILE_SECONDS:
            self._profiled = now
            for sync in self._growing:
                sync.sync(self._objects, final=final)

    def conclude(self) -> None:
        """Nothing more comes."""
        if self._ending is not None:
            self._ending.mark(self._objects)


@dataclass
class _Ending:
    """The file that says that nothing more comes to a trial."""

    uri: str
    mirror: Mirror | None

    def mark(self, objects: ObjectStore) -> None:
        """Write it, unless nothing was saved at all."""
        bucket, prefix = s3_uris.split(self.uri)
        if not objects.page(bucket, prefix=f"{prefix}/", limit=1).objects:
            return
        objects.put(bucket, f"{prefix}/{layout.END_OF_JOB}", b"")
        if self.mirror is not None:
            self.mirror.write(layout.END_OF_JOB, b"")


class DebugOutputs:
    """The outputs of all debugged jobs of a studio. Methods may be called from any thread."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lock = threading.Lock()
        self._jobs: dict[str, _JobOutputs] = {}

    @classmethod
    def of(cls, ports: Ports) -> DebugOutputs:
        """The studio's."""
        return ports.memory.of(cls, lambda: cls(ports))

    def look(self, training: Resource, *, final: bool = False, followed: bool = False) -> float:
        """Bring to the store what is new.

        Args:
            training: the job's resource.
            final: its processes have ended: what is there is all there will be.
            followed: the Debugger has to do with it, or had before its profile was switched off.

        Returns:
            The processor's seconds that it took.
        """
        with self._lock:
            followed = followed or session_name(training) in self._jobs
        if not followed and not configuration.is_debugged(training.body):
            return 0.0
        began = time.thread_time()
        job = self._job(training)
        with job.lock:
            try:
                job.look(final=final)
            except BucketMissing as error:
                log.warning("the Debugger of %s saves nothing: %s", training.name, error)
        return time.thread_time() - began

    def conclude(self, training: Resource) -> None:
        """Say in the store that nothing more comes; again is no harm."""
        if not configuration.tensors_uri(training.body):
            return
        job = self._job(training)
        with job.lock:
            try:
                job.conclude()
            except BucketMissing as error:
                log.warning("the Debugger of %s saves nothing: %s", training.name, error)

    def bring(self, training: Resource, places: EvaluationPlaces) -> None:
        """Lay what is in the store before the process that evaluates the job's rules."""
        link = self._ports.runner.shows_mounts()
        for uri, folder in (
            (configuration.tensors_uri(training.body), places.tensors),
            (configuration.profile_uri(training.body), places.profile),
        ):
            if uri:
                try:
                    link_objects(self._ports.objects, uri, folder, link=link)
                except BucketMissing as error:
                    log.warning("rules of %s see nothing: %s", training.name, error)

    def forget(self, training: Resource) -> None:
        """The job has ended, or its configuration was changed."""
        with self._lock:
            self._jobs.pop(session_name(training), None)

    def _job(self, training: Resource) -> _JobOutputs:
        key = session_name(training)
        with self._lock:
            known = self._jobs.get(key)
            if known is None or not known.is_of(training):
                known = self._jobs[key] = _JobOutputs(self._ports, training)
            return known


def link_objects(objects: ObjectStore, uri: str, folder: Path, *, link: bool) -> int:
    """Lay all objects below an address into a folder; those of the same size are there already.

    Returns:
        How many were laid there.

    Raises:
        BucketMissing: the bucket is gone.
    """
    bucket, prefix = s3_uris.split(uri)
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    mirror, count = Mirror(objects, folder, link), 0
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(objects.each(bucket, prefix), key=lambda one: _is_index(one.key, prefix))
    for one in found:
        name = one.key[len(prefix) :]
        if not name or name.endswith("/") or not _is_plain(name):
            continue
        target = folder / name
        if target.is_file() and target.stat().st_size == one.size:
            continue
        mirror.place(bucket, one.key, name)
        count += 1
    return count


def _is_index(key: str, prefix: str) -> bool:
    return key.startswith(f"{prefix}{layout.INDEX}/")


def _is_plain(name: str) -> bool:
    """Whether a key can be the name of a file below a folder."""
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


def profile_interval(folder: Path, milliseconds: int) -> None:
    """Have the supervisor sample the machine so often; 0 for never.

    Args:
        folder: of a host, see ``compute.runner.HostSpec.profile``.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / "interval.draft"
    draft.write_text(str(milliseconds))
    os.replace(draft, folder / "interval")


def set_profile(ports: Ports, training: Resource) -> None:
    """Have the supervisor of a job sample the machine as its ProfilerConfig says."""
    profiler = configuration.profiler_of(training.body)
    wanted = 0 if profiler is None else int(profiler["ProfilingIntervalInMilliseconds"])
    places = TrainingPlaces.of(ports.config, training)
    for host in host_names(training):
        profile_interval(places.profile(host), wanted)
