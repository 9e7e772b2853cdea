"""Decoders: what turns the target so far, and the source, into a state that tells the next token.

A decoder reads all positions of known targets at once, which is how it is trained, or goes on from
the state that it was left in, one token at a time, which is how it translates. Nothing that it
attends to is fed back into its first layer; this is what lets it read all positions at once, as in
the decoder of Google's NMT system.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import torch
from torch import Tensor, nn

from bottega.algorithms.seq2seq.attention import Attention, BilinearAttention, Memory, attention
from bottega.algorithms.seq2seq.encoders import Encoded, activated, recurrent, windows
from bottega.algorithms.seq2seq.settings import NetworkSettings

State = tuple[Tensor, ...]
"""What a decoder remembers between tokens; the first axis of each is the row."""


class Decoder(nn.Module, ABC):
    """What both kinds have in common."""

    @abstractmethod
    def memory(self, encoded: Encoded) -> tuple[Memory, ...]:
        """Prepare the sources, once for each attention of the decoder."""

    @abstractmethod
    def begin(self, encoded: Encoded) -> State:
        """The state before the first token."""

    @abstractmethod
    def forward(
        self, embedded: Tensor, memory: tuple[Memory, ...], state: State
    ) -> tuple[Tensor, State, Tensor]:
        """Read on.

        Args:
            embedded: rows x steps x width.
            memory: of the sources, for each of which there is the same number of rows.
            state: after the steps before.

        Returns:
            The states to tell tokens from (rows x steps x width), the decoder's own state after the
            last step, and the weights of attention (rows x steps x positions).
        """


class RecurrentDecoder(Decoder):
    """Stacked recurrent layers, of which the first (or the last) attends."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        kind, hidden = settings.rnn_cell_type, settings.rnn_num_hidden
        layers, context = settings.num_layers_decoder, settings.encoder_width
        self._attends = 1 if settings.rnn_attention_in_upper_layers else layers
        widths = [settings.num_embed_target]
        widths += [hidden + (context if n >= self._attends else 0) for n in range(1, layers)]
        self.layers = nn.ModuleList(recurrent(kind, width, hidden) for width in widths)
        self.attention = attention(
            settings.rnn_attention_type, context, hidden, settings.rnn_attention_num_hidden
        )
        self.combine = nn.Linear(hidden + context, hidden)
        self.dropout = nn.Dropout(settings.rnn_decoder_hidden_dropout)
        # An LSTM has two states, a GRU one.
        self._per_layer = 2 if kind == "lstm" else 1
        self._hidden, self._begins_from = hidden, settings.rnn_decoder_state_init
        starts = layers * self._per_layer * hidden
        self.start: nn.Linear | None = None
        if self._begins_from != "zero":
            self.start = nn.Linear(context, starts)
        self._first_residual = (
            settings.rnn_first_residual_layer if settings.rnn_residual_connections else layers + 1
        )

    def memory(self, encoded: Encoded) -> tuple[Memory, ...]:
        return (self.attention.memory(encoded),)

    def begin(self, encoded: Encoded) -> State:
        parts = len(self.layers) * self._per_layer
        if self.start is None:
            return (encoded.last.new_zeros(len(encoded.last), self._hidden),) * parts
        read = encoded.last if self._begins_from == "last" else encoded.average()
        return torch.tanh(self.start(read)).chunk(parts, dim=1)

    def forward(
        self, embedded: Tensor, memory: tuple[Memory, ...], state: State
    ) -> tuple[Tensor, State, Tensor]:
        output, after = embedded, []
        context = weights = None
        for number, layer in enumerate(self.layers, start=1):
            place = (number - 1) * self._per_layer
            before = [part[None].contiguous() for part in state[place : place + self._per_layer]]
            seen = output if context is None else torch.cat([output, context], dim=2)
            found, left = layer(seen, tuple(before) if self._per_layer == 2 else before[0])
            after += [part[0] for part in left] if self._per_layer == 2 else [left[0]]
            output = found + output if number >= self._first_residual else found
            if number == self._attends:
                context, weights = self.attention(output, memory[0])
        assert context is not None
        assert weights is not None
        combined = torch.tanh(self.combine(torch.cat([output, context], dim=2)))
        return self.dropout(combined), tuple(after), weights


class ConvolutionalDecoder(Decoder):
    """Residual convolutions over what is written so far, each of which attends."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        hidden, self._width = settings.cnn_num_hidden, settings.cnn_kernel_width_decoder
        self._kind, self._hidden = settings.cnn_activation_type, hidden
        context, embed = settings.encoder_width, settings.num_embed_target
        channels = 2 * hidden if self._kind == "glu" else hidden
        layers = range(settings.num_layers_decoder)
        self.places = nn.Embedding(settings.max_seq_len_target + 1, embed)
        self.entry = nn.Linear(embed, hidden)
        self.layers = nn.ModuleList(nn.Linear(self._width * hidden, channels) for _ in layers)
        self.queries = nn.ModuleList(nn.Linear(hidden, hidden) for _ in layers)
        self.attentions = nn.ModuleList(BilinearAttention(context, hidden) for _ in layers)
        self.contexts = nn.ModuleList(nn.Linear(context, hidden) for _ in layers)
        self.dropout = nn.Dropout(settings.cnn_hidden_dropout)

    def memory(self, encoded: Encoded) -> tuple[Memory, ...]:
        return tuple(cast("Attention", module).memory(encoded) for module in self.attentions)

    def begin(self, encoded: Encoded) -> State:
        rows = len(encoded.last)
        # What each layer saw of the places before the first, and how many tokens there were.
        empty = encoded.last.new_zeros(rows, self._width - 1, self._hidden)
        written = torch.zeros(rows, dtype=torch.long, device=empty.device)
        return (*(empty,) * len(self.layers), written)

    def forward(
        self, embedded: Tensor, memory: tuple[Memory, ...], state: State
    ) -> tuple[Tensor, State, Tensor]:
        steps = embedded.shape[1]
        written = state[-1]
        places = written[:, None] + torch.arange(steps, device=embedded.device)
        places = places.clamp(max=self.places.num_embeddings - 1)
        entered = self.entry(embedded + self.places(places))
        output, after = entered, []
        weights = output
        for number, layer in enumerate(self.layers):
            seen = torch.cat([state[number], self.dropout(output)], dim=1)
            after.append(seen[:, seen.shape[1] - (self._width - 1) :])
            found = activated(self._kind, layer(windows(seen, self._width)))
            query = (self.queries[number](found) + entered) * _HALF_VARIANCE
            context, weights = self.attentions[number](query, memory[number])
            found = (found + self.contexts[number](context)) * _HALF_VARIANCE
            output = (found + output) * _HALF_VARIANCE
        return output, (*after, written + steps), weights


_HALF_VARIANCE = 0.5**0.5
