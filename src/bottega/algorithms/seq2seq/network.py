"""The network: embeddings, encoder, decoder, output layer; its first weights and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bottega.algorithms.seq2seq.corpus import Batch
from bottega.algorithms.seq2seq.decoders import ConvolutionalDecoder, Decoder, RecurrentDecoder
from bottega.algorithms.seq2seq.encoders import ConvolutionalEncoder, Encoded, RecurrentEncoder
from bottega.algorithms.seq2seq.settings import CourseSettings, ModelSettings
from bottega.algorithms.seq2seq.vocabulary import PAD

_MOST_LOGITS = 1 << 27
"""Where a batch needs more, its tokens are judged some at a time, and again for the gradients."""


@dataclass(frozen=True)
class Judgement:
    """How well a batch is told; the numbers are still on the device."""

    loss: Tensor
    """Cross-entropy, the sum over its target tokens."""
    right: Tensor
    """How many tokens are the likeliest by the network."""
    tokens: int
    """How many there are, the ends of sentences among them."""


class Network(nn.Module):
    """An encoder-decoder of one model's settings."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        shape = settings.network
        self.source_embedding = nn.Embedding(settings.source_words, shape.num_embed_source)
        self.target_embedding = nn.Embedding(settings.target_words, shape.num_embed_target)
        self.source_dropout = nn.Dropout(shape.embed_dropout_source)
        self.target_dropout = nn.Dropout(shape.embed_dropout_target)
        reads = RecurrentEncoder if shape.encoder_type == "rnn" else ConvolutionalEncoder
        writes = RecurrentDecoder if shape.decoder_type == "rnn" else ConvolutionalDecoder
        self.encoder: nn.Module = reads(shape)
        self.decoder: Decoder = writes(shape)
        self.output = nn.Linear(shape.decoder_width, settings.target_words)

    def encode(self, source: Tensor, lengths: Tensor) -> Encoded:
        """Read sources: int64 rows x positions, and their lengths."""
        embedded = self.source_dropout(self.source_embedding(source))
        found: Encoded = self.encoder(embedded, lengths)
        return found

    def embed_target(self, tokens: Tensor) -> Tensor:
        """The embeddings of target tokens."""
        found: Tensor = self.target_dropout(self.target_embedding(tokens))
        return found

    def forward(self, batch: Batch, *, count: bool = True) -> Judgement:
        """Judge a batch whose targets are known.

        Args:
            batch: from the corpus.
            count: whether to find out how many tokens are right; 0 otherwise.
        """
        device = self.output.weight.device
        source, lengths, target, wanted = (
            torch.from_numpy(array).to(device, non_blocking=True)
            for array in (
                batch.source,
                batch.source_lengths,
                batch.target_input,
                batch.target_output,
            )
        )
        encoded = self.encode(source, lengths)
        embedded = self.embed_target(target)
        states, _, _ = self.decoder(embedded, self.decoder.memory(encoded), self.begin(encoded))
        real = torch.from_numpy((batch.target_output != PAD).ravel().nonzero()[0]).to(device)
        states = states.reshape(-1, states.shape[2]).index_select(0, real)
        wanted = wanted.reshape(-1).index_select(0, real)
        loss, right = self._judge_all(states, wanted, count)
        return Judgement(loss, right, len(real))

    def begin(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """The decoder's state before the first token."""
        return self.decoder.begin(encoded)

    def _judge_all(self, states: Tensor, wanted: Tensor, count: bool) -> tuple[Tensor, Tensor]:
        at_once = max(1, _MOST_LOGITS // self.output.out_features)
        if len(states) <= at_once:
            return self._judge(states, wanted, count)
        parts = zip(torch.split(states, at_once), torch.split(wanted, at_once), strict=True)
        if torch.is_grad_enabled():
            found: list[Any] = [
                checkpoint(self._judge, some, of, count, use_reentrant=False) for some, of in parts
            ]
        else:
            found = [self._judge(some, of, count) for some, of in parts]
        losses, rights = zip(*found, strict=True)
        return torch.stack(losses).sum(), torch.stack(rights).sum()

    def _judge(self, states: Tensor, wanted: Tensor, count: bool) -> tuple[Tensor, Tensor]:
        logits = self.output(states)
        loss = nn.functional.cross_entropy(logits, wanted, reduction="sum")
        right = (logits.detach().argmax(dim=1) == wanted).sum() if count else wanted.new_zeros(())
        return loss, right


def initialize(network: Network, course: CourseSettings) -> None:
    """Draw the first weights from torch's generator, as ``weight_init_type`` has it.

    Biases are 0, but for the forget gates of LSTMs, which begin open. The recurrent matrices of
    xavier are orthogonal, gate by gate.
    """
    scale, xavier = course.weight_init_scale, course.weight_init_type == "xavier"
    for name, weight in network.named_parameters():
        if weight.dim() < 2:
            nn.init.zeros_(weight)
            if "bias_ih" in name and isinstance(_layer_of(network, name), nn.LSTM):
                hidden = weight.shape[0] // 4
                nn.init.ones_(weight[hidden : 2 * hidden])
        elif "weight_hh" in name and xavier:
            for gate in torch.split(weight.detach(), weight.shape[1]):
                nn.init.orthogonal_(gate)
        else:
            bound = abs(scale)
            if xavier:
                outputs, inputs = weight.shape
                width = {"in": inputs, "out": outputs, "avg": (inputs + outputs) / 2}
                bound = (scale / width[course.xavier_factor_type]) ** 0.5
            nn.init.uniform_(weight, -bound, bound)


def _layer_of(network: Network, parameter: str) -> nn.Module:
    """The layer that a parameter belongs to."""
    return network.get_submodule(parameter.rpartition(".")[0])
