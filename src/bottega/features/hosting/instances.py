"""Keeping the model server of one instance alive.

What has happened is read from the runner and the instance's folder, so a controller that starts
anew goes on where the last one was; only pings under way and pauses are kept in memory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from bottega.compute.runner import IsolationUnavailable, Phase, WorkloadSpec, WorkloadState
from bottega.features.hosting.deployments import VariantPlan
from bottega.features.hosting.places import InstancePlace, log_group, owner_arn
from bottega.model_servers.health import PingProbe
from bottega.model_servers.staging import lay_out
from bottega.model_servers.usage import usage_group, usage_stream
from bottega.model_servers.workload import server_workload
from bottega.ports import Ports
from bottega.serving.routing import InstanceRoute

PING_INTERVAL_SECONDS = 5.0
MISSES_ALLOWED = 3
MISS_INTERVAL_SECONDS = 1.0
LONGEST_ANSWER_SECONDS = 60.0
LONGEST_ASYNCHRONOUS_ANSWER_SECONDS = 3600.0
_LARGEST_ASYNCHRONOUS_MB = 1024
_HUNG_GRACE_SECONDS = 5.0
"""For a server that does not answer pings any more."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_WELL_FOR_SECONDS = 30.0
"""A server that was well this long before it ended is started again at once."""
_PROBE_WAIT_SECONDS = 0.005
_RUNS_KEPT = 3


