"""Attention: how a decoder looks at the source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bottega.algorithms.seq2seq.encoders import Encoded

_MOST_NUMBERS = 1 << 26
"""Where the scores of all target positions at once would need more numbers than this in between,
they are computed some positions at a time, and again for the gradients."""


@dataclass(frozen=True)
class Memory:
    """What attention needs of the sources; made once, used for every target token."""

    states: Tensor
    """sources x positions x width."""
    keys: Tensor
    """sources x positions x width of the scores; empty where none are needed."""
    inside: Tensor
    """bool, sources x positions."""

    def select(self, sources: Tensor) -> Memory:
        """The memory of some of the sources."""
        return Memory(
            self.states.index_select(0, sources),
            self.keys.index_select(0, sources),
            self.inside.index_select(0, sources),
        )


class Attention(nn.Module, ABC):
    """Weighs every position of the source, and averages its states."""

    @abstractmethod
    def memory(self, encoded: Encoded) -> Memory:
        """Prepare the sources."""

    @abstractmethod
    def weights(self, queries: Tensor, memory: Memory) -> Tensor:
        """How much each query looks at each position: sources x targets x positions."""

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Look at the sources.

        Args:
            queries: rows x targets x width; rows are as many as the sources, or the same number
                for each of them, one after another.
            memory: of the sources.

        Returns:
            The context of each query (rows x targets x width), and its weights (rows x targets x
            positions).
        """
        rows, targets, width = queries.shape
        weights = self.weights(queries.reshape(len(memory.states), -1, width), memory)
        context = weights @ memory.states
        return context.view(rows, targets, -1), weights.view(rows, targets, -1)


class ScoringAttention(Attention):
    """The weights are the softmax of scores, which need a part of each state only."""

    @abstractmethod
    def keys(self, states: Tensor) -> Tensor:
        """What of the states the scores are computed from."""

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """rows x targets x positions."""

    def memory(self, encoded: Encoded) -> Memory:
        return Memory(encoded.states, self.keys(encoded.states), encoded.inside)

    def weights(self, queries: Tensor, memory: Memory) -> Tensor:
        scores = self.scores(queries, memory.keys)
        return scores.masked_fill(~memory.inside[:, None], -torch.inf).softmax(dim=2)


class ConcatAttention(ScoringAttention):
    """A hidden layer over query and state (Bahdanau; Luong's concat)."""

    def __init__(self, states: int, queries: int, hidden: int) -> None:
        super().__init__()
        self.of_state = nn.Linear(states, hidden, bias=False)
        self.of_query = nn.Linear(queries, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        found: Tensor = self.of_state(states)
        return found

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        asked = self.of_query(queries)
        rows, targets, hidden = asked.shape
        at_once = max(1, _MOST_NUMBERS // max(1, rows * keys.shape[1] * hidden))
        if targets <= at_once:
            return self._score(asked, keys)
        run: Callable[..., Any] = self._again if torch.is_grad_enabled() else self._score
        return torch.cat([run(part, keys) for part in asked.split(at_once, dim=1)], dim=1)

    def _score(self, asked: Tensor, keys: Tensor) -> Tensor:
        hidden = torch.tanh(asked[:, :, None] + keys[:, None])
        found: Tensor = self.score(hidden)[..., 0]
        return found

    def _again(self, asked: Tensor, keys: Tensor) -> Any:
        return checkpoint(self._score, asked, keys, use_reentrant=False)


class DotAttention(ScoringAttention):
    """The product of query and state, which are brought to the same width where they are not."""

    def __init__(self, states: int, queries: int, hidden: int) -> None:
        super().__init__()
        same = states == queries == hidden
        self.of_state = nn.Identity() if same else nn.Linear(states, hidden, bias=False)
        self.of_query = nn.Identity() if same else nn.Linear(queries, hidden, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        found: Tensor = self.of_state(states)
        return found

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        found: Tensor = self.of_query(queries) @ keys.transpose(1, 2)
        return found


class BilinearAttention(ScoringAttention):
    """The product of query and state with a matrix in between (Luong's general)."""

    def __init__(self, states: int, queries: int) -> None:
        super().__init__()
        self.of_state = nn.Linear(states, queries, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        found: Tensor = self.of_state(states)
        return found

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys.transpose(1, 2)


class FixedAttention(Attention):
    """Always the state in which the encoder ended: an encoder-decoder without attention."""

    def memory(self, encoded: Encoded) -> Memory:
        states = encoded.last[:, None]
        everywhere = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        return Memory(states, states[:, :, :0], everywhere)

    def weights(self, queries: Tensor, memory: Memory) -> Tensor:
        return queries.new_ones(*queries.shape[:2], 1)


def attention(kind: str, states: int, queries: int, hidden: int) -> Attention:
    """The attention of ``rnn_attention_type``.

    Args:
        kind: its name.
        states: width of the encoder's states.
        queries: width of the decoder's.
        hidden: ``rnn_attention_num_hidden``, where it has a say.
    """
    if kind == "mlp":
        return ConcatAttention(states, queries, hidden)
    if kind == "dot":
        return DotAttention(states, queries, hidden)
    if kind == "bilinear":
        return BilinearAttention(states, queries)
    return FixedAttention()
