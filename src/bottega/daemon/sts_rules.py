"""Where STS is, told to clients that have its address at AWS built in.

The SageMaker SDKs make their STS client with ``endpoint_url="https://sts.<region>.amazonaws.com"``,
so no endpoint variable applies. botocore computes every address by rules, from a file for each
service, and takes that file from the folders of ``AWS_DATA_PATH`` first. The rules written here
send what is meant for AWS's own STS to the daemon and leave every other address that a caller gave
as it is. They concern STS alone, and only processes that have the variable.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.config import Config

FOLDER = "aws-models"
_FILE = Path("sts") / "2011-06-15" / "endpoint-rule-set-1.json"


def write_rules(config: Config, url: str) -> Path:
    """Write the rules into the home; returns the folder that ``AWS_DATA_PATH`` must have.

    Args:
        url: where the daemon answers.
    """
    folder = config.home / FOLDER
    file = folder / _FILE
    text = json.dumps(_rules(url), indent=2)
    if not file.exists() or file.read_text() != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{os.getpid()}.draft")
        draft.write_text(text)
        draft.replace(file)
    return folder


def _rules(url: str) -> Mapping[str, Any]:
    """The rule set: an address of the caller's own that is not AWS's, else the daemon."""
    region, endpoint = {"ref": "Region"}, {"ref": "Endpoint"}
    aws = "https://sts.{Region}.{Partition#dnsSuffix}"
    elsewhere = [
        {"fn": "isSet", "argv": [endpoint]},
        {"fn": "isSet", "argv": [region]},
        {"fn": "aws.partition", "argv": [region], "assign": "Partition"},
        {"fn": "not", "argv": [{"fn": "stringEquals", "argv": [endpoint, aws]}]},
    ]
    return {
        "version": "1.0",
        "parameters": {
            "Region": _parameter("AWS::Region", "The region of the client."),
            "Endpoint": _parameter("SDK::Endpoint", "The address that the caller gave."),
        },
        "rules": [_leads(elsewhere, endpoint), _leads([], url)],
    }


def _parameter(source: str, documentation: str) -> Mapping[str, Any]:
    return {
        "builtIn": source,
        "required": False,
        "type": "String",
        "documentation": documentation,
    }


def _leads(conditions: list[dict[str, Any]], url: str | dict[str, str]) -> Mapping[str, Any]:
    endpoint = {"url": url, "properties": {}, "headers": {}}
    return {"conditions": conditions, "endpoint": endpoint, "type": "endpoint"}
