from __future__ import annotations

import pytest

from bottega.registry import OperationSpec
from bottega.specs import service_model
from bottega.specs.coverage import coverage_page


def implemented(service: str, name: str, level: str = "does", note: str = "") -> OperationSpec:
    return OperationSpec(service, name, lambda context, request: None, level, note)  # type: ignore[arg-type]


def test_an_empty_bottega_refuses_everything() -> None:
    text = coverage_page([]).text
    total = len(service_model("sagemaker").operation_names)
    assert f"| [sagemaker](#sagemaker) | {total} | 0 | 0 | {total} |\n" in text
    for name in service_model("sagemaker").operation_names:
        assert f"\n| {name} | refuses | |\n" in text
    assert "**does** |" not in text
    assert "## logs\n\nOnly operations that SageMaker code is known to call." in text


def test_levels_notes_and_counts() -> None:
    text = coverage_page(
        [
            implemented("sagemaker", "CreateModel"),
            implemented("sagemaker", "AddTags", "stores", "A | note\nin two lines."),
            implemented("logs", "GetLogEvents", note="Whole streams."),
        ]
    ).text
    total = len(service_model("sagemaker").operation_names)
    assert f"| [sagemaker](#sagemaker) | {total} | 1 | 1 | {total - 2} |\n" in text
    assert "\n| CreateModel | **does** | |\n" in text
    assert "\n| AddTags | **stores** | A \\| note in two lines. |\n" in text
    assert "\n| GetLogEvents | **does** | Whole streams. |\n" in text
    assert "\n| CreateLogGroup |" not in text


def test_what_does_not_exist_cannot_be_covered() -> None:
    with pytest.raises(ValueError, match="sagemaker has no operation 'Nope'"):
        coverage_page([implemented("sagemaker", "Nope")])


def test_a_service_without_a_place_on_the_page_is_refused() -> None:
    with pytest.raises(ValueError, match=r"how to list kms\."):
        coverage_page([implemented("kms", "CreateKey")])
