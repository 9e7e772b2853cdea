"""One epoch of learning, and how well a network does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.deep import pixels
from bottega.algorithms.deep.hosts import SharedTraining
from bottega.algorithms.deep.optimizers import OptimizerSettings, optimizer
from bottega.algorithms.deep.schedules import StepSchedule
from bottega.algorithms.image_classification.augment import augment
from bottega.algorithms.image_classification.data import Batch, ImageChannel
from bottega.algorithms.image_classification.settings import Settings

_SPEED_EVERY = 20
"""Batches between two lines about the speed."""
_HEAVIEST = 1000.0
"""A class that is on almost no image gets no more weight than this."""


@dataclass
class Score:
    """How many of what was asked was right.

    Attributes:
        right: images whose most likely class is theirs; with several labels, the labels of all
            images that are on the right side of 0.5, divided by the number of classes.
        among: images whose class is among the k most likely.
        count: images.
    """

    right: float = 0.0
    among: float = 0.0
    count: float = 0.0

    @property
    def accuracy(self) -> float:
        return self.right / max(1.0, self.count)

    @property
    def top_k(self) -> float:
        return self.among / max(1.0, self.count)

    def over(self, cluster: Cluster) -> Score:
        """The same over all hosts."""
        total = cluster.sum(np.array([self.right, self.among, self.count]))
        return Score(*(float(value) for value in total))


class Learner:
    """A network in training.

    Args:
        model: the network, on the device.
        settings: of the job.
        device: where it computes.
        cluster: the hosts of the job.
        weights: for each class how much a positive label counts, float32 (classes,), with weighted
            loss; else None.
        say: prints a line.
    """

    def __init__(
        self,
        model: Any,
        settings: Settings,
        device: Any,
        cluster: Cluster,
        weights: Any,
        say: Callable[[str], None],
    ) -> None:
        self.model = model
        self._settings = settings
        self._device = device
        self._cluster = cluster
        self._weights = None if weights is None else torch.from_numpy(weights).to(device)
        self._say = say
        self._half = settings.half and device.type == "cuda"
        if self._half:
            model.to(memory_format=torch.channels_last)
        self._optimizer = optimizer(model.parameters(), optimizer_settings(settings))
        steps, factor = settings.schedule
        self._schedule = StepSchedule(self._optimizer, steps, factor)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._half)
        self._shared = SharedTraining(cluster, model)
        self._shared.begin()

    def state(self) -> dict[str, Any]:
        """What has to be kept to go on later."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` gave.

        Raises:
            ValueError, KeyError, RuntimeError: it is of another network or optimizer.
        """
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        if self._half and state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])

    def learn(self, channel: ImageChannel, epoch: int) -> Score:
        """Go over the images once.

        Raises:
            CustomerError: the loss is no number any more.
        """
        self.model.train()
        self._schedule.set(epoch)
        size = self._settings.mini_batch_size
        batches = self._cluster.largest(channel.batches(size))
        kind = self._settings.augmentation
        shift = channel.same_size
        totals = torch.zeros(4, device=self._device)
        seen, since, seen_then = 0, time.monotonic(), 0
        work = channel.shuffled(size, epoch, vary=bool(kind), batches=batches)
        for number, (batch, pictures, targets) in enumerate(self._moved(work)):
            if batch.draw is not None:
                pictures = augment(pictures, kind, batch.draw, shift=shift)
            loss, logits = self._step(pictures, targets)
            totals[0] += loss * len(targets)
            totals[1:] += self._judge(logits, targets)
            seen += len(targets)
            if number and number % _SPEED_EVERY == 0:
                accuracy = float(totals[1]) / seen
                elapsed = max(1e-9, time.monotonic() - since)
                self._say(
                    f"Epoch[{epoch}] Batch [{number}]\tSpeed: {(seen - seen_then) / elapsed:.2f} "
                    f"samples/sec\taccuracy={accuracy:.6f}"
                )
                since, seen_then = time.monotonic(), seen
        self._shared.average_statistics()
        loss, right, among, count = totals.tolist()
        if not math.isfinite(self._cluster.sum(np.array([loss]))[0]):
            rate = self._settings.values["learning_rate"]
            raise CustomerError(
                f"The training diverged in epoch {epoch}: the loss is {loss / max(1, count):g}. "
                f"Lower learning_rate (it is {rate:g})."
            )
        return Score(right, among, count).over(self._cluster)

    def evaluate(self, channel: ImageChannel) -> Score:
        """How well the network does on the images of all hosts."""
        self.model.eval()
        total = torch.zeros(3, device=self._device)
        with torch.inference_mode():
            work = channel.all(max(self._settings.mini_batch_size, 32))
            for _, pictures, targets in self._moved(work):
                total += self._judge(self._forward(pictures), targets)
        return Score(*total.tolist()).over(self._cluster)

    def _moved(self, work: Iterator[Batch]) -> Iterator[tuple[Batch, Any, Any]]:
        for batch in work:
            pictures = pixels.to_tensor(batch.pictures, self._device)
            yield batch, pictures, torch.from_numpy(batch.targets).to(self._device)

    def _step(self, pictures: Any, targets: Any) -> tuple[Any, Any]:
        logits = self._forward(pictures)
        if self._settings.multi_label:
            loss = functional.binary_cross_entropy_with_logits(
                logits, targets, pos_weight=self._weights
            )
        else:
            loss = functional.cross_entropy(logits, targets)
        self._optimizer.zero_grad(set_to_none=True)
        scaled: Any = self._scaler.scale(loss)
        scaled.backward()
        if self._cluster.hosts > 1:
            self._scaler.unscale_(self._optimizer)
            self._shared.average_gradients()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach(), logits.detach()

    def _forward(self, pictures: Any) -> Any:
        images = pixels.normalise(pictures)
        if self._half:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, dtype=torch.float16, enabled=self._half):
            logits = self.model(images)
        return logits.float()

    def _judge(self, logits: Any, targets: Any) -> Any:
        """Right, among the k most likely, count; a float tensor (3,)."""
        count = float(len(targets))
        if self._settings.multi_label:
            right = ((logits > 0) == (targets > 0.5)).float().mean(dim=1).sum()
            among = torch.zeros_like(right)
        else:
            right = (logits.argmax(dim=1) == targets).sum().float()
            among = torch.zeros_like(right)
            if self._settings.top_k:
                likely = logits.topk(self._settings.top_k, dim=1).indices
                among = (likely == targets[:, None]).any(dim=1).sum().float()
        return torch.stack([right, among, torch.full_like(right, count)])


def optimizer_settings(settings: Settings) -> OptimizerSettings:
    """The optimizer that the user asked for: momentum and weight_decay are for sgd and nag."""
    values = settings.values
    plain = values["optimizer"] in ("sgd", "nag")
    return OptimizerSettings(
        name=values["optimizer"],
        learning_rate=values["learning_rate"],
        momentum=values["momentum"] if plain else 0.0,
        weight_decay=values["weight_decay"] if plain else 0.0,
        beta_1=values["beta_1"],
        beta_2=values["beta_2"],
        eps=values["eps"],
        gamma=values["gamma"],
    )


def positive_weights(targets: Any, cluster: Cluster) -> Any:
    """For each class how many images are without it for one that has it.

    Args:
        targets: 0 or 1, float32 (images, classes).
        cluster: the hosts, whose images all count.

    Returns:
        float32 (classes,); 1 for a class that no image has.
    """
    counts = cluster.sum(np.concatenate([targets.sum(axis=0), [len(targets)]]).astype(np.float64))
    positive, total = counts[:-1], counts[-1]
    weights = np.where(positive > 0, (total - positive) / np.maximum(positive, 1), 1.0)
    return np.clip(weights, 1 / _HEAVIEST, _HEAVIEST).astype(np.float32)
