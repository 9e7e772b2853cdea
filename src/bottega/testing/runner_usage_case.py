"""What every runner must pass: a host's use of the machine is measured where that is asked for."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bottega.compute.runner import Runner, WorkloadSpec
from bottega.testing.runner_bench import Bench, RunnerFixtures, run

Samples = list[tuple[float, dict[str, float]]]
"""Seconds since the epoch, and the series of each sample."""

BURN = "while time.process_time() < 1: pass"
"""A second of one core."""


def sampled(spec: WorkloadSpec) -> WorkloadSpec:
    """The same workload with a file of samples for each host."""
    hosts = tuple(replace(host, metrics=_samples_of(spec, host.name)) for host in spec.hosts)
    return replace(spec, hosts=hosts)


def _samples_of(spec: WorkloadSpec, host: str) -> Path:
    return spec.directory.parent / "samples" / host


def samples(spec: WorkloadSpec, host: str = "algo-1") -> Samples:
    """What was measured of a host."""
    records = [line.split(" ", 1) for line in _samples_of(spec, host).read_text().splitlines()]
    return [(int(time) / 1000, json.loads(content)) for time, content in records]


def integral(found: Samples, series: str, start: float) -> float:
    """A rate added up over time."""
    times = [start] + [time for time, sample in found if series in sample]
    rates = [sample[series] for _, sample in found if series in sample]
    return sum(
        rate * (end - begin)
        for rate, (begin, end) in zip(rates, itertools.pairwise(times), strict=True)
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it of whole trees")
class RunnerUsageCase(RunnerFixtures):
    def test_processor_memory_and_disk_of_the_whole_tree_are_measured(
        self, runner: Runner, bench: Bench
    ) -> None:
        spec = sampled(
            bench.spec(f"""
            held = b"x" * 64_000_000
            child = subprocess.run([sys.executable, "-c", "import time\\n{BURN}"])
            with open(ml + "/written", "wb") as file:
                file.write(held)
            {BURN}
        """)
        )
        state = run(runner, spec)
        assert state.succeeded, bench.lines(spec)
        assert state.started is not None
        found = samples(spec)
        assert len(found) >= 4
        # What is used after the last look but one is known when the process is collected.
        assert integral(found, "CPUUtilization", state.started) > 170
        assert max(sample.get("MemoryUsed", 0) for _, sample in found) > 64_000_000
        assert "MemoryUsed" in found[0][1]
        assert any("DiskWritten" in sample and "DiskRead" in sample for _, sample in found)

    def test_each_host_is_measured_by_itself(self, runner: Runner, bench: Bench) -> None:
        spec = sampled(bench.spec(f"if os.environ['THIS_HOST'] == 'algo-2':\n    {BURN}", hosts=2))
        state = run(runner, spec)
        assert state.started is not None
        idle, busy = (
            integral(samples(spec, host), "CPUUtilization", state.started)
            for host in ("algo-1", "algo-2")
        )
        assert busy > 70
        assert idle < busy / 2

    def test_what_hosts_share_is_not_told_of_any(self, runner: Runner, bench: Bench) -> None:
        spec = sampled(bench.spec(BURN))
        run(runner, spec)
        assert not any("NetworkSent" in sample for _, sample in samples(spec))

    def test_nothing_is_measured_unasked(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say('done')")
        run(runner, spec)
        assert not _samples_of(spec, "algo-1").exists()
