"""The name that was meant."""

from __future__ import annotations

import doctest

from bottega import nearest


def test_the_examples_hold():
    assert doctest.testmod(nearest).failed == 0


def test_a_slip_is_told_from_another_word():
    known = ["max_depth", "max_leaves", "eta"]
    assert nearest.nearest("maxdepth", known) == "max_depth"
    assert nearest.nearest("colour", known) == nearest.nearest("eta", []) == ""
    assert nearest.did_you_mean("colour", known) == ""
