"""The user's own program as a job, each in a process of its own."""

from __future__ import annotations

import json
import signal
import tarfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bottega.testing.job_folder import JobFolder

REPORT = """
import json, os, sys
from helper import VALUE
json.dump(
    {
        "argv": sys.argv[1:],
        "file": __file__,
        "name": __name__,
        "cwd": os.getcwd(),
        "value": VALUE,
        "variables": {k: v for k, v in os.environ.items() if k.startswith("SM_")},
    },
    open(os.path.join(os.environ["SM_MODEL_DIR"], "report.json"), "w"),
)
print("trained")
"""

Job = Callable[..., JobFolder]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    def make(program: str | None = "train.py", **hyperparameters: str) -> JobFolder:
        named = {} if program is None else {"sagemaker_program": program}
        return JobFolder(tmp_path / "ml", {**named, **hyperparameters}, image="python")

    return make


def script(text: str) -> str:
    return textwrap.dedent(text).lstrip()


def report(folder: JobFolder) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder.root / "model" / "report.json").read_text())
    return found


def failed(folder: JobFolder, status: int = 1) -> str:
    """Run a job that has to fail; gives its failure file, which fits into a FailureReason."""
    ended = folder.run()
    assert ended.returncode == status, ended.stderr
    assert len(f"AlgorithmError: {folder.failure}, exit code: {status}") <= 1024
    return folder.failure


def test_a_script_sees_its_arguments_and_variables(job: Job) -> None:
    folder = job(lr="0.1", name='"a b"').channel("train", "text/csv", {"a.csv": "1"})
    folder.source({"train.py": REPORT, "helper.py": "VALUE = 42"})
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert "trained\n" in ended.stdout
    found = report(folder)
    assert found["argv"] == ["--lr", "0.1", "--name", "a b"]
    assert found["name"] == "__main__"
    assert found["value"] == 42
    assert found["file"] == str(folder.root / "code" / "train.py")
    assert found["cwd"] == str(folder.root / "code")
    # The number of GPUs and the rest do not change between here and there.
    assert found["variables"] == folder.read().variables()
    assert not folder.failure


def test_code_may_come_from_a_folder_or_a_channel(tmp_path: Path) -> None:
    code = tmp_path / "here"
    code.mkdir()
    (code / "train.py").write_text(REPORT)
    (code / "helper.py").write_text("VALUE = 1")
    values = {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(code)}
    local = JobFolder(tmp_path / "local", values, image="python")
    assert local.run().returncode == 0
    channel = JobFolder(tmp_path / "channel", {}, image="xgboost")
    channel.channel("code", "text/python", {"train.py": REPORT, "helper.py": "VALUE = 2"})
    assert channel.run().returncode == 0
    assert [report(folder)["value"] for folder in (local, channel)] == [1, 2]


def test_shell_scripts_and_modules(job: Job, tmp_path: Path) -> None:
    folder = job("run.sh", rate="1").source({"run.sh": 'echo "$SM_CURRENT_HOST $@" >&2\n'})
    ended = folder.run()
    assert ended.returncode == 0
    assert ended.stderr == "algo-1 --rate 1\n"
    module = JobFolder(tmp_path / "module", {"sagemaker_program": "package.main"}, image="python")
    module.source({"package/__init__.py": "", "package/main.py": "print(__name__, __package__)"})
    assert "__main__ package\n" in module.run().stdout


def test_the_main_module_is_whole(job: Job) -> None:
    folder = job().source(
        {
            "train.py": script(
                """
                import multiprocessing, os, pickle, threading, time

                class Thing:
                    pass

                def square(number):
                    return number * number

                def late():
                    time.sleep(0.2)
                    print("late", square(3))

                if __name__ == "__main__":
                    assert type(pickle.loads(pickle.dumps(Thing()))) is Thing
                    with multiprocessing.get_context("spawn").Pool(1) as pool:
                        print("pool", pool.map(square, [4]))
                    threading.Thread(target=late).start()
                """
            )
        }
    )
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert "pool [16]" in ended.stdout
    assert "late 9" in ended.stdout


