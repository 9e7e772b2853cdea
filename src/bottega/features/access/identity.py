"""Who the caller is, in STS's words."""

from __future__ import annotations

from bottega.context import Context
from bottega.registry import operation
from bottega.specs.generated.access import GetCallerIdentityRequest, GetCallerIdentityResponse


@operation("GetCallerIdentity", service="sts")
def get_caller_identity(
    context: Context, request: GetCallerIdentityRequest
) -> GetCallerIdentityResponse:
    """The caller's ARN, always that of an assumed role: the SDK derives its execution role from
    it."""
    return {
        "UserId": context.caller.user_id,
        "Account": context.ports.config.account,
        "Arn": context.caller.arn,
    }
