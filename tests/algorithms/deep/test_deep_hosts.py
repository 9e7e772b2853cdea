"""Training together: the arithmetic, with hosts that are threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import nn

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.deep.hosts import SharedTraining


class Threads:
    """Lets threads add arrays up as hosts do."""

    def __init__(self, hosts: int) -> None:
        self._barrier = threading.Barrier(hosts, timeout=60)
        self._given: list[Any] = [None] * hosts

    def cluster(self, rank: int) -> Cluster:
        together = self

        class One(Cluster):
            def sum(self, values: Any) -> Any:
                together._given[rank] = values
                together._barrier.wait()
                total = np.sum(together._given, axis=0)
                together._barrier.wait()
                return total

        return One(len(self._given), rank)


def _model(seed: int) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    for parameter in model.parameters():
        parameter.data.normal_(generator=generator)
    return model


def test_hosts_start_equal_and_share_gradients_and_statistics():
    together = Threads(2)

    def host(rank: int) -> dict[str, Any]:
        model = _model(rank)
        shared = SharedTraining(together.cluster(rank), model)
        shared.begin()
        start = {name: value.clone() for name, value in model.state_dict().items()}
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 1.0 + 2 * rank)
        if rank:
            model[0].bias.grad = None
        shared.average_gradients()
        gradients = [parameter.grad.clone() for parameter in model.parameters()]
        model[1].running_mean.fill_(4.0 * rank)
        shared.average_statistics()
        return {"start": start, "gradients": gradients, "mean": model[1].running_mean}

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(host, range(2))
    for name, value in _model(0).state_dict().items():
        assert torch.equal(first["start"][name], value)
        assert torch.equal(second["start"][name], value)
    for one, other in zip(first["gradients"], second["gradients"], strict=True):
        assert torch.equal(one, other)
    assert torch.all(first["gradients"][0] == 2.0)
    # A host that has no gradient counts as 0.
    assert torch.all(first["gradients"][1] == 0.5)
    assert torch.all(first["mean"] == 2.0)


def test_one_host_changes_nothing():
    model = _model(0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    shared = SharedTraining(Cluster(1, 0), model)
    shared.begin()
    shared.average_gradients()
    shared.average_statistics()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
