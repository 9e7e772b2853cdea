"""Fetching a model's files and laying them out as a model server expects them under ``/opt/ml``."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bottega.container.inference_pipeline import PIPELINE_FILE, PIPELINE_FOLDER
from bottega.model_servers.plans import ContainerPlan, ModelData, ModelPlan
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore
from bottega.tar_archives import tarfile

MOST_FILES = 100_000
MOST_BYTES = 64 * 1024**3
_RESERVE_BYTES = 512 * 1024**2
"""What an archive must leave free on the disk."""
MODELS_FOLDER = "models"
"""Below the ML root of a multi-model server: a folder for each model that was asked for."""
_CODE_FOLDERS = ("code", ".code")
"""Below the model, for scripts that came in an archive of their own: the first that is free."""


class StagingError(Exception):
    """The model cannot be laid out; the message becomes the endpoint's FailureReason."""


def stage(objects: ObjectStore, model: ModelPlan, target: Path) -> None:
    """Make ``target`` the ML root of a model: ``model``, with scripts of the user's in it; of an
    inference pipeline, one such root for each container below ``containers``.

    It appears whole or not at all; what is there already is left as it is. Files cannot be written
    to, because all instances share them.

    Raises:
        StagingError: an object is gone, or an archive is damaged, unsafe or too large.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        (draft / "model").mkdir()
        if model.pipeline:
            _stage_pipeline(objects, model, draft)
        else:
            _stage_container(objects, model.last, draft)
        _protect(draft)
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _protect(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o555 if os.access(path, os.X_OK) else 0o444)


def _stage_container(objects: ObjectStore, container: ContainerPlan, root: Path) -> None:
    (root / "model").mkdir(parents=True, exist_ok=True)
    if container.data and container.data.several:
        (root / MODELS_FOLDER).mkdir()
    elif container.data:
        _fetch(objects, container.data, root / "model")
    if container.code_uri:
        plain, hidden = (root / "model" / name for name in _CODE_FOLDERS)
        _unpack_object(objects, container.code_uri, hidden if plain.exists() else plain)


def _stage_pipeline(objects: ObjectStore, model: ModelPlan, draft: Path) -> None:
    """Each container gets a root of its own, and a file says what the one server of them all has
    to load."""
    entries = []
    for number, container in enumerate(model.containers, 1):
        root = draft / PIPELINE_FOLDER / str(number)
        _stage_container(objects, container, root)
        environment = dict(container.environment)
        if container.code_uri:
            environment["SAGEMAKER_SUBMIT_DIRECTORY"] = code_folder(root)
        entries.append(
            {
                "image": container.runtime,
                "environment": environment,
                "hostname": container.hostname,
            }
        )
    (draft / PIPELINE_FILE).write_text(json.dumps(entries))


def code_folder(ml_root: Path) -> str:
    """Where scripts that came in an archive of their own lie, as the model server sees it."""
    plain, hidden = _CODE_FOLDERS
    return f"/opt/ml/model/{hidden if (ml_root / 'model' / hidden).exists() else plain}"


def stage_target(objects: ObjectStore, prefix: str, name: str, ml_root: Path) -> None:
    """Fetch one model of a multi-model server: the archive ``prefix/name`` becomes the folder
    :func:`target_folder` below the ML root, whole or not at all.

    Raises:
        StagingError: the name leads out of the prefix, there is no such object, or it is damaged,
            unsafe or too large.
    """
    target = ml_root / target_folder(name)
    if target.exists():
        return
    parts = name.lstrip("/").split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise StagingError(f"TargetModel {name!r} is no name of an object below {prefix}.")
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=ml_root / MODELS_FOLDER))
    try:
        _unpack_object(objects, f"{prefix.rstrip('/')}/{'/'.join(parts)}", draft)
        _protect(draft)
        draft.chmod(0o755)
        if not target.exists():
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def target_folder(name: str) -> str:
    """Where one model of a multi-model server lies below the ML root."""
    return f"{MODELS_FOLDER}/{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def lay_out(staged: Path, ml_root: Path) -> None:
    """Give one instance its own ML root with the staged files, linked: they take no space."""
    if ml_root.exists():
        return
    draft = ml_root.with_name(f".{ml_root.name}-draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(staged, draft, symlinks=True, copy_function=os.link)
    draft.rename(ml_root)


def _fetch(objects: ObjectStore, data: ModelData, target: Path) -> None:
    if data.archive:
        _unpack_object(objects, data.uri, target)
        _drop_empty_libraries(target)
        return
    bucket, key = s3_uris.split(data.uri)
    try:
        if not data.prefix:
            objects.download(bucket, key, target / PurePosixPath(key).name)
            return
        for found in objects.each(bucket, key):
            _download_below(objects, bucket, found.key, key, target)
    except (BucketMissing, ObjectMissing) as error:
        raise StagingError(f"Could not find model data at {data.uri}.") from error


def _drop_empty_libraries(model: Path) -> None:
    """Remove a folder ``shared_libs`` with nothing in it.

    The SDK's ModelBuilder packs one with every model, and the script that it packs copies it into
    ``/lib``, which is read-only for servers, so that not even nothing can be copied.
    """
    libraries = model / "shared_libs"
    if libraries.is_dir() and not libraries.is_symlink() and not any(libraries.iterdir()):
        libraries.rmdir()


def _download_below(objects: ObjectStore, bucket: str, key: str, prefix: str, target: Path) -> None:
    relative = PurePosixPath(key[len(prefix) :].lstrip("/") or PurePosixPath(key).name)
    if ".." in relative.parts or "\0" in key:
        raise StagingError(f"The key s3://{bucket}/{key} cannot become a file of the model.")
    if key.endswith("/"):
        return
    path = target / relative
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        objects.download(bucket, key, path)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise StagingError(
            f"Model data at s3://{bucket}/{prefix} has a file and a folder of one name: {relative}."
        ) from error


def _unpack_object(objects: ObjectStore, uri: str, target: Path) -> None:
    target.mkdir(exist_ok=True)
    try:
        with objects.open(*s3_uris.split(uri)) as stream:
            _unpack(stream, target)
    except (BucketMissing, ObjectMissing) as error:
        raise StagingError(f"Could not find model data at {uri}.") from error
    except tarfile.FilterError as error:
        raise StagingError(f"Model data at {uri} is not safe to unpack: {error}") from error
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError) as error:
        raise StagingError(
            f"Model data at {uri} cannot be unpacked: {error}. It must be a tar.gz archive."
        ) from error


def _unpack(stream: BinaryIO, target: Path) -> None:
    """Unpack a tar as it is read; every member is judged before it is written."""
    room = min(MOST_BYTES, shutil.disk_usage(target).free - _RESERVE_BYTES)
    files = size = 0
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            files += 1
            size += member.size
            if files > MOST_FILES:
                raise StagingError(f"The model archive has more than {MOST_FILES} entries.")
            if size > room:
                raise StagingError(
                    f"The model archive unpacks to more than {room} bytes, the most that fits."
                )
            if PurePosixPath(member.name).is_absolute():  # the filter would strip the slash
                raise tarfile.AbsolutePathError(member)
            archive.extract(member, target, filter="data")
