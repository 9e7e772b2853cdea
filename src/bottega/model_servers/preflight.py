"""What is wrong with a model, found before anything starts: from the listing of its archive.

Only the small files that say how the model is served are read; the others are counted.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from bottega.algorithms.registry import names as algorithm_names
from bottega.container.formats.recognition import KNOWN, MLMODEL, recognise
from bottega.model_servers.plans import ContainerPlan, ModelPlan
from bottega.model_servers.staging import MOST_BYTES, MOST_FILES
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore
from bottega.tar_archives import tarfile

Severity = Literal["Error", "Warning"]
_LARGEST_READ = 1024 * 1024
_FRAMEWORKS = ("python", "scikit-learn", "xgboost")
_PARTS = ("input_fn", "predict_fn", "output_fn")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    severity: Severity
    """``Error``: the model cannot be served so. ``Warning``: it may not, or not as meant."""
    where: str
    """The file or the object."""
    message: str
    """What is wrong and what to do."""


@dataclass
class _Listing:
    """The files of a model and the text of those that are read."""

    files: dict[str, bool] = field(default_factory=dict)
    """Path below the model folder, and whether it is executable."""
    texts: dict[str, str] = field(default_factory=dict)


def check(objects: ObjectStore, model: ModelPlan) -> list[Finding]:
    """Look at each container of a model.

    Args:
        objects: where its data lies.
        model: its plan, whose images are known already.

    Returns:
        What was found; empty where nothing is wrong that can be seen from outside.
    """
    return [finding for one in model.containers for finding in _container(objects, one)]


def _container(objects: ObjectStore, container: ContainerPlan) -> Iterator[Finding]:
    listing = _Listing()
    if container.data and container.data.several:
        return  # whose models come later, each with its own files
    sources: list[tuple[str, str, bool]] = []
    if container.data and container.data.archive:
        sources.append((container.data.uri, "", False))
    elif container.data:
        sources.append((container.data.uri, "", True))
    if container.code_uri:
        sources.append((container.code_uri, "code/", False))
    for uri, below, plain in sources:
        try:
            (_list_plain if plain else _list_archive)(objects, uri, below, listing)
        except (BucketMissing, ObjectMissing):
            yield Finding("Error", uri, "There is no such object. Put the model data there.")
            return
        except _TooLarge as error:
            yield Finding("Error", uri, str(error))
            return
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            yield Finding(
                "Error", uri, f"It cannot be unpacked: {error}. It must be a whole tar.gz archive."
            )
            return
    if container.runtime in (*_FRAMEWORKS, *algorithm_names()):
        yield from _server(container, listing)


class _TooLarge(Exception):
    pass


def _list_archive(objects: ObjectStore, uri: str, below: str, listing: _Listing) -> None:
    size = 0
    with (
        objects.open(*s3_uris.split(uri)) as stream,
        tarfile.open(fileobj=stream, mode="r|*") as archive,
    ):
        for count, member in enumerate(archive, 1):
            size += member.size
            if count > MOST_FILES or size > MOST_BYTES:
                raise _TooLarge(
                    f"It unpacks to more than {MOST_FILES} entries or {MOST_BYTES} bytes, which "
                    "is the most that is served. Leave out what the model does not need."
                )
            if not member.isfile():
                continue
            name = below + PurePosixPath(member.name).as_posix()
            listing.files[name] = bool(member.mode & 0o100)
            if _is_read(name) and member.size <= _LARGEST_READ:
                content = archive.extractfile(member)
                assert content is not None  # it is a file
                listing.texts[name] = content.read().decode("utf-8", "replace")


def _list_plain(objects: ObjectStore, uri: str, below: str, listing: _Listing) -> None:
    bucket, key = s3_uris.split(uri)
    found = False
    for one in objects.each(bucket, key):
        found = True
        name = one.key[len(key) :].lstrip("/") or PurePosixPath(one.key).name
        listing.files[name] = False
        if _is_read(name) and one.size <= _LARGEST_READ:
            with objects.open(bucket, one.key) as stream:
                listing.texts[name] = stream.read().decode("utf-8", "replace")
    if not found:
        raise ObjectMissing(bucket, key)


def _is_read(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name in (MLMODEL, "requirements.txt") or path.suffix == ".py"


def _server(container: ContainerPlan, listing: _Listing) -> Iterator[Finding]:
    files, environment = listing.files, container.environment
    framework = container.runtime not in algorithm_names()
    if framework:
        for name in ("code/serve", "serve"):
            if files.get(name):
                return  # it is the server; only running it shows more
            if name in files:
                yield Finding(
                    "Warning", name, "It is not executable, so that it is not started: chmod +x."
                )
    program = environment.get("SAGEMAKER_PROGRAM", "")
    script = f"code/{program or 'inference.py'}"
    if not script.endswith(".py"):
        script += ".py"
    if script in files:
        yield from _script(script, listing, own_loader=container.runtime != "xgboost")
    elif program:
        there = [name for name in files if name.startswith("code/")]
        yield Finding(
            "Error", script, f"SAGEMAKER_PROGRAM names it, but the code has: {_some(there)}."
        )
    elif framework:
        found = recognise(files)
        if found is None:
            yield Finding(
                "Error",
                "code/inference.py",
                f"The image {container.image} needs an inference script with model_fn there, a "
                f"program serve, or a model in one of: {KNOWN}. The model has: {_some(files)}.",
            )
        elif found.kind == "mlflow":
            yield from _mlflow(f"{found.path}/{MLMODEL}".removeprefix("./"), listing)
        else:
            yield from _libraries(found.path, found.kind)


def _script(name: str, listing: _Listing, *, own_loader: bool) -> Iterator[Finding]:
    if name in listing.texts:
        try:
            tree = ast.parse(listing.texts[name])
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            place = f" (line {line})" if line else ""
            yield Finding("Error", name, f"It is no Python{place}: {error}.")
            return
        names = set(_defined(tree))
        if "*" not in names:
            if own_loader and "model_fn" not in names:
                yield Finding("Error", name, "It has no model_fn(model_dir); add one.")
            if "transform_fn" in names and names.intersection(_PARTS):
                yield Finding(
                    "Error",
                    name,
                    "It has transform_fn together with input_fn, predict_fn or output_fn; "
                    "transform_fn replaces all three.",
                )
    if "code/requirements.txt" in listing.texts:
        yield from _requirements("code/requirements.txt", listing.texts["code/requirements.txt"])


def _defined(tree: ast.Module) -> Iterator[str]:
    """The names that a module may have; ``*`` where that cannot be told."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Name) and node.id in ("globals", "exec", "setattr"):
            yield "*"


