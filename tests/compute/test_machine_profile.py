"""What the machine does, written down as SageMaker's profiler does."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bottega.compute.local import machine_profile
from bottega.compute.local.machine_profile import INTERVAL, MachineProfile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(folder.glob("*/*.json"))
        for line in file.read_text().splitlines()
    ]


def taken(profile: MachineProfile, times: int) -> None:
    for _ in range(times):
        profile._looked = 0.0  # the interval's file is looked at once a second
        profile.take()


def test_nothing_is_written_until_it_is_wanted(tmp_path: Path) -> None:
    profile = MachineProfile(lambda seconds: [])
    profile.follow("algo-1", str(tmp_path / "algo-1"))
    taken(profile, 3)
    assert profile.due is not None
    assert not (tmp_path / "algo-1").exists()
    (tmp_path / "algo-1").mkdir()
    (tmp_path / "algo-1" / INTERVAL).write_text("100")
    taken(profile, 4)
    written = lines(tmp_path / "algo-1")
    assert len({line["Timestamp"] for line in written}) == 3
    (tmp_path / "algo-1" / INTERVAL).write_text("0")
    taken(profile, 3)
    assert lines(tmp_path / "algo-1") == written
    profile.close()
    assert profile.due is None


def test_every_host_has_its_own_file_of_the_minute(tmp_path: Path) -> None:
    profile = MachineProfile(lambda seconds: [(30.0, 25.0), (100.0, 50.0)])
    for host in ("algo-1", "algo-2"):
        (tmp_path / host).mkdir()
        (tmp_path / host / INTERVAL).write_text("100")
        profile.follow(host, str(tmp_path / host))
    taken(profile, 3)
    profile.close()
    for host in ("algo-1", "algo-2"):
        (file, *_) = sorted((tmp_path / host).glob("*/*.json"))
        minute, own, _ = file.name.split(".")
        assert own == host
        assert int(minute) % 60 == 0
        assert file.parent.name == time.strftime("%Y%m%d%H", time.gmtime(int(minute)))
        found = lines(tmp_path / host)
        assert {line["NodeId"] for line in found} == {host}
        gpus = {
            (line["Name"], line["Dimension"]): line["Value"]
            for line in found
            if line["Type"] == "gpu"
        }
        assert gpus[("gpu1", "GPUUtilization")] == 100.0
        assert gpus[("gpu0", "GPUMemoryUtilization")] == 25.0


def test_use_and_waiting_are_shares_of_the_time_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([(1000, 500, 100), (1000, 500, 100), (1100, 520, 150)])
    monkeypatch.setattr(machine_profile, "_cores", lambda: {"cpu0": next(counts)})
    monkeypatch.setattr(machine_profile, "_memory_percent", lambda: 12.5)
    (tmp_path / INTERVAL).write_text("100")
    profile = MachineProfile(lambda seconds: [])
    profile.follow("algo-1", str(tmp_path))
    taken(profile, 3)
    values = {line["Dimension"]: line["Value"] for line in lines(tmp_path) if line["Type"] == "cpu"}
    assert values == {"CPUUtilization": 30.0, "I/OWaitPercentage": 50.0}
    (memory, *_) = [line for line in lines(tmp_path) if line["Type"] == "memory"]
    assert (memory["Name"], memory["Dimension"]) == ("MemoryUsedPercent", "Memory")
    assert memory["Value"] == 12.5


@pytest.mark.parametrize(
    ("name", "part"),
    [("sda1", True), ("nvme0n1p2", True), ("sda", False), ("nvme0n1", False), ("vdb", False)],
)
def test_partitions_are_not_counted_again(name: str, part: bool) -> None:
    assert machine_profile._is_part(name, {"sda", "sda1", "nvme0n1", "nvme0n1p2", "vdb"}) is part
