"""Settings: argument > environment > file > default."""

from __future__ import annotations

from pathlib import Path

import pytest

from bottega.config import Config, ConfigurationError


def test_each_source_beats_the_next(tmp_path: Path):
    (tmp_path / "config.toml").write_text('region = "file-1"\nslots = 3\nport = 1\n')
    environment = {"BOTTEGA_SLOTS": "4", "BOTTEGA_PORT": "2"}
    config = Config.load(tmp_path, environment=environment, port=5)
    assert (config.region, config.slots, config.port) == ("file-1", 4, 5)
    assert config.account == "000000000000"


def test_the_home_comes_from_the_environment(tmp_path: Path):
    config = Config.load(environment={"BOTTEGA_HOME": str(tmp_path / "h")})
    assert config.home == tmp_path / "h"


def test_an_argument_of_none_counts_as_not_given(tmp_path: Path):
    assert Config.load(tmp_path, environment={"BOTTEGA_PORT": "7"}, port=None).port == 7


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("nonsense = 1", "sets 'nonsense', which does not exist"),
        ("port = [", "not valid TOML"),
        ('port = "many"', "the setting port is 'many', which is no int"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, text: str, what: str):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=what):
        Config.load(tmp_path, environment={})


@pytest.mark.parametrize(("text", "value"), [("true", True), ("0", False), ("False", False)])
def test_switches_in_the_environment(tmp_path: Path, text: str, value: bool):
    assert Config.load(tmp_path, environment={"BOTTEGA_TRACKING": text}).tracking is value


def test_a_switch_that_is_neither(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="tracking is 'perhaps'"):
        Config.load(tmp_path, environment={"BOTTEGA_TRACKING": "perhaps"})


def test_jobs_are_kept_out_of_the_home_and_the_users_own(tmp_path: Path, monkeypatch):
    config = Config.load(tmp_path / "h", environment={})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config.private_folders == (config.home, tmp_path.resolve())
    monkeypatch.setenv("HOME", "/")
    assert config.private_folders == (config.home,)


def test_names_follow_from_account_and_region(tmp_path: Path):
    config = Config.load(tmp_path, environment={}, account="123456789012", region="eu-west-1")
    assert config.bucket == "sagemaker-eu-west-1-123456789012"
    assert config.role_arn == "arn:aws:iam::123456789012:role/BottegaExecutionRole"