class InstanceKeeper:
    """Starts, pings and restarts one model server. Not for more than one thread at a time.

    Args:
        staged: the variant's files, complete.
        longest_answer: seconds that a request may take.
        wake: asks for another :meth:`tend` soon; called from threads of the runner.
    """

    def __init__(
        self,
        ports: Ports,
        place: InstancePlace,
        plan: VariantPlan,
        staged: Path,
        longest_answer: float,
        wake: Callable[[], None],
    ) -> None:
        self.place = place
        self.plan = plan
        self.healthy = False
        """Whether it answered its last ping, or misses only few."""
        self.failed_starts = 0
        """How many servers in a row ended before they had answered a ping."""
        self.overdue = False
        """Whether a server had not answered a ping when its startup timeout was over."""
        self.refused = ""
        """Why the runner would not start it at all."""
        self._ports = ports
        self._staged = staged
        self._longest_answer = longest_answer
        self._wake = wake
        self._watched: Path | None = None
        self._probe: PingProbe | None = None
        self._next_probe = 0.0
        self._misses = 0
        self._first_miss = 0.0
        self._healthy_since: float | None = None
        self._failures = 0
        self._restart_at: float | None = None
        self._stopping: Path | None = None

    @property
    def route(self) -> InstanceRoute:
        """Where the router finds it."""
        return InstanceRoute(self.place.id, self.place.socket)

    def tend(self) -> float:
        """Do what is to be done now; returns the seconds until there may be something again."""
        run = latest_run(self.place)
        if run is None:
            return self._start(1)
        state = self._ports.runner.state(run)
        if state.phase is Phase.RUNNING:
            return self._check(run, state)
        if state.phase is Phase.ABSENT:
            return self._start(_number(run))
        return self._repair(run)

    def adopt(self) -> bool:
        """Whether a server that is running already is well; waits for its answer."""
        run = latest_run(self.place)
        if run is None or self._ports.runner.state(run).phase is not Phase.RUNNING:
            return False
        probe = PingProbe(self.place.socket)
        if probe.poll(wait=0.5):
            self._became_healthy()
        probe.close()
        return self.healthy

    def forget(self) -> None:
        """Let go of what is under way; the server itself goes on."""
        self._drop_probe()

    def _check(self, run: Path, state: WorkloadState) -> float:
        if self._watched != run:
            self._watched = run
            self._ports.runner.watch(run, self._wake)
        if self._stopping == run:
            return 0.1
        now = self._ports.clock.monotonic()
        if self._probe is None:
            if now < self._next_probe:
                return self._next_probe - now
            self._probe = PingProbe(self.place.socket)
        verdict = self._probe.poll(_PROBE_WAIT_SECONDS)
        if verdict is None:
            return 0.02
        self._drop_probe()
        if verdict:
            self._became_healthy()
            self._next_probe = now + PING_INTERVAL_SECONDS
            return PING_INTERVAL_SECONDS
        return self._missed(run, state, now)

    def _became_healthy(self) -> None:
        if not self.healthy:
            self.healthy = True
            self._healthy_since = self._ports.clock.monotonic()
        self._misses = 0
        self.failed_starts = 0
        self.overdue = False

    def _missed(self, run: Path, state: WorkloadState, now: float) -> float:
        if self._healthy_since is not None:
            if not self._misses:
                self._first_miss = now
            self._misses += 1
            if self._misses >= MISSES_ALLOWED and not self._works(now):
                self.healthy = False
                self._stop(run, _HUNG_GRACE_SECONDS)
            self._next_probe = now + MISS_INTERVAL_SECONDS
            return MISS_INTERVAL_SECONDS
        age = self._ports.clock.now() - (state.started or self._ports.clock.now())
        if age > self.plan.startup_timeout:
            self.overdue = True
            self._stop(run, _HUNG_GRACE_SECONDS)
            return 0.1
        # Most servers are up within a fraction of a second; one that loads for minutes can wait.
        delay = 0.01 if age < 1.0 else 0.05 if age < 10.0 else 0.25
        self._next_probe = now + delay
        return delay

    def _works(self, now: float) -> bool:
        """Whether it may be silent because a prediction holds the interpreter: it has requests, and
        none of them has taken longer than a request may."""
        busy = self._ports.routes.load.outstanding(self.place.id) > 0
        return busy and now - self._first_miss < self._longest_answer

    def _stop(self, run: Path, grace: float) -> None:
        self._stopping = run
        self._ports.runner.stop(run, grace_seconds=grace)

    def _repair(self, run: Path) -> float:
        now = self._ports.clock.monotonic()
        if self._restart_at is None:
            self._drop_probe()
            if self._healthy_since is None:
                self.failed_starts += 1
            elif now - self._healthy_since >= _WELL_FOR_SECONDS:
                self._failures = 0
            self.healthy = False
            self._healthy_since = None
            self._misses = 0
            pause = _FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10)
            self._restart_at = now + (min(pause, _LONGEST_PAUSE_SECONDS) if self._failures else 0.0)
            self._failures += 1
        if now < self._restart_at:
            return self._restart_at - now
        return self._start(_number(run) + 1)

    def _start(self, number: int) -> float:
        place = self.place
        self._restart_at = None
        self._stopping = None
        self._next_probe = 0.0
        lay_out(self._staged, place.ml_root)
        place.socket_folder.mkdir(mode=0o700, exist_ok=True)
        place.socket.unlink(missing_ok=True)
        for outdated in sorted(_runs(place), key=_number)[: -_RUNS_KEPT - 1]:
            shutil.rmtree(outdated, ignore_errors=True)
        place.runs.mkdir(exist_ok=True)
        try:
            self._ports.runner.start(self._workload(place.runs / str(number)))
        except (IsolationUnavailable, ValueError) as error:
            self.refused = str(error)
            return _LONGEST_PAUSE_SECONDS
        return 0.01

    def _workload(self, directory: Path) -> WorkloadSpec:
        place = self.place
        return server_workload(
            self._ports,
            self.plan.model,
            directory=directory,
            ml_root=place.ml_root,
            socket_folder=place.socket_folder,
            log=self._ports.logs.path(log_group(place.endpoint), place.log_stream),
            metrics=self._ports.logs.path(usage_group(place.endpoint), usage_stream(place.id)),
            owner_arn=owner_arn(self._ports.config, place.endpoint),
            environment=self._limits(),
        )

    def _limits(self) -> dict[str, str]:
        """Where the model does not say it: what an asynchronous endpoint's server may take and how
        long, and how much memory a server of many models uses before it forgets one."""
        given = {name for part in self.plan.model.containers for name in part.environment}
        limits = {}
        if self._longest_answer > LONGEST_ANSWER_SECONDS:
            limits["SAGEMAKER_MODEL_SERVER_TIMEOUT"] = f"{self._longest_answer:g}"
            limits["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(_LARGEST_ASYNCHRONOUS_MB)
        if self.plan.model.multi_model:
            limits["BOTTEGA_MULTI_MODEL_MEMORY_MB"] = str(models_memory_mb(self.plan))
        return {name: value for name, value in limits.items() if name not in given}

    def _drop_probe(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe = None


def models_memory_mb(plan: VariantPlan) -> int:
    """Megabytes that one server of a multi-model variant may use before it loads a further model.

    Of a serverless variant what its configuration says, otherwise its part of half the machine.
    """
    if plan.serverless is not None:
        return plan.serverless.memory_mb
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, (machine >> 20) // 2 // max(1, plan.instances))


def latest_run(place: InstancePlace) -> Path | None:
    """The folder of the instance's last start; None when it was never started."""
    return max(_runs(place), key=_number, default=None)


def _runs(place: InstancePlace) -> list[Path]:
    return run_folders(place.folder)


def run_folders(instance: Path) -> list[Path]:
    """The folders of every start of an instance that has this folder, in no order."""
    runs = instance / "runs"
    # Not by asking first whether it is there: the deployment may be removed in between.
    try:
        names = os.listdir(runs)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [runs / name for name in names if name.isdigit()]


def _number(run: Path) -> int:
    return int(run.name)
