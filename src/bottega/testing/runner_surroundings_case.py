"""What every runner must pass: what a program sees, says, and is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bottega.compute.runner import (
    IsolationUnavailable,
    Mount,
    Phase,
    Program,
    Runner,
)
from bottega.testing.runner_bench import (
    PATIENCE,
    Bench,
    RunnerFixtures,
    ended,
    run,
)


class RunnerSurroundingsCase(RunnerFixtures):
    """Signals, output, environment, view and network of what runs."""

    # Talking to what runs

    def test_a_signal_reaches_one_host(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(
            """
            def leave(number, frame):
                signal.signal(signal.SIGTERM, signal.SIG_IGN); say("signalled"); sys.exit(0)
            signal.signal(signal.SIGUSR1, leave)
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(5))
            say("ready")
            while True: signal.pause()
            """,
            hosts=2,
        )
        runner.start(spec)
        for host in spec.hosts:
            bench.wait_for(replace(spec, hosts=(host,)), "ready")
        runner.signal(spec.directory, "algo-1", signal.SIGUSR1)
        runner.signal(spec.directory, "algo-9", signal.SIGUSR1)
        bench.wait_for(spec, "signalled")
        assert runner.state(spec.directory).phase is Phase.RUNNING
        runner.stop(spec.directory)
        state = ended(runner, spec.directory)
        assert [host.exit_code for host in state.hosts] == [0, 5]
        runner.signal(spec.directory, "algo-1", signal.SIGUSR1)

    def test_everybody_who_watches_is_called_once(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say('done')")
        calls: list[int] = []
        runner.start(spec)
        for number in range(3):
            runner.watch(spec.directory, lambda number=number: calls.append(number))  # type: ignore[misc]
        ended(runner, spec.directory)
        assert runner.state(spec.directory).phase is Phase.ENDED
        late = threading.Event()
        runner.watch(spec.directory, late.set)
        assert late.wait(PATIENCE)
        assert sorted(calls) == [0, 1, 2]

    # Output

    def test_a_flood_is_kept_whole_in_order_and_once(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(
            """
            host = os.environ["THIS_HOST"]
            for number in range(100_000): print(host, number)
            """,
            hosts=2,
        )
        assert run(runner, spec).succeeded
        for index, host in enumerate(spec.hosts):
            assert bench.lines(spec, index) == [
                f"{host.name} {number}" for number in range(100_000)
            ]

    def test_long_lines_and_odd_bytes(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(r"""
            sys.stdout.buffer.write(b"\xff\x00odd\n" + b"x" * 1_000_000 + b"\n\nlast\r\n")
        """)
        assert run(runner, spec).succeeded
        odd, *long, empty, last = bench.lines(spec)
        assert odd == "\ufffd\0odd"
        assert "".join(long) == "x" * 1_000_000
        assert len(long) > 1
        assert (empty, last) == ("", "last\r")

    def test_a_line_is_seen_before_the_program_ends(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say('now'); open(ml + '/go').read()")
        os.mkfifo(bench.ml() / "go")
        runner.start(spec)
        bench.wait_for(spec, "now")
        assert runner.state(spec.directory).phase is Phase.RUNNING
        (bench.ml() / "go").write_text("")
        assert ended(runner, spec.directory).succeeded

    # Surroundings

    def test_the_environment_is_what_was_given(
        self, runner: Runner, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the daemon")
        spec = bench.spec("import json; print(json.dumps(dict(os.environ)))")
        spec = replace(spec, environment={"A": "1", "THIS_HOST": "over", "LANG": "C"})
        assert run(runner, spec).succeeded
        environment = json.loads(bench.lines(spec)[0])
        assert environment["A"] == "1"
        assert environment["THIS_HOST"] == "algo-1"
        assert environment["LANG"] == "C"
        allowed = {
            "A",
            "THIS_HOST",
            "PATH",
            "HOME",
            "LANG",
            "TMPDIR",
            "ML",
            "BOTTEGA_ML_ROOT",
            "LC_CTYPE",
        }
        assert set(environment) <= allowed

    def test_home_and_temporary_folder_can_be_used(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("""
            import tempfile
            with open(os.path.expanduser("~/kept"), "w") as file: file.write("x")
            with tempfile.NamedTemporaryFile() as file:
                say(file.name.startswith(os.environ["TMPDIR"]))
        """)
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == ["True"]

    def test_the_standard_streams_and_session_are_fresh(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("""
            say(sys.stdin.read() == "", os.getsid(0) == os.getpid())
            say(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
            say(signal.pthread_sigmask(signal.SIG_BLOCK, ()), oct(os.umask(0)))
            others = [fd for fd in os.listdir("/dev/fd") if int(fd) > 3]
            say([fd for fd in others if os.path.exists("/dev/fd/" + fd)])
        """)
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == ["True True", "True", "set() 0o22", "[]"]

    def test_the_program_begins_in_its_code(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say(os.getcwd() == os.path.realpath(ml + '/code'))")
        (bench.ml() / "code").mkdir()
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == ["True"]

    def test_what_it_writes_is_there_afterwards(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("os.mkdir(ml + '/model'); open(ml + '/model/m', 'w').write('weights')")
        assert run(runner, spec).succeeded
        assert (bench.ml() / "model" / "m").read_text() == "weights"
        assert (bench.ml() / "model" / "m").stat().st_uid == os.getuid()

    def test_sockets_are_reached_from_outside(
        self, runner: Runner, bench: Bench, socket_folder: Path
    ) -> None:
        spec = bench.spec(f"""
            server = socket.socket(socket.AF_UNIX)
            server.bind({str(socket_folder / "s")!r}); server.listen(); say("listening")
            server.accept()[0].sendall(b"hello")
        """)
        spec = replace(spec, sockets=(socket_folder,), hidden=(socket_folder.parent,))
        runner.start(spec)
        bench.wait_for(spec, "listening")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(socket_folder / "s"))
            assert client.recv(100) == b"hello"
        assert ended(runner, spec.directory).succeeded

    def test_hosts_without_network_reach_each_other_only(
        self, runner: Runner, bench: Bench
    ) -> None:
        spec = bench.spec(
            """
            say([name for _, name in socket.if_nameindex()])
            if os.environ["THIS_HOST"] == "algo-1":
                server = socket.create_server(("algo-1", 4000));
                server.accept()[0].sendall(b"hello")
            else:
                while True:
                    try: client = socket.create_connection(("algo-1", 4000))
                    except ConnectionRefusedError: time.sleep(0.01)
                    else: break
                say(client.recv(100).decode(), client.getpeername()[0])
            """,
            hosts=2,
        )
        spec = replace(spec, network=False)
        if not self.isolated:
            with pytest.raises(IsolationUnavailable, match="bubblewrap"):
                runner.start(spec)
            assert runner.state(spec.directory).phase is Phase.ABSENT
            assert not spec.directory.exists()
            return
        assert run(runner, spec).succeeded
        assert bench.lines(spec, 0) == ["['lo']"]
        assert bench.lines(spec, 1) == ["['lo']", "hello 127.0.1.1"]

    def test_one_host_without_network(self, runner: Runner, bench: Bench) -> None:
        spec = replace(
            bench.spec("say([name for _, name in socket.if_nameindex()])"), network=False
        )
        if not self.isolated:
            with pytest.raises(IsolationUnavailable):
                runner.start(spec)
            return
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == ["['lo']"]

    def test_whether_mounts_are_shown_is_told(self, runner: Runner) -> None:
        assert runner.shows_mounts() is self.isolated

    def test_hidden_folders_are_empty_and_mounts_from_them_are_seen(
        self, runner: Runner, bench: Bench
    ) -> None:
        if not self.isolated:
            pytest.skip("a plain process sees what its user sees")
        home = bench.folder / "home"
        (home / "data").mkdir(parents=True)
        (home / "data" / "d").write_text("rows")
        (home / "credentials.json").write_text("secret")
        spec = bench.spec(f"""
            say(os.path.exists({str(home / "credentials.json")!r}), open(ml + "/input/d").read())
            try: open(ml + "/input/d", "w")
            except OSError as problem: say(problem.strerror)
        """)
        (bench.ml() / "input").mkdir()
        (host,) = spec.hosts
        mounts = (*host.mounts, Mount(home / "data", "/opt/ml/input", read_only=True))
        spec = replace(spec, hosts=(replace(host, mounts=mounts),), hidden=(home,))
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == ["False rows", "Read-only file system"]

    def test_a_contradiction_is_refused_and_leaves_nothing(
        self, runner: Runner, bench: Bench
    ) -> None:
        good = bench.spec("")
        (host,) = good.hosts
        wrong = [
            replace(good, program=Program()),
            replace(good, program=Program(module="a", argv=("b",))),
            replace(good, hosts=()),
            replace(good, hosts=(host, host)),
            replace(good, hosts=(replace(host, name="../x"),)),
            replace(good, hosts=(replace(host, mounts=(Mount(bench.folder, "/etc"),)),)),
            replace(good, hosts=(replace(host, mounts=(Mount(bench.folder, "/opt/ml/../x"),)),)),
            replace(good, environment={"A=B": "x"}),
            replace(good, environment={"A": "x\0y"}),
        ]
        for spec in wrong:
            with pytest.raises(ValueError, match=r"."):
                runner.start(spec)
        missing = replace(host, mounts=(Mount(bench.folder / "nowhere", "/opt/ml"),))
        with pytest.raises(FileNotFoundError, match="nowhere"):
            runner.start(replace(good, hosts=(missing,)))
        assert not good.directory.exists()

    def test_many_workloads_at_once(self, runner: Runner, bench: Bench) -> None:
        specs = [bench.spec(f"say({number})", f"work{number}") for number in range(20)]
        for spec in specs:
            runner.start(spec)
        for number, spec in enumerate(specs):
            assert ended(runner, spec.directory).succeeded
            assert bench.lines(spec) == [str(number)]
