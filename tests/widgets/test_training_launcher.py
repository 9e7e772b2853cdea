"""The launcher's Python side: what it offers, what it starts, what it becomes."""

from __future__ import annotations

import pandas
import pytest

from bottega.widgets import JobMonitor, TrainingLauncher


@pytest.fixture
def frame():
    return pandas.DataFrame({"label": range(60), "x": [value % 7 for value in range(60)]})


@pytest.fixture
def launcher(studio, frame):
    return TrainingLauncher(studio=studio, namespace={"frame": frame, "_": frame, "other": 1})


def told(launcher, **wanted):
    wanted = {"algorithm": "xgboost", "data": {"kind": "variable", "value": "frame"}} | wanted
    launcher.form._handle_custom_msg({"do": "launch", "wanted": wanted}, [])


def test_it_offers_frames_and_algorithms(launcher, frame):
    assert launcher.form.frames == [{"name": "frame", "rows": 60, "columns": ["label", "x"]}]
    assert "xgboost" in [item["Name"] for item in launcher.form.algorithms]
    launcher._namespace["more"] = frame
    launcher.form._handle_custom_msg({"do": "refresh"}, [])
    assert [item["name"] for item in launcher.form.frames] == ["frame", "more"]


def test_it_becomes_the_monitor_of_what_it_started(launcher):
    told(launcher, target="label", hyperparameters={"num_round": "3"}, name="launched")
    assert launcher.form.problem == ""
    (monitor,) = launcher.children
    assert isinstance(monitor, JobMonitor)
    assert monitor.wait().status == "Completed"
    assert repr(launcher).startswith("Training job launched: Completed")


def test_the_monitor_settles_the_displays_of_the_form(launcher):
    launcher._displays = ("a-display",)
    told(launcher, target="label", hyperparameters={"num_round": "3"})
    assert launcher.monitor._displays == ("a-display",)
    assert launcher.monitor.wait().status == "Completed"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"target": "labl"}, "did you mean 'label'?"),
        ({"target": "label", "hyperparameters": {"eta": "9"}}, "9 is not in [0,1]"),
        (
            {"target": "label", "data": {"kind": "place", "value": "no.csv"}},
            "no.csv does not exist",
        ),
    ],
)
def test_a_refusal_goes_to_the_form(launcher, wanted, said):
    told(launcher, **wanted)
    assert said in launcher.form.problem
    assert not launcher.form.busy
    assert launcher.children == (launcher.form,)


def test_further_channels_go_along(launcher):
    told(
        launcher,
        target="label",
        hyperparameters={"num_round": "2"},
        validation=None,
        channels={
            "validation": {"kind": "variable", "value": "frame"},
            "spare": {"kind": "place", "value": ""},
        },
    )
    assert launcher.form.problem == ""
    described = launcher.monitor.wait().describe()
    names = [channel["ChannelName"] for channel in described["InputDataConfig"]]
    assert names == ["train", "validation"]


def test_without_widgets_it_says_how_to_do_it_in_code(launcher):
    bundle = launcher._repr_mimebundle_()[0]
    assert bundle.keys() == {"text/plain", "text/html"}
    assert 'train("xgboost"' in bundle["text/plain"]
