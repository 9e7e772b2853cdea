"""From a request to the worker that answers it: who may ask, and which objects it will read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bottega.context import Context
from bottega.errors import AccessDeniedException, ValidationException
from bottega.features.wrangler.workers import WorkerPool, folder_of
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectInfo, ObjectMissing, ObjectStore

_S3 = "s3://"
_OURS = frozenset({"bottega.file_source_0.1", "bottega.sql_source_0.1"})
"""Sources that are not objects of the store."""


def pool_of(context: Context) -> WorkerPool:
    """The studio's workers."""
    work = context.ports.config.home / "work" / "wrangler"
    return context.ports.memory.of(WorkerPool, lambda: WorkerPool(work))


def ask(
    context: Context, request: Mapping[str, Any], method: str, **arguments: Any
) -> dict[str, Any]:
    """Have a worker answer.

    Args:
        context: of the call.
        request: with ``Flow`` or ``Source``, ``Folder`` and ``Trusted`` where it has them.
        method: of :class:`~bottega.wrangler.worker.session.Session`.
        arguments: of the method, but for ``objects``; what is None is left out.

    Raises:
        ValidationException: the worker refuses, or the folder is not there.
        AccessDeniedException: a workload asks for what only a person may: files of this machine,
            databases, code that runs outside of its sandbox.
    """
    folder = folder_of(request.get("Folder"))
    if context.caller.is_workload:
        _refuse_workloads(request)
    uris = sorted(set(_uris(request)))
    objects = {uri: _local_files(context, uri) for uri in uris}
    given = {name: value for name, value in arguments.items() if value is not None}
    caller = context.caller.arn.rpartition("/")[2]
    return pool_of(context).call(caller, folder, method, {**given, "objects": objects})


def place(request: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that all methods about a node's table have."""
    return {
        "flow": request["Flow"],
        "node_id": request["NodeId"],
        "output_name": request.get("OutputName"),
        "whole": request.get("Whole"),
        "trusted": request.get("Trusted"),
    }


def _refuse_workloads(request: Mapping[str, Any]) -> None:
    if request.get("Folder") or request.get("Trusted"):
        raise AccessDeniedException(
            "A job may neither read files of this machine nor run a flow's code outside of itself; "
            "leave Folder and Trusted unset."
        )
    given = (request.get("Source", {}), request.get("Edit", {}).get("Source", {}))
    kinds = [source.get("Kind") for source in given]
    if {"sql", "file"} & {*kinds} or _OURS & {*_operators(request)}:
        raise AccessDeniedException("A job may only prepare what lies in the object store.")


def _operators(request: Mapping[str, Any]) -> Iterator[str]:
    return (str(node.get("operator")) for node in _nodes(request))


def _nodes(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    try:
        flow = json.loads(request.get("Flow") or "{}")
    except (ValueError, RecursionError):
        return  # the worker says what is wrong with it
    nodes = flow.get("nodes") if isinstance(flow, dict) else None
    yield from (node for node in nodes or () if isinstance(node, dict))


def _uris(request: Mapping[str, Any]) -> Iterator[str]:
    """Every S3 URI that a source in the request has."""
    for source in (request.get("Source", {}), request.get("Edit", {}).get("Source", {})):
        if str(source.get("Uri", "")).startswith(_S3):
            yield source["Uri"]
    for node in _nodes(request):
        if node.get("type") in ("SOURCE", "DATASET"):
            yield from _texts(node.get("parameters"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(_S3):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _local_files(context: Context, uri: str) -> list[str]:
    """The objects of a URI as files. They are linked, under a name that changes with the object.

    None where there is nothing: the worker refuses the node that needs them, and only that one.
    """
    objects = context.ports.objects
    folder = pool_of(context).objects
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        bucket, prefix = s3_uris.split(uri)
        found = list(_objects(objects, bucket, prefix))
        return [str(_linked(objects, info, folder)) for info in found]
    except (ValidationException, BucketMissing, ObjectMissing):
        return []


def _objects(objects: ObjectStore, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
    """An object of exactly this key, else everything below it, in the order of the keys."""
    if prefix and not prefix.endswith("/"):
        try:
            yield objects.info(bucket, prefix)
            return
        except ObjectMissing:
            prefix += "/"
    for info in objects.each(bucket, prefix):
        name = PurePosixPath(info.key).name
        if info.size and not info.key.endswith("/") and not name.startswith((".", "_")):
            yield info


def _linked(objects: ObjectStore, info: ObjectInfo, folder: Path) -> Path:
    version = f"{info.bucket}/{info.key}\n{info.etag}\n{info.modified}"
    place = folder / hashlib.sha256(version.encode()).hexdigest()[:32]
    # The ending of the key may say what the object is; the rest of it could be anything.
    target = place / f"object{PurePosixPath(info.key).suffix}"
    if (name := PurePosixPath(info.key).name) not in ("", ".", ".."):
        target = place / name
    if not target.exists():
        place.mkdir(exist_ok=True, mode=0o700)
        draft = place / f".{target.name}.{id(info)}"
        objects.link(info.bucket, info.key, draft)
        draft.replace(target)
    return target
