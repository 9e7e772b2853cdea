"""The system calls of Linux that Python has no name for: namespaces, mounts, capabilities.

Everything here needs Linux and raises OSError with the kernel's reason. The module is imported by
the supervisor, so it imports as little as possible; ``AVAILABLE`` says whether it can work here at
all.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
_SIGCHLD = 17

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
_MNT_DETACH = 2

ATTR_READ_ONLY = 0x1
ATTR_NOSUID = 0x2
ATTR_NODEV = 0x4
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442
"""The same number on every architecture: the call is younger than their divergence. Linux 5.12."""

_SYS_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "ppc64le": 120}

_HUGE_PAGE = 2 * 1024 * 1024
_MADV_COLLAPSE = 25

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

LINUX = sys.platform == "linux"
_MACHINE = os.uname().machine
AVAILABLE = LINUX and _MACHINE in _SYS_CLONE

if LINUX:
    _libc = ctypes.CDLL(None, use_errno=True)
    # Calls through this handle keep the interpreter's lock, as a fork must.
    _libc_with_lock = ctypes.PyDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _path(path: str | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def clone(flags: int) -> int:
    """Fork into new namespaces: 0 in the child, its process id in the parent.

    Unlike ``unshare`` and then ``fork`` this leaves the caller outside and makes the child a direct
    one. The C library's own fork hooks do not run, so the child should do little by itself; what it
    forks by ``os.fork`` is an ordinary process again. The caller has to be single-threaded.
    """
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = _libc_with_lock.syscall(
        ctypes.c_long(_SYS_CLONE[_MACHINE]),
        ctypes.c_ulong(flags | _SIGCHLD),
        ctypes.c_void_p(),
        ctypes.c_void_p(),
        ctypes.c_void_p(),
        ctypes.c_void_p(),
    )
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, f"clone into namespaces: {os.strerror(number)}")
    return pid


def unshare(flags: int) -> None:
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def enter_user_namespace() -> None:
    """Give this process all capabilities in a user namespace of its own, with its own ids."""
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def enter_network_namespace() -> None:
    """Leave every network; only a loopback device of our own is there, and it is up."""
    import fcntl
    import socket
    import struct

    unshare(CLONE_NEWNET)
    set_flags, interface_up = 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH22x", b"lo", interface_up))


def mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    _checked(
        _libc.mount(
            _path(source), _path(target), _path(kind), ctypes.c_ulong(flags), _path(options)
        ),
        f"mount {kind or source or ''} at {target}",
    )


def set_mount_attributes(target: str, attributes: int, *, recursive: bool) -> None:
    """Add restrictions to the mount at ``target``, and with ``recursive`` to all beneath it."""
    structure = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    _checked(
        _libc.syscall(
            ctypes.c_long(_SYS_MOUNT_SETATTR),
            ctypes.c_int(_AT_FDCWD),
            ctypes.c_char_p(_path(target)),
            ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
            ctypes.byref(structure),
            ctypes.c_size_t(ctypes.sizeof(structure)),
        ),
        f"restrict the mount at {target}",
    )


def pivot_root(new_root: str, put_old: str) -> None:
    _checked(_libc.pivot_root(_path(new_root), _path(put_old)), "pivot_root")


def detach(target: str) -> None:
    _checked(_libc.umount2(_path(target), ctypes.c_int(_MNT_DETACH)), f"unmount {target}")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this signal when the parent dies. Forgotten when privileges grow."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0), "prctl")


def refuse_to_be_traced() -> None:
    """Keep processes of the same user from reading and steering this one, unless privileged."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0), "prctl")


def become_subreaper() -> None:
    """Adopt every descendant whose parent dies, so that none gets out of reach."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0), "prctl")


def drop_privileges() -> None:
    """Give up all capabilities for good, also those that running a file could give back."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        _checked(
            _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0),
            "drop a capability from the bounding set",
        )
    _checked(
        _libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0),
        "clear the ambient capabilities",
    )
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0), "no_new_privs")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(ctypes.byref(header), ctypes.byref(none)), "drop all capabilities")


def collapse_own_memory() -> None:
    """Put this process's private memory into huge pages, so that a fork has fewer entries to copy.

    A favour asked of the kernel (Linux 6.1): where it declines, all works as before, only slower.
    """
    with open("/proc/self/maps") as file:
        areas = [line.split(maxsplit=5) for line in file]
    for fields in areas:
        if "w" not in fields[1] or (len(fields) > 5 and fields[5].startswith("/")):
            continue
        start, end = (int(address, 16) for address in fields[0].split("-"))
        first = -(-start // _HUGE_PAGE) * _HUGE_PAGE
        for address in range(first, end - _HUGE_PAGE + 1, _HUGE_PAGE):
            _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(_HUGE_PAGE), _MADV_COLLAPSE)
