"""Residual networks: sizes, names, and what they learn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bottega.algorithms.deep.resnet import LARGE, SMALL, resnet

# Numbers of torchvision's networks with 1000 classes, from its documentation.
TORCHVISION_PARAMETERS = {
    18: 11_689_512,
    34: 21_797_672,
    50: 25_557_032,
    101: 44_549_160,
    152: 60_192_808,
}


@pytest.mark.parametrize(("layers", "count"), TORCHVISION_PARAMETERS.items())
def test_as_many_parameters_as_torchvision(layers: int, count: int):
    with torch.device("meta"):
        model = resnet(layers, 1000)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_names_are_torchvisions():
    names = set(resnet(50, 10).state_dict())
    assert {
        "conv1.weight",
        "bn1.running_mean",
        "layer1.0.conv3.weight",
        "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.bias",
        "layer3.5.bn2.weight",
        "layer4.2.bn3.running_var",
        "fc.weight",
        "fc.bias",
    } <= names
    # Where nothing changes size, nothing is sampled down.
    assert "layer1.1.downsample.0.weight" not in names
    assert "layer1.0.downsample.0.weight" not in resnet(18, 10).state_dict()


@pytest.mark.parametrize("layers", [*LARGE, *SMALL])
def test_counts_as_many_layers_as_it_says(layers: int):
    with torch.device("meta"):
        model = resnet(layers, 10)
    weighty = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "downsample" not in name
    ]
    assert len(weighty) == layers


@pytest.mark.parametrize(("layers", "side"), [(18, 64), (50, 64), (20, 32)])
def test_features_have_the_channels_and_strides_that_are_said(layers: int, side: int):
    model = resnet(layers, 0, in_channels=1).eval()
    with torch.inference_mode():
        features = model.features(torch.zeros(2, 1, side, side))
        pooled = model(torch.zeros(2, 1, side, side))
    assert [tuple(found.shape) for found in features] == [
        (2, channels, side // stride, side // stride)
        for channels, stride in zip(model.channels, model.strides, strict=True)
    ]
    assert tuple(pooled.shape) == (2, model.channels[-1])


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    model = resnet(20, 3)
    # The last scale of a block begins at 0, and what is before it learns from the second step on.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images, labels = torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 2, 0])
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_no_network_of_other_depths():
    with pytest.raises(ValueError, match="21 layers"):
        resnet(21, 10)
