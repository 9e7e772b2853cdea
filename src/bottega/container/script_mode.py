"""Script mode: the user's own program as a training job.

Gets the code, installs what it asks for, and runs it with ``--name value`` arguments and the
``SM_*`` variables. A Python file runs in this very process, which has the numeric libraries loaded;
shell scripts and modules run as children.
"""

from __future__ import annotations

import builtins
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import types
from pathlib import Path

from bottega.algorithms.base import CustomerError
from bottega.container import pip_command, pipes, requirements
from bottega.container.archives import unpack
from bottega.container.debugging import children, session
from bottega.container.environment import TrainingEnvironment
from bottega.container.failure import ScriptFailed, last_words, print_traceback, user_traceback
from bottega.container.paths import ContainerPaths

_KIND = "ExecuteUserScriptError"
_TAIL = 4000


def wanted(environment: TrainingEnvironment) -> bool:
    """Whether this job runs a script of the user."""
    return bool(environment.program) or "code" in environment.input_data_config


def run(environment: TrainingEnvironment) -> None:
    """Run the user's program to its end.

    Raises:
        CustomerError: there is no code, or not the program that was named.
        ScriptFailed: the program, or installing what it needs, failed.
    """
    code = environment.paths.code
    _fetch(environment, code)
    program = environment.program or _only_program(code)
    _install(code, environment)
    script = _locate(code, program)
    arguments = environment.user_arguments()
    os.environ.update(environment.variables())
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.chdir(code)
    environment.paths.packages.mkdir(exist_ok=True)
    offer_modules(environment.paths, script)
    # Not before: installing may have started this process over.
    pipes.start(environment)
    # Children of the script find what this process finds, as with the training toolkit.
    os.environ["PYTHONPATH"] = python_path()
    pip_command.offer(environment.paths)
    begun = session.current()
    in_child = script is None or script.suffix != ".py"
    if begun is not None and (in_child or begun.looks):
        children.offer()
    if script is None:
        module = program.removesuffix(".py").replace("/", ".")
        _run_child([sys.executable, "-u", "-m", module, *arguments])
    elif script.suffix == ".py":
        _run_python(script, arguments)
    else:
        _run_child(["/bin/bash", str(script), *arguments])


def offer_modules(paths: ContainerPaths, script: Path | None) -> None:
    """Have this process find modules beside the script, in the code, and in what was installed."""
    beside = script.parent if script else paths.code
    for folder in dict.fromkeys(map(str, (paths.packages, paths.code, beside))):
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path.insert(0, folder)
    children.offer_smdebug()


def python_path() -> str:
    """The ``PYTHONPATH`` with which a child finds what this process finds."""
    return os.pathsep.join(entry for entry in sys.path if entry)


def _fetch(environment: TrainingEnvironment, code: Path) -> None:
    """Bring the code into the code folder, from wherever the job names it."""
    source, staged = environment.submit_directory, environment.paths.source_archive
    channel = environment.paths.channel("code")
    code.mkdir(parents=True, exist_ok=True)
    if staged.exists():
        unpack(staged, code)
    elif source.startswith("s3://"):
        download(source, code)
    elif source:
        folder = Path(source.removeprefix("file://"))
        if folder.is_file():
            unpack(folder, code)
        elif not folder.is_dir():
            raise CustomerError(f"sagemaker_submit_directory {source!r} is not there.")
        elif folder.resolve() != code.resolve():
            shutil.copytree(folder, code, dirs_exist_ok=True)
    elif channel.is_dir():
        for archive in channel.glob("*.tar.gz"):
            unpack(archive, code)
        shutil.copytree(
            channel, code, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.tar.gz")
        )


def download(source: str, target: Path) -> None:
    """Get an archive from the object store, with this process's own credentials, and unpack it.

    Raises:
        CustomerError: it is not there, or cannot be unpacked.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = source.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "sourcedir.tar.gz"
        try:
            boto3.client("s3").download_file(bucket, key, str(archive))
        except (BotoCoreError, ClientError) as error:
            raise CustomerError(f"The code {source} cannot be downloaded: {error}") from error
        unpack(archive, target)


def _only_program(code: Path) -> str:
    found = sorted(path.name for path in code.glob("*.py"))
    if "train.py" in found:
        return "train.py"
    if len(found) == 1:
        return found[0]
    names = ", ".join(found) or "none"
    raise CustomerError(
        "The code channel needs one program: name it in the hyperparameter sagemaker_program "
        f"(Python files there: {names})."
    )


def _locate(code: Path, program: str) -> Path | None:
    """The program's file, or None where it is a module that Python has to find."""
    path = (code / program).resolve()
    if not path.is_relative_to(code.resolve()):
        raise CustomerError(f"sagemaker_program {program!r} leads out of the code.")
    if path.is_file():
        return path
    module = code / program.removesuffix(".py").replace(".", "/")
    is_module = module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
    if is_module or (code / "setup.py").is_file() or (code / "pyproject.toml").is_file():
        return None
    files = sorted(str(p.relative_to(code)) for p in code.rglob("*") if p.is_file())[:20]
    names = ", ".join(files) or "nothing"
    raise CustomerError(f"sagemaker_program {program!r} is not in the code, which has: {names}.")


def _install(code: Path, environment: TrainingEnvironment) -> None:
    packages = environment.paths.packages
    installed = False
    if (code / "requirements.txt").is_file():
        installed = requirements.install(code / "requirements.txt", packages)
    if (code / "setup.py").is_file() or (code / "pyproject.toml").is_file():
        installed = requirements.install_project(code, packages) or installed
    if installed:
        requirements.restart("bottega.container.train", packages, sys.argv[1:])


def _run_python(script: Path, arguments: list[str]) -> None:
    """Run a Python file as ``__main__`` of this process.

    Its module stays ``sys.modules["__main__"]``, so that pickling, multiprocessing and threads that
    outlive the file see what they would see under ``python file.py``.
    """
    command = shlex.join([sys.executable, script.name, *arguments])
    print(f"Running {command}", flush=True)
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=str(script), __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = module
    sys.argv = [str(script), *arguments]
    try:
        exec(compile(script.read_bytes(), str(script), "exec", dont_inherit=True), module.__dict__)
    except SystemExit as ending:
        code, message = _exit_status(ending)
        if code:
            raise ScriptFailed(_KIND, code, message, command) from None
    except Exception as error:
        print_traceback(error)
        raise ScriptFailed(_KIND, 1, last_words(error), command, user_traceback(error)) from None


def _exit_status(ending: SystemExit) -> tuple[int, str]:
    """What the process would exit with, and what it says."""
    if ending.code is None:
        return 0, ""
    if isinstance(ending.code, int):
        return ending.code & 0xFF, f"SystemExit: {ending.code}"
    print(ending.code, file=sys.stderr, flush=True)
    return 1, str(ending.code)


def _run_child(command: list[str]) -> None:
    """Run a program as a child: output goes through, SIGTERM is passed on."""
    shown = shlex.join(command)
    print(f"Running {shown}", flush=True)
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    previous = signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
    tail = b""
    try:
        descriptor = process.stderr.fileno()
        while chunk := os.read(descriptor, 65536):
            os.write(2, chunk)
            tail = (tail + chunk)[-_TAIL:]
        code = process.wait()
    finally:
        signal.signal(signal.SIGTERM, previous)
        process.stderr.close()
    if code:
        said = tail.decode(errors="replace").strip()
        last = said.splitlines()[-1] if said else f"exit code {code}"
        raise ScriptFailed(_KIND, code if code > 0 else 128 - code, last, shown, said)
