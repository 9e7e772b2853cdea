"""Where the files of a trial are: a folder, an object store, or memory."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from pathlib import Path
from typing import Any

from bottega.debugger.tensors import layout

_SETTLED = 2.0
"""Seconds after which a folder's time of change is trusted: later changes show in it."""
_CACHED_BYTES = 64 * 1024 * 1024
_SMALL_OBJECT = 8 * 1024 * 1024


class Source(ABC):
    """The files of one trial, by names relative to its folder."""

    path: str
    """As it is shown: a folder or an address."""

    @abstractmethod
    def index_names(self, after: int) -> list[str]:
        """The index files in order of their names, at least those of steps from ``after`` on.

        Names that were told before may be left out.
        """

    @abstractmethod
    def collection_files(self) -> dict[str, str]:
        """The files with collections, each with a word that changes when its content does."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """A part of a file, or all of it.

        Raises:
            FileNotFoundError: there is no such file.
        """


class FolderSource(Source):
    """A folder on this machine, which need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder)
        self._folder = folder
        self._settled: dict[str, int] = {}

    def index_names(self, after: int) -> list[str]:
        names: list[str] = []
        for entry in self._entries(layout.INDEX):
            below = f"{layout.INDEX}/{entry}"
            changed = (self._folder / below).stat().st_mtime_ns
            if self._settled.get(below) == changed:
                continue
            names.extend(f"{below}/{one}" for one in self._entries(below) if one.endswith(".json"))
            if time.time() - changed / 1e9 > _SETTLED:
                self._settled[below] = changed
        return sorted(names)

    def collection_files(self) -> dict[str, str]:
        found = {}
        for one in self._entries(layout.COLLECTIONS):
            name = f"{layout.COLLECTIONS}/{one}"
            if layout.worker_of_collections(name) is not None:
                state = (self._folder / name).stat()
                found[name] = f"{state.st_ino} {state.st_mtime_ns} {state.st_size}"
        return found

    def exists(self, name: str) -> bool:
        return (self._folder / name).exists()

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        with open(self._folder / name, "rb") as file:
            file.seek(start)
            return file.read() if length is None else file.read(length)

    def _entries(self, below: str) -> list[str]:
        try:
            return sorted(os.listdir(self._folder / below))
        except (FileNotFoundError, NotADirectoryError):
            return []


class MemorySource(Source):
    """Files in memory, by name; what a :class:`~.writer.TensorWriter` writes can go there."""

    def __init__(self, files: dict[str, bytes], path: str = "memory") -> None:
        self.path = path
        self.files = files

    def index_names(self, after: int) -> list[str]:
        return sorted(name for name in self.files if name.startswith(f"{layout.INDEX}/"))

    def collection_files(self) -> dict[str, str]:
        return {
            name: str(hash(content))
            for name, content in self.files.items()
            if name.startswith(layout.COLLECTIONS)
        }

    def exists(self, name: str) -> bool:
        return name in self.files

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name][start : None if length is None else start + length]


class S3Source(Source):
    """Objects below ``s3://bucket/prefix``.

    Raises:
        ValueError: the address has no bucket.
    """

    def __init__(self, address: str, client: Any = None) -> None:
        self._bucket, _, prefix = address.removeprefix("s3://").rstrip("/").partition("/")
        if not self._bucket:
            raise ValueError(f"{address!r} has no bucket; it has to be s3://bucket/prefix.")
        self.path = f"s3://{self._bucket}/{prefix}".rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._given = client
        self._cached: OrderedDict[str, bytes] = OrderedDict()

    @property
    def _client(self) -> Any:
        if self._given is None:
            import boto3

            self._given = boto3.client("s3")
        return self._given

    def index_names(self, after: int) -> list[str]:
        # Names sort as steps do, and "0" sorts after "/".
        start = layout.index_name(after, "")[: -len("_.json")] if after else ""
        return [name for name, _ in self._listed(f"{layout.INDEX}/", start)]

    def collection_files(self) -> dict[str, str]:
        return {
            name: tag
            for name, tag in self._listed(f"{layout.COLLECTIONS}/")
            if layout.worker_of_collections(name) is not None
        }

    def exists(self, name: str) -> bool:
        return any(found == name for found, _ in self._listed(name))

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """As every source's; small events files are got once, for one step is read in many parts.

        Raises:
            FileNotFoundError: there is no such object.
        """
        if length is None:
            return self._got(name)
        if name not in self._cached:
            whole = self._got(name, f"bytes=0-{_SMALL_OBJECT - 1}")
            if len(whole) == _SMALL_OBJECT:
                return self._got(name, f"bytes={start}-{start + length - 1}")
            self._cached[name] = whole
            while sum(map(len, self._cached.values())) > _CACHED_BYTES:
                self._cached.popitem(last=False)
        return self._cached[name][start : start + length]

    def _listed(self, below: str, after: str = "") -> list[tuple[str, str]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._prefix + below,
            **({"StartAfter": self._prefix + after} if after else {}),
        )
        return [
            (one["Key"][len(self._prefix) :], one["ETag"])
            for page in pages
            for one in page.get("Contents", ())
        ]

    def _got(self, name: str, part: str = "") -> bytes:
        from botocore.exceptions import ClientError

        wanted = {"Range": part} if part else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name, **wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise FileNotFoundError(f"{self.path}/{name}") from error
            raise
        content: bytes = answer["Body"].read()
        return content
