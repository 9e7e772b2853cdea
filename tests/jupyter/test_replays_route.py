"""A failed job becomes a folder of the file browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from bottega.credentials import Credentials
from bottega.sdk.client import RemoteClient
from bottega.sdk.session import Session
from bottega.testing.daemon import TestDaemon, eventually

Fetch = Callable[..., Any]


async def replay(jp_fetch: Fetch, **body: Any) -> Any:
    answer = await jp_fetch("bottega", "replays", method="POST", body=json.dumps(body))
    return json.loads(answer.body)


async def test_a_replay_is_made_in_the_folder_that_is_named(
    jp_fetch: Fetch, jp_root_dir: Path, studio: TestDaemon, tmp_path: Path
) -> None:
    config = studio.config
    session = Session(RemoteClient(studio.url, config.region, Credentials.load(config)), config)
    script = tmp_path / "ends.py"
    script.write_text("raise SystemExit(3)\n")
    job = await asyncio.to_thread(
        lambda: session.train(
            script=script, wait=False, name="by-route", environment={"HF_TOKEN": "hush"}
        )
    )
    await asyncio.to_thread(eventually, lambda: job.status == "Failed", "it fails")
    (jp_root_dir / "work").mkdir()
    found = await replay(jp_fetch, job="by-route", folder="work")
    assert found == {
        "notebook": "work/replay-by-route/replay.ipynb",
        "folder": "work/replay-by-route",
        "notes": [],
        "secrets": ["HF_TOKEN"],
    }
    assert (jp_root_dir / found["notebook"]).is_file()
    assert (await replay(jp_fetch, job="by-route"))["folder"] == "replay-by-route"


async def test_what_cannot_be_is_said(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    for body, status in (
        ({"job": "none"}, 400),
        ({"job": "none", "kind": "Processing"}, 400),
        ({"job": "none", "kind": "Transform"}, 400),
        ({"job": "none", "folder": "nowhere"}, 404),
        ({"job": "none", "folder": "../.."}, 404),
        ({}, 400),
    ):
        with pytest.raises(HTTPClientError) as caught:
            await replay(jp_fetch, **body)
        assert caught.value.code == status
    assert not list(jp_root_dir.glob("*replay*"))
