"""The composition root: what it opens it also closes, whatever happens in between."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bottega.config import Config
from bottega.studio import Studio


def test_an_opening_that_fails_half_way_leaves_nothing_open(tmp_path: Path):
    config = Config.load(tmp_path / "h", environment={}, preload=False)
    Studio.open(config).close()
    kept = (tmp_path / "h" / "credentials.json").read_text()
    (tmp_path / "h" / "credentials.json").write_text("damaged")
    threads = set(threading.enumerate())
    with pytest.raises(Exception, match="Expecting value"):
        Studio.open(config)
    # Those of earlier tests may end meanwhile.
    assert set(threading.enumerate()) <= threads
    (tmp_path / "h" / "credentials.json").write_text(kept)
    studio = Studio.open(config)  # the object store is locked while somebody has it open
    studio.close()


def test_a_part_that_cannot_be_closed_does_not_keep_the_others_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = Config.load(tmp_path / "h", environment={}, preload=False)
    studio = Studio.open(config)
    close = studio.ports.runner.close

    def fails() -> None:
        close()
        raise OSError("the fork server is stubborn")

    monkeypatch.setattr(studio.ports.runner, "close", fails)
    with pytest.raises(OSError, match="stubborn"):
        studio.close()
    Studio.open(config).close()
