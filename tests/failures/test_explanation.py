"""The causes of failures, from what the failing trainings beside left when they were run."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.failures.causes import Cause
from bottega.failures.explanation import RULES, UNKNOWN, explain
from bottega.failures.job import FailedJob, Machine
from bottega.failures.tracebacks import Line
from bottega.testing.failure_cases import FailureCase, captured_job, failure_cases

CASES = failure_cases(Path(__file__).parent / "trainings")
SAYINGS = tomllib.loads((Path(__file__).parent / "sayings.toml").read_text(encoding="utf-8"))
STREAM = "job/algo-1-1"


def job(reason: str, log: str = "", **changes: Any) -> FailedJob:
    lines = [Line(number, text) for number, text in enumerate(log.splitlines())]
    base: dict[str, Any] = {"kind": "Training", "name": "job", "request": {}}
    return FailedJob(**{**base, "reason": reason, "logs": {STREAM: lines}, **changes})


def script(error: str, code: str = "x", library: str = "", **changes: Any) -> FailedJob:
    """A job whose script ended with an error, in its own code or in a library's."""
    frames = f'  File "/opt/ml/code/train.py", line 7, in <module>\n    {code}\n'
    if library:
        frames += f'  File "/usr/lib/python3/site-packages/{library}", line 9, in call\n    y\n'
    trace = f"Traceback (most recent call last):\n{frames}{error}"
    last = error.splitlines()[-1]
    reason = (
        f'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "{last}"\n'
        f'Command "/usr/bin/python train.py"\n\n{trace}, exit code: 1'
    )
    return job(reason, f"Running train.py\n{trace}", **changes)


def request(**values: str) -> dict[str, Any]:
    return {"HyperParameters": values}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_failing_training_gets_its_cause(case: FailureCase):
    found = explain(captured_job(case))
    assert found.evidence is not None
    case.check(
        {
            "Known": found.code != UNKNOWN,
            "Cause": {
                "Code": found.code,
                "Sentence": found.sentence,
                "Confidence": found.confidence,
                "Advice": [{"Text": one.text, "Code": one.code} for one in found.advice],
                "Evidence": {"Text": found.evidence.text},
            },
        }
    )


@pytest.mark.parametrize("said", SAYINGS["error"], ids=lambda said: said["text"][:40])
def test_an_error_gets_its_cause(said: dict[str, str]):
    error = said["text"]
    found = explain(script(error, request=request(max_depth="x")))
    assert found.code == said["cause"], found
    assert said["words"] in found.sentence
    assert found.evidence is not None
    assert found.evidence.stream == STREAM
    assert found.evidence.text == error.splitlines()[0]


@pytest.mark.parametrize("said", SAYINGS["reason"], ids=lambda said: said["text"][:50])
def test_a_reason_without_a_traceback_gets_its_cause(said: dict[str, str]):
    found = explain(job(said["text"]))
    assert (found.code, found.confidence) == (said["cause"], said["confidence"])
    assert found.advice


OWN = (
    "ValueError: the boat is full",
    "KeyError: 'churn'",
    "RuntimeError: out of patience",
    "AssertionError",
    "IndexError: list index out of range",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "ValueError: could not convert string to float: 'abc'",
    "AttributeError: 'NoneType' object has no attribute 'fit'",
    "ZeroDivisionError: division by zero",
    "MyError: the memory of the elephants, and no such file of theirs, is a loss",
)


@pytest.mark.parametrize("error", OWN)
def test_an_error_of_ones_own_gets_no_cause(error: str):
    found = explain(script(error))
    assert found.code == UNKNOWN
    assert "not known" in found.sentence
    assert "line 7 of train.py" in found.sentence


def test_what_caused_an_error_counts_less_than_the_error():
    chain = (
        "Traceback (most recent call last):\n"
        '  File "/opt/ml/code/train.py", line 3, in read\n    open(path)\n'
        "FileNotFoundError: [Errno 2] No such file or directory: 'rows.csv'\n\n"
        "{}\n\nTraceback (most recent call last):\n"
        '  File "/opt/ml/code/train.py", line 5, in <module>\n    read()\n'
        "RuntimeError: no rows could be read"
    )
    reason = (
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage "RuntimeError: no rows could be read"'
    )
    direct = "The above exception was the direct cause of the following exception:"
    found = explain(job(reason, chain.format(direct)))
    assert (found.code, found.confidence) == ("NoSuchFile", "likely")
    context = "During handling of the above exception, another exception occurred:"
    assert explain(job(reason, chain.format(context))).code == UNKNOWN


def test_an_isolated_job_is_told_so():
    error = "ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded"
    found = explain(script(error, request={"EnableNetworkIsolation": True}))
    assert found.code == "NetworkIsolated"


def test_a_kill_of_a_job_that_used_all_memory_is_probably_for_that():
    machine = Machine(memory=16_000_000_000, peak_memory=15_500_000_000)
    found = explain(job("AlgorithmError: , exit code: 137", "epoch 1", machine=machine))
    assert (found.code, found.confidence) == ("OutOfMemory", "likely")
    assert "15.5 GB" in found.sentence
    assert "16 GB" in found.sentence


def test_a_gpu_that_a_hyperparameter_asks_for_is_named():
    error = "AssertionError: Torch not compiled with CUDA enabled"
    found = explain(script(error, request=request(device="cuda")))
    assert "device" in found.advice[0].text


def test_every_rule_says_what_to_do():
    """Whatever a rule says of its own words, it says it in whole sentences and with advice."""
    for said in SAYINGS["error"]:
        check_style(explain(script(said["text"])))
    for said in SAYINGS["reason"]:
        check_style(explain(job(said["text"], "epoch 1")))
    for case in CASES:
        check_style(explain(captured_job(case)))


def check_style(found: Cause) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]+", found.code)
    assert found.sentence.endswith((".", "?")), found.sentence
    assert found.advice
    for one in found.advice:
        assert one.text[0].isupper()
        assert one.text.endswith((".", ":", "?")) or one.code or ":" in one.text, one.text


@settings(max_examples=60)
@given(
    st.text(max_size=200),
    st.lists(st.text(max_size=80), max_size=20),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
def test_nothing_that_a_job_says_is_too_strange(
    reason: str, log: list[str], values: dict[str, str]
):
    lines = {STREAM: [Line(number, text) for number, text in enumerate(log)]}
    found = explain(replace(job(reason), logs=lines, request=request(**values)))
    assert found.evidence is not None
    if found.evidence.stream:
        assert log[found.evidence.line] == found.evidence.text


@settings(max_examples=60)
@given(st.sampled_from(RULES), st.data())
def test_a_rule_explains_all_words_that_it_knows(known: Any, data: st.DataObject):
    """Whatever a rule's pattern matches, its explanation has a sentence or gives way to others."""
    pattern = re.compile(known.pattern.pattern, known.pattern.flags & ~re.UNICODE | re.ASCII)
    words = data.draw(st.from_regex(pattern, fullmatch=False).map(lambda text: text[:400]))
    name = next(iter(known.errors), "ValueError")
    explain(script(f"{name}: {words}" if not words.startswith(name) else words))
