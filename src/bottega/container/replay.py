"""Does again, in a notebook or a shell, what a host of a job did.

A replay's folder has ``replay.json`` and ``ml``, which stands for ``/opt/ml``. Paths below
``/opt/ml`` that are written out in the user's Python files lead there, too; lines keep their
numbers, so that a debugger stands where the job failed.

    python -m bottega.container.replay FOLDER --debug
"""

from __future__ import annotations

import argparse
import ast
import builtins
import importlib.machinery
import json
import os
import pdb
import subprocess
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bottega.container import requirements, script_mode
from bottega.container.environment import TrainingEnvironment
from bottega.container.failure import strip_frames
from bottega.container.paths import ContainerPaths

DESCRIPTION = "replay.json"
ML_FOLDER = "ml"
_ML_ROOT = "/opt/ml"


class ReplayFailed(Exception):
    """The program ended badly, as a child that no debugger is in; the message says with what."""


@dataclass
class Replay:
    """One host of a job, in a folder."""

    root: Path
    """What stands for ``/opt/ml``."""
    job: str
    image: str
    program: str = ""
    """The script; empty for a built-in algorithm and for a command. Of a processing job, a Python
    script that its command runs, by its path below the root."""
    command: tuple[str, ...] = ()
    kind: str = "Training"
    """``Training`` or ``Processing``."""
    arguments: tuple[str, ...] = ()
    """The script's, of a processing job."""
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """Names of variables that were left out of the folder."""
    secret_hyperparameters: tuple[str, ...] = ()
    """Likewise of hyperparameters."""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """Secret ones that were given by hand."""

    @classmethod
    def of(cls, folder: str | os.PathLike[str]) -> Replay:
        """The replay in a folder.

        Raises:
            FileNotFoundError: there is none.
        """
        place = Path(folder).absolute()
        found = json.loads((place / DESCRIPTION).read_text(encoding="utf-8"))
        return cls(
            root=place / ML_FOLDER,
            job=found["job"],
            image=found["image"],
            program=found.get("program", ""),
            command=tuple(found.get("command", ())),
            kind=found.get("kind", "Training"),
            arguments=tuple(found.get("arguments", ())),
            variables=found["variables"],
            secrets=tuple(found.get("secrets", ())),
            secret_hyperparameters=tuple(found.get("secret_hyperparameters", ())),
        )

    @property
    def paths(self) -> ContainerPaths:
        return ContainerPaths(self.root)

    @property
    def code(self) -> Path:
        """Where the program is, and what it imports of the user's."""
        if self._trains:
            return self.paths.code
        return (self.root / self.program).parent if self.program else self.root

    @property
    def _trains(self) -> bool:
        return self.kind == "Training"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the job's program had, the ``SM_*`` ones with them."""
        values = {**self.variables, "BOTTEGA_ML_ROOT": str(self.root)}
        return {**values, **self._training(values).variables()} if self._trains else values

    def _training(self, values: Mapping[str, str] | None = None) -> TrainingEnvironment:
        found = TrainingEnvironment.read(
            {**os.environ, **(self.environment if values is None else values)}
        )
        given = {**found.raw_hyperparameters, **self.hyperparameters}
        return replace(found, raw_hyperparameters=given)

    def enter(self, secrets: Mapping[str, str] | None = None) -> None:
        """Make this process one of the job's: its variables, its folder, its modules.

        Args:
            secrets: values of what was left out of the folder, by name.
        """
        given = dict(secrets or {})
        asked = {*self.secrets, *self.secret_hyperparameters} - given.keys()
        self.hyperparameters = {
            name: given[name] for name in self.secret_hyperparameters if name in given
        }
        os.environ.update(self.environment)
        os.environ.update({name: given[name] for name in self.secrets if name in given})
        self.code.mkdir(parents=True, exist_ok=True)
        os.chdir(self.code)
        script = self.root / self.program if not self._trains else self.code / self.program
        script_mode.offer_modules(self.paths, script if script.is_file() else None)
        _lead_imports(self.code, self._led)
        if asked:
            print(f"Not set, as they look like secrets: {', '.join(sorted(asked))}")
        print(f"{self.job}: {self.root} stands for {_ML_ROOT}")

    def install(self) -> None:
        """Install what the code's ``requirements.txt`` asks for and this Python has not.

        Raises:
            ScriptFailed: pip cannot do it.
        """
        file = self.code / "requirements.txt"
        if file.is_file() and requirements.install(file, self.paths.packages):
            importlib.invalidate_caches()

    def run(self) -> dict[str, Any]:
        """Run the program to its end, or to where it fails.

        Returns:
            The names that a Python script leaves; nothing for any other program.

        Raises:
            ReplayFailed: a program that is no Python script ended badly.
        """
        __tracebackhide__ = True
        if not self._trains and self.program:
            arguments = [self._place(one) for one in self.arguments]
            return self._run_python(self.root / self.program, arguments)
        if self.command:
            self._run_child([self._place(part) for part in self.command])
            return {}
        training = self._training()
        if not self.program:
            from bottega.algorithms import registry

            registry.algorithm(self.image).train(training)
            return {}
        script = self.paths.code / self.program
        if script.suffix == ".py" and script.is_file():
            return self._run_python(script, training.user_arguments())
        if script.is_file():
            self._run_child(["/bin/bash", str(script), *training.user_arguments()])
            return {}
        module = self.program.removesuffix(".py").replace("/", ".")
        self._run_child([sys.executable, "-u", "-m", module, *training.user_arguments()])
        return {}

    def _run_python(self, script: Path, arguments: Sequence[str]) -> dict[str, Any]:
        __tracebackhide__ = True
        module = types.ModuleType("__main__")
        module.__dict__.update(__file__=str(script), __builtins__=builtins, __cached__=None)
        program = self._led(script.read_bytes(), str(script))
        with _being(module, [str(script), *arguments]):
            exec(program, module.__dict__)
        return module.__dict__

    def _run_child(self, command: Sequence[str]) -> None:
        variables = {**os.environ, "PYTHONPATH": script_mode.python_path()}
        ended = subprocess.run(command, check=False, cwd=self.code, env=variables).returncode
        if ended:
            raise ReplayFailed(f"{' '.join(command)} ended with exit code {ended}")

    def _place(self, text: str) -> str:
        """A path of the job as one of this replay."""
        if text == _ML_ROOT or text.startswith(f"{_ML_ROOT}/"):
            return f"{self.root}{text.removeprefix(_ML_ROOT)}"
        return text

    def _led(self, source: bytes, file: str) -> types.CodeType:
        """A program whose paths below ``/opt/ml`` lead into this replay."""
        tree = _Leading(self._place).visit(ast.parse(source, file))
        return compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)


