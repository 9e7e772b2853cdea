"""What ends a job from outside: its limits, the machine, isolation."""

from __future__ import annotations

import re

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import Evidence, FailedJob, Said


def time_ran_out(job: FailedJob) -> Cause | None:
    """A job that was stopped because of its MaxRuntimeInSeconds."""
    if not job.time_ran_out:
        return None
    limit = job.max_runtime
    checkpoints = "CheckpointConfig" in job.request
    return Cause(
        "Timeout",
        f"The job ran for all of its MaxRuntimeInSeconds, {limit:,} s, and was stopped. What it "
        "had saved as its model by then was kept.",
        (
            step(
                "Give it more time.",
                f'StoppingCondition={{"MaxRuntimeInSeconds": {max(60, 4 * limit)}}}',
            ),
            step("Go on from the last checkpoint: start it again with the same CheckpointConfig.")
            if checkpoints
            else step(
                "Keep checkpoints, so that the next one goes on where this one was.",
                'checkpoint_s3_uri="s3://bucket/checkpoints"',
            ),
            step(
                "Save the model when SIGTERM comes: there are two minutes until the end.",
                "signal.signal(signal.SIGTERM, save_and_leave)",
            ),
        ),
        evidence=Evidence(f"MaxRuntimeInSeconds: {limit}"),
    )


def lost(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The supervisor is gone."""
    return Cause(
        "MachineWentDown",
        "The job did nothing wrong: its supervisor was killed, or the machine went down while it "
        "ran.",
        (
            step("Start it again. With a CheckpointConfig it goes on from its last checkpoint."),
            step("Let bottega try again by itself.", 'RetryStrategy={"MaximumRetryAttempts": 2}'),
        ),
    )


def isolation(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The machine gives no isolation of the kind that was asked for."""
    return Cause(
        "IsolationUnavailable",
        f"This machine cannot isolate the job as it asks for it: {said.text.splitlines()[0]}",
        (
            step("See what is missing.", "bottega doctor", "shell"),
            step("Or start the job without network isolation.", "enable_network_isolation=False"),
        ),
    )


def not_uploaded(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The training ended well and its model could not be kept."""
    return Cause(
        "ModelNotSaved",
        f"The program ended well, and what it made could not be brought to the store: "
        f"{found['why'].strip()}",
        (
            step(
                "Write plain files with plain names to /opt/ml/model; no links that lead out of it."
            ),
            step("See that the bucket of S3OutputPath is there.", "aws s3 ls", "shell"),
        ),
    )


RULES: tuple[Rule, ...] = (
    rule(r"the job's supervisor was killed or the machine went down", lost),
    rule(r"(?i)isolation", isolation),
    rule(r"(?:Artifact|Output) upload failed: (?P<why>.+)", not_uploaded, flags=re.DOTALL),
)
"""For reasons of the platform only: see ``bottega.failures.explain``."""
