"""Networks over images and over sequences of tokens, for rules that look at their inputs."""

import json
import os

import torch
from torch import nn

KNOBS = {"mean": 0.0, "padding": 0.0, "steps": 12}
knobs = {**KNOBS, **json.loads(os.environ["SM_HPS"])}
torch.manual_seed(0)
torch.set_num_threads(1)


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 2)

    def forward(self, images):
        return self.fc(self.conv(images).mean(dim=(2, 3)))


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding0 = nn.Embedding(50, 8)
        self.fc = nn.Linear(8, 2)

    def forward(self, tokens):
        return self.fc(self.embedding0(tokens).mean(dim=1))


criterion = nn.CrossEntropyLoss()
labels = torch.randint(0, 2, (64,))
images = torch.randn(64, 3, 8, 8) + knobs["mean"]
tokens = torch.randint(1, 50, (64, 20))
tokens[torch.rand(64, 20) < knobs["padding"]] = 0
for net, inputs in ((Images(), images), (Sequences(), tokens)):
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    for _ in range(knobs["steps"]):
        optimizer.zero_grad()
        criterion(net(inputs), labels).backward()
        optimizer.step()
