"""The hooks of smdebug for scripts that use them, over the hooks that are in place anyway.

The package ``smdebug`` that a job finds where none is installed gives these names. Modules and
losses need not be registered: they are seen without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bottega.container.debugging import session as sessions
from bottega.container.debugging.recorder import Recorder
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.configuration import Framework
from bottega.debugger.tensors.modes import ModeKeys

_MODES = {mode: f"{mode.name.lower()}." for mode in ModeKeys}


class SaveConfig:
    """When tensors are saved, as parameters of a hook."""

    def __init__(
        self,
        save_interval: int | None = None,
        start_step: int | None = None,
        end_step: int | None = None,
        save_steps: Iterable[int] | None = None,
        mode_save_configs: Mapping[ModeKeys, SaveConfig] | None = None,
    ) -> None:
        given = {
            "save_interval": save_interval,
            "start_step": start_step,
            "end_step": end_step,
            "save_steps": None if save_steps is None else ",".join(map(str, save_steps)),
        }
        self.parameters = {name: str(value) for name, value in given.items() if value is not None}
        for mode, config in (mode_save_configs or {}).items():
            for name, value in config.parameters.items():
                self.parameters[_MODES[mode] + name] = value


SaveConfigMode = SaveConfig


class ReductionConfig:
    """In which form tensors are saved, as parameters of a hook."""

    def __init__(
        self,
        reductions: Iterable[str] = (),
        abs_reductions: Iterable[str] = (),
        norms: Iterable[str] = (),
        abs_norms: Iterable[str] = (),
        save_raw_tensor: bool = False,
        save_shape: bool = False,
    ) -> None:
        names = [
            *reductions,
            *(f"abs_{name}" for name in abs_reductions),
            *(f"{name}_norm" for name in norms),
            *(f"abs_{name}_norm" for name in abs_norms),
        ]
        self.parameters = {
            "reductions": ",".join(names),
            "save_raw_tensor": str(save_raw_tensor),
            "save_shape": str(save_shape),
        }


class Hook:
    """A hook of smdebug. Where the job has a DebugHookConfig, that holds, whatever is given here.

    Args:
        out_dir: where tensors are written to; ``/opt/ml/output/tensors`` without it.
        dry_run: whether nothing is to be written.
        reduction_config: in which form.
        save_config: when.
        include_regex: patterns of further tensors.
        include_collections: collections to save.
        save_all: whether everything is saved.
        include_workers: ``one`` or ``all``.
        hyperparameters: of the training, instead of those of the job.
        others: what smdebug has besides (TensorBoard, data for XGBoost) and is not needed here.

    Raises:
        CustomerError: the arguments ask for what cannot be.
    """

    framework: Framework

    def __init__(
        self,
        out_dir: str | None = None,
        *,
        dry_run: bool = False,
        reduction_config: ReductionConfig | None = None,
        save_config: SaveConfig | None = None,
        include_regex: Iterable[str] | None = None,
        include_collections: Iterable[str] | None = None,
        save_all: bool = False,
        include_workers: str = "one",
        hyperparameters: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        parameters: dict[str, str] = {
            "dry_run": str(dry_run),
            "save_all": str(save_all),
            "include_workers": include_workers,
        }
        for config in (save_config, reduction_config):
            parameters.update(config.parameters if config is not None else {})
        if include_regex:
            parameters["include_regex"] = ",".join(include_regex)
        document: dict[str, Any] = {
            "HookParameters": parameters,
            "CollectionConfigurations": [
                {"CollectionName": name} for name in include_collections or ()
            ],
        }
        if out_dir is not None:
            document["LocalPath"] = str(Path(out_dir).absolute())
        self._begin(_configured() or sessions.start_with(document, hyperparameters))

    def _begin(self, session: sessions.Session) -> None:
        self._session = session
        _hooks[self.framework.name] = self

    @classmethod
    def create_from_json_file(cls, json_file_path: str | None = None) -> Hook:
        """The hook that a file asks for: this one, ``SMDEBUG_CONFIG_FILE_PATH``, or the job's.

        Raises:
            FileNotFoundError: there is no such file.
            CustomerError: it asks for what cannot be.
        """
        session = _configured()
        if session is None:
            path = json_file_path or os.environ.get(sessions.HOOK_FILE_VARIABLE)
            path = path or "/opt/ml/input/config/debughookconfig.json"
            document = sessions.read_configuration(Path(path))
            if document is None:
                raise FileNotFoundError(f"There is no hook configuration at {path}.")
            session = sessions.start_with(document, None)
        hook = cls.__new__(cls)
        hook._begin(session)
        return hook

    hook_from_config = create_from_json_file

    @property
    def _recorder(self) -> Recorder | None:
        return self._session.recorder_of(self.framework)

    @property
    def out_dir(self) -> str:
        """Where tensors are written to."""
        return str(self._session.folder)

    def set_mode(self, mode: ModeKeys) -> None:
        """Say what the next steps are steps of."""
        self._session.set_mode(ModeKeys.of(mode))

    def save_scalar(
        self, name: str, value: Any, sm_metric: bool = False, timestamp: float | None = None
    ) -> None:
        """Save a number with this step, as ``scalar/<name>``."""
        if (recorder := self._recorder) is not None:
            recorder.save_later(f"scalar/{name}", _number(value), timestamp)

    def save_tensor(
        self,
        tensor_name: str,
        tensor_value: Any,
        collections_to_write: str | Iterable[str] = "default",
    ) -> None:
        """Save a tensor with this step, if anything is saved in it, in these collections."""
        recorder = self._recorder
        if recorder is None or not recorder.saving:
            return
        names = collections_to_write
        for name in [names] if isinstance(names, str) else names:
            recorder.add_to(name, tensor_name)
        recorder.save_later(tensor_name, _array(tensor_value))

    def record_tensor_value(self, tensor_name: str, tensor_value: Any) -> None:
        """Save the output of a function, such as a loss, as ``<name>_output_0``."""
        if (recorder := self._recorder) is not None:
            recorder.save(f"{tensor_name}_output_0", _array(tensor_value))

    def get_collection(self, name: str) -> Collection:
        """A collection, made where there is none; patterns may be added to it."""
        recorder = self._recorder
        return Collection(name) if recorder is None else recorder.collection(name)

    def get_collections(self) -> dict[str, Collection]:
        """The collections by name."""
        recorder = self._recorder
        return {} if recorder is None else dict(recorder.collections)

    def register_module(self, module: Any) -> None:
        """Nothing to do: every module is seen."""

    register_hook = register_module
    register_loss = register_module

    def close(self) -> None:
        """Write what is kept. Nothing is saved afterwards."""
        self._session.close()


_hooks: dict[str, Hook] = {}


def get_hook(
    kind: type[Hook], json_config_path: str | None = None, create_if_not_exists: bool = False
) -> Hook | None:
    """The hook of a framework that the script has made, or that the job asks for; else None.

    Args:
        kind: the framework's.
        json_config_path: a file that asks for one where the job does not.
        create_if_not_exists: whether one is made where nothing asks for it.

    Raises:
        FileNotFoundError: there is no such file.
        CustomerError: the job, or the file, asks for what cannot be.
    """
    known = _hooks.get(kind.framework.name)
    if known is not None:
        return known
    if json_config_path is not None or _configured() is not None:
        return kind.create_from_json_file(json_config_path)
    return kind() if create_if_not_exists else None


def _configured() -> sessions.Session | None:
    """The session, where it saves tensors; one of times alone leaves them to the script's hook."""
    session = sessions.start()
    return session if session is not None and session.configuration is not None else None


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _number(value: Any) -> Any:
    import numpy as np

    array = np.asarray(_array(value))
    if array.size != 1:
        raise TypeError(f"A scalar has one value; this has {array.size}.")
    return array.reshape(())
