"""What a network knows before its first epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import checkpoints, pretrained
from bottega.algorithms.image_classification.artifact import (
    DESCRIPTION_SUFFIX,
    Description,
    check_matches,
)
from bottega.algorithms.image_classification.settings import Settings

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_FINAL_LAYER = "fc."


def load_start(
    environment: TrainingEnvironment, settings: Settings, model: Any, say: Callable[[str], None]
) -> None:
    """Load the weights that the job is to begin with, if any.

    The channel ``model`` comes first: an artifact of an earlier job goes on with all its weights; a
    plain file of torchvision's gets a new final layer. Without that channel
    ``use_pretrained_model`` asks for torchvision's own weights.

    Args:
        environment: of the job.
        settings: of the job.
        model: the fresh network; gets the weights.
        say: prints a line.

    Raises:
        CustomerError: there are no such weights, or they are of another network.
    """
    given = pretrained.given_model(environment, DESCRIPTION_SUFFIX)
    try:
        if given is not None and given.description is not None:
            check_matches(Description.parse(given.description), settings)
            checkpoints.load_state(model, given.state, given.origin)
            say(f"Going on from {given.origin} of the channel model.")
        elif given is not None:
            checkpoints.load_state(model, given.state, given.origin, leave=_FINAL_LAYER)
            say(f"Starting from {given.origin} with a new final layer.")
        elif settings.use_pretrained:
            state, origin = pretrained.torchvision_weights(f"resnet-{settings.num_layers}")
            checkpoints.load_state(model, state, origin, leave=_FINAL_LAYER)
            say(f"Starting from the pretrained weights {origin} with a new final layer.")
    except pretrained.NoWeights as error:
        raise CustomerError(str(error)) from error
    except ValueError as error:
        raise CustomerError(f"The weights to start from do not fit: {error}") from error
