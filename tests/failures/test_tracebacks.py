"""Tracebacks among the lines of a log."""

from __future__ import annotations

import traceback

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.failures.tracebacks import Line, tracebacks


def lines(text: str, first: int = 0) -> list[Line]:
    return [Line(number, one) for number, one in enumerate(text.splitlines(), first)]


def raised(function) -> str:
    try:
        function()
    except Exception:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def test_one_has_its_frames_its_error_and_its_place():
    def fail() -> None:
        {}["churn"]

    log = f"epoch 1\nepoch 2\n{raised(fail)}bye\n"
    (found,) = tracebacks(lines(log, first=100))
    assert (found.type, found.name, found.message) == ("KeyError", "KeyError", "'churn'")
    assert found.line.text == "KeyError: 'churn'"
    assert found.lines[0] == Line(102, "Traceback (most recent call last):")
    assert log.splitlines()[found.line.number - 100] == found.line.text
    assert found.frames[-1].function == "fail"
    assert found.frames[-1].code == '{}["churn"]'
    assert found.following == ("bye",)
    assert found.last


def test_a_chain_says_how_its_errors_are_linked():
    def cause() -> None:
        try:
            {}["a"]
        except KeyError as error:
            raise RuntimeError("no column") from error

    def context() -> None:
        try:
            {}["a"]
        except KeyError:
            raise RuntimeError("no column")  # noqa: B904

    (found,) = tracebacks(lines(raised(cause)))
    assert found.link == "cause"
    assert found.earlier is not None
    assert found.earlier.message == "'a'"
    assert "\n".join(line.text for line in found.whole) == raised(cause).rstrip()
    (found,) = tracebacks(lines(raised(context)))
    assert found.link == "context"


def test_two_that_are_not_linked_are_two():
    def fail() -> None:
        raise ValueError("first")

    found = tracebacks(lines(f"{raised(fail)}going on\n{raised(fail)}"))
    assert [one.link for one in found] == ["", ""]
    assert len({one.line.number for one in found}) == 2
    assert not found[0].last


def test_syntax_has_a_frame_though_nothing_was_run():
    text = (
        '  File "/opt/ml/code/train.py", line 1\n    def f(x)\n            ^\n'
        "SyntaxError: expected ':'"
    )
    (found,) = tracebacks(lines(text))
    assert (found.name, found.message) == ("SyntaxError", "expected ':'")
    assert (found.frames[0].line, found.frames[0].code) == (1, "def f(x)")


def test_what_ipython_writes_is_read():
    text = """---------------------------------------------------------------------------
KeyError                                  Traceback (most recent call last)
Cell In[3], line 2
      1 prices = {}
----> 2 prices["churn"]

KeyError: 'churn'"""
    (found,) = tracebacks(lines(text))
    assert (found.name, found.message) == ("KeyError", "'churn'")
    assert (found.frames[0].line, found.frames[0].code) == (2, 'prices["churn"]')


def test_a_rank_before_each_line_is_no_matter():
    text = (
        "[rank0]: Traceback (most recent call last):\n"
        '[rank0]:   File "a.py", line 1, in <module>\n[rank0]: ValueError: x'
    )
    (found,) = tracebacks(lines(text))
    assert (found.type, found.line.number) == ("ValueError", 2)


def test_one_that_is_cut_off_is_none():
    assert tracebacks(lines('Traceback (most recent call last):\n  File "a.py", line 1')) == []
    assert tracebacks([]) == []


def test_code_of_libraries_is_told_from_ones_own():
    text = (
        'Traceback (most recent call last):\n  File "/opt/ml/code/train.py", line 3, in fit\n'
        '    y = frame["y"]\n  File "/usr/lib/python3.11/site-packages/pandas/frame.py", line 9, '
        "in __getitem__\nKeyError: 'y'"
    )
    (found,) = tracebacks(lines(text))
    assert found.own_frame is not None
    assert (found.own_frame.file, found.own_frame.line) == ("/opt/ml/code/train.py", 3)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_text_is_too_strange(texts: list[str]):
    for found in tracebacks([Line(number, text) for number, text in enumerate(texts)]):
        assert 0 <= found.line.number < len(texts)


@settings(max_examples=30)
@given(st.from_regex(r"[a-zA-Z0-9 .,:'_-]{1,60}", fullmatch=True))
def test_the_message_of_any_error_is_found(message: str):
    def fail() -> None:
        raise ValueError(message)

    (found,) = tracebacks(lines(raised(fail)))
    assert found.message == message.strip()
