"""What each host is to see, worked out from the workload; and which isolation this machine gives.

The view is that of a container: the machine's file system read-only, ``/opt/ml`` from the mounts,
private ``/tmp``, ``/var/tmp``, ``/run``, ``/dev`` and ``/proc``, the hidden folders empty. It is
written as steps (``plan.Step``) that ``namespaces`` carries out and ``bubblewrap`` translates, so
both give the same.
"""

from __future__ import annotations

import glob
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import which

from bottega.compute.local import kernel, program
from bottega.compute.local import plan as plans
from bottega.compute.local.bubblewrap import SHARED_OPTIONS
from bottega.compute.local.plan import HostPlan, Step, WorkloadPlan
from bottega.compute.runner import HostSpec, IsolationUnavailable, Program, WorkloadSpec

AUTO = "auto"
KINDS = (AUTO, plans.NAMESPACES, plans.BUBBLEWRAP, plans.PROCESS)
ML_ROOT = "/opt/ml"

_PRIVATE = ("/tmp", "/var/tmp")
_RUN = "/run"
_KEPT_IN_RUN = ("/run/current-system", "/run/booted-system", "/run/opengl-driver")
"""Where some distributions keep their programs. Sockets of system services stay out."""
_SECRETS = ("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-")
"""Files that only root can read, which uid 0 inside would otherwise be."""
_ACCELERATORS = ("/dev/nvidia*", "/dev/dri", "/dev/kfd", "/dev/dxg")
_PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_LINKS = 40
"""How many links the kernel follows in one name."""
_HOST_NAME = re.compile(r"[a-zA-Z0-9](-?[a-zA-Z0-9])*")


class Machine:
    """What this machine offers. Each answer is found by trying, once."""

    @cached_property
    def namespaces_refusal(self) -> str | None:
        """Why we cannot make namespaces ourselves; None when we can."""
        if not kernel.AVAILABLE:
            return f"Linux namespaces are not available on {sys.platform}"
        if self.own_user is None:
            return f"the kernel refuses namespaces: {self._refusals[-1]}"
        return None

    @cached_property
    def own_user(self) -> bool | None:
        """Whether namespaces need a user namespace first. None when they do not work either way."""
        self._refusals: list[str] = []
        for options in ([], ["user"]) if os.geteuid() == 0 else (["user"],):
            refusal = _try([sys.executable, "-I", "-S", program.ENTRY, "try-namespaces", *options])
            if refusal is None:
                return bool(options)
            self._refusals.append(refusal)
        return None

    @cached_property
    def bubblewrap(self) -> str | None:
        """Where bubblewrap is, if it works here."""
        return which("bwrap") if self.bubblewrap_refusal is None else None

    @cached_property
    def bubblewrap_refusal(self) -> str | None:
        command = which("bwrap")
        if command is None:
            return "bubblewrap is not installed (its package is called bubblewrap)"
        trial = ("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-net")
        refusal = _try([command, *SHARED_OPTIONS, *trial, "--", "/bin/sh", "-c", ":"])
        return None if refusal is None else f"bubblewrap does not work: {refusal}"

    def learn(self) -> None:
        """Find out what every start will ask."""
        if self.namespaces_refusal is not None:
            _ = self.bubblewrap_refusal

    def choose(self, wanted: str) -> str:
        """The isolation to use.

        Raises:
            IsolationUnavailable: the wanted one does not work here.
        """
        if wanted == AUTO:
            kinds = (plans.NAMESPACES, plans.BUBBLEWRAP, plans.PROCESS)
            return next(kind for kind in kinds if self._refusal(kind) is None)
        refusal = self._refusal(wanted)
        if refusal is not None:
            raise IsolationUnavailable(f"isolation by {wanted} cannot be had: {refusal}")
        return wanted

    def _refusal(self, kind: str) -> str | None:
        if kind == plans.NAMESPACES:
            return self.namespaces_refusal
        return self.bubblewrap_refusal if kind == plans.BUBBLEWRAP else None


