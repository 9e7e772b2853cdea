"""The networks: names, shapes, and where weights come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.resnet import ResNet
from bottega.algorithms.deep.vgg import VGG16, from_torchvision, has_batch_norm
from bottega.algorithms.object_detection import network
from bottega.algorithms.object_detection.default_boxes import default_boxes
from bottega.algorithms.object_detection.network import Architecture, Detector

# Of torchvision's vgg16 and vgg16_bn: the places of the convolutions in ``features``.
PLAIN = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
NORMED = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)


def torchvision(*, batch_norm: bool) -> dict[str, torch.Tensor]:
    """A state dict as torchvision's; the fully connected layers are numbered through."""
    own = VGG16(batch_norm=batch_norm).state_dict()
    state = {name: value for name, value in own.items() if name.startswith("features.")}
    # Views of few numbers: the real ones would fill half a gigabyte.
    rows = torch.arange(4096.0)
    state["classifier.0.weight"] = rows[:, None].expand(4096, 512 * 49)
    state["classifier.0.bias"] = rows
    state["classifier.3.weight"] = rows[None].expand(4096, 4096)
    state["classifier.3.bias"] = rows
    state["classifier.6.weight"] = torch.zeros(1000, 1)
    return state


@pytest.mark.parametrize(("batch_norm", "places"), [(False, PLAIN), (True, NORMED)])
def test_vgg_has_torchvisions_names(batch_norm: bool, places: tuple[int, ...]) -> None:
    model = VGG16(batch_norm=batch_norm)
    convolutions = [
        place for place, layer in enumerate(model.features) if isinstance(layer, nn.Conv2d)
    ]
    assert tuple(convolutions) == places
    assert model.features[places[-1]].weight.shape == (512, 512, 3, 3)
    assert model.layer_names[f"features.{places[0]}"] == "conv1_1"
    assert model.layer_names[f"features.{places[-1]}"] == "conv5_3"


@pytest.mark.parametrize("batch_norm", [False, True])
def test_fully_connected_layers_become_convolutions(batch_norm: bool) -> None:
    state = torchvision(batch_norm=batch_norm)
    assert has_batch_norm(state) == batch_norm
    found = from_torchvision(state)
    model = VGG16(batch_norm=batch_norm)
    missing = model.load_state_dict(found, strict=False)
    assert not missing.unexpected_keys
    assert all("num_batches_tracked" in name for name in missing.missing_keys)
    assert model.fc6.weight[:, 0, 0, 0].tolist() == list(range(0, 4096, 4))
    assert model.fc6.weight.shape == (1024, 512, 3, 3)
    assert model.fc7.weight[0, :, 0, 0].tolist() == list(range(0, 4096, 4))
    del state["classifier.3.bias"]
    with pytest.raises(ValueError, match=r"no classifier\.3 of 4096 x 4096"):
        from_torchvision(state)


def test_the_first_fully_connected_layer_is_thinned_evenly() -> None:
    state = torchvision(batch_norm=False)
    places = torch.arange(512.0 * 49)
    state["classifier.0.weight"] = places[None].expand(4096, 512 * 49)
    weight = from_torchvision(state)["fc6.weight"]
    assert weight[0, 0].flatten().tolist() == [0, 3, 6, 21, 24, 27, 42, 45, 48]
    assert weight[0, 1, 0, 0] == 49


@pytest.mark.parametrize(
    ("base", "shape", "norm"),
    [("vgg-16", 300, False), ("vgg-16", 300, True), ("resnet-50", 300, True)],
)
def test_a_network_speaks_for_every_default_box(base: str, shape: int, norm: bool) -> None:
    model = Detector(Architecture(base, 2, shape, norm)).eval()
    with torch.inference_mode():
        offsets, logits = model(torch.zeros(1, 3, shape, shape))
    count = len(default_boxes(shape))
    assert offsets.shape == (1, count, 4)
    assert logits.shape == (1, count, 3)
    assert torch.isfinite(offsets).all()
    assert offsets.dtype == logits.dtype == torch.float32
    assert not any(name.startswith("defaults") for name in model.state_dict())


@pytest.mark.parametrize("shape", [301, 333, 420, 512, 600])
def test_grids_have_the_size_that_default_boxes_expect(
    shape: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thin(layers: int) -> ResNet:
        return ResNet(
            (1, 1, 1, 1), (2, 2, 2, 2), bottleneck=False, small=False, num_classes=0, in_channels=3
        )

    monkeypatch.setattr(network, "resnet", thin)
    model = Detector(Architecture("resnet-50", 1, shape, True)).eval()
    with torch.inference_mode():
        offsets, _ = model(torch.zeros(1, 3, shape, shape))
    assert offsets.shape[1] == len(default_boxes(shape))


def test_what_a_default_box_says_lies_at_its_place(small_network: None) -> None:
    """A bright spot changes what the default boxes near it say, and no others of that grid."""
    model = Detector(Architecture("resnet-50", 1, 300, True)).eval()
    spot = torch.zeros(1, 3, 300, 300)
    spot[:, :, 60:76, 220:236] = 20
    with torch.inference_mode():
        change = (model(spot)[0] - model(torch.zeros_like(spot))[0]).abs().sum(dim=-1)[0]
    boxes = default_boxes(300)
    fine = change[: 38 * 38 * 4].numpy()
    centre = boxes[: 38 * 38 * 4, :2][fine.argmax()]
    np.testing.assert_allclose(centre, [228 / 300, 68 / 300], atol=0.1)
    assert fine.min() < 1e-3 * fine.max()


def test_frozen_layers_by_the_names_of_two_worlds() -> None:
    model = Detector(Architecture("vgg-16", 2, 300, True))
    frozen = model.freeze("^(conv1_|conv2_).*")
    assert len(frozen) == 16
    assert "features.0.weight" in frozen
    assert "features.11.running_mean" not in frozen
    assert not model.base.features[0].weight.requires_grad
    assert model.base.features[14].weight.requires_grad
    model.train()
    assert not model.base.features[1].training
    assert model.base.features[15].training
    assert model.freeze(r"features\.14\.") == ["features.14.weight", "features.14.bias"]
    assert model.freeze("locations") == []


def test_what_is_no_description() -> None:
    sound = Architecture("vgg-16", 2, 300, False)
    assert Architecture.of(sound.document(), "x.json") == sound
    for document in ({}, None, {**sound.document(), "num_classes": "many"}):
        with pytest.raises(CustomerError, match=r"x\.json does not describe"):
            Architecture.of(document, "x.json")
    with pytest.raises(CustomerError, match="a network that there is not"):
        Architecture.of({**sound.document(), "base_network": "alexnet"}, "x.json")
