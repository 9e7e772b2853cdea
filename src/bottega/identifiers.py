"""Names, ARNs and ids, in AWS's own forms."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass

from bottega.errors import ValidationException

_ARN = re.compile(r"arn:aws[a-z\-]*:([a-z0-9\-]+):([a-z0-9\-]*):(\d{12}):(.+)")


@dataclass(frozen=True)
class ResourceArn:
    """The parts of ``arn:aws:<service>:<region>:<account>:<type>/<name>``."""

    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> ResourceArn:
        """Take an ARN apart.

        Raises:
            ValidationException: ``text`` is no ARN.
        """
        if not (match := _ARN.fullmatch(text)):
            raise ValidationException(f"Invalid ARN: {text!r}")
        return cls(*match.groups())

    @property
    def kind(self) -> str:
        """The resource type, such as ``training-job``."""
        return self.resource.partition("/")[0]

    @property
    def name(self) -> str:
        return self.resource.partition("/")[2]


def sagemaker_arn(region: str, account: str, resource_type: str, name: str) -> str:
    """The ARN of a SageMaker resource, in lower case as SageMaker keeps it."""
    return f"arn:aws:sagemaker:{region}:{account}:{resource_type}/{name.lower()}"


def request_id() -> str:
    """A fresh id for one request, as in ``x-amzn-RequestId``."""
    return str(uuid.uuid4())


def short_id(length: int = 8) -> str:
    """Random lower-case hexadecimal digits."""
    return secrets.token_hex((length + 1) // 2)[:length]
