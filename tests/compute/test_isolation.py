"""The same view by every isolation, and clear words where it cannot be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.compute.local import plan, program
from bottega.compute.local.isolation import Machine, interpreter_folders, make_plan
from bottega.compute.local.runner import LocalRunner
from bottega.compute.runner import IsolationUnavailable, Program
from bottega.testing.runner_bench import Bench, RunnerFixtures, run

MACHINE = Machine()

linux = pytest.mark.skipif(sys.platform != "linux", reason="views are made by Linux")
_needs_both = pytest.mark.skipif(
    MACHINE.namespaces_refusal is not None or MACHINE.bubblewrap_refusal is not None,
    reason=f"namespaces: {MACHINE.namespaces_refusal}, bubblewrap: {MACHINE.bubblewrap_refusal}",
)

LOOK_AROUND = """
import json, stat
def attempt(action):
    try: action()
    except OSError as problem: return problem.strerror
    return "done"
def status(name):
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))
def listed(path):
    return sorted(os.listdir(path))
mounted = {}
with open("/proc/self/mountinfo") as file:
    for line in file:
        fields = line.split()
        mounted[fields[4]] = sorted(set(fields[5].split(",")) & {"ro", "rw", "nosuid", "nodev"})
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
say(json.dumps({
    "root": listed("/"),
    "ml": listed("/opt/ml"),
    "opt": listed("/opt"),
    "tmp": listed("/tmp"),
    "run": listed("/run"),
    "dev": listed("/dev"),
    "devices": {name: [stat.S_ISCHR(os.stat("/dev/" + name).st_mode),
                       os.stat("/dev/" + name).st_rdev]
                for name in ("null", "zero", "full", "random", "urandom", "tty")},
    "processes": [name for name in listed("/proc") if name.isdigit()],
    "this process": [os.getpid(), os.getppid()],
    "user": [os.getuid(), os.getgid()],
    "capabilities": [status(name)
                     for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs")],
    "host": socket.gethostname(),
    "addresses": [socket.gethostbyname(name) for name in ("localhost", "algo-1", "algo-2")],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "hidden": listed(os.environ["HIDDEN"]),
    "home of the test": os.path.exists(os.environ["SECRET"]),
    "supervisor's folder": os.path.exists(os.environ["SUPERVISED"]),
    "writing": {path: attempt(lambda: open(path + "/probe", "w").close())
                for path in ("/", "/usr", "/etc", "/opt", "/run", "/sys", "/proc/sys", "/var/tmp",
                             "/tmp", "/dev", "/dev/shm", "/opt/ml", os.environ["HIDDEN"])},
    "kernel settings": attempt(lambda: open("/proc/sys/kernel/hostname", "w").write("x")),
    "mounting": libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    "remounting": libc.mount(None, b"/usr", None, 0x1020, None),
    "making devices": attempt(
        lambda: os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))),
    "becoming root": attempt(lambda: os.chroot("/tmp")),
    "mounts": {path: mounted.get(path)
               for path in ("/", "/tmp", "/var/tmp", "/opt/ml", "/proc", "/run")},
}))
"""


class Commands(RunnerFixtures):
    """Programs as commands."""


class Modules(RunnerFixtures):
    def program(self, script: str) -> Program:
        return Program("bottega.testing.script_program", (script,))


def view(tmp_path: Path, fixtures: RunnerFixtures, **options: Any) -> dict[str, Any]:
    """What a program sees that looks around."""
    bench = Bench(tmp_path, fixtures)
    secret = tmp_path / "home" / "credentials.json"
    secret.parent.mkdir(parents=True)
    secret.write_text("secret")
    hidden = Path("/usr/share")
    runner = LocalRunner(state_dir=tmp_path / "runner", **options)
    try:
        if options.get("preload"):
            assert runner.wait_warm(60), runner.describe()
        spec = bench.spec(LOOK_AROUND, hosts=2)
        spec = replace(
            spec,
            network=False,
            hidden=(tmp_path / "home", hidden),
            environment={
                "SECRET": str(secret),
                "SUPERVISED": str(spec.directory),
                "HIDDEN": str(hidden),
            },
        )
        assert run(runner, spec).succeeded, bench.lines(spec)
        seen: dict[str, Any] = json.loads(bench.lines(spec)[-1])
        return seen
    finally:
        runner.close()


@linux
@_needs_both
def test_every_isolation_shows_the_same(tmp_path: Path) -> None:
    by_bubblewrap = view(tmp_path / "b", Commands(), isolation=plan.BUBBLEWRAP)
    by_namespaces = view(tmp_path / "n", Commands(), isolation=plan.NAMESPACES)
    forked = view(
        tmp_path / "f", Modules(), isolation=plan.NAMESPACES, preload=("json", "socket", "ctypes")
    )
    assert by_namespaces == by_bubblewrap
    assert forked == by_namespaces


@linux
@pytest.mark.skipif(MACHINE.namespaces_refusal is not None, reason=str(MACHINE.namespaces_refusal))
def test_what_is_seen_is_what_a_container_would_see(tmp_path: Path) -> None:
    seen = view(tmp_path, Modules(), isolation=plan.NAMESPACES, preload=("json",))
    assert seen["ml"] == ["alive"]
    assert seen["processes"] == ["1", "2"]
    assert seen["this process"] == [2, 1]
    assert seen["user"] == [os.getuid(), os.getgid()]
    assert seen["capabilities"] == ["0" * 16] * 4 + ["1"]
    assert seen["host"] == "algo-1"
    assert seen["addresses"] == ["127.0.0.1", "127.0.1.1", "127.0.1.2"]
    assert seen["interfaces"] == ["lo"]
    assert seen["hidden"] == []
    assert not seen["home of the test"]
    assert not seen["supervisor's folder"]
    writable = {path for path, answer in seen["writing"].items() if answer == "done"}
    assert writable == {"/tmp", "/var/tmp", "/dev", "/dev/shm", "/opt/ml"}
    assert seen["kernel settings"] != "done"
    assert (seen["mounting"], seen["remounting"]) == (-1, -1)
    assert "not permitted" in seen["making devices"]
    assert "not permitted" in seen["becoming root"]


@linux
@pytest.mark.skipif(MACHINE.namespaces_refusal is not None, reason=str(MACHINE.namespaces_refusal))
def test_the_interpreter_stays_usable_in_a_hidden_folder(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Modules())
    runner = LocalRunner(state_dir=tmp_path / "runner", isolation=plan.NAMESPACES)
    spec = bench.spec("import numpy; say(os.path.dirname(sys.executable))")
    packages = {Path(sys.prefix), Path(program.ENTRY).parents[3]}
    hidden = tuple({path.parent for path in packages} - {Path("/"), Path("/usr")})
    try:
        assert run(runner, replace(spec, hidden=hidden)).succeeded, bench.lines(spec)
    finally:
        runner.close()
    assert bench.lines(spec) == [os.path.dirname(sys.executable)]


def test_an_interpreter_behind_links_stays_usable(tmp_path: Path, monkeypatch: Any) -> None:
    names = [tmp_path / folder / "python" for folder in ("a", "b", "c")]
    for name in names:
        name.parent.mkdir()
    names[0].symlink_to("../b/python")
    names[1].symlink_to(names[2])
    names[2].touch()
    monkeypatch.setattr(sys, "executable", str(names[0]))
    found = interpreter_folders()
    assert {str(name.parent) for name in names} <= set(found)


def test_links_in_a_circle_end(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "python").symlink_to("python")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert str(tmp_path) in interpreter_folders()


class NothingWorks(Machine):
    """A machine with neither namespaces nor bubblewrap."""

    namespaces_refusal = "the kernel refuses namespaces: no"
    own_user = None
    bubblewrap = None
    bubblewrap_refusal = "bubblewrap is not installed"


class OnlyBubblewrap(NothingWorks):
    bubblewrap = "/usr/bin/bwrap"
    bubblewrap_refusal = None


def test_without_isolation_a_plain_process_is_taken_and_promises_are_refused(
    tmp_path: Path,
) -> None:
    spec = Bench(tmp_path, Commands()).spec("")
    machine = NothingWorks()
    work = make_plan(spec, "auto", machine)
    assert work.isolation == plan.PROCESS
    assert work.hosts[0].environment["BOTTEGA_ML_ROOT"] == str(spec.hosts[0].mounts[0].source)
    with pytest.raises(IsolationUnavailable, match=r"no network.*bubblewrap installed"):
        make_plan(replace(spec, network=False), "auto", machine)
    for kind in (plan.NAMESPACES, plan.BUBBLEWRAP):
        with pytest.raises(IsolationUnavailable, match=kind):
            make_plan(spec, kind, machine)


def test_with_bubblewrap_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Commands())
    machine = OnlyBubblewrap()
    alone = replace(bench.spec("", "one"), network=False)
    work = make_plan(alone, "auto", machine)
    assert work.isolation == plan.BUBBLEWRAP
    assert "--unshare-net" in work.bubblewrap
    several = replace(bench.spec("", "two", hosts=2), network=False)
    with pytest.raises(IsolationUnavailable, match="several hosts"):
        make_plan(several, "auto", machine)


def test_an_unknown_isolation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="namespaces, bubblewrap, process"):
        LocalRunner(state_dir=tmp_path, isolation="chroot")


@linux
@pytest.mark.root
@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_all_of_it_as_an_ordinary_user() -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is not installed")
    nobody = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    python = [*nobody, sys.executable, "-B"]
    trial = subprocess.run(
        [
            *(*python, "-c"),
            "import bottega.compute.local.runner, pytest, subprocess, sys;"
            "subprocess.run([sys.executable, '-c', ''], check=True)",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if trial.returncode:
        pytest.skip(f"another user cannot run this interpreter: {trial.stderr.strip()[-200:]}")
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as place:
        os.chown(place, 65534, 65534)
        done = subprocess.run(
            [
                *(*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={place}/t"),
                *(str(here / name) for name in ("test_local_runner.py", "test_isolation.py")),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=here.parent.parent,
            env={**os.environ, "HOME": place},
        )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
