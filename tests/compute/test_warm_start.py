"""A child of the fork server cannot be told from a process that was just started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bottega.compute.local.fresh import needs_new_process
from bottega.compute.local.runner import LocalRunner
from bottega.compute.runner import Phase, Program
from bottega.testing.runner_bench import PATIENCE, Bench, RunnerFixtures, ended, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server needs Linux")

PRELOAD = ("numpy", "scipy.linalg", "pandas", "sklearn.ensemble", "xgboost")


class ForkedPrograms(RunnerFixtures):
    def program(self, script: str) -> Program:
        return Program("bottega.testing.script_program", (script,))


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRunner]:
    runner = LocalRunner(state_dir=tmp_path_factory.mktemp("runner"), preload=PRELOAD)
    assert runner.wait_warm(60), runner.describe()
    yield runner
    assert runner.warm(), runner.describe()
    runner.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, ForkedPrograms())


def answers(runner: LocalRunner, bench: Bench, script: str, name: str = "work") -> list[str]:
    """What the script says; it runs in a fork, which has numpy loaded from the beginning."""
    check = "import sys; assert 'numpy' in sys.modules\n"
    spec = bench.spec(check + textwrap.dedent(script), name)
    assert run(runner, spec).succeeded, bench.lines(spec)
    return bench.lines(spec)


def test_it_is_ready_and_single_threaded(runner: LocalRunner) -> None:
    assert runner.warm()
    assert runner.describe()["fork server"].startswith("ready, loaded in")


def test_argv_and_main(runner: LocalRunner, bench: Bench) -> None:
    module, name, argument, on_path = answers(
        runner,
        bench,
        """
        import __main__
        say(__main__.__spec__.name); say(__name__); say(len(sys.argv))
        say(os.path.dirname(__main__.__file__) in sys.path or os.getcwd() in sys.path)
        """,
    )
    assert (module, name, argument, on_path) == (
        "bottega.testing.script_program",
        "__main__",
        "2",
        "False",
    )


def test_random_numbers_differ_between_children(runner: LocalRunner, bench: Bench) -> None:
    script = """
        import random, numpy, uuid, multiprocessing
        say(random.random()); say(numpy.random.rand()); say(uuid.uuid4())
        say(numpy.random.default_rng().random())
        say(multiprocessing.current_process().authkey.hex())
    """
    first = answers(runner, bench, script, "one")
    second = answers(runner, bench, script, "two")
    assert len(first) == 5
    assert all(one != two for one, two in zip(first, second, strict=True))


def test_numerical_libraries_use_every_core(runner: LocalRunner, bench: Bench) -> None:
    (line,) = answers(
        runner,
        bench,
        """
        import json, numpy, xgboost
        from threadpoolctl import threadpool_info
        a = numpy.ones((600, 600)); assert (a @ a)[0, 0] == 600
        x = numpy.random.rand(5000, 5); y = x.sum(axis=1)
        booster = xgboost.train({"max_depth": 3}, xgboost.DMatrix(x, y), num_boost_round=5)
        assert abs(booster.predict(xgboost.DMatrix(x)).mean() - y.mean()) < 0.1
        say(json.dumps([library["num_threads"] for library in threadpool_info()]))
        """,
    )
    cores = len(os.sched_getaffinity(0))
    assert set(json.loads(line)) == {cores}


def test_children_of_the_child(runner: LocalRunner, bench: Bench) -> None:
    lines = answers(
        runner,
        bench,
        """
        import math, multiprocessing, concurrent.futures, multiprocessing.pool
        for method in ("fork", "spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                say(method, pool.map(math.factorial, [1, 2, 3]))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            say(*pool.map(math.factorial, [4, 5]))
        say(subprocess.check_output([sys.executable, "-c", "print(6)"], text=True))
        say(subprocess.check_output(["sh", "-c", "echo $THIS_HOST"], text=True))
        """,
    )
    assert [line for line in lines if line] == [
        "fork [1, 2, 6]",
        "spawn [1, 2, 6]",
        "forkserver [1, 2, 6]",
        "24 120",
        "6",
        "algo-1",
    ]


def test_the_environment_of_the_c_library_too(runner: LocalRunner, bench: Bench) -> None:
    lines = answers(
        runner,
        bench,
        """
        import ctypes
        getenv = ctypes.CDLL(None).getenv; getenv.restype = ctypes.c_char_p
        say(getenv(b"OPENBLAS_NUM_THREADS"), getenv(b"THIS_HOST"))
        say("OPENBLAS_NUM_THREADS" in os.environ)
        """,
    )
    assert lines == ["None b'algo-1'", "False"]


def test_the_end_is_as_python_makes_it(runner: LocalRunner, bench: Bench) -> None:
    spec = bench.spec("""
        import atexit, threading
        atexit.register(print, "at exit")
        threading.Thread(target=lambda: (time.sleep(0.2), print("thread ended"))).start()
        print("not flushed by the program")
        sys.exit("a last word")
    """)
    assert run(runner, spec).hosts[0].exit_code == 1
    assert sorted(bench.lines(spec)) == [
        "a last word",
        "at exit",
        "not flushed by the program",
        "thread ended",
    ]
    assert bench.lines(spec)[-1] == "at exit"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_is_buffered_as_asked(runner: LocalRunner, bench: Bench, unbuffered: str) -> None:
    spec = bench.spec("print('printed'); os.write(1, b'written\\n')")
    spec = replace(spec, environment={"PYTHONUNBUFFERED": unbuffered} if unbuffered else {})
    assert run(runner, spec).succeeded
    expected = ["printed", "written"] if unbuffered else ["written", "printed"]
    assert bench.lines(spec) == expected


@pytest.mark.parametrize(
    ("name", "forked"),
    [
        ("SM_HPS", True),
        ("PYTHONUNBUFFERED", True),
        ("OMP_NUM_THREADS", False),
        ("OPENBLAS_NUM_THREADS", False),
        ("PYTHONHASHSEED", False),
        ("LD_LIBRARY_PATH", False),
    ],
)
def test_what_is_read_at_loading_gets_a_new_process(
    runner: LocalRunner, bench: Bench, name: str, forked: bool
) -> None:
    assert (needs_new_process({"A": "1", name: "1"}) is None) is forked
    spec = bench.spec("say('numpy' in sys.modules)")
    assert run(runner, replace(spec, environment={name: "1"})).succeeded
    assert bench.lines(spec) == [str(forked)]


def test_a_program_that_waits_for_warmth(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ForkedPrograms())
    runner = LocalRunner(state_dir=tmp_path / "runner", preload=("numpy",))
    try:
        assert answers(runner, bench, "say('warm')") == ["warm"]
    finally:
        runner.close()


def test_what_cannot_be_loaded_is_told_and_does_not_matter(tmp_path: Path) -> None:
    runner = LocalRunner(state_dir=tmp_path / "runner", preload=("no_such_module", "numpy"))
    try:
        assert runner.wait_warm(60)
        assert "no_such_module" in runner.describe()["fork server"]
    finally:
        runner.close()


def test_a_server_that_cannot_stay_single_threaded_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bottega.compute.local import fresh

    # Without this variable the allocator that comes with pyarrow starts a thread.
    monkeypatch.delitem(fresh.SINGLE_THREADED, "JE_ARROW_MALLOC_CONF")
    runner = LocalRunner(state_dir=tmp_path / "runner", preload=("pyarrow",))
    bench = Bench(tmp_path, ForkedPrograms())
    try:
        assert not runner.wait_warm(60)
        assert "jemalloc" in runner.describe()["fork server"]
        spec = bench.spec("say('the ordinary way')")
        assert run(runner, spec).succeeded
    finally:
        runner.close()


def _server_pid(runner: LocalRunner) -> int:
    """Found as the child of ours that runs it."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if b"fork-server" in words and parent == os.getpid() and b"colorsys" in words:
                return int(name)
    raise AssertionError("there is no fork server")


def test_a_killed_server_is_replaced_and_workloads_go_on(tmp_path: Path) -> None:
    runner = LocalRunner(state_dir=tmp_path / "runner", preload=("numpy", "colorsys"))
    bench = Bench(tmp_path, ForkedPrograms())
    try:
        assert runner.wait_warm(60)
        running = bench.spec("say('begun'); open(ml + '/go').read()", "running")
        os.mkfifo(bench.ml("running") / "go")
        runner.start(running)
        bench.wait_for(running, "begun")
        os.kill(_server_pid(runner), signal.SIGKILL)
        assert run(runner, bench.spec("say('on')", "next")).succeeded
        assert runner.wait_warm(60)
        assert answers(runner, bench, "say('warm again')", "warm") == ["warm again"]
        assert runner.state(running.directory).phase is Phase.RUNNING
        (bench.ml("running") / "go").write_text("")
        assert ended(runner, running.directory).succeeded
    finally:
        runner.close()


def test_the_server_ends_with_its_daemon(tmp_path: Path) -> None:
    script = f"""
        import os, sys, time
        from pathlib import Path
        from bottega.compute.local.runner import LocalRunner
        runner = LocalRunner(state_dir=Path({str(tmp_path / "runner")!r}), preload=("json",))
        assert runner.wait_warm(60)
        print(runner._fork_server._process.pid, flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE
    ) as daemon:
        assert daemon.stdout is not None
        server = os.pidfd_open(int(daemon.stdout.readline()))
        daemon.kill()
    gone = threading.Event()
    thread = threading.Thread(target=lambda: (_wait_for(server), gone.set()))
    thread.start()
    assert gone.wait(PATIENCE)
    thread.join()
    os.close(server)


def _wait_for(handle: int) -> None:
    import select

    select.select([handle], [], [], PATIENCE)
