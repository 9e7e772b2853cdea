"""One invocation: what is sent, what comes back, and why nothing may have come back."""

from __future__ import annotations

from dataclasses import dataclass

from bottega.serving.answers import ServerAnswer
from bottega.serving.routing import InstanceRoute, VariantRoute


class EndpointUnknown(Exception):
    """No route leads to an endpoint of that name."""


class VariantUnknown(Exception):
    """The endpoint has no variant of that name."""


class TargetUnfit(Exception):
    """The invocation names a model or container where there is none to choose, or names none where
    it has to. The message says which."""


class InvocationFailed(Exception):
    """A variant was chosen, but nothing answered. The message says why.

    Attributes:
        variant: the one that was chosen.
        instance: the last one tried; None when there was none to try.
        seconds: from sending the request until it was given up; None when it was not sent.
    """

    def __init__(
        self,
        message: str,
        variant: VariantRoute,
        instance: InstanceRoute | None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.variant = variant
        self.instance = instance
        self.seconds = seconds


class InvocationTimedOut(InvocationFailed):
    """The model server did not answer within the variant's timeout."""


class ServerGone(InvocationFailed):
    """The model server went away while it had the request."""


class NoServer(InvocationFailed):
    """Every model server of the variant is down, and stayed so for as long as a request waits."""


class TooMany(InvocationFailed):
    """A serverless variant has as many requests as it may have at once."""


class Overloaded(InvocationFailed):
    """Every model server of the variant has as many requests as it may have."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is sent to a model server. Header values must hold no control characters."""

    body: bytes
    content_type: str = ""
    accept: str = ""
    custom_attributes: str = ""
    target_variant: str = ""
    target_model: str = ""
    target_container: str = ""
    inference_id: str = ""
    """The caller's own name for it; only captures have it."""

    def message(self, *, streamed: bool = False) -> bytes:
        """The HTTP request.

        Args:
            streamed: whether the answer shall come as it is made, not when it is whole.
        """
        head = "POST /invocations HTTP/1.1\r\nhost: model\r\n"
        if self.content_type:
            head += f"content-type: {self.content_type}\r\n"
        if self.accept:
            head += f"accept: {self.accept}\r\n"
        if self.custom_attributes:
            head += f"x-amzn-sagemaker-custom-attributes: {self.custom_attributes}\r\n"
        if self.target_model:
            head += f"x-amzn-sagemaker-target-model: {self.target_model}\r\n"
        if self.target_container:
            head += f"x-amzn-sagemaker-target-container-hostname: {self.target_container}\r\n"
        if streamed:
            head += "x-bottega-stream: 1\r\n"
        return f"{head}content-length: {len(self.body)}\r\n\r\n".encode("latin-1") + self.body


@dataclass(frozen=True, slots=True)
class Invoked:
    """An answer of a model server, whatever its status, and who gave it."""

    answer: ServerAnswer
    variant: VariantRoute
    instance: InstanceRoute
    seconds: float
    """From sending the request to the end of the answer."""
