"""``%%tune`` and ``%tunings`` in a shell, as a person types them."""

from __future__ import annotations

import signal
import threading

import pytest

from bottega.testing.daemon import eventually

SCRIPT = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
print(f"score={parser.parse_args().rate};")
"""


@pytest.fixture
def tuned(shell, run):
    """A small search in this notebook."""
    return run(
        "%%tune xgboost --target target --data iris[:100] --validation iris[100:] --into mine "
        "--objective validation:mlogloss --trials 3 --strategy Random --seed 1\n"
        "objective: multi:softprob\n"
        "num_class: 3\n"
        "num_round: 4\n"
        "max_depth: 2..4   # whole numbers\n"
        "eta: 0.1..0.5 log\n"
    )


def test_a_cell_searches_and_keeps_what_it_found(shell, run, tuned):
    assert tuned.result.success, tuned.text
    job = shell.user_ns["mine"]
    assert shell.user_ns["_tuning"] is job
    config = job.describe()["HyperParameterTuningJobConfig"]
    (eta,) = config["ParameterRanges"]["ContinuousParameterRanges"]
    assert eta == {
        "Name": "eta",
        "MinValue": "0.1",
        "MaxValue": "0.5",
        "ScalingType": "Logarithmic",
    }
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 3
    assert f"{job.name}: Completed" in tuned.text
    assert f"{job.name}: Best: validation:mlogloss = " in tuned.text
    assert len(tuned.text.splitlines()) < 15
    (bundle,) = tuned.bundles
    assert bundle.keys() == {"text/plain", "text/html"}
    assert "3 of 3 trials ended: 3 completed" in bundle["text/plain"]
    assert f"by {job.best.name}" in bundle["text/plain"]
    assert "<svg" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]

    shown = run(f"%tunings {job.name}")
    assert shown.result.success, shown.refusal
    assert shown.bundles == [bundle]
    listed = repr(run("%tunings --status Completed").value)
    assert job.name in listed
    assert "3 ended, 0 running" in listed
    deployed = run("%deploy mine --name tuned-iris")
    assert deployed.result.success, deployed.text
    shell.user_ns["_endpoint"].delete()


def test_an_empty_cell_searches_what_is_recommended(shell, run):
    ran = run(
        "%%tune xgboost --target target --data iris --objective train:rmse --trials 1 "
        "--hp num_round 3\n"
    )
    assert ran.result.success, ran.text
    tuned = shell.user_ns["_tuning"].best_parameters
    assert {"eta", "max_depth"} <= set(tuned)
    assert "num_round" not in tuned


def test_the_script_of_a_cell_is_tuned(shell, run):
    ran = run(
        "%%tune --script --image python --metric score 'score=([0-9.]+);' --objective score "
        "--maximize --range rate 0.5..2.0 --trials 2\n" + SCRIPT
    )
    assert ran.result.success, ran.text
    job = shell.user_ns["_tuning"]
    assert job.best_value == pytest.approx(float(job.best_parameters["rate"]))


def test_the_words_are_checked_before_anything_is_started(shell, run):
    before = len(repr(run("%tunings").value).splitlines())
    for words, said in [
        ("%tune xgboost --data iris --target target", "--objective names the metric"),
        ("%tune --objective a:b", "name an algorithm"),
        ("%tune xgboost --objective train:rmse --minimize --maximize", "exclude each other"),
        ("%tune xgboost --objective train:rmse --range eta 0.1", "write low..high"),
        ("%tune xgboost --objective train:rmse --strategy Luck", "invalid choice: 'Luck'"),
        ("%tunings gone", "There is no tuning job 'gone'"),
    ]:
        assert said in run(words).refusal
    assert len(repr(run("%tunings").value).splitlines()) == before


def test_breaking_off_leaves_the_search_running(shell, run):
    timer = threading.Timer(1, signal.raise_signal, [signal.SIGINT])

    def interrupt_when_it_runs() -> None:
        eventually(lambda: "_tuning" in shell.user_ns, "the search is there")
        timer.start()

    watcher = threading.Thread(target=interrupt_when_it_runs)
    watcher.start()
    try:
        ran = run(
            "%%tune --script --image python --metric score 'score=([0-9.]+);' --objective score "
            "--maximize --range rate 0.5..2.0 --trials 200 --parallel 1\n"
            "import time; time.sleep(1)\n" + SCRIPT
        )
    finally:
        watcher.join()
        timer.cancel()
    job = shell.user_ns["_tuning"]
    assert f"the tuning job {job.name} goes on" in ran.refusal
    assert job.status == "InProgress"
    job.stop()
    assert job.wait(quiet=True).status == "Stopped"
