"""The network: a base network, coarser and coarser grids on top of it, and what each says."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.resnet import resnet
from bottega.algorithms.deep.vgg import VGG16
from bottega.algorithms.object_detection.default_boxes import (
    boxes_per_cell,
    default_boxes,
    grid_sizes,
)

_FIRST_EXTRA = (256, 512)
_OTHER_EXTRAS = (128, 256)
_FINE_SCALE = 20.0


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the network again."""

    base_network: str
    """``vgg-16`` or ``resnet-50``."""
    num_classes: int
    """Without the background."""
    image_shape: int
    """Height and width of the images that it is given."""
    batch_norm: bool
    """Whether it normalises after convolutions; ResNet always does."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, document: Any, origin: str) -> Architecture:
        """Read what :meth:`document` gave.

        Raises:
            CustomerError: it is no such description.
        """
        try:
            found = cls(
                base_network=str(document["base_network"]),
                num_classes=int(document["num_classes"]),
                image_shape=int(document["image_shape"]),
                batch_norm=bool(document["batch_norm"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CustomerError(
                f"{origin} does not describe an object detection model: {error!r}."
            ) from error
        if found.base_network not in ("vgg-16", "resnet-50") or found.image_shape < 8:
            raise CustomerError(f"{origin} describes a network that there is not: {found}.")
        return found


class Detector(nn.Module):
    """A single shot multibox detector.

    Attributes:
        architecture: what it was built from.
        defaults: its default boxes, (n, 4) centres; no part of the state dict.
    """

    defaults: Any

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        vgg = architecture.base_network == "vgg-16"
        self.base: Any = VGG16(batch_norm=architecture.batch_norm) if vgg else resnet(50)
        # Of ResNet, the outputs at an eighth, a sixteenth and a thirty-second.
        channels = list(self.base.channels if vgg else self.base.channels[1:])
        self._vgg = vgg
        sizes = grid_sizes(architecture.image_shape)
        norm = architecture.batch_norm
        self.extras = nn.ModuleList()
        for place in range(len(channels), len(sizes)):
            narrow, wide = _FIRST_EXTRA if not len(self.extras) else _OTHER_EXTRAS
            before, after = sizes[place - 1], sizes[place]
            self.extras.append(_extra(channels[-1], narrow, wide, before, after, norm=norm))
            channels.append(wide)
        boxes = boxes_per_cell(len(sizes))
        outputs = list(zip(channels, boxes, strict=True))
        self.locations = nn.ModuleList(_head(c, 4 * k) for c, k in outputs)
        labels = architecture.num_classes + 1
        self.confidences = nn.ModuleList(_head(c, labels * k) for c, k in outputs)
        # Without normalisation, the fine features are much larger than the others.
        self.fine_scale = (
            nn.Parameter(torch.full((1, channels[0], 1, 1), _FINE_SCALE)) if not norm else None
        )
        defaults = torch.from_numpy(default_boxes(architecture.image_shape))
        self.register_buffer("defaults", defaults, persistent=False)

    def forward(self, images: Any) -> tuple[Any, Any]:
        """What each default box sees.

        Args:
            images: normalised, float (b, 3, image_shape, image_shape).

        Returns:
            Encoded boxes, float32 (b, n, 4), and logits, float32 (b, n, 1 + num_classes), the
            background first.
        """
        grids = self.base.stages(images) if self._vgg else self.base.features(images)[1:]
        if self.fine_scale is not None:
            grids[0] = functional.normalize(grids[0], dim=1) * self.fine_scale
        for extra in self.extras:
            grids.append(extra(grids[-1]))
        places = [_rows(head(x), 4) for head, x in zip(self.locations, grids, strict=True)]
        labels = self.architecture.num_classes + 1
        logits = [_rows(head(x), labels) for head, x in zip(self.confidences, grids, strict=True)]
        return torch.cat(places, dim=1).float(), torch.cat(logits, dim=1).float()

    def placed(self, place: Any) -> Detector:
        """On a device, with its weights laid out as convolutions are fastest there."""
        module: Any = self
        found: Detector = module.to(place, memory_format=torch.channels_last)
        return found

    def freeze(self, pattern: str) -> list[str]:
        """Keep the parameters of the base network as they are whose name a pattern matches.

        Args:
            pattern: a regular expression, matched from the beginning of torchvision's names
                (``features.0.weight``, ``layer1.0.conv1.weight``) and, for VGG, of MXNet's
                (``conv1_1_weight``).

        Returns:
            The names of the frozen parameters, as the base network has them.
        """
        expression = re.compile(pattern)
        frozen = []
        for place, module in self.base.named_modules():
            alias = self.base.layer_names.get(place, "") if self._vgg else ""
            names = dict(module.named_parameters(recurse=False))
            hit = [
                name
                for name in names
                if expression.match(f"{place}.{name}")
                or (alias and expression.match(f"{alias}_{name}"))
            ]
            for name in hit:
                names[name].requires_grad_(False)
                frozen.append(f"{place}.{name}")
        return frozen

    def train(self, mode: bool = True) -> Detector:
        """As of any module; normalisation whose scale is frozen keeps its statistics too."""
        super().train(mode)
        for module in self.base.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self


def _extra(inputs: int, narrow: int, wide: int, before: int, after: int, *, norm: bool) -> Any:
    """Two convolutions that lead from a grid to the next coarser one."""
    squeeze = before == 3
    # One cell is too little to normalise when a batch has one image.
    second_norm = norm and after > 1
    layers = [
        nn.Conv2d(inputs, narrow, 1, bias=not norm),
        *([nn.BatchNorm2d(narrow)] if norm else []),
        nn.ReLU(inplace=True),
        nn.Conv2d(
            narrow,
            wide,
            3,
            1 if squeeze else 2,
            padding=0 if squeeze else 1,
            bias=not second_norm,
        ),
        *([nn.BatchNorm2d(wide)] if second_norm else []),
        nn.ReLU(inplace=True),
    ]
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def _head(inputs: int, outputs: int) -> Any:
    head = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.xavier_uniform_(head.weight)
    if head.bias is not None:
        nn.init.zeros_(head.bias)
    return head


def _rows(grid: Any, numbers: int) -> Any:
    """(b, k * numbers, h, w) as (b, h * w * k, numbers): cell by cell, as default boxes are."""
    return grid.permute(0, 2, 3, 1).reshape(grid.shape[0], -1, numbers)
