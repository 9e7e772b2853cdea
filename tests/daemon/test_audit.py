"""Which calls leave a line in the trail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bottega.daemon.audit import AuditTrail
from bottega.events import EventBus, OperationCalled


@pytest.mark.parametrize(
    ("service", "operation", "error", "lines"),
    [
        ("sagemaker", "CreateModel", "", 1),
        ("sagemaker", "CreateModel", "ValidationException", 1),
        ("sagemaker-runtime", "InvokeEndpoint", "", 0),
        ("sagemaker-runtime", "InvokeEndpoint", "ModelError", 0),
        ("sagemaker-runtime", "InvokeEndpoint", "AccessDeniedException", 1),
        ("sagemaker-runtime", "InvokeEndpointWithResponseStream", "", 0),
        ("sagemaker-runtime", "InvokeEndpointAsync", "", 1),
    ],
)
def test_invocations_leave_a_line_only_when_the_caller_may_not(
    tmp_path: Path, service: str, operation: str, error: str, lines: int
) -> None:
    events = EventBus()
    trail = AuditTrail(tmp_path, events)
    events.publish(OperationCalled(1.0, service, operation, "arn", "id", "wire", "e", error, 0.1))
    trail.close()
    written = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert len(written) == lines
    assert [json.loads(line)["operation"] for line in written] == [operation] * lines
