"""What the network knows before it is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.deep.pretrained import (
    NoWeights,
    Start,
    given_model,
    torchvision_weights,
)
from bottega.algorithms.deep.vgg import from_torchvision, has_batch_norm
from bottega.algorithms.object_detection import artifact
from bottega.algorithms.object_detection.network import Architecture, Detector

if TYPE_CHECKING:
    from bottega.algorithms.object_detection.settings import Settings
    from bottega.algorithms.reports import Reporter
    from bottega.container.environment import TrainingEnvironment


def starting_network(
    environment: TrainingEnvironment, settings: Settings, reporter: Reporter
) -> tuple[Detector, bool]:
    """The network to train, and whether it has to learn everything from scratch.

    Weights come from the channel ``model`` if there is one: an artifact of this algorithm, or a
    file of torchvision's weights for the base network. Else they are torchvision's, where they can
    be had and are wanted.

    Raises:
        CustomerError: what was given does not fit the job, or what was asked for cannot be had.
    """
    start = given_model(environment, artifact.SYMBOL_SUFFIX)
    if start is not None and start.description is not None:
        reporter.info(f"Going on from {start.origin} of the channel model.")
        return _go_on(start, settings, reporter), False
    if start is not None:
        reporter.info(f"The base network starts from {start.origin}.")
        return _on_base(settings, start.state, start.origin), False
    if not settings.pretrained:
        reporter.info("Training from scratch (use_pretrained_model is 0).")
        return _fresh(settings, batch_norm=True), True
    try:
        state, origin = torchvision_weights(settings.base_network)
    except NoWeights as error:
        if settings.pretrained_explicitly:
            raise HyperparameterError("use_pretrained_model", str(error)) from error
        reporter.warning(
            f"Training from scratch, which needs more epochs and a higher learning rate, for there "
            f"are no pretrained weights: {error}"
        )
        return _fresh(settings, batch_norm=True), True
    reporter.info(f"The base network starts from {origin}.")
    return _on_base(settings, state, origin), False


def _fresh(settings: Settings, *, batch_norm: bool) -> Detector:
    return Detector(
        Architecture(settings.base_network, settings.num_classes, settings.image_shape, batch_norm)
    )


def _go_on(start: Start, settings: Settings, reporter: Reporter) -> Detector:
    """Another round for an earlier model, maybe with images of another size."""
    earlier = artifact.build(start)
    before = earlier.architecture
    for name, now in (
        ("base_network", settings.base_network),
        ("num_classes", settings.num_classes),
    ):
        then = getattr(before, name)
        if then != now:
            raise CustomerError(
                f"The model in the channel model was trained with {name} {then}, and this job has "
                f"{name} {now}; they must be the same to go on from it."
            )
    if before.image_shape == settings.image_shape:
        return earlier
    model = _fresh(settings, batch_norm=before.batch_norm)
    wanted, there = model.state_dict(), earlier.state_dict()
    fitting = {
        name: there[name]
        for name, value in wanted.items()
        if name in there and there[name].shape == value.shape
    }
    model.load_state_dict(wanted | fitting)
    reporter.info(
        f"The model in the channel model was trained with image_shape {before.image_shape}, this "
        f"job has {settings.image_shape}: {len(fitting)} of {len(wanted)} parameters are taken "
        "over, those of layers that only one of the two has are not."
    )
    return model


def _on_base(settings: Settings, state: dict[str, Any], origin: str) -> Detector:
    vgg = settings.base_network == "vgg-16"
    model = _fresh(settings, batch_norm=not vgg or has_batch_norm(state))
    try:
        weights = from_torchvision(state) if vgg else state
        checkpoints.load_state(model.base, weights, origin)
    except ValueError as error:
        raise CustomerError(
            f"{origin} holds no weights for base_network {settings.base_network}: {error} "
            f"Give torchvision's {'vgg16' if vgg else 'resnet50'}."
        ) from error
    return model
