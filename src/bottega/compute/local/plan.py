"""What the runner asks of a supervisor, worked out to the last detail, as it lies in ``plan.json``.

The runner decides (isolation, view, environment); the supervisor carries out. The classes are plain
ones because supervisors are many and start often: dataclasses and pathlib would double their start.
"""

from __future__ import annotations

import json

NAMESPACES = "namespaces"
BUBBLEWRAP = "bubblewrap"
PROCESS = "process"

BIND = "bind"
"""Show ``source`` at ``target`` with everything mounted beneath it."""
DEVICE = "device"
"""The same for a device, which stays usable."""
TMPFS = "tmpfs"
"""An empty folder in memory."""
DIRECTORY = "directory"
SYMLINK = "symlink"
"""``target`` is a link whose text is ``source``."""
PROC = "proc"
DEV = "dev"
"""The usual harmless devices, a private /dev/shm and /dev/pts."""
FREEZE = "freeze"
"""Make the folder in memory at ``target`` read-only, now that it is furnished."""

PROC_CONTROLS = ("sys", "sysrq-trigger", "irq", "bus")
"""Parts of /proc through which uid 0 changes the machine even without capabilities: read-only."""


class Step:
    """One step of building what a host sees. Steps apply in order; ``target`` has no links in
    it.
    """

    __slots__ = ("kind", "read_only", "source", "target")

    def __init__(
        self, kind: str, target: str, source: str = "", *, read_only: bool = False
    ) -> None:
        self.kind = kind
        self.target = target
        self.source = source
        self.read_only = read_only

    def __repr__(self) -> str:
        return f"Step({self.kind!r}, {self.target!r}, {self.source!r}, {self.read_only!r})"


class HostPlan:
    """One host: what it is called, sees and runs."""

    __slots__ = (
        "arguments",
        "argv",
        "environment",
        "folders",
        "log",
        "metrics",
        "ml_root",
        "module",
        "name",
        "profile",
        "view",
    )

    def __init__(
        self,
        *,
        name: str,
        log: str,
        metrics: str,
        profile: str = "",
        ml_root: str,
        environment: dict[str, str],
        module: str,
        arguments: list[str],
        argv: list[str],
        view: list[Step],
        folders: list[str],
    ) -> None:
        self.name = name
        self.log = log
        self.metrics = metrics
        """The file that samples of what it uses are appended to; empty for none."""
        self.profile = profile
        """The folder for samples of the machine, where its interval file asks for some; empty for
        none."""
        self.ml_root = ml_root
        """Where the host sees its ML root; its ``code`` folder is the working directory."""
        self.environment = environment
        """All of it."""
        self.module = module
        self.arguments = arguments
        self.argv = argv
        self.view = view
        """Empty without isolation."""
        self.folders = folders
        """Scratch folders of this machine that the supervisor makes before and removes after."""

    def as_json(self) -> dict[str, object]:
        fields: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        fields["view"] = [
            [step.kind, step.target, step.source, step.read_only] for step in self.view
        ]
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, object]) -> HostPlan:
        steps = fields["view"]
        assert isinstance(steps, list)
        view = [Step(kind, target, source, read_only=ro) for kind, target, source, ro in steps]
        return cls(**{**fields, "view": view})  # type: ignore[arg-type]


class WorkloadPlan:
    """Everything a supervisor needs to know."""

    __slots__ = (
        "aftermath",
        "bubblewrap",
        "hosts",
        "isolation",
        "max_runtime_seconds",
        "own_network",
        "own_user",
        "python",
        "stop_grace_seconds",
    )

    def __init__(
        self,
        *,
        isolation: str,
        own_user: bool,
        own_network: bool,
        hosts: list[HostPlan],
        max_runtime_seconds: float | None,
        stop_grace_seconds: float,
        python: str,
        bubblewrap: list[str],
        aftermath: list[str],
    ) -> None:
        self.isolation = isolation
        self.own_user = own_user
        """The supervisor enters a user namespace, for the right to make the others."""
        self.own_network = own_network
        """The supervisor enters an empty network namespace, which all its hosts then share."""
        self.hosts = hosts
        self.max_runtime_seconds = max_runtime_seconds
        self.stop_grace_seconds = stop_grace_seconds
        self.python = python
        """The interpreter that runs a module."""
        self.bubblewrap = bubblewrap
        """The bubblewrap command and the options that all hosts share."""

        self.aftermath = aftermath
        """A command to be run when everything has ended; empty for none."""

    def dumps(self) -> bytes:
        fields: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        fields["hosts"] = [host.as_json() for host in self.hosts]
        return json.dumps(fields).encode()

    @classmethod
    def loads(cls, content: bytes) -> WorkloadPlan:
        fields = json.loads(content)
        fields["hosts"] = [HostPlan.from_json(host) for host in fields["hosts"]]
        return cls(**fields)
