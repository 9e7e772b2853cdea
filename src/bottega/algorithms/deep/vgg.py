"""VGG-16 (Simonyan and Zisserman, 2014) as SSD uses it, under torchvision's parameter names.

A state dict of torchvision's ``vgg16`` or ``vgg16_bn`` loads with :func:`from_torchvision`: its
first two fully connected layers become convolutions, thinned out (Liu et al., 2016).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_PLAN: tuple[tuple[int, ...], ...] = (
    (64, 64),
    (128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (512, 512, 512),
)
_WIDTH = 1024
_FINE_STAGE = 4


class VGG16(nn.Module):
    """The convolutions of VGG-16, and two more in the place of its fully connected layers.

    Args:
        batch_norm: normalise after every convolution, which it needs to learn from scratch.

    Attributes:
        channels: of the two outputs of :meth:`stages`.
    """

    channels = (512, _WIDTH)

    def __init__(self, *, batch_norm: bool) -> None:
        super().__init__()
        self.batch_norm = batch_norm
        layers: list[Any] = []
        self.layer_names: dict[str, str] = {}
        """MXNet's name of each convolution (``conv1_1``) by the place in ``features``."""
        inputs = 3
        for stage, widths in enumerate(_PLAN, start=1):
            for number, width in enumerate(widths, start=1):
                self.layer_names[f"features.{len(layers)}"] = f"conv{stage}_{number}"
                layers.append(nn.Conv2d(inputs, width, 3, padding=1))
                if batch_norm:
                    self.layer_names[f"features.{len(layers)}"] = f"conv{stage}_{number}_bn"
                    layers.append(nn.BatchNorm2d(width))
                layers.append(nn.ReLU(inplace=True))
                inputs = width
            if stage == _FINE_STAGE:
                self._fine = len(layers)
            last = stage == len(_PLAN)
            # The last pooling keeps the size, so that the second output stays fine enough.
            layers.append(
                nn.MaxPool2d(3, 1, padding=1) if last else nn.MaxPool2d(2, 2, ceil_mode=True)
            )
        self.features: Any = nn.Sequential(*layers)
        self.fc6 = nn.Conv2d(inputs, _WIDTH, 3, padding=6, dilation=6)
        self.fc7 = nn.Conv2d(_WIDTH, _WIDTH, 1)
        self.fc6_bn = nn.BatchNorm2d(_WIDTH) if batch_norm else nn.Identity()
        self.fc7_bn = nn.BatchNorm2d(_WIDTH) if batch_norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def stages(self, x: Any) -> list[Any]:
        """The outputs of conv4_3 (an eighth of the image) and of fc7 (a sixteenth).

        Args:
            x: normalised images, float (n, 3, height, width).
        """
        for layer in self.features[: self._fine]:
            x = layer(x)
        fine = x
        # The layer after this is not in place, so that what was given stays what it was.
        for layer in self.features[self._fine :]:
            x = layer(x)
        x = self.relu(self.fc6_bn(self.fc6(x)))
        return [fine, self.relu(self.fc7_bn(self.fc7(x)))]


def has_batch_norm(state: dict[str, Any]) -> bool:
    """Whether a state dict under torchvision's names is of ``vgg16_bn``."""
    return any(name.endswith("running_mean") for name in state)


def from_torchvision(state: dict[str, Any]) -> dict[str, Any]:
    """The weights of torchvision's ``vgg16`` or ``vgg16_bn`` under the names of :class:`VGG16`.

    Every fourth of the 4,096 outputs of the fully connected layers is taken, and every third of the
    first one's 7 x 7 places, which the dilation of ``fc6`` makes up for.

    Raises:
        ValueError: the fully connected layers are missing or of another shape.
    """
    found = {name: value for name, value in state.items() if name.startswith("features.")}
    for layer, inputs in (("classifier.0", 512 * 7 * 7), ("classifier.3", 4096)):
        weight = state.get(f"{layer}.weight")
        if weight is None or weight.shape != (4096, inputs) or f"{layer}.bias" not in state:
            raise ValueError(f"it has no {layer} of 4096 x {inputs} weights, as VGG-16 has it.")
    first = state["classifier.0.weight"].reshape(4096, 512, 7, 7)
    second = state["classifier.3.weight"].reshape(4096, 4096, 1, 1)
    found["fc6.weight"] = first[::4, :, ::3, ::3].clone()
    found["fc6.bias"] = state["classifier.0.bias"][::4].clone()
    found["fc7.weight"] = second[::4, ::4].clone()
    found["fc7.bias"] = state["classifier.3.bias"][::4].clone()
    if has_batch_norm(state):
        for layer in ("fc6_bn", "fc7_bn"):
            # Torchvision does not normalise there: begin with the identity.
            found[f"{layer}.weight"] = torch.ones(_WIDTH)
            found[f"{layer}.bias"] = torch.zeros(_WIDTH)
            found[f"{layer}.running_mean"] = torch.zeros(_WIDTH)
            found[f"{layer}.running_var"] = torch.ones(_WIDTH)
    return found
