"""A Jupyter user is somebody for the daemon, and the audit trail says who."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
    User,
)

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.testing.daemon import TestDaemon
from bottega_jupyter.identity import session_keys, session_name

Fetch = Callable[..., Any]


class People(IdentityProvider):
    """A provider that knows people, as a hub's does."""

    def get_user(self, handler: Any) -> User | None:
        name = handler.request.headers.get("X-Person")
        return None if name is None else User(name)


@pytest.mark.parametrize(
    ("user", "provider", "expected"),
    [
        (None, IdentityProvider, "owner"),
        (User("5f2d"), IdentityProvider, "owner"),
        (User("5f2d"), PasswordIdentityProvider, "owner"),
        (User("anonymous"), LegacyIdentityProvider, "owner"),
        (User("ada"), LegacyIdentityProvider, "ada"),
        (User("ada.l@example.org"), People, "ada.l@example.org"),
    ],
)
def test_who_a_user_is(user: User | None, provider: type[IdentityProvider], expected: str) -> None:
    assert session_name(user, provider()) == expected


def test_names_that_aws_does_not_take_stay_apart() -> None:
    names = [session_name(User(name), People()) for name in ("a b", "a/b", "a:b", "ü", "x" * 99)]
    assert len(set(names)) == 5
    assert all(len(name) <= 64 and not set(name) & set(" /:ü") for name in names)


@pytest.mark.parametrize("name", ["owner", "training-job=nightly"])
def test_nobody_is_taken_for_the_owner_or_a_job(name: str) -> None:
    found = session_name(User(name), People())
    assert found != name
    assert "=" not in found


def test_the_same_user_has_the_same_keys_and_nobody_else_has_them(tmp_path: Path) -> None:
    config = Config.load(tmp_path, environment={})
    credentials = Credentials.load(config)
    ada, bob = (session_keys(credentials, config, name) for name in ("ada", "bob"))
    assert ada == session_keys(credentials, config, "ada")
    assert ada.secret_key != bob.secret_key
    assert credentials.acting({"AWS_SESSION_TOKEN": ada.token}) == ada
    assert credentials.acting({"AWS_SESSION_TOKEN": ada.token + "x"}) is credentials
    assert credentials.acting({}) is credentials


class TestPeople:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["ServerApp"]["identity_provider_class"] = People
        jp_server_config["ServerApp"]["disable_check_xsrf"] = True
        return jp_server_config

    async def test_the_audit_trail_names_who_asked(
        self, jp_fetch: Fetch, studio: TestDaemon, jp_serverapp: Any
    ) -> None:
        headers = {"X-Person": "grace"}
        await jp_fetch(
            *("bottega", "operations", "bottega", "DescribeStudio"),
            method="POST",
            body="{}",
            headers=headers,
        )
        server = jp_serverapp.web_app.settings["bottega"]
        await server.in_session("grace", lambda session: list(session.jobs()))
        lines = (studio.home / "audit" / "audit.jsonl").read_text().splitlines()
        calls = {(call["operation"], call["caller"]) for call in map(json.loads, lines)}
        arn = "arn:aws:sts::000000000000:assumed-role/BottegaExecutionRole/grace"
        assert {("DescribeStudio", arn), ("ListTrainingJobs", arn)} <= calls