def _try(command: list[str]) -> str | None:
    """None when the command succeeds, else what it said."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=20,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"


def make_plan(spec: WorkloadSpec, wanted: str, machine: Machine) -> WorkloadPlan:
    """Work everything out. Touches nothing.

    Raises:
        IsolationUnavailable: the machine does not give what the workload asks for.
        ValueError: the workload contradicts itself; the message says where.
        FileNotFoundError: a mount's source is not there.
    """
    _check(spec)
    kind = plans.PROCESS if spec.trusted else machine.choose(wanted)
    own_user, own_network, options = _networking(spec, kind, machine)
    bubblewrap = [machine.bubblewrap or "", *SHARED_OPTIONS, *options]
    return WorkloadPlan(
        isolation=kind,
        own_user=own_user,
        own_network=own_network,
        hosts=[_host_plan(spec, host, kind) for host in spec.hosts],
        max_runtime_seconds=spec.max_runtime_seconds,
        stop_grace_seconds=spec.stop_grace_seconds,
        python=sys.executable,
        bubblewrap=bubblewrap if kind == plans.BUBBLEWRAP else [],
        aftermath=_command(spec.aftermath) if spec.aftermath else [],
    )


def _command(trusted: Program) -> list[str]:
    return [sys.executable, program.ENTRY, "module", trusted.module, *trusted.arguments]


def hosts_file(spec: WorkloadSpec) -> str:
    """The content of ``/etc/hosts`` inside: every host has a loopback address of its own."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for number, host in enumerate(spec.hosts):
        lines.append(f"127.0.{1 + number // 250}.{1 + number % 250} {host.name}")
    own = Path("/etc/hosts")
    if spec.network and own.exists():
        lines += ["# The machine's own names:", own.read_text(errors="replace")]
    return "\n".join(lines) + "\n"


def _check(spec: WorkloadSpec) -> None:
    if bool(spec.program.module) == bool(spec.program.argv):
        raise ValueError("a program is either a module or a command, one of them")
    if spec.trusted and not spec.program.module.startswith("bottega."):
        raise ValueError("only a module of bottega's can be trusted")
    if not spec.hosts:
        raise ValueError("a workload needs at least one host")
    names = [host.name for host in spec.hosts]
    if len(set(names)) != len(names):
        raise ValueError(f"hosts of one workload need different names: {names}")
    for host in spec.hosts:
        if not _HOST_NAME.fullmatch(host.name) or len(host.name) > 63:
            raise ValueError(f"{host.name!r} is no host name (letters, digits, inner hyphens)")
        for mount in host.mounts:
            target = os.path.normpath(mount.target)
            if target != ML_ROOT and not target.startswith(ML_ROOT + "/"):
                raise ValueError(f"mount target {mount.target!r} is not under {ML_ROOT}")
            if not mount.source.exists():
                raise FileNotFoundError(
                    f"the source of the mount at {target} is not there: {mount.source}"
                )
        for name, value in {**spec.environment, **host.environment}.items():
            if not name or "=" in name or "\0" in name + value:
                raise ValueError(f"{name!r} cannot be an environment variable: bad name or value")


def _networking(spec: WorkloadSpec, kind: str, machine: Machine) -> tuple[bool, bool, list[str]]:
    """Whether the supervisor enters a user and a network namespace, and bubblewrap's options."""
    if kind == plans.NAMESPACES:
        return bool(machine.own_user), not spec.network, []
    if spec.network or spec.trusted:
        return False, False, []
    if kind == plans.PROCESS:
        raise IsolationUnavailable(
            "this workload asks for no network, which needs Linux with user namespaces allowed, or "
            f"bubblewrap installed: {machine.namespaces_refusal}; {machine.bubblewrap_refusal}"
        )
    if len(spec.hosts) == 1:
        return False, False, ["--unshare-net"]
    if machine.namespaces_refusal is not None:
        raise IsolationUnavailable(
            "several hosts that reach each other but no network need namespaces of our own: "
            f"{machine.namespaces_refusal}"
        )
    return bool(machine.own_user), True, []


