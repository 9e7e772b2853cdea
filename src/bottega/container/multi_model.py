"""Many models in one server: each is loaded when it is first asked for.

A model named ``name`` is a folder below ``models`` of the ML root (``target_folder``), which the
platform puts there. Which of them stay loaded, memory decides: the one that was used longest ago
goes first.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bottega.algorithms.base import CustomerError
from bottega.container.inference import InferenceError, InferenceHandler, InferenceResponse

MODELS_FOLDER = "models"
"""Below the ML root."""
_MOST_MODELS = 1000


class ModelMissing(InferenceError):
    """The model that a request names is not in the server's folder."""


@dataclass
class _Model:
    folder: Path
    identity: int
    """Of the folder: another one may have taken its place."""
    loading: threading.Lock = field(default_factory=threading.Lock)
    handler: InferenceHandler | None = None


class MultiModelHandler(InferenceHandler):
    """Answers each request by the model it names.

    Args:
        folder: where the platform puts models.
        load: loads the model of a folder.
        most_models: how many stay loaded; 0 keeps none.
        most_bytes: of the process, before a further model is loaded.
        used_bytes: how much memory the process uses now.
    """

    def __init__(
        self,
        folder: Path,
        load: Callable[[Path], InferenceHandler],
        *,
        most_models: int = _MOST_MODELS,
        most_bytes: int | None = None,
        used_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._folder = folder
        self._load = load
        self._most_models = most_models
        self._most_bytes = most_bytes
        self._used_bytes = used_bytes or _process_bytes
        self._models: OrderedDict[str, _Model] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls, ml_root: Path, environment: Mapping[str, str], load: Callable[[Path], InferenceHandler]
    ) -> MultiModelHandler:
        """As the environment says: ``SAGEMAKER_MULTI_MODEL_CACHE`` (``Disabled`` keeps no model),
        ``BOTTEGA_MULTI_MODEL_COUNT`` and ``BOTTEGA_MULTI_MODEL_MEMORY_MB``."""
        most = int(environment.get("BOTTEGA_MULTI_MODEL_COUNT", str(_MOST_MODELS)))
        if environment.get("SAGEMAKER_MULTI_MODEL_CACHE") == "Disabled":
            most = 0
        memory = environment.get("BOTTEGA_MULTI_MODEL_MEMORY_MB")
        return cls(
            ml_root / MODELS_FOLDER,
            load,
            most_models=most,
            most_bytes=int(float(memory) * 1024 * 1024) if memory else None,
        )

    def transform(self, body: bytes, content_type: str, accept: str) -> InferenceResponse:
        raise InferenceError(400, "This server has many models: name one with TargetModel.")

    def at_once(self, model: str, container: str) -> InferenceHandler | None:
        with self._lock:
            known = self._models.get(model)
            if known is None or known.handler is None or known.identity != _identity(known.folder):
                return None
            self._models.move_to_end(model)
            return known.handler.at_once("", "")

    def target(self, model: str, container: str) -> InferenceHandler:
        if not model:
            return self
        return self.loaded(model, self._folder / folder_name(model))

    def loaded(self, name: str, folder: Path) -> InferenceHandler:
        """The model of a folder, loaded now unless it is; others who want it meanwhile wait.

        Raises:
            ModelMissing: there is no such folder.
            InferenceError: it cannot be loaded.
        """
        identity = _identity(folder)
        with self._lock:
            known = self._models.get(name)
            if known is not None and known.identity != identity:
                del self._models[name]
                known = None
            if identity == 0:
                raise ModelMissing(404, f"The model {name} is not in this server.")
            if known is None:
                known = self._models[name] = _Model(folder, identity)
            self._models.move_to_end(name)
        with known.loading:
            if known.handler is None:
                self._make_room(known)
                try:
                    known.handler = self._load(folder)
                except CustomerError as error:
                    self._forget(name, known)
                    raise InferenceError(
                        500, f"The model {name} cannot be loaded: {error.message}"
                    ) from error
                except BaseException:
                    self._forget(name, known)
                    raise
            if self._most_models == 0:
                self._forget(name, known)
            return known.handler

    def names(self) -> Mapping[str, Path]:
        """The models that are loaded, and their folders."""
        with self._lock:
            return {name: one.folder for name, one in self._models.items() if one.handler}

    def unload(self, name: str) -> bool:
        """Forget a model; says whether it was loaded. Requests that it is answering end well."""
        with self._lock:
            return self._models.pop(name, None) is not None

    def _forget(self, name: str, model: _Model) -> None:
        with self._lock:
            if self._models.get(name) is model:
                del self._models[name]

    def _make_room(self, newcomer: _Model) -> None:
        while True:
            with self._lock:
                others = [
                    name
                    for name, one in self._models.items()
                    if one is not newcomer and one.handler is not None
                ]
                crowded = 0 < self._most_models <= len(others)
                if not others or not (crowded or self._memory_is_full()):
                    return
                del self._models[others[0]]
            _give_memory_back()

    def _memory_is_full(self) -> bool:
        return self._most_bytes is not None and self._used_bytes() > self._most_bytes


def folder_name(model: str) -> str:
    """The name of a model's folder, whatever characters its own name has."""
    return hashlib.sha256(model.encode()).hexdigest()[:32]


def _identity(folder: Path) -> int:
    """Tells one folder from another of the same name; 0 where there is none."""
    try:
        return os.stat(folder).st_ino
    except OSError:
        return 0


def _process_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _give_memory_back() -> None:
    """Have the allocator return what a model had, so that the next look at memory sees it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
