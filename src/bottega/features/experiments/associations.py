"""The operations that make components belong to trials."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.experiments.catalogue import experiments_of
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    AssociateTrialComponentRequest,
    AssociateTrialComponentResponse,
    DisassociateTrialComponentRequest,
    DisassociateTrialComponentResponse,
)
from bottega.tracking.entity_documents import arn_of


@operation("AssociateTrialComponent")
def associate_trial_component(
    context: Context, request: AssociateTrialComponentRequest
) -> AssociateTrialComponentResponse:
    """Make a component belong to a trial; it may belong to several."""
    with experiments_of(context) as experiments:
        both = experiments.associate(request["TrialComponentName"], request["TrialName"])
    config = context.ports.config
    return {
        "TrialComponentArn": arn_of(config, "TrialComponent", both.component),
        "TrialArn": arn_of(config, "Trial", both.trial),
    }


@operation("DisassociateTrialComponent")
def disassociate_trial_component(
    context: Context, request: DisassociateTrialComponentRequest
) -> DisassociateTrialComponentResponse:
    """Make a component belong to a trial no more."""
    with experiments_of(context) as experiments:
        both = experiments.disassociate(request["TrialComponentName"], request["TrialName"])
    config = context.ports.config
    return {
        "TrialComponentArn": arn_of(config, "TrialComponent", both.component),
        "TrialArn": arn_of(config, "Trial", both.trial),
    }
