"""Artifacts of runs, out of a real MLflow behind the daemon."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tornado.httpclient import HTTPClientError

from bottega.testing.daemon import TestDaemon, eventually

Fetch = Callable[..., Any]


@pytest.fixture
def bottega_home(fresh: TestDaemon) -> Path:
    (fresh.home / "config.toml").write_text("preload = false\n")
    fresh.settings["preload"] = False
    return fresh.start().home


@pytest.mark.slow
async def test_an_artifact_is_a_file_to_save(jp_fetch: Fetch, fresh: TestDaemon) -> None:
    values = fresh.environment()
    token = {"Authorization": f"Bearer {values['MLFLOW_TRACKING_TOKEN']}"}
    pool = urllib3.PoolManager(headers=token)
    tracker = values["MLFLOW_TRACKING_URI"]
    eventually(lambda: pool.request("GET", f"{tracker}/health").status == 200, "MLflow answers")
    api = f"{tracker}/api/2.0/mlflow"
    run = pool.request("POST", f"{api}/runs/create", json={"experiment_id": "0"}).json()["run"]
    run_id, root = run["info"]["run_id"], run["info"]["artifact_uri"]
    folder = root.partition("mlflow-artifacts:/")[2].lstrip("/")
    place = f"{tracker}/api/2.0/mlflow-artifacts/artifacts/{folder}/plots/a b.html"
    assert pool.request("PUT", place, body=b"<script>").status == 200
    pool.clear()

    where = ("bottega", "runs", run_id, "artifacts")
    answer = await jp_fetch(*where, params={"path": "plots/a b.html"})
    assert answer.body == b"<script>"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")

    for params, status in (({}, 400), ({"path": "nothing"}, 404), ({"path": "../x"}, 400)):
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch(*where, params=params)
        assert refused.value.response is not None
        described = json.loads(refused.value.response.body)
        assert refused.value.code == status, described
        assert described["message"]
        assert not described["code"].isdigit()
