"""A small network in PyTorch with a knob for each thing that a rule looks for."""

import json
import os
import time

import torch
from torch import nn

KNOBS = {
    "activation": "relu",
    "layers": 3,
    "scale": 1.0,  # of the weights, in terms of He's initialisation
    "bias": 0.0,
    "rate": 0.05,
    "steps": 30,
    "frozen": False,
    "seed": 0,
    "slow_every": 0,  # every so many steps one that takes half a second longer
    "pause": 0.0,  # seconds before the first step
    "silence": 0.0,  # seconds after the last one
    "memory": False,  # learn a few samples by heart, and evaluate others after each epoch
    "workers": 0,  # processes that load data
}
knobs = {**KNOBS, **json.loads(os.environ["SM_HPS"])}
torch.manual_seed(knobs["seed"])
torch.set_num_threads(1)

WIDTH = 16
activations = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
layers = []
for _ in range(knobs["layers"]):
    linear = nn.Linear(WIDTH, WIDTH)
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    linear.weight.data *= knobs["scale"]
    nn.init.constant_(linear.bias, knobs["bias"])
    layers += [linear, activations[knobs["activation"]]()]
net = nn.Sequential(*layers, nn.Linear(WIDTH, 2))
criterion = nn.CrossEntropyLoss()
if knobs["frozen"]:
    for parameter in net[0].parameters():
        parameter.requires_grad_(False)
optimizer = torch.optim.SGD([one for one in net.parameters() if one.requires_grad], knobs["rate"])

count = 24 if knobs["memory"] else 128
samples = torch.randn(count, WIDTH)
labels = (samples[:, 0] + samples[:, 1] > 0).long()
if knobs["memory"]:
    labels = torch.randint(0, 2, (count,))
others, other_labels = torch.randn(64, WIDTH), torch.randint(0, 2, (64,))
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(samples, labels),
    batch_size=count,
    num_workers=knobs["workers"],
)

time.sleep(knobs["pause"])
for step in range(knobs["steps"]):
    for inputs, wanted in loader:
        net.train()
        optimizer.zero_grad()
        loss = criterion(net(inputs), wanted)
        if knobs["slow_every"] and step % knobs["slow_every"] == knobs["slow_every"] - 1:
            time.sleep(0.5)
        loss.backward()
        optimizer.step()
    if knobs["memory"]:
        net.eval()
        with torch.no_grad():
            criterion(net(others), other_labels)
time.sleep(knobs["silence"])
