"""Why a deployment did not come up, in SageMaker's words and the user's own."""

from __future__ import annotations

LONGEST_REASON = 1024
"""Characters; the bound of FailureReason."""


class DeploymentFailed(Exception):
    """The target cannot serve; the message becomes the FailureReason."""


def failure_reason(variant: str, tail: str) -> str:
    """SageMaker's text for a container that is not healthy, with the end of what it said."""
    text = (
        f"The primary container for production variant {variant} did not pass the ping health "
        "check. Please check CloudWatch logs for this endpoint."
    )
    room = LONGEST_REASON - len(text) - 1
    if len(tail) > room:
        tail = "..." + tail[-(room - 3) :]
    return f"{text}\n{tail}" if tail else text
