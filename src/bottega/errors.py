"""Every refusal bottega gives, and the one place where a code gets its HTTP status.

An operation refuses by raising a :class:`BottegaError`. Nothing else in the core knows about HTTP:
the wire face reads ``code``, ``message`` and ``status`` from the exception, a client that talks to
a remote bottega rebuilds the same class from them with :func:`from_code`.

>>> error = ValidationException("Could not find model \\"m\\".")
>>> error.code, error.status, error.retryable
('ValidationException', 400, False)
>>> type(from_code("ResourceInUse", "taken")).__name__
'ResourceInUse'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class BottegaError(Exception):
    """A request that was refused, or could not be served, with AWS's own code.

    Attributes:
        code: the error code that goes over the wire (``__type``, ``x-amzn-errortype``, ``<Code>``).
        message: what was wrong, where, and what to do.
        status: the HTTP status.
        retryable: whether the same request may succeed when it is sent again unchanged.
        members: further members of the modelled error shape (``OriginalStatusCode`` and the like).
        retry_after: seconds after which the same request is worth another try; None says nothing.
    """

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        members: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.members: Mapping[str, Any] = members or {}
        self.retry_after = retry_after


class ClientFault(BottegaError):
    """The caller has to change something before the request can succeed."""

    code = "ValidationException"
    status = 400
    retryable = False


class ValidationException(ClientFault):
    """A member breaks a constraint of its shape or a rule between members.

    SageMaker also answers this for an unknown job, model or endpoint, and for a duplicate model,
    endpoint configuration or endpoint.
    """


class SerializationException(ClientFault):
    """The body is not what its protocol asks for."""

    code = "SerializationException"


class ResourceNotFound(ClientFault):
    code = "ResourceNotFound"


class ResourceNotFoundException(ClientFault):
    """CloudWatch Logs' spelling of not found."""

    code = "ResourceNotFoundException"


class InvalidParameterException(ClientFault):
    """CloudWatch Logs' spelling of a bad parameter."""

    code = "InvalidParameterException"


class ResourceInUse(ClientFault):
    """The name is taken, or the resource is needed by another one."""

    code = "ResourceInUse"


class ConflictException(ClientFault):
    """The model registry's word for a name that is taken, or a group that still has packages."""

    code = "ConflictException"


class ResourceLimitExceeded(ClientFault):
    code = "ResourceLimitExceeded"


class AccessDeniedException(ClientFault):
    code = "AccessDeniedException"
    status = 403


class UnknownOperationException(ClientFault):
    """The operation does not exist, or bottega does not implement it."""

    code = "UnknownOperationException"


class RequestEntityTooLarge(ClientFault):
    code = "RequestEntityTooLargeException"
    status = 413


class RequestTimeout(ClientFault):
    """The body of a request did not come."""

    code = "RequestTimeout"
    retryable = True


class MissingAuthenticationToken(ClientFault):
    code = "MissingAuthenticationTokenException"
    status = 403


class IncompleteSignature(ClientFault):
    code = "IncompleteSignatureException"


class UnrecognizedClient(ClientFault):
    """The access key is not known."""

    code = "UnrecognizedClientException"
    status = 403


class InvalidSignature(ClientFault):
    code = "InvalidSignatureException"
    status = 403


class AccessDenied(ClientFault):
    """S3's spelling of a refused caller, also of an expired presigned URL."""

    code = "AccessDenied"
    status = 403


class InvalidAccessKeyId(ClientFault):
    """S3's spelling of an unknown access key."""

    code = "InvalidAccessKeyId"
    status = 403


class SignatureDoesNotMatch(ClientFault):
    """S3's spelling of a wrong signature."""

    code = "SignatureDoesNotMatch"
    status = 403


class RequestTimeTooSkewed(ClientFault):
    """S3's spelling of a clock that is more than 15 minutes off."""

    code = "RequestTimeTooSkewed"
    status = 403


class AuthorizationHeaderMalformed(ClientFault):
    """S3's spelling of a signature that cannot be read, or is for another region or service."""

    code = "AuthorizationHeaderMalformed"


