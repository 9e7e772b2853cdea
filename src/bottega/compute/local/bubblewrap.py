"""Writes a host's view as arguments of bubblewrap, where that has rights which we have not."""

from __future__ import annotations

from bottega.compute.local import plan

SHARED_OPTIONS = (
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--die-with-parent",
    "--as-pid-1",
)
"""As our own namespaces: the keeper is process 1, and dies with the supervisor."""


def arguments(host: plan.HostPlan) -> list[str]:
    """The options for one host, to go between the shared ones and the command."""
    result = ["--hostname", host.name]
    for step in host.view:
        result.extend(_option(step))
    return [*result, "--chdir", "/", "--cap-drop", "ALL"]


def _option(step: plan.Step) -> list[str]:
    if step.kind == plan.BIND:
        return ["--ro-bind" if step.read_only else "--bind", step.source, step.target]
    if step.kind == plan.DEVICE:
        return ["--dev-bind", step.source, step.target]
    if step.kind == plan.SYMLINK:
        return ["--symlink", step.source, step.target]
    if step.kind == plan.TMPFS:
        # The new root already is an empty folder in memory.
        return [] if step.target == "/" else ["--tmpfs", step.target]
    if step.kind == plan.PROC:
        # Bubblewrap leaves these to uid 0, which may change the machine even without capabilities.
        options = ["--proc", step.target]
        for name in plan.PROC_CONTROLS:
            options += ["--ro-bind-try", f"/proc/{name}", f"{step.target}/{name}"]
        return options
    names = {
        plan.DIRECTORY: "--dir",
        plan.DEV: "--dev",
        plan.FREEZE: "--remount-ro",
    }
    return [names[step.kind], step.target]