class _Leading(ast.NodeTransformer):
    def __init__(self, place: Callable[[str], str]) -> None:
        self._place = place

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            node.value = self._place(node.value)
        return node


@contextmanager
def _being(module: types.ModuleType, arguments: Sequence[str]) -> Iterator[None]:
    """Have a module be ``__main__``, called with arguments, as long as it runs."""
    before, called = sys.modules["__main__"], sys.argv
    sys.modules["__main__"], sys.argv = module, list(arguments)
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv = before, called


class _OwnLoader(importlib.machinery.SourceFileLoader):
    """Loads the user's own modules as the script is; compiled files of them are left alone."""

    compile: Callable[[bytes, str], types.CodeType]

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        return type(self).compile(self.get_data(path), path)


def _lead_imports(code: Path, compile_file: Callable[[bytes, str], types.CodeType]) -> None:
    """Have modules below a folder compiled by ``compile_file``."""
    loader = type("_ReplayLoader", (_OwnLoader,), {"compile": staticmethod(compile_file)})
    details = (loader, importlib.machinery.SOURCE_SUFFIXES)

    def hook(path: str) -> importlib.machinery.FileFinder:
        if not Path(path).is_relative_to(code):
            raise ImportError(path)
        return importlib.machinery.FileFinder(path, details)

    sys.path_hooks.insert(0, hook)
    for known in [path for path in sys.path_importer_cache if Path(path).is_relative_to(code)]:
        del sys.path_importer_cache[known]


def main(arguments: Sequence[str]) -> int:
    """Run a replay; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bottega.container.replay", description="Do again what a job did."
    )
    parser.add_argument("folder", type=Path, help="of the replay")
    parser.add_argument("--debug", action="store_true", help="open the debugger where it fails")
    chosen = parser.parse_args(arguments)
    replayed = Replay.of(chosen.folder)
    left_out = (*replayed.secrets, *replayed.secret_hyperparameters)
    replayed.enter({name: os.environ[name] for name in left_out if name in os.environ})
    try:
        replayed.install()
        replayed.run()
    except ReplayFailed as error:
        print(error, file=sys.stderr)
        return 1
    except Exception as error:
        own = strip_frames(error)
        traceback.print_exception(own)
        if chosen.debug:
            pdb.post_mortem(own.__traceback__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
