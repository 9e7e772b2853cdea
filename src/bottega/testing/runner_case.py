"""What every runner must pass.

A subclass gives the fixtures ``runner`` and ``opening`` (Python source that leaves a runner of the
same kind in the variable ``runner``, for another process), and ``kill_supervisor``. Programs are
Python texts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bottega.compute.runner import (
    Cause,
    Phase,
    Program,
    Runner,
)
from bottega.testing.runner_bench import (
    HOLD_PIPE,
    PATIENCE,
    Bench,
    ended,
    nobody_holds,
    run,
    source_of,
)
from bottega.testing.runner_surroundings_case import RunnerSurroundingsCase
from bottega.testing.runner_usage_case import RunnerUsageCase


class RunnerCase(RunnerSurroundingsCase, RunnerUsageCase):
    """The contract of ``bottega.compute.runner.Runner``: starts, ends, and what is left."""

    # Results

    def test_a_program_runs_and_its_output_is_kept(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("""
            say("first"); print("to stderr", file=sys.stderr, flush=True); say("", "ü€")
            sys.stdout.write("without an end")
        """)
        assert runner.state(spec.directory).phase is Phase.ABSENT
        state = run(runner, spec)
        assert state.phase is Phase.ENDED
        assert state.succeeded
        assert state.cause is Cause.EXITED
        assert state.started is not None
        assert state.ended is not None
        assert state.started <= state.ended
        assert bench.lines(spec) == ["first", "to stderr", " ü€", "without an end"]

    @pytest.mark.parametrize("code", [1, 42, 255])
    def test_the_exit_code_is_told(self, runner: Runner, bench: Bench, code: int) -> None:
        state = run(runner, bench.spec(f"sys.exit({code})"))
        assert (state.cause, state.succeeded) == (Cause.EXITED, False)
        assert [(host.exit_code, host.signal) for host in state.hosts] == [(code, None)]

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
    def test_the_signal_is_told(self, runner: Runner, bench: Bench, number: int) -> None:
        state = run(runner, bench.spec(f"os.kill(os.getpid(), {int(number)})"))
        assert [(host.exit_code, host.signal) for host in state.hosts] == [(None, number)]
        assert not state.hosts[0].out_of_memory

    def test_an_uncaught_exception_ends_with_its_traceback(
        self, runner: Runner, bench: Bench
    ) -> None:
        spec = bench.spec("raise ValueError('my own mistake')")
        assert run(runner, spec).hosts[0].exit_code == 1
        assert bench.lines(spec)[0] == "Traceback (most recent call last):"
        assert bench.lines(spec)[-1] == "ValueError: my own mistake"

    def test_a_command_that_is_not_there(self, runner: Runner, bench: Bench) -> None:
        spec = replace(bench.spec(""), program=Program(argv=("no-such-program", "x")))
        assert run(runner, spec).hosts[0].exit_code == 127
        assert bench.lines(spec) == [
            "bottega: cannot run 'no-such-program': No such file or directory"
        ]

    def test_a_module_gets_its_arguments(self, runner: Runner, bench: Bench) -> None:
        script = "import sys; print(__name__, sys.argv[1:])"
        program = Program("bottega.testing.script_program", (script, "--a", "b c"))
        spec = replace(bench.spec(""), program=program)
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == [f"__main__ {[script, '--a', 'b c']}"]

    # Once, and whatever happens to the starter

    def test_starting_again_changes_nothing(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say('once')")
        runner.start(spec)
        runner.start(spec)
        ended(runner, spec.directory)
        runner.start(spec)
        ended(runner, spec.directory)
        assert bench.lines(spec) == ["once"]

    def test_many_start_at_once_and_one_wins(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say('once')")
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(runner.start, spec) for _ in range(16)]:
                done.result()
        assert ended(runner, spec.directory).succeeded
        assert bench.lines(spec) == ["once"]

    def test_a_kill_of_the_starter_is_not_noticed(
        self, runner: Runner, opening: str, bench: Bench
    ) -> None:
        spec = bench.spec("""
            say("begun")
            open(ml + "/go").read()
            say("went on")
        """)
        os.mkfifo(bench.ml() / "go")
        starter = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"{source_of(spec)}{opening}\nrunner.start(spec)\nimport time\ntime.sleep(600)",
            ]
        )
        bench.wait_for(spec, "begun")
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        assert runner.state(spec.directory).phase is Phase.RUNNING
        runner.start(spec)
        (bench.ml() / "go").write_text("")
        assert ended(runner, spec.directory).succeeded
        assert bench.lines(spec) == ["begun", "went on"]

    def test_a_kill_of_the_starter_at_any_moment_runs_it_once(
        self, runner: Runner, opening: str, bench: Bench
    ) -> None:
        for number in range(6):
            spec = bench.spec("say('once')", f"work{number}")
            source = (
                f"{source_of(spec)}{opening}\nprint(flush=True)\n"
                "runner.start(spec)\nimport time\ntime.sleep(600)"
            )
            starter = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
            with starter:
                assert starter.stdout is not None
                starter.stdout.readline()
                threading.Event().wait(number * 0.002)
                starter.kill()
            runner.start(spec)
            state = ended(runner, spec.directory)
            while state.phase is Phase.ABSENT:
                runner.start(spec)
                state = ended(runner, spec.directory)
            assert state.succeeded
            assert bench.lines(spec) == ["once"]

    # Ends

    def test_stop_is_sigterm_first(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("""
            def leave(number, frame):
                say("leaving"); sys.exit(3)
            signal.signal(signal.SIGTERM, leave)
            say("ready")
            while True: signal.pause()
        """)
        runner.start(spec)
        bench.wait_for(spec, "ready")
        runner.stop(spec.directory)
        state = ended(runner, spec.directory)
        assert (state.phase, state.cause) == (Phase.ENDED, Cause.STOPPED)
        assert state.hosts[0].exit_code == 3
        assert bench.lines(spec) == ["ready", "leaving"]

    def test_sigterm_ends_a_program_that_says_nothing_of_it(
        self, runner: Runner, bench: Bench
    ) -> None:
        spec = bench.spec("say('ready'); time.sleep(600)")
        runner.start(spec)
        bench.wait_for(spec, "ready")
        runner.stop(spec.directory)
        assert ended(runner, spec.directory).hosts[0].signal == signal.SIGTERM

    def test_stop_kills_the_whole_tree_after_the_grace(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(
            HOLD_PIPE
            + textwrap.dedent("""
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for _ in range(3):
                if os.fork() == 0:
                    os.setsid()
                    os.fork()
                    say("ready")
                    while True: time.sleep(600)
            while True: time.sleep(600)
        """)
        )
        alive = bench.alive_pipe()
        runner.start(spec)
        for _ in range(PATIENCE * 100):
            if bench.lines_so_far(spec).count("ready") == 6:
                break
            threading.Event().wait(0.01)
        runner.stop(spec.directory, grace_seconds=0.2)
        state = ended(runner, spec.directory)
        assert (state.cause, state.hosts[0].signal) == (Cause.STOPPED, signal.SIGKILL)
        assert not state.hosts[0].out_of_memory
        assert nobody_holds(alive)

    def test_a_shorter_grace_counts(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("""
            signal.signal(signal.SIGTERM, signal.SIG_IGN); say("ready"); time.sleep(600)
        """)
        runner.start(spec)
        bench.wait_for(spec, "ready")
        runner.stop(spec.directory)
        assert runner.state(spec.directory).phase is Phase.RUNNING
        runner.stop(spec.directory, grace_seconds=0)
        assert ended(runner, spec.directory).cause is Cause.STOPPED

    def test_stop_at_once_after_start(self, runner: Runner, bench: Bench) -> None:
        for number in range(5):
            spec = bench.spec("time.sleep(600)", f"work{number}")
            runner.start(spec)
            threading.Event().wait(number * 0.004)
            runner.stop(spec.directory)
            state = ended(runner, spec.directory)
            assert (state.phase, state.cause) == (Phase.ENDED, Cause.STOPPED)
            assert not state.succeeded

    def test_stop_of_what_does_not_run_changes_nothing(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec("say('ran')")
        runner.stop(spec.directory)
        assert runner.state(spec.directory).phase is Phase.ABSENT
        assert run(runner, spec).cause is Cause.EXITED
        before = runner.state(spec.directory)
        runner.stop(spec.directory)
        assert runner.state(spec.directory) == before
        assert before.succeeded

    def test_the_time_allowed(self, runner: Runner, bench: Bench) -> None:
        spec = replace(bench.spec("say('begun'); time.sleep(600)"), max_runtime_seconds=1.5)
        state = run(runner, spec)
        assert state.cause is Cause.RUNTIME_EXCEEDED
        assert state.hosts[0].signal == signal.SIGTERM

    def test_no_process_is_left_behind(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(
            HOLD_PIPE
            + textwrap.dedent("""
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.setsid()
                    subprocess.Popen(["sleep", "600"], close_fds=False)
                    say("a daemon runs")
                    time.sleep(600)
                os._exit(0)
            os.wait()
            while not os.path.exists(ml + "/go"): time.sleep(0.01)
        """)
        )
        alive = bench.alive_pipe()
        runner.start(spec)
        bench.wait_for(spec, "a daemon runs")
        (bench.ml() / "go").touch()
        assert ended(runner, spec.directory).succeeded
        assert nobody_holds(alive)

    def test_a_killed_supervisor_takes_everything_along(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(
            HOLD_PIPE
            + textwrap.dedent("""
            if os.fork() == 0:
                os.setsid()
                say("ready")
                time.sleep(600)
            time.sleep(600)
        """)
        )
        alive = bench.alive_pipe()
        runner.start(spec)
        bench.wait_for(spec, "ready")
        self.kill_supervisor(spec.directory)
        state = ended(runner, spec.directory)
        assert state.phase is Phase.LOST
        assert state.started is not None
        for _ in range(PATIENCE * 100):
            if nobody_holds(os.dup(alive)):
                break
            threading.Event().wait(0.01)
        assert nobody_holds(alive)
        runner.start(spec)
        assert runner.state(spec.directory).phase is Phase.LOST

    def test_one_failed_host_ends_the_others(self, runner: Runner, bench: Bench) -> None:
        spec = bench.spec(
            """
            if os.environ["THIS_HOST"] == "algo-2": sys.exit(7)
            time.sleep(600)
            """,
            hosts=3,
        )
        state = run(runner, spec)
        assert state.cause is Cause.EXITED
        assert [(host.name, host.exit_code, host.signal) for host in state.hosts] == [
            ("algo-1", None, signal.SIGTERM),
            ("algo-2", 7, None),
            ("algo-3", None, signal.SIGTERM),
        ]