def _host_plan(spec: WorkloadSpec, host: HostSpec, kind: str) -> HostPlan:
    scratch = spec.directory / "scratch" / host.name
    environment = {
        "PATH": f"{os.path.dirname(sys.executable)}:{_PROGRAMS}",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "HOME": "/tmp/home",
    }
    folders = [scratch, scratch / "tmp", scratch / "tmp" / "home", scratch / "var-tmp"]
    ml_root = ML_ROOT
    view: list[Step] = []
    if kind == plans.PROCESS:
        environment |= {"TMPDIR": str(scratch / "tmp"), "HOME": str(scratch / "tmp" / "home")}
        ml_root = _real_ml_root(host)
        if ml_root:
            environment["BOTTEGA_ML_ROOT"] = ml_root
    else:
        view = View.of(spec, host, scratch).steps
    return HostPlan(
        name=host.name,
        log=str(host.log),
        metrics="" if host.metrics is None else str(host.metrics),
        profile="" if host.profile is None else str(host.profile),
        ml_root=ml_root or "/",
        environment={**environment, **spec.environment, **host.environment},
        module=spec.program.module,
        arguments=list(spec.program.arguments),
        argv=list(spec.program.argv),
        view=view,
        folders=[str(path) for path in (scratch.parent, *folders)],
    )


def _real_ml_root(host: HostSpec) -> str:
    for mount in host.mounts:
        if os.path.normpath(mount.target) == ML_ROOT:
            return str(mount.source)
    return ""


def interpreter_folders() -> tuple[str, ...]:
    """Where the interpreter, its packages and ours lie, and all else it imports from."""
    found = {
        sys.prefix,
        sys.base_prefix,
        *_on_the_way_to(sys.executable),
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(program.ENTRY)))),
        *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        # Packages of the user's own and those that are installed to be edited.
        *(path for path in sys.path if os.path.isabs(path)),
        *(path for path in sys.path if os.path.isabs(path)),
    }
    named = {path for path in found if os.path.isdir(path)}
    real = {os.path.realpath(path) for path in named}
    return tuple(sorted(named | real, key=lambda path: (path.count("/"), path)))


