"""The user's inference script: where it is, what functions it has, defaults for the others."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.container import encodings, requirements
from bottega.container.archives import unpack
from bottega.container.failure import ScriptFailed, user_traceback
from bottega.container.formats.loading import ServedModel
from bottega.container.paths import ContainerPaths
from bottega.container.script_mode import download

_DEFAULT_PROGRAM = "inference.py"
SHARED_CODE = "BOTTEGA_SHARED_CODE"
"""The variable with the folder of the script that serves models which bring none."""
_PARTS = ("input_fn", "predict_fn", "output_fn")


@dataclass(frozen=True)
class InferenceContext:
    """What a script function gets as its last argument, if it takes one more."""

    system_properties: Mapping[str, Any]
    """``model_dir`` and ``gpu_id``."""
    content_type: str = ""
    accept: str = ""

    def get_request_content_type(self, index: int = 0) -> str:
        """The content type of the request."""
        return self.content_type

    def get_request_header(self, index: int, name: str) -> str:
        """``Content-Type`` or ``Accept`` of the request; empty for any other."""
        return {"content-type": self.content_type, "accept": self.accept}.get(name.lower(), "")


@dataclass(frozen=True)
class Script:
    """The functions that answer a request; each takes the context as its last argument."""

    model: Any
    context: InferenceContext
    transform: Callable[..., Any] | None
    """``(model, data, content_type, accept, context)``, instead of the other three."""
    read: Callable[..., Any]
    predict: Callable[..., Any]
    write: Callable[..., Any]
    decodes: bool
    """Whether ``read`` is the default one, which wants the body as bytes."""


def code_folder(model_dir: Path, environment: Mapping[str, str]) -> Path | None:
    """The folder of the user's inference code; None when the model has none.

    Raises:
        CustomerError: the code is named but is not there.
    """
    source = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "").removeprefix("file://")
    if source.startswith("s3://"):
        folder = Path(tempfile.mkdtemp(prefix="bottega-code-"))
        download(source, folder)
        return folder
    inside = source.removeprefix("/opt/ml/model")
    folder = model_dir / (inside.strip("/") or "code") if inside != source else Path(source)
    if not source or not folder.exists():
        folder = model_dir / "code"
    shared = environment.get(SHARED_CODE)
    if shared and not folder.exists():
        folder = Path(shared)
    if folder.is_file():
        target = Path(tempfile.mkdtemp(prefix="bottega-code-"))
        unpack(folder, target)
        return target
    if environment.get("SAGEMAKER_PROGRAM"):
        if not folder.is_dir():
            raise CustomerError(
                f"SAGEMAKER_PROGRAM names {environment['SAGEMAKER_PROGRAM']}, but the model has no "
                "folder 'code' and SAGEMAKER_SUBMIT_DIRECTORY names no code that is there."
            )
        return folder
    return folder if (folder / _DEFAULT_PROGRAM).is_file() else None


def load(
    folder: Path,
    model_dir: Path,
    environment: Mapping[str, str],
    defaults: Mapping[str, Callable[..., Any]],
    restart_module: str,
) -> Script:
    """Install what the code asks for, import it, and load the model with its ``model_fn``.

    Args:
        folder: the code.
        model_dir: the unpacked model.
        environment: the variables of the model's container.
        defaults: the framework's own ``model_fn``, ``input_fn``, ``predict_fn``, where it has them.
        restart_module: what a fresh interpreter has to run when packages were installed.

    Raises:
        CustomerError: the script is missing or broken; the message ends with its own traceback.
    """
    _install(folder, environment, restart_module)
    module = _import(folder, environment.get("SAGEMAKER_PROGRAM") or _DEFAULT_PROGRAM)
    own = {name: getattr(module, name, None) for name in ("model_fn", "transform_fn", *_PARTS)}
    if own["transform_fn"] is not None and any(own[name] for name in _PARTS):
        raise CustomerError(
            "The script has transform_fn together with input_fn, predict_fn or output_fn; "
            "transform_fn replaces all three."
        )
    model_fn = own["model_fn"] or defaults.get("model_fn")
    if model_fn is None:
        raise CustomerError(
            f"The script {module.__name__} has no model_fn(model_dir) to load the model; add one."
        )
    context = InferenceContext({"model_dir": str(model_dir), "gpu_id": None})
    try:
        model = _with_context(model_fn, 1)(str(model_dir), context)
    except Exception as error:
        raise CustomerError(f"model_fn failed.\n{user_traceback(error)}") from error
    transform = own["transform_fn"]
    return Script(
        model=model,
        context=context,
        transform=None if transform is None else _with_context(transform, 4),
        read=_with_context(own["input_fn"] or defaults.get("input_fn") or encodings.decode, 2),
        predict=_with_context(own["predict_fn"] or defaults.get("predict_fn") or _predict, 2),
        write=_with_context(own["output_fn"] or encodings.encode, 2),
        decodes=own["input_fn"] is None,
    )


def of_model(model: ServedModel, model_dir: Path) -> Script:
    """What a model without a script does with requests."""
    return Script(
        model=model,
        context=InferenceContext({"model_dir": str(model_dir), "gpu_id": None}),
        transform=None,
        read=lambda body, content_type, context: model.read(body, content_type),
        predict=lambda data, own, context: own.predict(data, context.accept),
        write=lambda prediction, accept, context: model.write(prediction, accept),
        decodes=model.decodes,
    )


def _predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _install(folder: Path, environment: Mapping[str, str], restart_module: str) -> None:
    wanted = folder / "requirements.txt"
    if not wanted.is_file():
        return
    packages = ContainerPaths.of(environment).packages
    try:
        packages.mkdir(parents=True, exist_ok=True)
    except OSError:
        # The container's root can be read-only for a model server.
        packages = Path(tempfile.mkdtemp(prefix="bottega-packages-"))
    try:
        installed = requirements.install(wanted, packages)
    except ScriptFailed as error:
        raise CustomerError(f"requirements.txt cannot be installed.\n{error.message}") from error
    if installed:
        requirements.restart(restart_module, packages, sys.argv[1:])


def _import(folder: Path, program: str) -> Any:
    file = (folder / program).resolve()
    if file.suffix != ".py":
        file = file.with_name(file.name + ".py")
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        found = ", ".join(sorted(path.name for path in folder.glob("*.py"))) or "no Python file"
        raise CustomerError(f"The script {program} is not in the code, which has: {found}.")
    for path in dict.fromkeys((str(folder), str(file.parent))):
        if path not in sys.path:
            sys.path.insert(0, path)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CustomerError(f"{program} cannot be imported.\n{user_traceback(error)}") from error
    return module


def _with_context(function: Callable[..., Any], arguments: int) -> Callable[..., Any]:
    """The function as one that always takes the context last; given on only if it wants it."""
    try:
        inspect.signature(function).bind(*range(arguments + 1))
    except TypeError:
        return lambda *given: function(*given[:arguments])
    return function
