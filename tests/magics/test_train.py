"""``%%train``, ``%deploy`` and ``%predict`` in a shell, as a person types them."""

from __future__ import annotations

import signal
import threading

import numpy
import pytest

from bottega.testing.daemon import eventually

SCRIPT = """\
import argparse, os, pandas
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
depth = parser.parse_args().depth
frame = pandas.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"))
print(f"rows={len(frame)} depth={depth}")
"""


@pytest.fixture
def trained(shell, run):
    """A small job, trained in this notebook."""
    shell.user_ns["rounds"] = 20
    return run(
        "%%train xgboost --target target --data iris --into mine\n"
        "objective: multi:softprob   # three kinds\n"
        "num_class = 3\n"
        "num_round: $rounds\n"
    )


def test_a_cell_trains_and_keeps_the_job(shell, trained):
    assert trained.result.success, trained.text
    job = shell.user_ns["mine"]
    assert shell.user_ns["_job"] is job
    values = job.describe()["HyperParameters"]
    assert (values["num_class"], values["num_round"]) == ("3", "20")
    assert f"{job.name}: Completed" in trained.text


def test_without_widgets_the_result_is_text_and_html_that_stand_alone(trained):
    (bundle,) = trained.bundles
    assert bundle.keys() == {"text/plain", "text/html"}
    assert "train:mlogloss = 0." in bundle["text/plain"]
    assert "<svg" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]


def test_without_widgets_the_lines_are_few(run):
    ran = run("%train xgboost --target target --data iris --hp num_round 300 --hp max_depth 1")
    assert ran.result.success, ran.text
    assert len(ran.text.splitlines()) < 25


def test_a_cell_may_be_the_title_alone(shell, run):
    assert run("%%train xgboost --target target --data iris\n").result.success
    assert shell.user_ns["_job"].describe()["HyperParameters"]["num_round"] == "100"


def test_further_channels_go_along(shell, run):
    ran = run(
        "%train xgboost --target target --data iris --channel validation iris[:30] --hp num_round 3"
    )
    assert ran.result.success, ran.text
    channels = shell.user_ns["_job"].describe()["InputDataConfig"]
    assert [channel["ChannelName"] for channel in channels] == ["train", "validation"]


def test_the_model_is_deployed_and_predicts(shell, run, trained):
    deployed = run("%deploy --name iris --into endpoint")
    assert deployed.result.success, deployed.text
    try:
        by_name = run("%predict iris iris[:3]").value
        assert by_name.shape == (3, 3)
        row = ",".join(map(str, shell.user_ns["iris"].iloc[0, :4]))
        literal = run(f"%predict endpoint {row}").value
        numpy.testing.assert_allclose(literal[0], by_name[0], rtol=1e-5)
        assert "iris  InService" in repr(run("%endpoints").value)
        assert "%predict: give the rows" in run("%predict iris").refusal
        assert "no variable and no file" in run("%predict iris nothing").refusal
    finally:
        shell.user_ns["endpoint"].delete()


def test_a_cell_is_a_script(shell, run):
    ran = run(
        '%%train --script --data iris --hp depth 4 --metric rows "rows=(\\d+)" --no-wait\n' + SCRIPT
    )
    assert ran.result.success, ran.text
    job = shell.user_ns["_job"].wait(quiet=True)
    assert "rows=150 depth=4" in list(job.logs())
    assert job.metrics == {"rows": 150.0}
    assert f"%jobs {job.name} shows it" in ran.text


def test_a_script_that_fails_shows_its_own_traceback_and_none_of_ours(run):
    ran = run("%%train --script --name will-fail\nraise ValueError('no rows')\n")
    assert "ValueError: no rows" in ran.refusal
    assert 'File "/opt/ml/code/train.py", line 1' in ran.refusal
    assert "bottega/magics" not in ran.text
    assert "Traceback" not in ran.text.replace(ran.refusal, "")


def test_an_interrupt_ends_the_waiting_and_not_the_job(run, daemon):
    jobs = daemon.client("sagemaker")

    def trains():
        found = jobs.list_training_jobs(NameContains="patient")["TrainingJobSummaries"]
        return found and found[0]["SecondaryStatus"] == "Training"

    def interrupt():
        eventually(trains, "the job trains")
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    ran = run("%%train --script --name patient\nimport time\ntime.sleep(600)\n")
    thread.join()
    assert "the training job patient goes on" in ran.refusal
    assert (
        jobs.describe_training_job(TrainingJobName="patient")["TrainingJobStatus"] == "InProgress"
    )
    jobs.stop_training_job(TrainingJobName="patient")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%train xgboost --target targets --data iris", "did you mean 'target'?"),
        ("%train xgboost --target target --data irs", "did you mean iris?"),
        ("%train xgboost --data iris", "which column of the frame is to be predicted"),
        ("%train xgboost --target target --data iris --hp eta 9", "9 is not in [0,1]"),
        ("%%train xgboost --target target --data iris\neta 9\n", "is no hyperparameter"),
        ("%train --data iris", "name an algorithm, such as xgboost, or give --script"),
        ("%train --script", "the cell below it is the script"),
        ("%%train xgboost --script\nx = 1\n", "a script has no algorithm"),
        ("%train xgboost --into 3d", "--into 3d: that is no name of a variable"),
        ("%train xgboost --channel test nowhere", "--channel test nowhere: there is no variable"),
        ("%train xgboost --channel a iris --channel a iris", "the channel 'a' is given twice"),
        ("%train xgboost --validatoin x", "did you mean --validation?"),
        ("%deploy", "no job was trained in this notebook yet"),
        ("%deploy nothing", "There is no training job 'nothing'"),
    ],
)
def test_a_refusal_is_one_message_without_our_frames(run, cell, said):
    ran = run(cell)
    assert said in ran.refusal
    assert "Traceback" not in ran.text
    assert "bottega/magics" not in ran.text


def test_jobs_are_listed_and_shown(shell, run, trained):
    name = shell.user_ns["mine"].name
    table = run("%jobs --status Completed --limit 3").value
    assert name in repr(table)
    assert f'<td style="text-align:left">{name}' in table._repr_html_()
    (shown,) = run(f"%jobs {name}").bundles
    assert shown["text/plain"].startswith(f"Training job {name}: Completed after")
    assert repr(run("%jobs --name no-such-job").value) == "No training jobs."


def test_it_says_which_studio_this_is(run, daemon):
    said = run("%bottega").text
    assert str(daemon.home) in said
    assert "%%experiment" in said
    assert "usage: %jobs" in run("%jobs -h").text