def test_a_failure_is_the_users_own_traceback(job: Job) -> None:
    folder = job().source(
        {
            "train.py": script(
                """
                from model import fit

                def main():
                    fit({})

                main()
                """
            ),
            "model.py": script(
                """
                def fit(options):
                    try:
                        options["rate"]
                    except KeyError as error:
                        raise ValueError("no rate is set") from error
                """
            ),
        }
    )
    ended = folder.run()
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: no rate is set"
    assert "bottega" not in ended.stderr.replace(str(folder.root), "")
    files = [line for line in lines if line.startswith("  File")]
    assert files[1].endswith("line 6, in <module>")
    head, _, trace = folder.failure.partition("\n\n")
    assert head.splitlines()[:3] == [
        "ExecuteUserScriptError:",
        "ExitCode 1",
        'ErrorMessage "ValueError: no rate is set"',
    ]
    assert head.splitlines()[3].startswith('Command "')
    assert trace.endswith("ValueError: no rate is set")
    assert 'raise ValueError("no rate is set")' in trace


def test_a_long_failure_keeps_its_end(job: Job) -> None:
    message = "x" * 3000 + " the end"
    folder = job(long="y" * 2000).source({"train.py": f"raise RuntimeError({message!r})"})
    failure = failed(folder)
    assert "the end" in failure
    assert failure.startswith("ExecuteUserScriptError:\nExitCode 1\n")


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("def broken(:\n", 1, "SyntaxError: invalid syntax"),
        ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit(3)", 3, "SystemExit: 3"),
        ("import sys; sys.exit('no data found')", 1, "no data found"),
        ("import argparse; argparse.ArgumentParser().parse_args(['--x'])", 2, "SystemExit: 2"),
    ],
)
def test_ways_to_end_badly(job: Job, code: str, status: int, words: str) -> None:
    failure = failed(job().source({"train.py": code}), status)
    assert f"ExitCode {status}\n" in failure
    assert words in failure


@pytest.mark.parametrize("code", ["import sys; sys.exit()", "import sys; sys.exit(0)", ""])
def test_ways_to_end_well(job: Job, code: str) -> None:
    folder = job().source({"train.py": code})
    assert folder.run().returncode == 0
    assert not folder.failure


def test_the_scripts_own_failure_file_stands(job: Job) -> None:
    code = 'import os; open(os.environ["SM_OUTPUT_DIR"] + "/failure", "w").write("mine"); 1 / 0'
    assert failed(job().source({"train.py": code})) == "mine"


def test_a_failed_child_leaves_the_end_of_what_it_said(job: Job) -> None:
    folder = job("run.sh").source({"run.sh": "echo going >&2; echo 'it broke' >&2; exit 7\n"})
    failure = failed(folder, 7)
    assert 'ExitCode 7\nErrorMessage "it broke"' in failure
    assert "going" in failure


@pytest.mark.parametrize("program", ["train.py", "run.sh"])
def test_sigterm_ends_the_program(job: Job, program: str) -> None:
    text = "import time\nprint('up', flush=True)\ntime.sleep(60)\n"
    folder = job(program).source({"train.py": text, "run.sh": "echo up; exec sleep 60\n"})
    process = folder.start()
    try:
        assert process.stdout is not None
        while process.stdout.readline() != "up\n":
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        status = process.wait()
    finally:
        process.kill()
        process.communicate()
    assert status == (-signal.SIGTERM if program == "train.py" else 128 + signal.SIGTERM)


@pytest.mark.parametrize(
    ("values", "files", "words"),
    [
        ({"sagemaker_program": "other.py"}, {"train.py": ""}, ("other.py", "train.py")),
        ({"sagemaker_program": "../../x.py"}, {"train.py": ""}, ("leads out of the code",)),
        (
            {"sagemaker_program": "a.py", "sagemaker_submit_directory": "/nowhere"},
            {},
            ("'/nowhere' is not there",),
        ),
        ({}, {}, ("The image python runs a script", "sagemaker_program")),
    ],
)
def test_what_is_wrong_with_the_request(
    tmp_path: Path, values: dict[str, str], files: dict[str, str], words: tuple[str, ...]
) -> None:
    folder = JobFolder(tmp_path / "ml", values, image="python")
    if files:
        folder.source(files)
    failure = failed(folder)
    assert failure.startswith("ClientError: ")
    for word in words:
        assert word in failure


