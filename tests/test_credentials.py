"""Keys: made once, private, and derived for jobs."""

from __future__ import annotations

import concurrent.futures
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.config import Config
from bottega.credentials import Credentials, file_of


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.load(tmp_path / "home", environment={})


def test_made_once_and_private(config: Config):
    first = Credentials.load(config)
    assert Credentials.load(config) == first
    assert stat.S_IMODE(file_of(config).stat().st_mode) == 0o600
    assert len(first.access_key) == 20
    assert first.access_key.startswith("AKIA")
    assert [path.name for path in config.home.iterdir()] == ["credentials.json"]


def test_two_that_start_at_once_get_the_same_keys(config: Config):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Credentials.load(config).access_key, range(32)))
    assert len(found) == 1


def test_secrets_are_not_shown(config: Config):
    keys = Credentials.load(config)
    session = keys.session("arn")
    shown = repr(keys) + repr(session)
    for secret in (keys.secret_key, keys.master_key, session.secret_key, session.token):
        assert secret not in shown


@given(subject=st.text(max_size=200))
def test_a_session_token_leads_back_to_its_subject(subject: str):
    keys = Credentials("AKIA", "s", "m")
    session = keys.session(subject)
    assert keys.session_of(session.token) == (subject, session)


@given(token=st.text(max_size=80))
def test_a_made_up_token_is_nobody(token: str):
    assert Credentials("AKIA", "s", "m").session_of(token) is None


def test_a_token_of_another_home_is_nobody():
    token = Credentials("AKIA", "s", "one").session("arn").token
    assert Credentials("AKIA", "s", "two").session_of(token) is None