def _on_the_way_to(executable: str) -> Iterator[str]:
    """The folders of every link from an executable's name to the file that it is in the end.

    A virtual environment's interpreter is a link, often to another one in the user's home.
    """
    path = os.path.abspath(executable)
    for _ in range(_MOST_LINKS):
        yield os.path.dirname(path)
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without those that lie inside another."""
    result: list[str] = []
    for path in sorted(set(paths), key=lambda path: path.count("/")):
        if not any(_inside(path, other) for other in result):
            result.append(path)
    return result


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


@dataclass
class View:
    """The steps of one host's view, in the making."""

    steps: list[Step]
    _covered: list[str]
    """Places where the machine's own files are no longer seen, so that folders can be made
    there.
    """
    _frozen: list[str]

    @classmethod
    def of(cls, spec: WorkloadSpec, host: HostSpec, scratch: Path) -> View:
        view = cls([], [], [])
        view._machine(has_opt=os.path.isdir("/opt"))
        view._private_places(scratch, keep_names=spec.network)
        python = interpreter_folders()
        view._show_again(python)
        hidden = _outermost(
            os.path.realpath(path) for path in (*spec.hidden, spec.directory) if path.exists()
        )
        if spec.directory.parent.exists():
            hidden = _outermost([*hidden, os.path.realpath(spec.directory)])
        shown = [path for path in hidden if not view._is_covered(path) or view._is_shown(path)]
        for path in shown:
            view._empty(path)
        view._show_again(python)
        for socket_folder in spec.sockets:
            path = os.path.realpath(socket_folder)
            view.steps.append(Step(plans.BIND, path, path))
        view._ml_root(host)
        names = os.path.realpath("/etc/hosts")
        if os.path.isfile(names):
            source = os.path.realpath(spec.directory / "hosts")
            view.steps.append(Step(plans.BIND, names, source, read_only=True))
        for path in reversed(view._frozen):
            view.steps.append(Step(plans.FREEZE, path))
        return view

    def _machine(self, *, has_opt: bool) -> None:
        if has_opt:
            self.steps.append(Step(plans.BIND, "/", "/", read_only=True))
        else:
            self._scaffold("/")
        self.steps.append(Step(plans.DEV, "/dev"))
        for pattern in _ACCELERATORS:
            for path in sorted(glob.glob(pattern)):
                self.steps.append(Step(plans.DEVICE, path, path))
        self.steps.append(Step(plans.PROC, "/proc"))
        for path in _SECRETS:
            if os.path.isfile(path) and os.access(path, os.R_OK):
                self.steps.append(Step(plans.DEVICE, path, "/dev/null"))

    def _private_places(self, scratch: Path, *, keep_names: bool) -> None:
        for place, folder in zip(_PRIVATE, ("tmp", "var-tmp"), strict=True):
            if os.path.isdir(place) and os.path.realpath(place) == place:
                source = os.path.join(
                    os.path.realpath(scratch.parent.parent), "scratch", scratch.name, folder
                )
                self.steps.append(Step(plans.BIND, place, source))
                self._covered.append(place)
        if os.path.realpath(_RUN) != _RUN:
            return
        resolver = os.path.realpath("/etc/resolv.conf")
        self._empty(_RUN)
        if keep_names and _inside(resolver, _RUN) and os.path.isfile(resolver):
            self.steps.append(Step(plans.BIND, resolver, resolver, read_only=True))
        for path in _KEPT_IN_RUN:
            if os.path.islink(path):
                self.steps.append(Step(plans.SYMLINK, path, os.readlink(path)))
            elif os.path.isdir(path):
                self.steps.append(Step(plans.BIND, path, path, read_only=True))

    def _empty(self, path: str) -> None:
        self.steps.append(Step(plans.TMPFS, path))
        self._covered.append(path)
        self._frozen.append(path)

    def _show_again(self, paths: Iterable[str]) -> None:
        """Bind read-only what a cover has hidden but the program needs, never a cover itself."""
        for path in paths:
            covers = any(_inside(place, path) for place in self._covered)
            if self._is_covered(path) and not covers and not self._is_shown(path):
                self.steps.append(Step(plans.BIND, path, path, read_only=True))

    def _is_covered(self, path: str) -> bool:
        return any(_inside(path, place) for place in self._covered)

    def _is_shown(self, path: str) -> bool:
        """Whether the last step that speaks of this place shows the machine's own files there."""
        for step in reversed(self.steps):
            if step.target != "/" and _inside(path, step.target):
                return step.kind == plans.BIND and step.source == step.target
        return True

    def _ml_root(self, host: HostSpec) -> None:
        if not os.path.isdir(ML_ROOT):
            if not self._is_covered("/opt") and os.path.isdir("/opt"):
                self._scaffold("/opt")
            self.steps.append(Step(plans.DIRECTORY, ML_ROOT))
        if not _real_ml_root(host):
            self.steps.append(Step(plans.TMPFS, ML_ROOT))
        for mount in host.mounts:
            source, target = os.path.realpath(mount.source), os.path.normpath(mount.target)
            self.steps.append(Step(plans.BIND, target, source, read_only=mount.read_only))

    def _scaffold(self, folder: str) -> None:
        """Rebuild a folder in memory with the same entries, so that it can have one more."""
        self._empty(folder)
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                self.steps.append(Step(plans.SYMLINK, path, os.readlink(path)))
            else:
                self.steps.append(Step(plans.BIND, path, path, read_only=True))
