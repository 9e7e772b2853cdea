"""UpdateEndpointWeightsAndCapacities: shares and sizes of the variants that serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega.context import Context
from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.hosting import history
from bottega.features.hosting.changes import change_endpoint, refuse_unless_settled
from bottega.features.hosting.deployments import Deployment, EndpointPlans, VariantPlan
from bottega.features.hosting.endpoint_configs import MOST_INSTANCES, check_concurrency
from bottega.features.hosting.refusals import not_there_yet
from bottega.registry import operation
from bottega.storage.metadata import Resource

_WHERE = "DesiredWeightsAndCapacities"


@operation("UpdateEndpointWeightsAndCapacities")
def update_endpoint_weights_and_capacities(
    context: Context, request: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Ask for other weights and numbers of instances; servers that go answer first what they
    have."""

    def updating(present: Resource) -> Resource:
        refuse_unless_settled(present)
        plans = EndpointPlans.of(present)
        assert plans.active is not None
        wanted = _resized(plans.active, request["DesiredWeightsAndCapacities"])
        body = {key: value for key, value in present.body.items() if key != "FailureReason"}
        kept = replace(history.resized(plans, wanted), before=plans.active)
        return replace(present, status="Updating", body=body, private=kept.to_json())

    return {"EndpointArn": change_endpoint(context, request["EndpointName"], updating).arn}


def _resized(active: Deployment, entries: list[Mapping[str, Any]]) -> Deployment:
    """
    Raises:
        ValidationException, ResourceLimitExceeded: naming the entry.
    """
    if active.hosts:
        raise not_there_yet("Another capacity of variants for inference components")
    plans = {plan.name: plan for plan in active.all_variants}
    changed: dict[str, VariantPlan] = {}
    for index, entry in enumerate(entries):
        where, name = f"{_WHERE}[{index}].", entry["VariantName"]
        if name not in plans:
            raise ValidationException(
                f"{where}VariantName is {name!r}; the endpoint's variants are "
                f"{', '.join(sorted(plans))}."
            )
        if name in changed:
            raise ValidationException(f"{_WHERE} names {name!r} twice; say all of it in one entry.")
        changed[name] = _changed(where, plans[name], entry, active.asynchronous is not None)
    wanted = active.with_variants(changed)
    if not any(plan.weight for plan in wanted.variants):
        raise ValidationException(
            f"{_WHERE} gives every variant a weight of 0, so that none would get a request; give "
            "at least one of them more."
        )
    if sum(plan.instances for plan in wanted.all_variants) > MOST_INSTANCES:
        raise ResourceLimitExceeded(
            f"{_WHERE} asks for more than {MOST_INSTANCES} instances together. Each is a process "
            "of this machine; lower DesiredInstanceCount."
        )
    return wanted


def _changed(
    where: str, plan: VariantPlan, entry: Mapping[str, Any], asynchronous: bool
) -> VariantPlan:
    if "DesiredWeight" in entry:
        plan = replace(plan, weight=float(entry["DesiredWeight"]))
    count = entry.get("DesiredInstanceCount")
    if count is not None:
        if plan.serverless:
            raise ValidationException(
                f"{where}DesiredInstanceCount does not go with the serverless variant {plan.name}; "
                "use ServerlessUpdateConfig."
            )
        if count < 1 and not asynchronous:
            raise ValidationException(
                f"{where}DesiredInstanceCount must be at least 1; only an asynchronous endpoint "
                "can have none."
            )
        plan = replace(plan, instances=count)
    if update := entry.get("ServerlessUpdateConfig"):
        if not plan.serverless:
            raise ValidationException(
                f"{where}ServerlessUpdateConfig does not go with variant {plan.name}, which has "
                "instances; use DesiredInstanceCount."
            )
        serverless = replace(
            plan.serverless,
            max_concurrency=update.get("MaxConcurrency", plan.serverless.max_concurrency),
            provisioned=update.get("ProvisionedConcurrency", plan.serverless.provisioned),
        )
        check_concurrency(
            f"{where}ServerlessUpdateConfig.",
            {
                "MaxConcurrency": serverless.max_concurrency,
                "ProvisionedConcurrency": serverless.provisioned,
            },
        )
        plan = replace(plan, serverless=serverless)
    return plan
