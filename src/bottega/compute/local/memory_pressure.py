"""Whether the kernel killed a process of ours for want of memory, as far as it lets us know."""

from __future__ import annotations


def kills_so_far() -> int:
    """How many processes the kernel has killed for memory: in our control group, else on the
    machine.

    A rise, together with a SIGKILL that nobody here sent, is taken for the reason of that SIGKILL.
    On a machine without control groups another process may have been the one that was killed.
    """
    for path, key in _counters():
        try:
            with open(path) as file:
                for line in file:
                    name, _, value = line.partition(" ")
                    if name == key:
                        return int(value)
        except OSError:
            continue
    return 0


def _counters() -> list[tuple[str, str]]:
    counters: list[tuple[str, str]] = []
    try:
        with open("/proc/self/cgroup") as file:
            for line in file:
                _, controllers, path = line.rstrip("\n").split(":", 2)
                if controllers == "memory":
                    counters.insert(
                        0, (f"/sys/fs/cgroup/memory{path}/memory.oom_control", "oom_kill")
                    )
                elif not controllers:
                    counters.append((f"/sys/fs/cgroup{path}/memory.events", "oom_kill"))
    except OSError:
        return []
    return [*counters, ("/proc/vmstat", "oom_kill")]
