"""The object store and the network, as a program met them."""

from __future__ import annotations

import re

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said

_URI = re.compile(r"s3://[\w.\-/]+")


def no_bucket(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A bucket that is not there."""
    uri = _URI.search(said.text)
    named = found.groupdict().get("bucket") or (uri[0] if uri else "")
    where = f" of {named}" if named else ""
    return Cause(
        "NoSuchBucket",
        f"The bucket{where} does not exist.",
        (
            step("See the buckets that there are, and look at the spelling.", "aws s3 ls", "shell"),
            step("Or make it.", "aws s3 mb s3://...", "shell"),
        ),
    )


def no_object(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """An object that is not there, as boto3 says it."""
    frame = said.error.own_frame if said.error else None
    where = f" (line {frame.line}: {frame.code})" if frame and frame.code else ""
    return Cause(
        "DatasetNotFound",
        f"The object that the program asked the store for does not exist{where}.",
        (
            step(
                "See what lies under the prefix.",
                "aws s3 ls --recursive s3://bucket/prefix",
                "shell",
            ),
            step(
                "Give data as a channel: then a job is refused at once where there are none.",
                'estimator.fit({"train": "s3://bucket/prefix"})',
            ),
        ),
    )


def no_data(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A channel's data that are not there, as staging says it."""
    uri = found["uri"]
    channel = next((name for name, one in job.channels.items() if one == uri), "")
    of = f" of the channel {channel}" if channel else ""
    return Cause(
        "DatasetNotFound",
        f"There are no objects under {uri}{of}.",
        (
            step(
                "See what is there: it may have been deleted while the job waited.",
                f"aws s3 ls --recursive {uri}",
                "shell",
            ),
            step("A URI is a prefix, and ends where a folder's name ends."),
        ),
    )


def deleted(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Data that went away while they were brought to the job."""
    return Cause(
        "DatasetNotFound",
        f"{found['uri']} was there when the job was created and is not there any more.",
        (step("Put it back, or start the job with the data that there are."),),
    )


def denied(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The service refused the job's role."""
    role = str(job.request.get("RoleArn", ""))
    return Cause(
        "PermissionDenied",
        f"The job's role{f' {role}' if role else ''} may not do what the program asked for: "
        f"{said.text.splitlines()[0].strip()[:200]}",
        (
            step("Let the role do it, or give the job another role."),
            step(
                "Use no keys of your own in the program: a job has its role's.",
                'boto3.client("s3")',
            ),
        ),
    )


def no_keys(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """boto3 found no credentials."""
    if job.isolated:
        return no_network(job, said, found)
    return Cause(
        "PermissionDenied",
        "The program has no AWS credentials, though the job gave it those of its role.",
        (
            step(
                "Start children with the job's environment, not with one of your own.",
                "subprocess.run(command, env={**os.environ, ...})",
            ),
        ),
    )


def no_network(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A connection that could not be made."""
    if job.isolated:
        return Cause(
            "NetworkIsolated",
            "The program asks for a connection, and the job was started with network isolation.",
            (
                step(
                    "Bring weights and data as channels, and packages in the code.",
                    'estimator.fit({"weights": "s3://...", "train": "s3://..."})',
                ),
                step("Or start it without.", "enable_network_isolation=False"),
            ),
        )
    place = re.search(r"host='([^']+)'|https?://([\w.-]+)|'([\w-]+(?:\.[\w-]+)+)'", said.text)
    host = next((part for part in place.groups() if part), "") if place else ""
    return Cause(
        "NetworkUnreachable",
        f"The program could not connect{f' to {host}' if host else ''}.",
        (
            step(
                "See whether this machine reaches it.",
                f"curl -sI https://{host or 'example.org'}",
                "shell",
            ),
            step("Bring what it loads as a channel: then the job needs no network."),
        ),
        "likely",
    )


RULES: tuple[Rule, ...] = (
    rule(r"An error occurred \(NoSuchBucket\)[^\n]*", no_bucket),
    rule(r"the bucket of (?P<bucket>s3://\S+) does not exist", no_bucket),
    rule(r"An error occurred \((?:NoSuchKey|404)\)[^\n]*", no_object),
    rule(r"An error occurred \((?:AccessDenied\w*|403|UnauthorizedOperation)\)[^\n]*", denied),
    rule(r"No S3 objects found under S3 URL \"(?P<uri>[^\"]+)\"", no_data),
    rule(r"(?P<uri>s3://\S+) was deleted while it was being downloaded", deleted),
    rule(r"names (?P<uri>s3://[^\s,]+), which does not exist", deleted),
    rule(r"Unable to locate credentials|NoCredentialsError", no_keys),
    rule(
        r"Max retries exceeded|Could not connect to the endpoint URL|Name or service not known|"
        r"Temporary failure in name resolution|Network is unreachable|ConnectionRefusedError|"
        r"We couldn't connect to '[^']+' to load|ConnectTimeout",
        no_network,
    ),
)
