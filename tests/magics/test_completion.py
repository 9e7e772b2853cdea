"""What the Tab key offers."""

from __future__ import annotations

import pytest

# What IPython thinks of its own completer is not our affair.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%train x", "xgboost"),
        ("%%train xgboost --ta", "--target"),
        ("%train xgboost --data ir", "iris"),
        ("%train kmeans --channel test ir", "iris"),
        ("%predict some-endpoint ir", "iris"),
        ("%run_as_job --ke", "--kernel"),
        ("%tune xgb", "xgboost"),
        ("%%tune xgboost --early", "--early-stopping"),
        ("%tune xgboost --strategy Hyp", "Hyperband"),
        ("%tune xgboost --objective validation:rm", "validation:rmse"),
    ],
)
def test_words_are_offered(shell, line, offered):
    symbol = line.split()[-1]
    assert offered in shell.complete(symbol, line, len(line))[1]


def test_jobs_are_offered_once_there_is_a_session(shell, run):
    run("%%train --script --name offered-job\nprint(1)\n")
    assert shell.complete("off", "%jobs off", 9)[1] == ["offered-job"]
    assert shell.complete("off", "%deploy off", 11)[1] == ["offered-job"]
    assert shell.complete("off", "%debug_job off", 14)[1] == ["offered-job"]


def test_pressing_a_key_starts_nothing(shell):
    assert "x" not in shell.complete("x", "%jobs x", 7)[1]
    magics = shell.magics_manager.registry["BottegaMagics"]
    assert magics._session is None
