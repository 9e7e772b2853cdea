"""The Debugger of one process of a training job: begins with it, ends with it.

Reads ``debughookconfig.json`` and ``profilerconfig.json``; without either of them nothing is
imported, and nothing is changed. Hooks are put in place when a script imports a framework, so that
a script which imports none pays nothing; and where only a profile is configured that is switched
off, when it is switched on.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.container.debugging import imports
from bottega.container.paths import ContainerPaths

if TYPE_CHECKING:
    from bottega.container.debugging.output import Output
    from bottega.container.debugging.profile_watch import ProfileWatch
    from bottega.container.debugging.recorder import Recorder
    from bottega.container.debugging.timeline import Timeline
    from bottega.container.debugging.torch_hook import TorchHook
    from bottega.container.debugging.xgboost_hook import XGBoostHook
    from bottega.debugger.tensors.configuration import Framework, HookConfiguration
    from bottega.debugger.tensors.modes import ModeKeys

HOOK_FILE_VARIABLE = "SMDEBUG_CONFIG_FILE_PATH"
_FRAMEWORKS = ("xgboost.callback", "torch", "sklearn.base")
"""The modules with which each framework has come far enough for its hook."""
_SWITCH = "USE_SMDEBUG"
"""``0`` switches the hook off, as in SageMaker's containers."""


class Session:
    """What looks into the training of this process.

    Args:
        paths: where the job's files are.
        hook: the hook's configuration; None where no tensors are wanted.
        timeline: what keeps times, as soon as it is active; None where none are wanted.
    """

    def __init__(
        self, paths: ContainerPaths, hook: HookConfiguration | None, timeline: Timeline | None
    ) -> None:
        self.paths = paths
        self.configuration = hook
        self.timeline = timeline
        self.recorders: dict[str, Recorder] = {}
        self.output: Output | None = None
        self.torch: TorchHook | None = None
        self.xgboost: XGBoostHook | None = None
        self.hyperparameters: Mapping[str, Any] | None = None
        """Of the training; those of the job, where the script has not given others."""
        self._watch: ProfileWatch | None = None
        self._left = list(_FRAMEWORKS)
        """The frameworks without a hook."""
        self._process = os.getpid()
        self._stood_aside = False
        self._closed = False

    def recorder(
        self, framework: Framework, place: Callable[[], tuple[int, int]] = lambda: (0, 1)
    ) -> Recorder | None:
        """The recorder for a framework's hook; None where no tensors are wanted.

        Args:
            framework: what the hook knows.
            place: rank and number of this process among the framework's workers.
        """
        from bottega.container.debugging.output import Output
        from bottega.container.debugging.recorder import Recorder

        if self.configuration is None or self._stood_aside:
            return None
        if self.output is None:
            self.output = Output(
                self.folder,
                all_workers=self.configuration.all_workers,
                dry=self.configuration.dry_run,
            )
        if framework.name not in self.recorders:
            self.recorders[framework.name] = Recorder(
                self.configuration, framework, self.output, place
            )
        return self.recorders[framework.name]

    def recorder_of(self, framework: Framework) -> Recorder | None:
        """The recorder of a framework's hook that is in place; None where there is none."""
        return self.recorders.get(framework.name)

    @property
    def folder(self) -> Path:
        """Where tensors are written to."""
        from bottega.debugger.tensors.configuration import LOCAL_PATH

        given = self.configuration.local_path if self.configuration is not None else LOCAL_PATH
        return self.paths.placed(given)

    @property
    def looks(self) -> bool:
        """Whether anything is wanted of the training by now."""
        return self.configuration is not None or (
            self.timeline is not None and self.timeline.active
        )

    def set_mode(self, mode: ModeKeys) -> None:
        """Say what the next steps are steps of, instead of what the hooks see."""
        for hook in (self.torch, self.xgboost):
            if hook is not None:
                hook.forced_mode = mode

    def install(self) -> None:
        """Wait for the frameworks, if there is anything to look for."""
        if self.looks:
            for name in self._left:
                imports.when_imported(name, _guarded(self._hook(name)))
            self._left = []
        if self.configuration is not None:
            imports.when_imported("smdebug.core.hook", self._stand_aside)
        os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.close)

    def follow(self, file: Path) -> None:
        """Do from now on what a ProfilerConfig says when it is changed.

        Args:
            file: where it is.
        """
        from bottega.container.debugging.profile_watch import ProfileWatch

        self._watch = ProfileWatch(file, lambda: self._told(file), self._idle)
        self._watch.start()

    def _told(self, file: Path) -> None:
        from bottega.container.debugging.profiling import ProfilerSettings

        if self.timeline is not None and (profiler := read_configuration(file)) is not None:
            settings = ProfilerSettings.read(profiler)
            self.timeline.follow(settings, self.paths.placed(settings.local_path))

    def _idle(self) -> None:
        """What the watch does once a second: give hooks to frameworks that are there by now, and
        write what was kept until the profile was switched off."""
        if self.timeline is None:
            return
        if not self.timeline.active:
            self.timeline.flush()
            return
        for name in [*self._left]:
            module = sys.modules.get(name)
            # One that is just being imported comes next time.
            if module is not None and not getattr(module.__spec__, "_initializing", False):
                _guarded(self._hook(name, late=True))(module)
                self._left.remove(name)

    def close(self) -> None:
        """Write what is kept. May be called twice."""
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.stop()
        if self.torch is not None:
            self.torch.end_step()
        for recorder in self.recorders.values():
            recorder.close_step()
        if self.output is not None:
            self.output.close()
        if self.timeline is not None:
            self.timeline.flush()

    def _forked(self) -> None:
        # A child of the script is not the training: a process that loads data, most often.
        for recorder in self.recorders.values():
            recorder.stop()
        self.timeline = None
        self.configuration = None

    def _stand_aside(self, module: Any) -> None:
        """The script has brought smdebug itself, whose hook writes to the same folder."""
        self._stood_aside = True
        for recorder in self.recorders.values():
            recorder.stop()

    def _hyperparameters(self) -> Mapping[str, Any]:
        from bottega.container.environment import ConfigurationMissing, TrainingEnvironment

        if self.hyperparameters is not None:
            return self.hyperparameters
        try:
            return TrainingEnvironment.read().user_hyperparameters
        except ConfigurationMissing:  # not a training job's process
            return {}

    def _hook(self, name: str, *, late: bool = False) -> imports.Action:
        """What puts the hook of one of the frameworks in place.

        Args:
            late: the script may be in the middle of a step.
        """
        hooks: dict[str, imports.Action] = {
            "xgboost.callback": self._xgboost,
            "torch": functools.partial(self._torch, late=late),
            "sklearn.base": self._sklearn,
        }
        return hooks[name]

    def _xgboost(self, module: Any) -> None:
        from bottega.container.debugging.xgboost_hook import FRAMEWORK, XGBoostHook

        recorder = self.recorder(FRAMEWORK, _xgboost_place)
        self.xgboost = XGBoostHook(recorder, self.timeline, self._hyperparameters())
        self.xgboost.install(module)

    def _torch(self, module: Any, *, late: bool) -> None:
        from bottega.container.debugging.torch_hook import FRAMEWORK, TorchHook

        hook = TorchHook(self.recorder(FRAMEWORK, _torch_place), self.timeline, late=late)
        self.torch = hook
        hook.install()

    def _sklearn(self, module: Any) -> None:
        from bottega.container.debugging.sklearn_hook import FRAMEWORK, SklearnHook

        SklearnHook(self.recorder(FRAMEWORK), self.timeline).install(module)


