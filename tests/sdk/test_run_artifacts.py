"""What a run logged, fetched from a tracker that may be in trouble."""

from __future__ import annotations

import socket

import pytest

from bottega.errors import ServiceUnavailable
from bottega.sdk import client
from bottega.sdk.run_artifacts import RunArtifacts


def test_a_tracker_that_says_nothing_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        artifacts = RunArtifacts(f"http://127.0.0.1:{port}/mlflow", "token")
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            artifacts.model_location("a-run", "model")
        artifacts._pool.clear()
