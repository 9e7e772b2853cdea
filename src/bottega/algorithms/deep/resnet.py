"""Residual networks (He et al., 2015) under torchvision's parameter names.

A state dict of torchvision's ``resnet18`` to ``resnet152`` loads as it is. The small family
(6n + 2 layers, for images such as CIFAR's) follows the same names with three stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

LARGE: dict[int, tuple[bool, tuple[int, ...]]] = {
    18: (False, (2, 2, 2, 2)),
    34: (False, (3, 4, 6, 3)),
    50: (True, (3, 4, 6, 3)),
    101: (True, (3, 4, 23, 3)),
    152: (True, (3, 8, 36, 3)),
    200: (True, (3, 24, 36, 3)),
}
"""For images about 224 wide: whether blocks have a bottleneck, and how many are in each stage."""

SMALL = (20, 32, 44, 56, 110)
"""For images about 32 wide."""


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> Any:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class _Block(nn.Module):
    """Two or, with a bottleneck, three convolutions, and a way around them."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * width if bottleneck else width
        self.bottleneck = bottleneck
        self.relu = nn.ReLU(inplace=True)
        self.conv1 = _convolution(
            inputs, width, 1 if bottleneck else 3, 1 if bottleneck else stride
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, stride if bottleneck else 1)
        self.bn2 = nn.BatchNorm2d(width)
        if bottleneck:
            self.conv3 = _convolution(width, outputs, 1)
            self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                _convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    @property
    def last_norm(self) -> Any:
        return self.bn3 if self.bottleneck else self.bn2

    def forward(self, x: Any) -> Any:
        around = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        if self.bottleneck:
            x = self.bn3(self.conv3(self.relu(x)))
        return self.relu(x + around)


class ResNet(nn.Module):
    """A residual network; make it with :func:`resnet`.

    Attributes:
        channels: of the output of each stage, in the order of :meth:`features`.
        strides: by how much each stage's output is smaller than the image.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        widths: Sequence[int],
        *,
        bottleneck: bool,
        small: bool,
        num_classes: int,
        in_channels: int,
    ) -> None:
        super().__init__()
        inputs = widths[0]
        self.small = small
        self.conv1 = (
            _convolution(in_channels, inputs, 3)
            if small
            else _convolution(in_channels, inputs, 7, 2)
        )
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, padding=1)
        self._stages: list[str] = []
        for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
            layers = []
            for block in range(count):
                stride = 2 if stage and not block else 1
                layers.append(_Block(inputs, width, stride, bottleneck))
                inputs = 4 * width if bottleneck else width
            self._stages.append(f"layer{stage + 1}")
            self.add_module(self._stages[-1], nn.Sequential(*layers))
        expansion = 4 if bottleneck else 1
        self.channels = tuple(expansion * width for width in widths)
        first = 1 if small else 4
        self.strides = tuple(first * 2**stage for stage in range(len(widths)))
        self.fc = nn.Linear(inputs, num_classes) if num_classes else None
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, _Block):
                # Each block begins as the identity, which lets deep networks start learning.
                nn.init.zeros_(module.last_norm.weight)

    def features(self, x: Any) -> list[Any]:
        """The output of each stage, from the finest to the coarsest.

        Args:
            x: normalised images, float (n, channels, height, width).
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        found = []
        for name in self._stages:
            x = getattr(self, name)(x)
            found.append(x)
        return found

    def forward(self, x: Any) -> Any:
        """Logits, float (n, num_classes); of a network without classes the mean features."""
        pooled = self.features(x)[-1].mean(dim=(2, 3))
        return pooled if self.fc is None else self.fc(pooled)


def resnet(num_layers: int, num_classes: int = 0, *, in_channels: int = 3) -> ResNet:
    """A fresh network with random weights.

    Args:
        num_layers: one of :data:`LARGE` or :data:`SMALL`.
        num_classes: outputs of the final layer ``fc``; 0 leaves that layer out, for networks that
            only want :meth:`ResNet.features`.
        in_channels: of the images.

    Raises:
        ValueError: no network has that many layers.
    """
    if num_layers in LARGE:
        bottleneck, blocks = LARGE[num_layers]
        widths: tuple[int, ...] = (64, 128, 256, 512)
    elif num_layers in SMALL:
        bottleneck, blocks, widths = False, ((num_layers - 2) // 6,) * 3, (16, 32, 64)
    else:
        raise ValueError(f"There is no network of {num_layers} layers.")
    return ResNet(
        blocks,
        widths,
        bottleneck=bottleneck,
        small=num_layers in SMALL,
        num_classes=num_classes,
        in_channels=in_channels,
    )
