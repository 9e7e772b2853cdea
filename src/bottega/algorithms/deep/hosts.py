"""Several hosts that train one network: each takes a step with the mean of all gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from bottega.algorithms.cluster import Cluster


class SharedTraining:
    """Keeps a network the same on every host; with one host, every method does nothing.

    Every host calls the same methods the same number of times: find the number of batches of an
    epoch with ``cluster.largest``.

    Args:
        cluster: the hosts.
        model: a ``torch.nn.Module`` with the same architecture everywhere.
    """

    def __init__(self, cluster: Cluster, model: Any) -> None:
        self._cluster = cluster
        self._model = model

    def begin(self) -> None:
        """Start everywhere from the leader's weights."""
        values = [*self._model.parameters(), *self._buffers()]
        mine = 1.0 if self._cluster.leads else 0.0
        self._exchange([value.data for value in values], mine)

    def average_gradients(self) -> None:
        """Replace each gradient by the mean over the hosts; call it between backward and step."""
        if self._cluster.hosts == 1:
            return
        trained = [p for p in self._model.parameters() if p.requires_grad]
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self._exchange([p.grad for p in trained], 1.0 / self._cluster.hosts)

    def average_statistics(self) -> None:
        """Replace the running means of normalisation by their mean; call it after an epoch."""
        self._exchange(self._buffers(), 1.0 / self._cluster.hosts)

    def _buffers(self) -> list[Any]:
        return [buffer for buffer in self._model.buffers() if buffer.is_floating_point()]

    def _exchange(self, tensors: list[Any], weight: float) -> None:
        """Set each tensor to the sum over the hosts of the weight times theirs, in one message."""
        if self._cluster.hosts == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors]) * weight
        numbers = np.ascontiguousarray(flat.cpu().numpy())
        total = torch.from_numpy(np.asarray(self._cluster.sum(numbers))).to(flat.device)
        at = 0
        for tensor in tensors:
            part = total[at : at + tensor.numel()].reshape(tensor.shape)
            tensor.copy_(part)
            at += tensor.numel()