_current: Session | None = None


def current() -> Session | None:
    """The session of this process; None where nothing is configured."""
    return _current


def wanted(paths: ContainerPaths) -> bool:
    """Whether the job has a configuration for the Debugger."""
    return any(file.is_file() for file in _files(paths))


def _files(paths: ContainerPaths) -> tuple[Path, Path]:
    given = os.environ.get(HOOK_FILE_VARIABLE)
    hook = Path(given) if given else paths.config / "debughookconfig.json"
    return hook, paths.config / "profilerconfig.json"


def start() -> Session | None:
    """Begin, where the job's configuration asks for it; the session that there is, if it is begun.

    Raises:
        CustomerError: the DebugHookConfig cannot be followed.
    """
    global _current
    if _current is not None:
        return _current
    paths = ContainerPaths.of()
    hook_file, profiler_file = _files(paths)
    hook = read_configuration(hook_file) if os.environ.get(_SWITCH) != "0" else None
    profiler = read_configuration(profiler_file)
    if hook is None and profiler is None:
        return None
    from bottega.container.debugging.profiling import ProfilerSettings
    from bottega.container.debugging.timeline import Timeline

    settings = ProfilerSettings.read(profiler) if profiler is not None else ProfilerSettings()
    timeline = Timeline(settings, paths.placed(settings.local_path), _node(paths))
    configuration = _understood(hook) if hook is not None else None
    _current = Session(paths, configuration, timeline)
    _current.install()
    _current.follow(profiler_file)
    return _current


def start_with(
    hook: Mapping[str, Any], hyperparameters: Mapping[str, Any] | None = None
) -> Session:
    """Begin as a script wants it, where the job says nothing; instead of what began otherwise.

    Args:
        hook: a DebugHookConfig.
        hyperparameters: of the training, instead of those of the job.

    Raises:
        CustomerError: the DebugHookConfig cannot be followed.
    """
    global _current
    configuration = _understood(hook)
    session = Session(ContainerPaths.of(), configuration, None)
    session.hyperparameters = hyperparameters
    _current = session
    session.install()
    return session


def _understood(hook: Mapping[str, Any]) -> HookConfiguration:
    from bottega.debugger.tensors.configuration import ConfigurationError, HookConfiguration

    try:
        return HookConfiguration.read(hook)
    except ConfigurationError as error:
        raise CustomerError(str(error)) from error


def _guarded(hook: imports.Action) -> imports.Action:
    """A hook that cannot be put in place says so; the script goes on without it."""

    def put(module: ModuleType) -> None:
        try:
            hook(module)
        except Exception:
            print(
                f"Debugger: the hook for {module.__name__} cannot be put in place:",
                file=sys.stderr,
            )
            traceback.print_exc()

    return put


def start_when_needed() -> None:
    """Begin as soon as this process imports a framework; for programs that mostly do not."""
    if wanted(ContainerPaths.of()):
        for name in _FRAMEWORKS:
            imports.when_imported(name, lambda module: _begun())


def _begun() -> None:
    start()


def finish() -> None:
    """Write what the session of this process keeps."""
    if _current is not None:
        _current.close()


def read_configuration(file: Path) -> dict[str, Any] | None:
    """The object in a configuration file; None where there is no such file."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    return content if isinstance(content, dict) else None


def _node(paths: ContainerPaths) -> str:
    return str((read_configuration(paths.resource_config_file) or {}).get("current_host", "algo-1"))


def _xgboost_place() -> tuple[int, int]:
    from xgboost import collective

    return int(collective.get_rank()), int(collective.get_world_size())


def _torch_place() -> tuple[int, int]:
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank()), int(distributed.get_world_size())
    return 0, 1
