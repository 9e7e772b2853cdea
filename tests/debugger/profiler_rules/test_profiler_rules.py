"""Rules of the profiler: each is shown one profile that is ill and one that is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.phases import DATA_LOADING
from bottega.debugger.profiler_rules import bottlenecks
from bottega.debugger.profiler_rules.profile import Event, News, Tick
from bottega.debugger.profiler_rules.profiler_rule import percentile
from bottega.debugger.profiler_rules.registry import BUILT_IN, SINGLE, ProfilerReport, built_in
from bottega.debugger.rules.parameters import ParameterRefused, parameters_of

BEGIN = 1_700_000_000.0
POINTS = 60
FAST = {"patience": "20", "window": "10"}


def ticks(
    *,
    cpu: float = 50.0,
    wait: float = 0.0,
    gpus: Callable[[int], Sequence[float]] = lambda at: [90.0],
    memory: Callable[[int], float] = lambda at: 80.0,
    node: str = "algo-1",
    points: int = POINTS,
) -> list[Tick]:
    """A sample every half second; of each GPU its use, and memory that all have alike."""
    return [
        Tick(
            node,
            BEGIN + at / 2,
            cpu=cpu,
            cores=4,
            busiest=cpu,
            io_wait=wait,
            longest_wait=wait,
            memory=30.0,
            gpus={f"gpu{number}": use for number, use in enumerate(gpus(at))},
            gpu_memory={f"gpu{number}": memory(at) for number in range(len(gpus(at)))},
            rates={"ReceiveBytesPerSecond": 10.0, "TransmitBytesPerSecond": 5.0},
        )
        for at in range(points)
    ]


def steps(
    seconds: Iterable[float], mode: str = "TRAIN", begin: float = BEGIN, node: str = "algo-1"
) -> list[Event]:
    found, start = [], begin
    for number, one in enumerate(seconds):
        arguments = {"step_num": str(number)}
        phase = f"Step:ModeKeys.{mode}"
        found.append(Event(node, phase, "net", start, start + one, arguments))
        start += one
    return found


def loading(workers: int) -> News:
    event = Event("algo-1", DATA_LOADING, "loader", BEGIN, BEGIN + 1, {"worker_count": workers})
    return News(tuple(ticks()), (event,))


def of(samples: Iterable[Tick] = (), events: Iterable[Event] = ()) -> News:
    return News(tuple(samples), tuple(events))


def shaken(slow: int) -> News:
    """400 steps of 0.1 s, of which some take one second."""
    late = range(50, 50 + 25 * slow, 25)
    every = [1.0 if at in late else 0.1 for at in range(400)]
    return of(events=steps(every))


def idle(at: int) -> list[float]:
    return [2.0]


CASES: list[tuple[str, dict[str, str], News, News]] = [
    (
        "BatchSize",
        FAST,
        of(ticks(cpu=30, gpus=lambda at: [40.0], memory=lambda at: 20.0)),
        of(ticks(cpu=30, gpus=lambda at: [40.0], memory=lambda at: 75.0)),
    ),
    ("CPUBottleneck", {"patience": "20"}, of(ticks(cpu=99, gpus=idle)), of(ticks(cpu=99))),
    (
        "CPUBottleneck",
        {"patience": "20", "threshold": "40"},
        of(ticks(cpu=99, gpus=lambda at: [2.0 if at % 2 else 90.0])),
        of(ticks(cpu=99, gpus=lambda at: [2.0 if at % 3 == 2 else 90.0])),
    ),
    ("IOBottleneck", {"patience": "20"}, of(ticks(wait=80, gpus=idle)), of(ticks(gpus=idle))),
    (
        "GPUMemoryIncrease",
        FAST,
        of(ticks(memory=lambda at: 20.0 + at)),
        of(ticks(memory=lambda at: min(4.0 * at, 40.0))),
    ),
    (
        "LoadBalancing",
        {"patience": "20"},
        of(ticks(gpus=lambda at: [95.0, 15.0])),
        of(ticks(gpus=lambda at: [95.0, 91.0 + at % 2])),
    ),
    ("LowGPUUtilization", FAST, of(ticks(gpus=lambda at: [40.0])), of(ticks())),
    (
        "LowGPUUtilization",
        FAST,
        of(ticks(gpus=lambda at: [0.0 if at % 2 else 99.0])),
        of(ticks(gpus=lambda at: [60.0 if at % 2 else 99.0])),
    ),
    (
        "MaxInitializationTime",
        {"threshold": "2"},
        of(ticks(), steps([0.1] * 9, begin=BEGIN + 121)),
        of(ticks(), steps([0.1] * 9, begin=BEGIN + 119)),
    ),
    ("StepOutlier", {}, shaken(slow=11), shaken(slow=10)),
    ("StepOutlier", {"n_outliers": "0"}, shaken(slow=1), shaken(slow=0)),
    ("StepOutlier", {"n_outliers": "0"}, shaken(slow=1), of(events=steps([0.1] * 500))),
    ("Dataloader", {}, loading(0), loading(4)),
    ("Dataloader", {}, loading(9), loading(8)),
]


@pytest.mark.parametrize(("name", "parameters", "ill", "sound"), CASES)
def test_it_fires_for_what_is_ill_alone(
    name: str, parameters: dict[str, str], ill: News, sound: News
) -> None:
    rule = built_in(name, parameters)
    (finding, *more) = rule.show(ill)
    assert not more
    assert finding.rule == name
    assert finding.start is not None
    assert finding.end is not None
    assert BEGIN <= finding.start <= finding.end
    assert finding.numbers
    assert finding.message.endswith(".")
    assert finding.advice
    assert rule.conclude() == []
    assert rule.report()["RuleTriggered"] == 1
    healthy = built_in(name, parameters)
    assert healthy.show(sound) == []
    assert healthy.conclude() == []
    assert healthy.remark() == ""
    assert healthy.datapoints


@pytest.mark.parametrize(("name", "parameters", "ill", "sound"), CASES)
def test_it_says_the_same_however_a_profile_comes(
    name: str, parameters: dict[str, str], ill: News, sound: News
) -> None:
    whole, parts = built_in(name, parameters), built_in(name, parameters)
    whole.show(ill)
    for tick in ill.ticks:
        parts.show(News((tick,)))
    for event in ill.events:
        parts.show(News((), (event,)))
    assert parts.report() == whole.report()


def test_loaders_are_judged_though_the_cores_are_known_later() -> None:
    events = [event for workers in (0, 0, 4, 9) for event in loading(workers).events]
    at_once, later = built_in("Dataloader", {}), built_in("Dataloader", {})
    at_once.show(of(ticks(), events))
    for event in events:
        later.show(of(events=[event]))
    later.show(of(ticks()))
    assert later.report() == at_once.report()
    assert later.report()["Violations"] == 3


@pytest.mark.parametrize(
    "name",
    [
        *("BatchSize", "CPUBottleneck", "GPUMemoryIncrease", "IOBottleneck", "LoadBalancing"),
        "LowGPUUtilization",
    ],
)
def test_without_a_gpu_there_is_nothing_to_say(name: str) -> None:
    rule = built_in(name, {"patience": "5"})
    assert rule.show(of(ticks(cpu=99, wait=99, gpus=lambda at: []))) == []
    assert rule.conclude() == []
    assert "No GPU" in rule.remark()
    assert rule.report()["NotApplicable"] == rule.remark()
    impatient = built_in(name, {})
    impatient.show(of(ticks(gpus=lambda at: [1.0, 99.0])))
    assert f"{POINTS} of the 1000 points" in impatient.remark()


@pytest.mark.parametrize("name", ["MaxInitializationTime", "StepOutlier"])
def test_without_steps_there_is_nothing_to_say(name: str) -> None:
    rule = built_in(name, {})
    assert rule.show(of(ticks())) == []
    assert "no steps" in rule.remark()


def test_one_gpu_has_no_load_to_balance() -> None:
    rule = built_in("LoadBalancing", {"patience": "20"})
    assert rule.show(of(ticks())) == []
    assert "one GPU" in rule.remark()
    two_hosts = sorted(
        [*ticks(gpus=lambda at: [5.0]), *ticks(node="algo-2")], key=lambda tick: tick.time
    )
    apart = built_in("LoadBalancing", {"patience": "20"})
    (finding,) = apart.show(of(two_hosts))
    assert finding.node == ""


def test_a_condition_that_begins_again_is_found_again() -> None:
    def use(at: int) -> list[float]:
        return [90.0 if 30 <= at < 50 else 20.0]

    rule = built_in("LowGPUUtilization", FAST)
    findings = rule.show(of(ticks(gpus=use, points=80)))
    assert [finding.end for finding in findings] == [BEGIN + 19 / 2, BEGIN + 59 / 2]


def test_bottlenecks_are_told_as_stretches_of_time() -> None:
    rule = built_in("CPUBottleneck", {"patience": "20"})
    rule.show(of(ticks(cpu=99, gpus=lambda at: [2.0 if at % 10 < 6 else 90.0], points=30)))
    (host,) = rule.report()["Details"].values()
    assert host["intervals"] == [[BEGIN + at / 2, BEGIN + (at + 5) / 2] for at in (0, 10, 20)]
    assert host["bottlenecks"] == 18


def test_stretches_that_are_too_many_leave_the_last_one_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bottlenecks, "MOST_STRETCHES", 2)
    rule = built_in("CPUBottleneck", {"patience": "20"})
    rule.show(of(ticks(cpu=99, gpus=lambda at: [2.0 if at % 10 < 6 else 90.0], points=30)))
    (host,) = rule.report()["Details"].values()
    assert host["intervals"] == [[BEGIN + at / 2, BEGIN + (at + 5) / 2] for at in (0, 10)]


def test_the_whole_is_measured() -> None:
    rule = built_in("OverallSystemUsage", {})
    rule.show(of(ticks(gpus=lambda at: [float(at)])))
    (host,) = rule.report()["Details"].values()
    assert host["GPU"] == {
        "unit": "percentage",
        "max": 59.0,
        "p99": pytest.approx(58.41),
        "p95": pytest.approx(56.05),
        "p50": 29.5,
        "min": 0.0,
    }
    assert host["Network"]["p50"] == 15.0
    assert "Disk" not in host
    framework = built_in("OverallFrameworkMetrics", {})
    whole = [*steps([0.3] * 2), *steps([0.2], "EVAL", BEGIN + 0.6)]
    inside = [replace(whole[0], phase="Forward", end=BEGIN + 0.1)]
    framework.show(of(events=[*whole, *inside, replace(whole[0], phase="cpu_functions")]))
    details = framework.report()["Details"]
    assert details["phase"] == pytest.approx({"TRAIN": 75.0, "EVAL": 25.0, "others": 0.0})
    assert details["general"] == {"Forward": 100.0}
    assert list(details["operators"]) == ["net"]


def test_the_report_has_all_rules_and_their_parameters() -> None:
    report = built_in(
        "ProfilerReport",
        {"CPUBottleneck_threshold": "90", "stepoutlier_STDDEV": "2", "rule_to_invoke": "x"},
    )
    assert isinstance(report, ProfilerReport)
    assert report.rules.keys() == SINGLE.keys()
    assert report.rules["CPUBottleneck"].parameters()["threshold"] == 90.0
    assert report.rules["StepOutlier"].parameters()["stddev"] == 2.0
    assert report.show(shaken(slow=11)) == []
    assert report.rules["StepOutlier"].findings


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("LowGpuUtilization", {}, "did you mean LowGPUUtilization?"),
        ("ProfilerReport", {"threshold": "5"}, "<RuleName>_<parameter>"),
        ("ProfilerReport", {"CPUBottleneck_thresholds": "5"}, 'Did you mean "threshold"?'),
        ("ProfilerReport", {"StepOutlier_mode": "DREAM"}, "one of TRAIN"),
        ("CPUBottleneck", {"threshold": "101"}, "at most 100"),
        ("StepOutlier", {"n_outliers": "-1"}, "at least 0"),
    ],
)
def test_what_means_nothing_is_refused(name: str, parameters: dict[str, str], words: str) -> None:
    with pytest.raises(ParameterRefused) as refused:
        built_in(name, parameters)
    assert words in str(refused.value)


def test_defaults_are_those_of_the_sdk() -> None:
    expected = {
        "BatchSize": {"cpu_threshold_p95": 70, "patience": 1000, "window": 500},
        "CPUBottleneck": {"threshold": 50, "gpu_threshold": 10, "cpu_threshold": 90},
        "Dataloader": {"min_threshold": 70, "max_threshold": 200},
        "GPUMemoryIncrease": {"increase": 5, "patience": 1000, "window": 10},
        "IOBottleneck": {"threshold": 50, "gpu_threshold": 10, "io_threshold": 50},
        "LoadBalancing": {"threshold": 0.5, "patience": 1000},
        "LowGPUUtilization": {"threshold_p95": 70, "threshold_p5": 10, "window": 500},
        "MaxInitializationTime": {"threshold": 20},
        "StepOutlier": {"stddev": 3, "mode": None, "n_outliers": 10},
    }
    for name, values in expected.items():
        rule = built_in(name, {"scan_interval_us": "60000000"})
        assert {key: rule.parameters()[key] for key in values} == values
    for rule in BUILT_IN.values():
        assert rule.looks_for.endswith(".")
        assert all(limits.doc.endswith(".") for limits, _ in parameters_of(rule).values())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_percentiles_are_those_of_numpy(values: list[float], share: float) -> None:
    expected = float(np.percentile(values, share))
    assert percentile(values, share) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.lists(st.sampled_from([0.1, 0.11, 5.0]), max_size=80), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_outliers_are_judged_by_all_steps_so_far(seconds: list[float], limit: int) -> None:
    rule = built_in("StepOutlier", {"n_outliers": str(limit)})
    rule.show(of(events=steps(seconds)))
    begin = np.array([event.seconds for event in steps(seconds)])
    outliers = sum(
        begin[at] > begin[: at + 1].mean() + 3 * begin[: at + 1].std() + 1e-9
        for at in range(len(begin))
    )
    assert rule.violations == outliers
    assert len(rule.findings) == (outliers > limit)
