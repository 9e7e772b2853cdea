from __future__ import annotations

from pathlib import Path

import botocore
import pytest

from bottega.specs import generated
from bottega.specs.generation import TYPESCRIPT_FOLDER, stale, table
from bottega.specs.typescript import typescript_modules

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {artifact.path.name: artifact.text for artifact in typescript_modules()}


def test_the_types_in_the_tree_are_the_generated_ones() -> None:
    if botocore.__version__ != generated.BOTOCORE_VERSION:
        pytest.skip(f"generated from botocore {generated.BOTOCORE_VERSION}, not from this release")
    assert stale(ROOT, typescript_modules()) == []


def test_there_is_a_module_for_each_feature_and_an_index() -> None:
    assert set(TEXTS) == {f"{name}.ts" for name in table()["typescript"]["features"]} | {"index.ts"}
    assert str(TYPESCRIPT_FOLDER) == "labextension/src/api/types"


def test_optional_members_are_marked_and_our_own_words_stand_beside_them() -> None:
    text = TEXTS["experiments.ts"]
    assert "  ExperimentIds: string[];" in text
    assert "  /** Runs without" not in text
    assert "  /** Descending when absent. */\n  SortOrder?: SortOrder;" in text


def test_enums_documents_and_maps() -> None:
    text = TEXTS["training.ts"]
    assert "export type FindingSeverity = 'Error' | 'Warning' | 'Information';" in text
    assert "  Request: Record<string, unknown>;" in text
    assert "  HyperParameters?: Record<string, string>;" in text


def test_the_words_of_aws_are_not_copied() -> None:
    start = TEXTS["training.ts"].index("export interface ICreateTrainingJobRequest")
    block = TEXTS["training.ts"][start:]
    assert "/**" not in block[: block.index("\n}")]


def test_the_index_names_every_operation_once() -> None:
    text = TEXTS["index.ts"]
    assert text.count("'bottega:ListJobs'") == 1
    assert (
        "  'sagemaker:StopTrainingJob': { request: training.IStopTrainingJobRequest; "
        "response: Record<string, never> };"
    ) in text
