"""Seq2Seq's hyperparameters: names, defaults and ranges as SageMaker documents them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

_RNN_DECODER = Condition("decoder_type", ("rnn",))
_CNN_DECODER = Condition("decoder_type", ("cnn",))
_CNN_ENCODER = Condition("encoder_type", ("cnn",))
_RESIDUAL = Condition("rnn_residual_connections", ("true",))
_PLATEAU = Condition("lr_scheduler_type", ("plateau_reduce",))
_FIXED = Condition("lr_scheduler_type", ("fixed_rate_inv_t", "fixed_rate_inv_sqrt_t"))
_XAVIER = Condition("weight_init_type", ("xavier",))

_SIZES = TunableRange(choices=("128", "256", "512", "1024", "2048"))
_HALF = TunableRange(0.0, 0.5)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("is not true or false")
    return text.lower() == "true"


def _switch(
    name: str, description: str, default: str, used_when: Condition | None = None
) -> Hyperparameter:
    return Hyperparameter(
        name,
        "categorical",
        description,
        default=default,
        choices=("true", "false"),
        parse=_flag,
        used_when=used_when,
    )


def _count(name: str, description: str, default: str, **more: Any) -> Hyperparameter:
    """A whole number from 1 on."""
    return Hyperparameter(
        name, "integer", description, default=default, interval=Interval(1), **more
    )


def _share(name: str, description: str, used_when: Condition | None = None) -> Hyperparameter:
    """A probability of dropout."""
    return Hyperparameter(
        name,
        "continuous",
        description,
        default="0",
        interval=Interval(0, 1),
        tunable=_HALF,
        used_when=used_when,
    )


_NETWORK = (
    Hyperparameter(
        "encoder_type",
        "categorical",
        "What reads the source: a recurrent network (Bahdanau et al.) or gated convolutions "
        "(Gehring et al.).",
        default="rnn",
        choices=("rnn", "cnn"),
        essential=True,
    ),
    Hyperparameter(
        "decoder_type",
        "categorical",
        "What writes the target: a recurrent network or gated convolutions.",
        default="rnn",
        choices=("rnn", "cnn"),
        essential=True,
    ),
    _count(
        "num_layers_encoder",
        "Layers of the encoder.",
        "1",
        tunable=TunableRange(1, 10),
        essential=True,
    ),
    _count(
        "num_layers_decoder",
        "Layers of the decoder.",
        "1",
        tunable=TunableRange(1, 10),
        essential=True,
    ),
    _count(
        "num_embed_source",
        "Width of the embedding of source tokens.",
        "512",
        tunable=TunableRange(256, 512),
    ),
    _count(
        "num_embed_target",
        "Width of the embedding of target tokens.",
        "512",
        tunable=TunableRange(256, 512),
    ),
    _share("embed_dropout_source", "Dropout of the embeddings of source tokens."),
    _share("embed_dropout_target", "Dropout of the embeddings of target tokens."),
    _count(
        "rnn_num_hidden",
        "Hidden units of recurrent encoder and decoder; an even number, as the encoder's first "
        "layer reads in both directions.",
        "1024",
        tunable=_SIZES,
        essential=True,
    ),
    Hyperparameter(
        "rnn_cell_type",
        "categorical",
        "Kind of recurrent cell.",
        default="lstm",
        choices=("lstm", "gru"),
    ),
    Hyperparameter(
        "rnn_attention_type",
        "categorical",
        "How a recurrent decoder scores source positions: mlp is Luong's concat, bilinear his "
        "general, fixed always looks at the encoder's last state.",
        default="mlp",
        choices=("mlp", "dot", "fixed", "bilinear"),
        used_when=_RNN_DECODER,
    ),
    Hyperparameter(
        "rnn_attention_num_hidden",
        "integer",
        "Hidden units of mlp and dot attention; rnn_num_hidden when not given.",
        interval=Interval(1),
        used_when=Condition("rnn_attention_type", ("mlp", "dot")),
    ),
    _switch(
        "rnn_attention_in_upper_layers",
        "Attend with the first layer of the decoder and pass the context to the upper ones, "
        "instead of attending with the last; matters with more than one layer.",
        "true",
        _RNN_DECODER,
    ),
    Hyperparameter(
        "rnn_decoder_state_init",
        "categorical",
        "What a recurrent decoder's states begin from: the encoder's last state, the average of "
        "its states, or zero.",
        default="last",
        choices=("last", "avg", "zero"),
        used_when=_RNN_DECODER,
    ),
    _switch(
        "rnn_residual_connections",
        "Add residual connections to stacked recurrent layers.",
        "false",
    ),
    _count(
        "rnn_first_residual_layer",
        "First recurrent layer with a residual connection, counted from 1.",
        "2",
        used_when=_RESIDUAL,
    ),
    _share(
        "rnn_decoder_hidden_dropout",
        "Dropout of the state that combines the context with a recurrent decoder's output.",
        _RNN_DECODER,
    ),
    _count(
        "cnn_num_hidden",
        "Channels of convolutional encoder and decoder.",
        "512",
        tunable=_SIZES,
    ),
    _count(
        "cnn_kernel_width_encoder",
        "Tokens a convolution of the encoder sees.",
        "3",
        used_when=_CNN_ENCODER,
    ),
    _count(
        "cnn_kernel_width_decoder",
        "Tokens a convolution of the decoder sees.",
        "5",
        used_when=_CNN_DECODER,
    ),
    Hyperparameter(
        "cnn_activation_type",
        "categorical",
        "Activation of the convolutions.",
        default="glu",
        choices=("glu", "relu", "softrelu", "sigmoid", "tanh"),
    ),
    _share("cnn_hidden_dropout", "Dropout between convolutional layers."),
)

_DATA = (
    _count("max_seq_len_source", "Longest source; longer ones are cut to this length.", "100"),
    _count("max_seq_len_target", "Longest target; longer ones are cut to this length.", "100"),
    _switch(
        "bucketing_enabled",
        "Put sequences of about the same length into a batch; false takes them as they come.",
        "true",
    ),
    _count(
        "bucket_width",
        "Steps of length from one bucket to the next, on the longer side of the data.",
        "10",
        used_when=Condition("bucketing_enabled", ("true",)),
    ),
)

_OPTIMIZATION = (
    _count(
        "batch_size",
        "Pairs in a batch.",
        "64",
        tunable=TunableRange(choices=("16", "32", "64", "128", "256", "512", "1024", "2048")),
        essential=True,
    ),
    Hyperparameter(
        "loss_type",
        "categorical",
        "Loss function.",
        default="cross-entropy",
        choices=("cross-entropy",),
    ),
    Hyperparameter(
        "optimizer_type",
        "categorical",
        "Optimizer.",
        default="adam",
        choices=("adam", "sgd", "rmsprop"),
        tunable=TunableRange(choices=("adam", "sgd", "rmsprop")),
    ),
    Hyperparameter(
        "learning_rate",
        "continuous",
        "Learning rate to begin with.",
        default="0.0003",
        interval=Interval(0, open_minimum=True),
        tunable=TunableRange(0.00005, 0.2, scaling="Logarithmic"),
        essential=True,
    ),
    Hyperparameter(
        "weight_decay",
        "continuous",
        "Weight decay.",
        default="0",
        interval=Interval(0),
        tunable=TunableRange(0.0, 0.1),
    ),
    Hyperparameter(
        "momentum",
        "continuous",
        "Momentum of sgd.",
        interval=Interval(0, 1, open_maximum=True),
        also=("none",),
        tunable=TunableRange(0.5, 0.9),
        used_when=Condition("optimizer_type", ("sgd",)),
    ),
    Hyperparameter(
        "clip_gradient",
        "continuous",
        "Clip each element of the gradients to this absolute value; negative for no clipping.",
        default="1",
        tunable=TunableRange(1.0, 5.0),
    ),
    Hyperparameter(
        "lr_scheduler_type",
        "categorical",
        "How the learning rate changes: reduced when optimized_metric no longer improves, or "
        "falling with time, or with the root of time.",
        default="plateau_reduce",
        choices=("plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t"),
        tunable=TunableRange(
            choices=("plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t")
        ),
    ),
    Hyperparameter(
        "plateau_reduce_lr_factor",
        "continuous",
        "Factor that reduces the learning rate on a plateau.",
        default="0.5",
        interval=Interval(0, 1, open_minimum=True),
        tunable=TunableRange(0.1, 0.5),
        used_when=_PLATEAU,
    ),
    _count(
        "plateau_reduce_lr_threshold",
        "Checkpoints without an improvement after which the learning rate is reduced.",
        "3",
        tunable=TunableRange(1, 5),
        used_when=_PLATEAU,
    ),
    _count(
        "fixed_rate_lr_half_life",
        "Checkpoints after which the learning rate has fallen to half.",
        "10",
        tunable=TunableRange(10, 30),
        used_when=_FIXED,
    ),
    Hyperparameter(
        "weight_init_type",
        "categorical",
        "How weights begin.",
        default="xavier",
        choices=("xavier", "uniform"),
        tunable=TunableRange(choices=("xavier", "uniform")),
    ),
    Hyperparameter(
        "weight_init_scale",
        "continuous",
        "Scale of the first weights: the magnitude of xavier, or the bound of uniform.",
        default="2.34",
        tunable=TunableRange(2.0, 3.0),
    ),
    Hyperparameter(
        "xavier_factor_type",
        "categorical",
        "Which width of a layer xavier divides by: its inputs, its outputs or their average.",
        default="in",
        choices=("in", "out", "avg"),
        used_when=_XAVIER,
    ),
)

_COURSE = (
    Hyperparameter(
        "training_metric",
        "categorical",
        "The metric that is reported of the training data.",
        default="perplexity",
        choices=("perplexity", "accuracy"),
    ),
    Hyperparameter(
        "optimized_metric",
        "categorical",
        "The metric of the validation data that picks the model and decides early stopping.",
        default="perplexity",
        choices=("perplexity", "accuracy", "bleu"),
        essential=True,
    ),
    Hyperparameter(
        "bleu_sample_size",
        "integer",
        "Validation pairs to translate for BLEU at each checkpoint; -1 for all, which is also "
        "what 0 means when bleu is the optimized_metric.",
        default="0",
        interval=Interval(-1),
    ),
    _count("checkpoint_frequency_num_batches", "Batches from one checkpoint to the next.", "1000"),
    _count(
        "checkpoint_threshold",
        "Checkpoints without an improvement after which training ends, when max_num_epochs is not "
        "given.",
        "3",
    ),
    Hyperparameter(
        "min_num_epochs",
        "integer",
        "Epochs before early stopping may end training.",
        default="0",
        interval=Interval(0),
    ),
    Hyperparameter(
        "max_num_epochs",
        "integer",
        "Epochs after which training ends; when given, it goes on until then whether it improves "
        "or not.",
        interval=Interval(1),
        also=("none",),
        essential=True,
    ),
    Hyperparameter(
        "max_num_batches",
        "integer",
        "Batches after which training ends; -1 for no limit.",
        default="-1",
        interval=Interval(-1),
        also=("none",),
        essential=True,
    ),
    _count("beam_size", "Translations that beam search keeps, for BLEU and in inference.", "5"),
    Hyperparameter("_tuning_objective_metric", "text", "Tuning's objective.", hidden=True),
)


def _check_widths(found: Mapping[str, Any]) -> None:
    hidden = found.get("rnn_num_hidden", 1024)
    if hidden % 2 and found.get("encoder_type", "rnn") == "rnn":
        raise HyperparameterError(
            "rnn_num_hidden",
            f"{hidden} is odd; the encoder's first layer gives each of its two directions half of "
            "them. Give an even number.",
        )
    if found.get("rnn_residual_connections") and found.get("rnn_first_residual_layer", 2) == 1:
        sides = (("encoder_type", "num_embed_source"), ("decoder_type", "num_embed_target"))
        for kind, name in sides:
            width = found.get(name, 512)
            if found.get(kind, "rnn") == "rnn" and width != hidden:
                raise HyperparameterError(
                    "rnn_first_residual_layer",
                    f"1 needs {name} ({width}) to be the same as rnn_num_hidden ({hidden}), for "
                    "the two are added up. Make them equal, or give 2.",
                )


def _check_start(found: Mapping[str, Any]) -> None:
    scale = found.get("weight_init_scale", 2.34)
    if found.get("weight_init_type", "xavier") == "xavier" and scale <= 0:
        raise HyperparameterError(
            "weight_init_scale", f"{scale:g} is not positive, as weight_init_type xavier needs it."
        )


def _check_end(found: Mapping[str, Any]) -> None:
    if found.get("max_num_batches") == 0:
        raise HyperparameterError("max_num_batches", "0 trains nothing; give -1 for no limit.")
    epochs = found.get("max_num_epochs", "none")
    if epochs != "none" and epochs < found.get("min_num_epochs", 0):
        raise HyperparameterError(
            "max_num_epochs", f"{epochs} is less than min_num_epochs {found['min_num_epochs']}."
        )


SCHEMA = HyperparameterSchema(
    parameters=(*_NETWORK, *_DATA, *_OPTIMIZATION, *_COURSE),
    rules=(_check_widths, _check_start, _check_end),
)
