"""Seq2Seq's hyperparameters against SageMaker's page, and what becomes of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bottega.algorithms.base import HyperparameterError
from bottega.algorithms.registry import algorithm
from bottega.algorithms.seq2seq import settings
from bottega.algorithms.seq2seq.schema import SCHEMA

DEFAULTS = {
    "batch_size": "64",
    "beam_size": "5",
    "max_seq_len_source": "100",
    "max_seq_len_target": "100",
    "bucketing_enabled": "true",
    "bucket_width": "10",
    "encoder_type": "rnn",
    "decoder_type": "rnn",
    "num_layers_encoder": "1",
    "num_layers_decoder": "1",
    "num_embed_source": "512",
    "num_embed_target": "512",
    "embed_dropout_source": "0",
    "embed_dropout_target": "0",
    "rnn_num_hidden": "1024",
    "rnn_cell_type": "lstm",
    "rnn_attention_type": "mlp",
    "rnn_attention_in_upper_layers": "true",
    "rnn_decoder_state_init": "last",
    "rnn_residual_connections": "false",
    "rnn_first_residual_layer": "2",
    "rnn_decoder_hidden_dropout": "0",
    "cnn_num_hidden": "512",
    "cnn_kernel_width_encoder": "3",
    "cnn_kernel_width_decoder": "5",
    "cnn_activation_type": "glu",
    "cnn_hidden_dropout": "0",
    "optimizer_type": "adam",
    "learning_rate": "0.0003",
    "weight_decay": "0",
    "lr_scheduler_type": "plateau_reduce",
    "plateau_reduce_lr_factor": "0.5",
    "plateau_reduce_lr_threshold": "3",
    "fixed_rate_lr_half_life": "10",
    "clip_gradient": "1",
    "weight_init_type": "xavier",
    "weight_init_scale": "2.34",
    "xavier_factor_type": "in",
    "loss_type": "cross-entropy",
    "optimized_metric": "perplexity",
    "training_metric": "perplexity",
    "bleu_sample_size": "0",
    "checkpoint_frequency_num_batches": "1000",
    "checkpoint_threshold": "3",
    "min_num_epochs": "0",
    "max_num_batches": "-1",
}
WITHOUT_DEFAULT = {"rnn_attention_num_hidden", "momentum", "max_num_epochs"}


def test_names_and_defaults_are_those_of_the_page():
    assert SCHEMA.defaults() == DEFAULTS
    assert {p.name for p in SCHEMA.visible()} == DEFAULTS.keys() | WITHOUT_DEFAULT


def test_every_default_is_allowed():
    found = SCHEMA.check(DEFAULTS)
    assert found.keys() == DEFAULTS.keys()


def test_attention_is_as_wide_as_the_hidden_layers_unless_told():
    assert settings.read({"rnn_num_hidden": "64"})[0].rnn_attention_num_hidden == 64
    given = {"rnn_num_hidden": "64", "rnn_attention_num_hidden": "10"}
    assert settings.read(given)[0].rnn_attention_num_hidden == 10


def test_none_means_no_limit():
    course = settings.read({"max_num_epochs": "none", "momentum": "none", "max_num_batches": "-1"})[
        1
    ]
    assert (course.max_num_epochs, course.momentum, course.max_num_batches) == (None, None, None)


@pytest.mark.parametrize(("given", "used"), [("0", -1), ("50", 50), ("-1", -1)])
def test_bleu_that_is_optimized_is_of_all_pairs_unless_told(given: str, used: int):
    """SageMaker's example optimizes bleu without a sample size."""
    course = settings.read({"optimized_metric": "bleu", "bleu_sample_size": given})[1]
    assert course.bleu_sample_size == used


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_switches_are_read_as_the_sdk_writes_them(text: str):
    assert settings.read({"rnn_residual_connections": text})[0].rnn_residual_connections is True


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        ({"rnn_num_hidden": "65"}, "rnn_num_hidden", "even number"),
        ({"rnn_num_hidden": "65", "decoder_type": "cnn"}, "rnn_num_hidden", "odd"),
        ({"bucketing_enabled": "yes"}, "bucketing_enabled", "true or false"),
        ({"encoder_type": "transformer"}, "encoder_type", "rnn, cnn"),
        ({"batch_size": "0"}, "batch_size", "[1,∞)"),
        ({"embed_dropout_source": "1.5"}, "embed_dropout_source", "[0,1]"),
        ({"max_num_batches": "0"}, "max_num_batches", "trains nothing"),
        ({"max_num_epochs": "2", "min_num_epochs": "3"}, "max_num_epochs", "min_num_epochs 3"),
        ({"weight_init_scale": "-1"}, "weight_init_scale", "xavier"),
        ({"learning_rate": "0"}, "learning_rate", "(0,∞)"),
        ({"bleu_sample_size": "-2"}, "bleu_sample_size", "[-1,∞)"),
        ({"num_hidden": "3"}, "num_hidden", "Did you mean"),
        (
            {"rnn_residual_connections": "true", "rnn_first_residual_layer": "1"},
            "rnn_first_residual_layer",
            "num_embed_source (512)",
        ),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, str], name: str, words: str):
    with pytest.raises(HyperparameterError) as raised:
        settings.read(given)
    assert raised.value.name == name
    assert words in str(raised.value)


def test_only_a_recurrent_encoder_needs_an_even_rnn_num_hidden():
    given = {"rnn_num_hidden": "65", "encoder_type": "cnn"}
    network = settings.read(given)[0]
    assert (network.encoder_width, network.decoder_width) == (512, 65)


def test_settings_of_a_model_survive_their_file():
    network, course = settings.read({"rnn_num_hidden": "64", "encoder_type": "cnn"})
    model = settings.ModelSettings(network, 10, 20, course.beam_size, 1.25, 0.5)
    assert settings.ModelSettings.from_json(model.to_json()) == model


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "bottega-seq2seq-1"}', "nothing"])
def test_any_other_file_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is whatever is wrong with it
        settings.ModelSettings.from_json(text)


def test_translations_are_cut_off_where_the_training_data_make_it_likely():
    network, _ = settings.read({"max_seq_len_target": "30"})
    model = settings.ModelSettings(network, 10, 20, 5, 1.0, 0.25)
    assert model.longest_answer(10) == 20
    assert model.longest_answer(100) == 30


def test_the_metric_that_judges_is_the_optimized_one():
    found = algorithm("seq2seq")
    assert found.judged_by({}) == ("validation:perplexity",)
    assert found.judged_by({"optimized_metric": "bleu"}) == ("validation:bleu",)


def test_describing_the_algorithm_imports_no_library():
    code = (
        "import sys; from bottega.algorithms.registry import algorithm; algorithm('seq2seq'); "
        "print([name for name in ('torch', 'numpy', 'scipy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
