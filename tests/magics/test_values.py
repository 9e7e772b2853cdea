"""What a word stands for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bottega.magics.values import FileBody, UnknownValue, channel_source, rows


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"frame": [1, 2, 3], "uri": "s3://bucket/key"}
    return SimpleNamespace(user_ns=namespace, ev=lambda text: eval(text, {}, namespace))


def test_data_is_a_variable_an_expression_a_path_or_a_uri(shell, tmp_path):
    (tmp_path / "data.csv").write_text("1\n")
    assert channel_source(shell, "frame", "--data") == [1, 2, 3]
    assert channel_source(shell, "frame[:2]", "--data") == [1, 2]
    assert channel_source(shell, "data.csv", "--data") == "data.csv"
    assert channel_source(shell, "s3://b/k", "--data") == "s3://b/k"
    assert channel_source(shell, "uri", "--data") == "s3://bucket/key"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "frames",
            "--data frames: there is no variable and no file of that name; did you mean frame?",
        ),
        ("frame[9]", "frame\\[9\\]: IndexError"),
    ],
)
def test_data_that_is_not_there_is_refused(shell, word, said):
    with pytest.raises(UnknownValue, match=said):
        channel_source(shell, word, "--data")


def test_rows_are_a_variable_a_file_or_a_row(shell, tmp_path):
    (tmp_path / "rows.json").write_text("{}")
    assert rows(shell, "frame[1:]") == [2, 3]
    assert rows(shell, "rows.json") == FileBody(b"{}", "application/json")
    assert rows(shell, "-5.1,3.5,M") == "-5.1,3.5,M"
    assert rows(shell, "M,0.4") == "M,0.4"
    with pytest.raises(UnknownValue, match="no row of numbers"):
        rows(shell, "nothing")
