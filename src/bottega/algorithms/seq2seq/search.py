"""Beam search over a batch of sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bottega.algorithms.seq2seq.network import Network
from bottega.algorithms.seq2seq.settings import ModelSettings
from bottega.algorithms.seq2seq.vocabulary import BEGIN, END, PAD


@dataclass(frozen=True)
class Translation:
    """The best that was found for one source."""

    ids: list[int]
    """Target tokens, without ``</s>``."""
    score: float
    """Mean log probability of its tokens, the end among them."""
    attention: list[list[float]]
    """How much each target token looked at each source token: rows are target tokens. Empty when
    not asked for."""


class _Beams:
    """The hypotheses of some sources, and how they came about.

    Every step is kept as two tables, the token and the hypothesis it was put behind, from which the
    best one is read backwards at the end.
    """

    def __init__(self, rows: int, width: int, device: Any) -> None:
        self.width = width
        self.places = torch.arange(rows, device=device)
        """Which source each row is of."""
        self.scores = torch.full((rows, width), -torch.inf, device=device)
        self.scores[:, 0] = 0  # All hypotheses are the same at first: one is enough.
        self.tokens: list[Tensor] = []
        self.parents: list[Tensor] = []
        self.weights: list[Tensor] = []
        self.best = torch.full((rows,), -torch.inf, device=device)
        self.best_step = torch.zeros(rows, dtype=torch.long, device=device)
        self.best_parent = torch.zeros_like(self.best_step)
        self.ended = torch.zeros_like(self.best_step)
        self.decided = torch.zeros(rows, dtype=torch.bool, device=device)

    def extend(self, logits: Tensor, step: int, limits: Tensor) -> tuple[Tensor, Tensor]:
        """Take the best continuations; those that are an end compete for their place with others.

        Args:
            logits: rows x width x words, for the next token.
            step: of the token, from 0.
            limits: the most tokens of each row.

        Returns:
            The hypotheses to go on from (rows x width, numbers within the row) and their tokens.
        """
        # A log probability is a logit less what all words of a hypothesis have in common. Each
        # hypothesis has one end, so that of twice as many at least half goes on.
        many = 2 * self.width
        before = self.scores - logits.logsumexp(dim=2)
        best, words = logits.topk(min(many, logits.shape[2]), dim=2)
        scores, places = (before[:, :, None] + best).flatten(1).topk(many, dim=1)
        parents, tokens = places // best.shape[2], words.flatten(1).gather(1, places)
        ends = tokens == END
        among = ends[:, : self.width]
        self._finish(
            scores[:, : self.width].masked_fill(~among, -torch.inf),
            parents[:, : self.width],
            step,
            ~self.decided & (step <= limits),
        )
        # Who has come to the limit without an end ends there.
        everyone = torch.arange(self.width, device=logits.device).expand_as(before)
        late = (self.ended == 0) & (step == limits)
        self._finish(before + logits[:, :, END], everyone, step, late)
        self.ended += among.sum(dim=1)
        self.decided |= (self.ended >= self.width) | (step >= limits)
        going = ends.to(torch.int8).argsort(dim=1, stable=True)[:, : self.width]
        self.scores = scores.gather(1, going)
        parents, tokens = parents.gather(1, going), tokens.gather(1, going)
        self.parents.append(parents)
        self.tokens.append(tokens)
        return parents, tokens

    def _finish(self, scores: Tensor, parents: Tensor, step: int, allowed: Tensor) -> None:
        """Keep the best of those that end with this step, by their mean."""
        score, place = (scores / (step + 1)).max(dim=1)
        better = (score > self.best) & allowed
        self.best = torch.where(better, score, self.best)
        self.best_step = torch.where(better, step, self.best_step)
        parent = parents.gather(1, place[:, None])[:, 0]
        self.best_parent = torch.where(better, parent, self.best_parent)

    def keep(self, rows: Tensor) -> None:
        """Let go of all rows but these."""
        for name in ("scores", "best", "best_step", "best_parent", "ended", "decided", "places"):
            setattr(self, name, getattr(self, name).index_select(0, rows))
        for tables in (self.tokens, self.parents, self.weights):
            tables[:] = [table.index_select(0, rows) for table in tables]

    def read(self, lengths: Any) -> dict[int, Translation]:
        """The best hypothesis of every row that is decided, by the place of its source.

        Args:
            lengths: of all sources.
        """
        rows = self.decided.nonzero()[:, 0]
        tokens, parents = (
            torch.stack(tables).index_select(1, rows).cpu().numpy()
            for tables in (self.tokens, self.parents)
        )
        weights = [table.index_select(0, rows).cpu().numpy() for table in self.weights]
        facts = (self.places, self.best_step, self.best_parent, self.best)
        found = {}
        for row, (source, steps, place, score) in enumerate(
            zip(*(fact.index_select(0, rows).tolist() for fact in facts), strict=True)
        ):
            ids: list[int] = []
            matrix: list[list[float]] = []
            for step in reversed(range(steps)):
                ids.append(int(tokens[step, row, place]))
                place = int(parents[step, row, place])
                if weights:
                    matrix.append(weights[step][row, place, : lengths[source]].tolist())
            found[source] = Translation(ids[::-1], score, matrix[::-1])
        return found


@torch.inference_mode()
def translate(
    network: Network,
    settings: ModelSettings,
    source: Any,
    lengths: Any,
    *,
    beam_size: int,
    attention: bool = False,
) -> list[Translation]:
    """Find the likeliest targets, by the mean log probability of their tokens.

    Args:
        network: in evaluation mode.
        settings: of the model.
        source: int64 array, sources x positions, padded with 0.
        lengths: int64 array.
        beam_size: hypotheses to keep for each source; 1 takes the likeliest token each time.
        attention: whether to keep the weights of attention.
    """
    device = network.output.weight.device
    rows = len(lengths)
    width = min(beam_size, settings.target_words - 3)
    encoded = network.encode(
        torch.from_numpy(source).to(device), torch.from_numpy(lengths).to(device)
    )
    each = torch.arange(rows, device=device).repeat_interleave(width)
    memory = network.decoder.memory(encoded)
    state = tuple(part.index_select(0, each) for part in network.begin(encoded))
    limits = torch.tensor([settings.longest_answer(int(n)) for n in lengths], device=device)
    beams = _Beams(rows, width, device)
    tokens = torch.full((rows * width, 1), BEGIN, dtype=torch.long, device=device)
    found: dict[int, Translation] = {}
    step = 0
    while rows:
        states, state, weights = network.decoder(network.embed_target(tokens), memory, state)
        logits = network.output(states[:, 0]).float()
        # Neither is ever a token of a translation.
        logits[:, [PAD, BEGIN]] = -torch.inf
        if step == 0:
            logits[:, END] = -torch.inf
        if attention:
            beams.weights.append(weights[:, 0].view(rows, width, -1))
        parents, chosen = beams.extend(logits.view(rows, width, -1), step, limits)
        going = torch.arange(rows, device=device)
        undecided = int((~beams.decided).sum())
        if 2 * undecided <= rows:
            found |= beams.read(lengths)
            going = (~beams.decided).nonzero()[:, 0]
            beams.keep(going)
            memory = tuple(part.select(going) for part in memory)
            parents, chosen, limits = (part[going] for part in (parents, chosen, limits))
        places = (going[:, None] * width + parents).flatten()
        state = tuple(part.index_select(0, places) for part in state)
        tokens = chosen.reshape(-1, 1)
        rows = len(going)
        step += 1
    return [found[place] for place in range(len(lengths))]