def _requirements(where: str, text: str) -> Iterator[Finding]:
    """What this interpreter lacks and would have to be fetched."""
    import importlib.metadata

    from packaging.requirements import InvalidRequirement, Requirement

    for line in text.splitlines():
        wanted_text = line.partition(" #")[0].strip()
        if not wanted_text or wanted_text.startswith(("#", "-")):
            continue
        try:
            wanted = Requirement(wanted_text)
        except InvalidRequirement:
            continue  # pip takes more than this; it decides
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            version = ""
        if not version or not wanted.specifier.contains(version, prereleases=True):
            have = f"{version} is" if version else "it is not"
            yield Finding(
                "Warning",
                where,
                f"{wanted_text}: {have} installed here, so that every start of a server has to "
                "fetch it; without a network that fails. Install it beside bottega.",
            )


def _mlflow(where: str, listing: _Listing) -> Iterator[Finding]:
    import yaml

    try:
        said = yaml.safe_load(listing.texts.get(where, ""))
    except yaml.YAMLError as error:
        yield Finding("Error", where, f"It cannot be read: {error}. Log the model again.")
        return
    flavors = said.get("flavors") if isinstance(said, Mapping) else None
    function = flavors.get("python_function") if isinstance(flavors, Mapping) else None
    if not isinstance(function, Mapping):
        yield Finding(
            "Error", where, "It has no flavour python_function, which is what can be served."
        )
        return
    version = str(function.get("python_version", ""))
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version and ".".join(version.split(".")[:2]) != here:
        yield Finding(
            "Warning",
            where,
            f"The model was made with Python {version} and would be served with {here}; what is "
            "pickled in it may not load. Log it again with this Python.",
        )
    yield from _libraries(where, "mlflow")
    folder = where.removesuffix(MLMODEL)
    if text := listing.texts.get(f"{folder}requirements.txt"):
        yield from _requirements(f"{folder}requirements.txt", text)


def _libraries(where: str, kind: str) -> Iterator[Finding]:
    from importlib.util import find_spec

    module, advice = {
        "mlflow": ("mlflow", "pip install mlflow"),
        "onnx": ("onnxruntime", "pip install 'bottega[onnx]'"),
        "pytorch": ("torch", "pip install 'bottega[deep]'"),
        "scikit-learn": ("sklearn", "pip install scikit-learn"),
    }[kind]
    if find_spec(module) is None:
        yield Finding("Error", where, f"It needs {module}, which is not installed here: {advice}.")


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:10]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "") if shown else "no file"
