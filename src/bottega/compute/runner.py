"""The runner port: starts workloads that outlive the daemon, and says how they ended.

A *workload* is one supervised process tree for each of its *hosts*: a training job has as many
hosts as its InstanceCount says, one model server is a workload with one host. A supervisor process
belongs to each workload; it is in a session of its own, survives the daemon, writes the logs, ends
the hosts when asked or when time is up, and leaves the result in the workload's folder. So
everything a restarted daemon needs to adopt the workload is in that folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class IsolationUnavailable(Exception):
    """The workload asks for an isolation that this machine does not give. The message says what."""


@dataclass(frozen=True)
class Mount:
    """A folder or file of this machine that a host sees at another place."""

    source: Path
    target: str
    """Absolute path inside, under ``/opt/ml``; later mounts may lie inside earlier ones."""
    read_only: bool = False


@dataclass(frozen=True)
class HostSpec:
    """One host of a workload."""

    name: str
    """``algo-1`` and so on; resolves to the host's own loopback address inside every host."""
    log: Path
    """The file the supervisor appends this host's output to (see ``bottega.compute.logs``)."""
    metrics: Path | None = None
    """The file the supervisor appends samples to of what this host uses of the machine, where that
    can be measured: records of ``bottega.compute.logs``, each a JSON object of the series
    (``CPUUtilization`` in percent of one core, ``MemoryUsed`` in bytes, ``DiskRead``,
    ``DiskWritten``, ``NetworkReceived`` and ``NetworkSent`` in bytes a second, ``GPUUtilization``
    and ``GPUMemoryUsed`` of all GPUs, whoever uses them). None: nothing is measured."""
    profile: Path | None = None
    """A folder to which the supervisor writes what the machine does, core by core, in the files of
    SageMaker's profiler (``<YYYYMMDDHH>/<epoch minute>.<host>.json``), as often as a file
    ``interval`` in it says: milliseconds, 0 for never. The file may come, change and go while the
    workload runs; it is looked at once a second. No host sees the folder. None: never."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of this host, over those of the workload."""
    mounts: tuple[Mount, ...] = ()
    """What this host sees under ``/opt/ml``. Without isolation (``process``), ``/opt/ml`` cannot be
    private: the host then gets the source folder of the mount at ``/opt/ml`` in
    ``BOTTEGA_ML_ROOT`` and the program is expected to read it (``bottega.container.paths``)."""


@dataclass(frozen=True)
class Program:
    """What every host runs: a module of bottega's own interpreter, or a command.

    Exactly one of ``module`` and ``argv`` is given. A module can be started from the preloaded fork
    server; its ``sys.argv[1:]`` is ``arguments``.
    """

    module: str = ""
    arguments: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkloadSpec:
    """What to run, and within which bounds."""

    directory: Path
    """The supervisor's own folder, made by ``start``; no host sees it. Two workloads never share
    it.
    """
    program: Program
    hosts: tuple[HostSpec, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """The whole environment of the program, besides PATH, HOME, LANG and TMPDIR which the runner
    sets; nothing of the daemon's own environment gets in."""
    network: bool = True
    """False: no network at all but the hosts' own loopback; never silently granted."""
    max_runtime_seconds: float | None = None
    """From the start of the supervisor; then the workload is stopped with ``RUNTIME_EXCEEDED``."""
    stop_grace_seconds: float = 120.0
    """Between SIGTERM and SIGKILL of the whole tree."""
    hidden: tuple[Path, ...] = ()
    """Folders whose contents no host may see (the home with its credentials), where the isolation
    can hide them; mounts are still seen at their targets."""
    sockets: tuple[Path, ...] = ()
    """Folders that every host sees read-write at their own paths, for Unix sockets, also where they
    lie in a hidden folder."""
    aftermath: Program | None = None
    """A module of bottega's that the supervisor runs when no process of the hosts is left, however
    they ended, and before the workload counts as ended: it removes what is not theirs to lose."""
    trusted: bool = False
    """Whether the program is a module of bottega's that runs no code of the user's: it is
    supervised as every other, but sees the machine as the daemon does and has its network, whatever
    ``network`` says. For attendants of what somebody else isolates, such as a Docker engine."""


class Phase(Enum):
    ABSENT = "absent"
    """Never started: the folder has no trace of a supervisor."""
    RUNNING = "running"
    ENDED = "ended"
    """The supervisor wrote a result."""
    LOST = "lost"
    """The supervisor is gone without a result: it was killed, or the machine went down."""


class Cause(Enum):
    """Why the workload ended."""

    EXITED = "exited"
    """Every host exited by itself, or one failed and the others were ended for it."""
    STOPPED = "stopped"
    """``stop`` was called."""
    RUNTIME_EXCEEDED = "runtime-exceeded"


@dataclass(frozen=True)
class HostResult:
    name: str
    exit_code: int | None
    """None when a signal ended it."""
    signal: int | None = None
    out_of_memory: bool = False


@dataclass(frozen=True)
class WorkloadState:
    """What is known of a workload now."""

    phase: Phase
    started: float | None = None
    """When the hosts were started, seconds since the epoch."""
    ended: float | None = None
    cause: Cause | None = None
    hosts: tuple[HostResult, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Every host exited with 0."""
        return (
            self.phase is Phase.ENDED
            and bool(self.hosts)
            and all(host.exit_code == 0 for host in self.hosts)
        )


class Runner(ABC):
    """Runs workloads. Contract, checked by ``bottega.testing.runner_case``:

    * ``start`` is idempotent: a second call with the same folder, also from another process or
      after a kill of the daemon in the middle of the first, never runs the program twice.
    * A workload neither notices nor minds that the process that started it is killed.
    * When a workload has ended no process of its tree is left, however its children behaved
      (double forks, new sessions, ignored SIGTERM).
    * If the supervisor itself is killed, its whole tree dies with it and the phase is LOST.
    * Everything a host wrote before it ended is in its log, in order, once.
    """

    @abstractmethod
    def start(self, spec: WorkloadSpec) -> None:
        """Start the workload, unless its folder says that it was started before.

        Raises:
            IsolationUnavailable: it asks for what this machine does not give; nothing was started.
        """

    @abstractmethod
    def state(self, directory: Path) -> WorkloadState:
        """How the workload of this folder is. Cheap: a stat or two while it runs."""

    @abstractmethod
    def stop(self, directory: Path, *, grace_seconds: float | None = None) -> None:
        """Ask the supervisor to end the workload: SIGTERM now, SIGKILL to the whole tree after the
        grace.

        Returns at once; a workload that has ended, is lost or was never started stays as it is.
        """

    @abstractmethod
    def signal(self, directory: Path, host: str, number: int) -> None:
        """Send a signal to the main process of one host, if it runs."""

    @abstractmethod
    def watch(self, directory: Path, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, from a thread of the runner, when the workload has ended or is
        lost; at once when that is so already."""

    def shows_mounts(self) -> bool:
        """Whether hosts of workloads started from now on see every mount at its target, and cannot
        write where it is read-only. False: they see no more than the source of the mount at
        ``/opt/ml``, and nothing is protected from them.

        Raises:
            IsolationUnavailable: nothing could be started at all.
        """
        return False

    @abstractmethod
    def describe(self) -> Mapping[str, str]:
        """What ``bottega doctor`` says about this runner: isolation, what is missing, what to
        install.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of threads and the fork server. Workloads go on."""