def test_a_code_channel_with_several_programs_needs_a_name(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "ml", {}, image="python")
    folder.channel("code", None, {"a.py": "", "b.py": ""})
    assert "a.py, b.py" in failed(folder)


def test_a_broken_platform_is_not_the_users_fault(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "ml", {}, image="python")
    (folder.root / "input" / "config" / "resourceconfig.json").unlink()
    assert failed(folder).startswith("InternalServerError: ")


def test_satisfied_requirements_install_nothing(job: Job) -> None:
    wanted = "# what we need\nnumpy>=1.0  # numbers\nscikit-learn\nabsent; python_version < '3'\n"
    folder = job().source({"train.py": "print('ran')", "requirements.txt": wanted})
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert "everything is installed already" in ended.stdout
    assert list((folder.root / "packages").iterdir()) == []


def test_missing_requirements_are_installed_for_this_job_alone(
    job: Job, make_wheel: Callable[..., Path]
) -> None:
    wheels = make_wheel("bottegatestpackage", "1.2", "ANSWER = 'installed'").parent
    code = "import sys, numpy, bottegatestpackage as package; print(package.ANSWER, sys.argv[1:])"
    wanted = f"--no-index\n--find-links {wheels}\nbottegatestpackage==1.2\nnumpy\n"
    folder = job(rate="1").source({"train.py": code, "requirements.txt": wanted})
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert "Installing bottegatestpackage 1.2\n" in ended.stdout
    assert "installed ['--rate', '1']" in ended.stdout
    assert not list((folder.root / "packages").glob("numpy*"))


def test_a_script_installs_packages_while_it_runs(
    job: Job, make_wheel: Callable[[str, str, str], Path]
) -> None:
    """As in SageMaker's images, where notebooks do it with ``os.system``."""
    wheel = make_wheel("late_guest", "1.0", "WORD = 'hello'")
    code = f"""
        import subprocess, sys
        subprocess.check_call([sys.executable, "-m", "pip", "install", {str(wheel)!r}])
        import late_guest
        print(late_guest.WORD, late_guest.__file__)
    """
    folder = job().source({"train.py": script(code)})
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert f"hello {folder.root}/packages/late_guest.py" in ended.stdout


def test_unsatisfiable_requirements(job: Job) -> None:
    wanted = "--no-index\nbottega-no-such-package==0.0.1\n"
    folder = job().source({"train.py": "print('ran')", "requirements.txt": wanted})
    failure = failed(folder)
    assert failure.startswith("InstallRequirementsError:\nExitCode 1\n")
    assert "bottega-no-such-package==0.0.1" in failure
    assert 'Command "pip install -r requirements.txt"' in failure


@pytest.fixture
def bucket() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An object store on this machine: its endpoint, and its objects by path."""
    objects: dict[str, bytes] = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = objects.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.send_header("ETag", '"tag"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", objects
        server.shutdown()
        thread.join()


def test_code_in_the_object_store(tmp_path: Path, bucket: tuple[str, dict[str, bytes]]) -> None:
    endpoint, objects = bucket
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    values = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://bucket/job/source/sourcedir.tar.gz",
    }
    staged = JobFolder(tmp_path / "staged").source({"train.py": "print('fetched')"})
    archive = staged.root / "input" / "config" / "sourcedir.tar.gz"
    objects["/bucket/job/source/sourcedir.tar.gz"] = archive.read_bytes()
    folder = JobFolder(tmp_path / "ml", values, image="python", environment=variables)
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    assert "fetched\n" in ended.stdout
    objects.clear()
    folder = JobFolder(tmp_path / "gone", values, image="python", environment=variables)
    failure = failed(folder)
    assert failure.startswith(
        "ClientError: The code s3://bucket/job/source/sourcedir.tar.gz cannot"
    )


def test_an_unsafe_archive_is_refused(job: Job, tmp_path: Path) -> None:
    folder = job()
    (tmp_path / "x").write_text("x")
    with tarfile.open(folder.root / "input" / "config" / "sourcedir.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "x", "../../x")
    assert "not safe to unpack" in failed(folder)
