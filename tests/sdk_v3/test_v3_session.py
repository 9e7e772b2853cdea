"""What needs no job: who and where we are, files, the names of images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.s3 import S3Downloader, S3Uploader


def test_account_bucket_and_role_are_ours(session: Any) -> None:
    account = session.account_id()
    assert account == "000000000000"
    assert session.default_bucket() == f"sagemaker-{session.boto_region_name}-{account}"
    role = get_execution_role(session)
    assert role == os.environ["BOTTEGA_ROLE_ARN"]
    assert session.get_caller_identity_arn() == role
    assert session.expand_role("SomeRole") == f"arn:aws:iam::{account}:role/SomeRole"


def test_the_bucket_has_its_name_without_configuration(tmp_path: Path, monkeypatch: Any) -> None:
    empty = tmp_path / "config.yaml"
    empty.write_text("SchemaVersion: '1.0'\n")
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(empty))
    plain = Session()
    assert plain.default_bucket() == f"sagemaker-{plain.boto_region_name}-000000000000"


def test_data_goes_up_and_comes_back(session: Any, tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "abalone" / "abalone.csv"
    bucket = session.default_bucket()
    uri = session.upload_data(str(source), key_prefix="abalone")
    assert uri == f"s3://{bucket}/abalone/abalone.csv"
    session.download_data(str(tmp_path), bucket, "abalone/abalone.csv")
    assert (tmp_path / "abalone.csv").read_bytes() == source.read_bytes()
    assert session.list_s3_files(bucket, "abalone/") == ["abalone/abalone.csv"]
    note = S3Uploader.upload_string_as_file_body(
        "a text", f"s3://{bucket}/notes/one.txt", sagemaker_session=session
    )
    assert S3Downloader.read_file(note, sagemaker_session=session) == "a text"


def test_images_are_named_without_the_network(session: Any) -> None:
    region = session.boto_region_name
    assert image_uris.retrieve("xgboost", region, version="1.7-1").endswith(
        "/sagemaker-xgboost:1.7-1"
    )
    assert "/sagemaker-scikit-learn:1.2-1" in image_uris.retrieve(
        "sklearn", region, version="1.2-1"
    )
