"""Builds a host's view with the kernel's own namespaces, as bubblewrap would from the same
steps.
"""

from __future__ import annotations

import os
import sys

from bottega.compute.local import kernel, plan

FLAGS = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
"""What each host gets of its own. Network and user namespaces belong to the workload as a whole."""

_BASE = "/tmp"
"""Any folder that surely exists: the new root is built over it, in a mount namespace of its own."""
_OLD = "/old"
_NEW = "/new"

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "core": "/proc/kcore",
    "ptmx": "pts/ptmx",
}


def build_view(steps: list[plan.Step]) -> None:
    """Replace what this process sees of the file system by what the steps say.

    The caller is the first process of fresh mount and PID namespaces and may still mount.

    Raises:
        OSError: the kernel refuses a step; the message names it.
    """
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _BASE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755")
    os.mkdir(_BASE + _NEW, 0o755)
    os.mkdir(_BASE + _OLD, 0o755)
    kernel.mount(_BASE + _NEW, _BASE + _NEW, None, kernel.MS_BIND)
    kernel.pivot_root(_BASE, _BASE + _OLD)
    os.chdir("/")
    for step in steps:
        _apply(step)
    kernel.detach(_OLD)
    os.chdir(_NEW)
    # The new root goes over the scaffold, which then lies at the same place and is let go.
    kernel.pivot_root(".", ".")
    kernel.detach(".")
    os.chdir("/")


def _apply(step: plan.Step) -> None:
    target = _NEW + step.target if step.target != "/" else _NEW
    if step.kind in (plan.BIND, plan.DEVICE):
        _bind(_OLD + step.source, target, step)
    elif step.kind == plan.TMPFS:
        if target != _NEW:
            _ensure_folder(target)
            _mount_tmpfs(target, 0o755)
    elif step.kind == plan.DIRECTORY:
        _ensure_folder(target)
    elif step.kind == plan.SYMLINK:
        os.symlink(step.source, target)
    elif step.kind == plan.PROC:
        _mount_proc(target)
    elif step.kind == plan.DEV:
        _mount_dev(target)
    elif step.kind == plan.FREEZE:
        kernel.set_mount_attributes(target, kernel.ATTR_READ_ONLY, recursive=False)
    else:
        raise ValueError(f"unknown step {step!r}")


def _bind(source: str, target: str, step: plan.Step) -> None:
    if not os.path.lexists(target):
        if os.path.isdir(source):
            _ensure_folder(target)
        else:
            _ensure_folder(os.path.dirname(target))
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    attributes = kernel.ATTR_NOSUID
    if step.kind == plan.BIND:
        attributes |= kernel.ATTR_NODEV
    if step.read_only:
        attributes |= kernel.ATTR_READ_ONLY
    kernel.set_mount_attributes(target, attributes, recursive=True)


def _ensure_folder(path: str) -> None:
    if not os.path.isdir(path):
        os.makedirs(path, 0o755)


def _mount_tmpfs(target: str, mode: int) -> None:
    kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode={mode:04o}")


def _mount_proc(target: str) -> None:
    kernel.mount("proc", target, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    for name in plan.PROC_CONTROLS:
        control = f"{target}/{name}"
        if os.path.exists(control):
            kernel.mount(control, control, None, kernel.MS_BIND | kernel.MS_REC)
            kernel.set_mount_attributes(control, kernel.ATTR_READ_ONLY, recursive=True)


def _mount_dev(target: str) -> None:
    _ensure_folder(target)
    _mount_tmpfs(target, 0o755)
    for name in _DEVICES:
        node = f"{target}/{name}"
        os.close(os.open(node, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        kernel.mount(f"{_OLD}/dev/{name}", node, None, kernel.MS_BIND)
    for name, text in _DEVICE_LINKS.items():
        os.symlink(text, f"{target}/{name}")
    os.mkdir(f"{target}/shm")
    _mount_tmpfs(f"{target}/shm", 0o1777)
    os.mkdir(f"{target}/pts")
    kernel.mount(
        "devpts",
        f"{target}/pts",
        "devpts",
        kernel.MS_NOSUID | kernel.MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )


def main(arguments: list[str]) -> None:
    """Try for real, for ``bottega doctor`` and for choosing: exit 0, or say on standard error why
    not.

    Arguments: ``user`` when the rights are to come from a user namespace.
    """
    try:
        if "user" in arguments:
            kernel.enter_user_namespace()
        kernel.enter_network_namespace()
        pid = kernel.clone(FLAGS)
        if pid == 0:
            _try_in_child()
    except OSError as problem:
        sys.exit(str(problem))
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


def _try_in_child() -> None:
    code = 1
    try:
        build_view(
            [
                plan.Step(plan.BIND, "/", "/", read_only=True),
                plan.Step(plan.DEV, "/dev"),
                plan.Step(plan.PROC, "/proc"),
                plan.Step(plan.TMPFS, "/tmp"),
                plan.Step(plan.FREEZE, "/tmp"),
            ]
        )
        kernel.drop_privileges()
        code = 0
    except OSError as problem:
        os.write(2, str(problem).encode())
    finally:
        os._exit(code)
