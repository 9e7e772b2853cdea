"""Encoders: what turns the source into one state for each of its tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bottega.algorithms.seq2seq.settings import NetworkSettings


@dataclass(frozen=True)
class Encoded:
    """What a decoder gets of a batch of sources."""

    states: Tensor
    """sources x positions x width; what is behind a source's end means nothing."""
    inside: Tensor
    """bool, sources x positions: whether a position is within its source."""
    last: Tensor
    """sources x width: the state in which reading ended."""

    def average(self) -> Tensor:
        """sources x width: the mean of the states of each source."""
        weights = self.inside.to(self.states.dtype)
        total = torch.einsum("bs,bsw->bw", weights, self.states)
        return total / weights.sum(dim=1, keepdim=True)


def recurrent(kind: str, inputs: int, hidden: int) -> Any:
    """One recurrent layer, which reads rows x steps x inputs."""
    cell = nn.LSTM if kind == "lstm" else nn.GRU
    return cell(inputs, hidden, batch_first=True)


def activated(kind: str, values: Tensor) -> Tensor:
    """The activation of a convolution, over the last axis; glu halves it."""
    if kind == "glu":
        return nn.functional.glu(values, dim=-1)
    if kind == "softrelu":
        return nn.functional.softplus(values)
    functions = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    found: Tensor = functions[kind](values)
    return found


def within(lengths: Tensor, positions: int) -> Tensor:
    """bool, rows x positions: whether a position is within the length of its row."""
    return torch.arange(positions, device=lengths.device) < lengths[:, None]


class RecurrentEncoder(nn.Module):
    """A first layer that reads in both directions, and layers above it that read forwards.

    Padding needs no packing: backwards is forwards over each source turned round within its own
    length, so that what is behind the end is always read last.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        kind, hidden = settings.rnn_cell_type, settings.rnn_num_hidden
        self.forwards = recurrent(kind, settings.num_embed_source, hidden // 2)
        self.backwards = recurrent(kind, settings.num_embed_source, hidden // 2)
        self.upper = nn.ModuleList(
            recurrent(kind, hidden, hidden) for _ in range(settings.num_layers_encoder - 1)
        )
        self._first_residual = (
            settings.rnn_first_residual_layer if settings.rnn_residual_connections else None
        )

    def forward(self, embedded: Tensor, lengths: Tensor) -> Encoded:
        positions = embedded.shape[1]
        inside = within(lengths, positions)
        places = torch.arange(positions, device=lengths.device).expand_as(inside)
        turned = torch.where(inside, lengths[:, None] - 1 - places, places)
        forwards = self.forwards(embedded)[0]
        backwards = self.backwards(_take(embedded, turned))[0]
        end = (lengths - 1)[:, None]
        # Either direction has read the whole source at its own end.
        last = torch.cat([_take(forwards, end), _take(backwards, end)], dim=2)
        states = torch.cat([forwards, _take(backwards, turned)], dim=2)
        if self._residual(1):
            states, last = states + embedded, last + _take(embedded, end)
        for number, layer in enumerate(self.upper, start=2):
            found = layer(states)[0]
            states = found + states if self._residual(number) else found
            last = _take(states, end)
        return Encoded(states, inside, last[:, 0])

    def _residual(self, number: int) -> bool:
        return self._first_residual is not None and number >= self._first_residual


class ConvolutionalEncoder(nn.Module):
    """Residual convolutions over embeddings and learned places."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        hidden, self._width = settings.cnn_num_hidden, settings.cnn_kernel_width_encoder
        self._kind = settings.cnn_activation_type
        self.places = nn.Embedding(settings.max_seq_len_source, settings.num_embed_source)
        self.entry = nn.Linear(settings.num_embed_source, hidden)
        channels = 2 * hidden if self._kind == "glu" else hidden
        self.layers = nn.ModuleList(
            nn.Linear(self._width * hidden, channels) for _ in range(settings.num_layers_encoder)
        )
        self.dropout = nn.Dropout(settings.cnn_hidden_dropout)

    def forward(self, embedded: Tensor, lengths: Tensor) -> Encoded:
        positions = embedded.shape[1]
        inside = within(lengths, positions)
        places = torch.arange(positions, device=lengths.device)
        keep = inside[:, :, None].to(embedded.dtype)
        states = self.entry(embedded + self.places(places)) * keep
        before = (self._width - 1) // 2
        for layer in self.layers:
            padded = nn.functional.pad(
                self.dropout(states), (0, 0, before, self._width - 1 - before)
            )
            found = activated(self._kind, layer(windows(padded, self._width)))
            states = (found + states) * _HALF_VARIANCE * keep
        last = _take(states, (lengths - 1)[:, None])[:, 0]
        return Encoded(states, inside, last)


_HALF_VARIANCE = 0.5**0.5
"""Keeps the variance of a sum of two."""


def windows(padded: Tensor, width: int) -> Tensor:
    """What a convolution sees at each place: rows x places x (width * channels)."""
    seen = padded.unfold(1, width, 1).transpose(2, 3)
    return seen.reshape(seen.shape[0], seen.shape[1], -1)


def _take(states: Tensor, places: Tensor) -> Tensor:
    """States at places of each row: rows x places x width."""
    return states.gather(1, places[:, :, None].expand(-1, -1, states.shape[2]))
