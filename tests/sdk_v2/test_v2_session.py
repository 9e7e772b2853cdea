"""What needs no job: who and where we are, and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sagemaker
from sagemaker import image_uris


def test_account_bucket_and_role_are_ours(session: Any, role: str) -> None:
    account = session.account_id()
    assert account == "000000000000"
    assert role == f"arn:aws:iam::{account}:role/BottegaExecutionRole"
    assert session.default_bucket() == f"sagemaker-{session.boto_region_name}-{account}"
    assert sagemaker.get_execution_role(session) == role
    assert session.get_caller_identity_arn() == role


def test_a_bucket_without_configuration(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(tmp_path / "none.yaml"))
    (tmp_path / "none.yaml").write_text("SchemaVersion: '1.0'\n")
    plain = sagemaker.Session()
    assert plain.default_bucket() == f"sagemaker-{plain.boto_region_name}-000000000000"


def test_data_goes_up_and_comes_back(session: Any, tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "abalone" / "abalone.csv"
    uri = session.upload_data(str(source), key_prefix="abalone")
    assert uri == f"s3://{session.default_bucket()}/abalone/abalone.csv"
    session.download_data(str(tmp_path), session.default_bucket(), "abalone/abalone.csv")
    assert (tmp_path / "abalone.csv").read_bytes() == source.read_bytes()
    session.upload_string_as_file_body("a text", session.default_bucket(), "notes/one.txt")
    assert session.read_s3_file(session.default_bucket(), "notes/one.txt") == "a text"
    assert "notes/one.txt" in session.list_s3_files(session.default_bucket(), "notes")


def test_images_are_named_without_the_network(session: Any) -> None:
    region = session.boto_region_name
    assert "sagemaker-xgboost" in image_uris.retrieve("xgboost", region, version="1.7-1")
    assert "scikit-learn" in image_uris.retrieve(
        "sklearn", region, version="1.2-1", instance_type="ml.m5.large"
    )