class AuthorizationQueryParametersError(ClientFault):
    """The same for a presigned URL."""

    code = "AuthorizationQueryParametersError"


class InvalidToken(ClientFault):
    """S3's spelling of a session token that was not made here."""

    code = "InvalidToken"


class InvalidRequest(ClientFault):
    """S3's word for a request that misses something it needs."""

    code = "InvalidRequest"


class InvalidArgument(ClientFault):
    """S3's word for a header, parameter or member with a value that it cannot have."""

    code = "InvalidArgument"


class BadDigest(ClientFault):
    """S3's word for bytes that have another checksum than was sent with them."""

    code = "BadDigest"


class MalformedXML(ClientFault):
    """S3's word for a body that is no XML, or not of the shape that the operation asks for."""

    code = "MalformedXML"


class XAmzContentSHA256Mismatch(ClientFault):
    """The body of an S3 request is not the one that was signed."""

    code = "XAmzContentSHA256Mismatch"


class InvalidParameterValue(ClientFault):
    """CloudWatch's spelling of a bad parameter."""

    code = "InvalidParameterValue"


class InvalidParameterCombination(ClientFault):
    """CloudWatch's spelling of parameters that contradict one another."""

    code = "InvalidParameterCombination"


class MissingParameter(ClientFault):
    """CloudWatch's spelling of a parameter that has to be there."""

    code = "MissingParameter"


class ObjectNotFoundException(ClientFault):
    """Application Auto Scaling's spelling of not found."""

    code = "ObjectNotFoundException"


class LimitExceededException(ClientFault):
    """Application Auto Scaling's word for more than are allowed."""

    code = "LimitExceededException"


class InvalidNextTokenException(ClientFault):
    """Application Auto Scaling's spelling of a token that this listing did not give."""

    code = "InvalidNextTokenException"


class TooManyTagsException(ClientFault):
    """A scalable target would have more tags than allowed."""

    code = "TooManyTagsException"


class InvalidNextToken(ClientFault):
    """CloudWatch's spelling of a token that this listing did not give."""

    code = "InvalidNextToken"


class ValidationError(ClientFault):
    """sagemaker-runtime's spelling of a validation error."""

    code = "ValidationError"


class ModelError(ClientFault):
    """The model server answered with an error, or did not answer."""

    code = "ModelError"
    status = 424


class Throttling(ClientFault):
    """More requests at once than are allowed; the same one may be taken a moment later."""

    code = "ThrottlingException"
    status = 429
    retryable = True


class ModelNotReady(ClientFault):
    """The model server that the request waited for is still being started."""

    code = "ModelNotReadyException"
    status = 429
    retryable = True


class ModelStreamError(ClientFault):
    """The model server ended a streamed answer before it was whole."""

    code = "ModelStreamError"


class InternalStreamFailure(BottegaError):
    """bottega ended a streamed answer before it was whole; its log says why."""

    code = "InternalStreamFailure"


class ServiceUnavailable(BottegaError):
    code = "ServiceUnavailable"
    status = 503


class InternalFailure(BottegaError):
    """Something bottega did not expect; the log has the traceback under the request's id."""


def _subclasses(root: type[BottegaError]) -> dict[str, type[BottegaError]]:
    found: dict[str, type[BottegaError]] = {}
    for sub in root.__subclasses__():
        found.update(_subclasses(sub))
        # The first class that claims a code wins, so that ClientFault never hides its children.
        found[sub.code] = sub if sub is not ClientFault else ValidationException
    return found


def from_code(code: str, message: str, *, status: int | None = None) -> BottegaError:
    """Rebuild the exception that a remote bottega raised.

    Args:
        code: the code that came over the wire.
        message: the text that came with it.
        status: the HTTP status, used for codes that no class here has.
    """
    known = _subclasses(BottegaError).get(code)
    if known is not None:
        return known(message)
    base = ClientFault if status is not None and status < 500 else BottegaError
    namespace = {"code": code, "status": status or base.status}
    rebuilt: BottegaError = type(code, (base,), namespace)(message)
    return rebuilt
