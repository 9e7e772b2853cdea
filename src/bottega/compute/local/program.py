"""The last step into a host's main process: makes it look fresh, then runs the program.

A module runs either in this very process, forked from the preloaded fork server, or in a new
interpreter. Both ways ``sys.path`` is the interpreter's own, without the working directory: a file
of the user called ``random.py`` must not break the program that is to run the user's code.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

from bottega.compute.local import kernel
from bottega.compute.local.plan import HostPlan

_CANNOT_RUN = 126
_NOT_FOUND = 127
"""As a shell says it."""
_FIRST_TO_GO = 300
"""Added to how willingly the kernel kills for want of memory: a job goes before the desktop."""

ENTRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entry.py")
"""The script every process of the runner begins with."""


def become_main_process(host: HostPlan, output: int) -> None:
    """Give this forked process what a new one has: session, streams, signals, folder; nothing else
    open.
    """
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for source, number in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, number)
    close_descriptors(keep=())
    reset_signals()
    os.umask(0o022)
    _go_first()
    folder = os.path.join(host.ml_root, "code")
    os.chdir(folder if os.path.isdir(folder) else "/")


def close_descriptors(*, keep: Sequence[int]) -> None:
    """Close everything this process has open but the three streams and what is to be kept."""
    first = 3
    for number in sorted(keep):
        os.closerange(first, number)
        first = max(first, number + 1)
    limit = 2**31 - 1 if kernel.LINUX else os.sysconf("SC_OPEN_MAX")
    os.closerange(first, limit)


def reset_signals() -> None:
    """Every signal as a new Python finds it, and none blocked."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def run_command(host: HostPlan, python: str) -> None:
    """Become the program, in this process id. Does not return."""
    argv = host.argv or [python, ENTRY, "module", host.module, *host.arguments]
    # Python ignores SIGPIPE for itself, and an ignored signal stays ignored in a new program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, host.environment)
    except OSError as problem:
        missing = isinstance(problem, (FileNotFoundError, NotADirectoryError))
        reason = os.strerror(problem.errno or 0)
        os.write(2, f"bottega: cannot run {argv[0]!r}: {reason}\n".encode())
        os._exit(_NOT_FOUND if missing else _CANNOT_RUN)


def run_in_this_process(host: HostPlan) -> None:
    """Run the module here, as if this process had just been started for it. Does not return."""
    from bottega.compute.local.fresh import make_fresh

    make_fresh(host.environment)
    _exit_as_python(lambda: run_module(host.module, host.arguments))


def run_module(module: str, arguments: Sequence[str]) -> None:
    """Run a module as ``python -m`` does, once for all: it stays ``__main__`` until the process
    ends.

    Raises:
        ImportError: there is no such module.
    """
    import importlib.util
    import types

    spec = importlib.util.find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{module}.__main__")
    get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
    if spec is None or get_code is None:
        raise ImportError(f"no module named {module!r} that can be run", name=module)
    code = get_code(spec.name)
    main = types.ModuleType("__main__")
    main.__file__ = spec.origin
    main.__spec__ = spec
    main.__loader__ = spec.loader
    main.__package__ = spec.parent
    main.__dict__["__cached__"] = spec.cached
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    sys.argv = [spec.origin or module, *arguments]
    exec(code, main.__dict__)


def _exit_as_python(run: Callable[[], None]) -> None:
    """Call and end the process the way the interpreter does, but for the tearing down of every
    module.
    """
    import atexit
    import threading

    code = 0
    try:
        run()
    except SystemExit as leaving:
        code = _exit_code(leaving)
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        code = -signal.SIGINT
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    finally:
        code = _flush_streams(code)
        if code < 0:
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        os._exit(code & 0xFF)


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code
    print(leaving.code, file=sys.stderr)
    return 1


def _flush_streams(code: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            # The program closed or replaced it. Python itself exits with 120 then.
            code = code or 120
    return code


def _go_first() -> None:
    if not kernel.LINUX:
        return
    try:
        with open("/proc/self/oom_score_adj", "r+") as file:
            value = int(file.read())
            file.seek(0)
            file.write(str(min(1000, value + _FIRST_TO_GO)))
    except OSError:
        # A machine that refuses keeps its own order; the job runs all the same.
        return
