"""The network of every kind of encoder, decoder and attention."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from bottega.algorithms.seq2seq import attention as attention_module
from bottega.algorithms.seq2seq import network as network_module
from bottega.algorithms.seq2seq import settings
from bottega.algorithms.seq2seq.corpus import Batch, corpus_of
from bottega.algorithms.seq2seq.network import Network, initialize

PAIRS = [
    ([4, 5, 6, 7], [8, 9]),
    ([5], [4, 5, 6, 7, 8]),
    ([9, 8], [7]),
]
KINDS = {
    "plain": {},
    "gru": {"rnn_cell_type": "gru", "rnn_decoder_state_init": "avg"},
    "dot": {"rnn_attention_type": "dot", "rnn_attention_num_hidden": "8"},
    "bilinear": {"rnn_attention_type": "bilinear", "rnn_decoder_state_init": "zero"},
    "fixed": {"rnn_attention_type": "fixed"},
    "deep": {
        "num_layers_encoder": "3",
        "num_layers_decoder": "3",
        "rnn_residual_connections": "true",
    },
    "deep, attention on top": {
        "num_layers_decoder": "3",
        "rnn_attention_in_upper_layers": "false",
        "rnn_residual_connections": "true",
        "rnn_first_residual_layer": "3",
    },
    "residual from the first": {
        "num_layers_decoder": "2",
        "num_embed_source": "16",
        "num_embed_target": "16",
        "rnn_residual_connections": "true",
        "rnn_first_residual_layer": "1",
    },
    "cnn": {"encoder_type": "cnn", "decoder_type": "cnn", "num_layers_decoder": "2"},
    "cnn of width 1 and 4": {
        "encoder_type": "cnn",
        "decoder_type": "cnn",
        "cnn_kernel_width_encoder": "4",
        "cnn_kernel_width_decoder": "1",
        "cnn_activation_type": "relu",
    },
    "cnn to rnn": {"encoder_type": "cnn", "cnn_activation_type": "tanh"},
    "rnn to cnn": {"decoder_type": "cnn", "cnn_activation_type": "softrelu"},
}


def made(seed: int = 0, **given: str) -> Network:
    sizes = {
        "rnn_num_hidden": "16",
        "cnn_num_hidden": "12",
        "num_embed_source": "10",
        "num_embed_target": "14",
    }
    network, course = settings.read({**sizes, **given})
    torch.manual_seed(seed)
    found = Network(settings.ModelSettings(network, 12, 13, course.beam_size, 1.0, 0.5))
    initialize(found, course)
    return found.eval()


def all_pairs() -> Batch:
    return corpus_of(PAIRS).batch(np.arange(len(PAIRS)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_judged_as_its_pairs_are_alone(kind: str):
    """Padding means nothing, on neither side."""
    network = made(**KINDS[kind])
    network.requires_grad_(False)
    together = network(all_pairs())
    alone = [network(corpus_of([pair]).batch(np.arange(1))) for pair in PAIRS]
    assert together.tokens == sum(found.tokens for found in alone) == 2 + 5 + 1 + 3
    assert float(together.loss) == pytest.approx(
        sum(float(found.loss) for found in alone), rel=1e-5
    )
    assert int(together.right) == sum(int(found.right) for found in alone)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_step_by_step_is_the_same_as_all_at_once(kind: str):
    network = made(**KINDS[kind])
    batch = all_pairs()
    encoded = network.encode(torch.tensor(batch.source), torch.tensor(batch.source_lengths))
    memory, tokens = network.decoder.memory(encoded), torch.tensor(batch.target_input)
    whole, _, weights = network.decoder(
        network.embed_target(tokens), memory, network.begin(encoded)
    )
    state = network.begin(encoded)
    for step in range(tokens.shape[1]):
        embedded = network.embed_target(tokens[:, step : step + 1])
        states, state, seen = network.decoder(embedded, memory, state)
        torch.testing.assert_close(states[:, 0], whole[:, step])
        torch.testing.assert_close(seen[:, 0], weights[:, step])


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_future_is_not_looked_at(kind: str):
    network = made(**KINDS[kind])
    first, second = (
        corpus_of([([4, 5, 6], [7, 8, *rest])]).batch(np.arange(1)) for rest in ([9, 9], [10, 4])
    )
    states = []
    for batch in (first, second):
        encoded = network.encode(torch.tensor(batch.source), torch.tensor(batch.source_lengths))
        embedded = network.embed_target(torch.tensor(batch.target_input))
        memory = network.decoder.memory(encoded)
        states.append(network.decoder(embedded, memory, network.begin(encoded))[0])
    torch.testing.assert_close(states[0][:, :3], states[1][:, :3])
    assert not torch.allclose(states[0][:, 3:], states[1][:, 3:])


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_learns(kind: str):
    network = made(**KINDS[kind]).train()
    network(all_pairs()).loss.backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert bool(weight.grad.any()), name


@pytest.mark.parametrize("kind", ["plain", "dot", "bilinear", "cnn", "cnn to rnn"])
@torch.no_grad()
def test_attention_is_shared_out_among_the_tokens_of_the_source(kind: str):
    network = made(**KINDS[kind])
    batch = all_pairs()
    encoded = network.encode(torch.tensor(batch.source), torch.tensor(batch.source_lengths))
    weights = network.decoder(
        network.embed_target(torch.tensor(batch.target_input)),
        network.decoder.memory(encoded),
        network.begin(encoded),
    )[2]
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(weights.shape[:2]))
    for row, length in enumerate(batch.source_lengths):
        assert not bool(weights[row, :, length:].any())


@pytest.mark.parametrize("kind", ["plain", "gru", "deep"])
@torch.no_grad()
def test_the_first_layer_reads_as_a_bidirectional_one_of_torch(kind: str):
    network = made(**KINDS[kind])
    cell = torch.nn.GRU if kind == "gru" else torch.nn.LSTM
    oracle = cell(10, 8, batch_first=True, bidirectional=True)
    directions = (("forwards", ""), ("backwards", "_reverse"))
    oracle.load_state_dict(
        {
            f"{name}{suffix}": tensor
            for part, suffix in directions
            for name, tensor in getattr(network.encoder, part).state_dict().items()
        }
    )
    batch = all_pairs()
    embedded = network.source_embedding(torch.tensor(batch.source))
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        embedded, torch.tensor(batch.source_lengths), batch_first=True, enforce_sorted=False
    )
    states, ends = oracle(packed)
    states = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True)[0]
    last = (ends if kind == "gru" else ends[0]).transpose(0, 1).reshape(len(PAIRS), -1)
    network.encoder.upper = torch.nn.ModuleList()
    encoded = network.encode(torch.tensor(batch.source), torch.tensor(batch.source_lengths))
    torch.testing.assert_close(encoded.states * encoded.inside[:, :, None], states)
    torch.testing.assert_close(encoded.last, last)


@pytest.mark.parametrize("kind", ["plain", "cnn"])
def test_large_batches_are_judged_piece_by_piece(kind: str, monkeypatch: pytest.MonkeyPatch):
    def judged() -> tuple[float, int, list[torch.Tensor]]:
        network = made(**KINDS[kind])
        found = network(all_pairs())
        found.loss.backward()
        return float(found.loss.detach()), int(found.right), [w.grad for w in network.parameters()]

    whole = judged()
    monkeypatch.setattr(network_module, "_MOST_LOGITS", 30)
    monkeypatch.setattr(attention_module, "_MOST_NUMBERS", 400)
    pieces = judged()
    assert pieces[0] == pytest.approx(whole[0], rel=1e-5)
    assert pieces[1] == whole[1]
    for one, other in zip(pieces[2], whole[2], strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ({"embed_dropout_source": "0.5"}, ("plain", "cnn")),
        ({"embed_dropout_target": "0.5"}, ("plain", "cnn")),
        ({"rnn_decoder_hidden_dropout": "0.5"}, ("plain",)),
        ({"cnn_hidden_dropout": "0.5"}, ("cnn", "cnn to rnn")),
    ],
)
def test_dropout_acts_in_training_only(given: dict[str, str], kinds: tuple[str, ...]):
    for kind in kinds:
        network = made(**KINDS[kind], **given).requires_grad_(False)
        calm = [float(network(all_pairs()).loss) for _ in range(2)]
        network.train()
        noisy = [float(network(all_pairs()).loss) for _ in range(2)]
        assert calm[0] == calm[1]
        assert noisy[0] != noisy[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *itertools.pairwise([{"rnn_decoder_state_init": kind} for kind in ("last", "avg", "zero")]),
        ({"rnn_residual_connections": "true"}, {}),
        (
            {"rnn_residual_connections": "true", "rnn_first_residual_layer": "3"},
            {"rnn_residual_connections": "true"},
        ),
        ({"rnn_attention_in_upper_layers": "false"}, {}),
        *(
            (
                {"decoder_type": "cnn", "cnn_activation_type": kind},
                {"decoder_type": "cnn", "cnn_activation_type": "relu"},
            )
            for kind in ("sigmoid", "tanh", "softrelu")
        ),
    ],
)
def test_what_changes_no_weights_changes_the_outcome(one: dict[str, str], other: dict[str, str]):
    layers = {"num_layers_encoder": "3", "num_layers_decoder": "3"}
    networks = [made(**layers, **given).requires_grad_(False) for given in (one, other)]
    assert float(networks[0](all_pairs()).loss) != float(networks[1](all_pairs()).loss)


def bounds(**given: str) -> dict[str, float]:
    return {name: float(w.detach().abs().max()) for name, w in made(**given).named_parameters()}


@pytest.mark.parametrize(("factor", "width"), [("in", 26), ("out", 16), ("avg", 21)])
def test_xavier_draws_by_the_width_of_the_layer(factor: str, width: float):
    """The layer that is looked at has 16 + 10 inputs and 16 outputs."""
    found = bounds(
        xavier_factor_type=factor, weight_init_scale="3", encoder_type="cnn", cnn_num_hidden="10"
    )
    bound = (3 / width) ** 0.5
    assert 0.9 * bound < found["decoder.combine.weight"] <= bound


def test_uniform_draws_within_the_scale():
    found = bounds(weight_init_type="uniform", weight_init_scale="0.07")
    for name, bound in found.items():
        assert "bias" in name or 0.05 < bound <= 0.07


def test_recurrent_matrices_begin_orthogonal_and_forget_gates_open():
    layer = made().decoder.layers[0]
    for gate in layer.weight_hh_l0.detach().split(16):
        torch.testing.assert_close(gate @ gate.T, torch.eye(16), atol=1e-5, rtol=0)
    assert layer.bias_ih_l0.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32
    assert not bool(layer.bias_hh_l0.any())
