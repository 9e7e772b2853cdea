"""Seq2Seq jobs on a made language, in this process unless the process is what matters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.registry import algorithm
from bottega.algorithms.seq2seq import artifact, training
from bottega.algorithms.seq2seq.evaluation import Quality
from bottega.testing.job_folder import JobFolder

Job = Callable[..., JobFolder]
Pairs = list[tuple[list[int], list[int]]]

LEARNS = {
    "rnn": {"checkpoint_frequency_num_batches": "60", "max_num_batches": "60"},
    "rnn, gru, dot": {
        "rnn_cell_type": "gru",
        "rnn_attention_type": "dot",
        "checkpoint_frequency_num_batches": "60",
        "max_num_batches": "60",
    },
    "cnn": {
        "encoder_type": "cnn",
        "decoder_type": "cnn",
        "num_layers_decoder": "2",
        "learning_rate": "0.005",
        "checkpoint_frequency_num_batches": "100",
        "max_num_batches": "100",
    },
}


def train(folder: JobFolder) -> None:
    algorithm("seq2seq").train(folder.read())


def metrics(log: str) -> dict[str, list[float]]:
    """What the metric definitions find in a log."""
    return {
        definition.name: [
            float(found[1])
            for line in log.splitlines()
            if (found := re.search(definition.regex, line))
        ]
        for definition in algorithm("seq2seq").metric_definitions
    }


def checkpoints(log: str) -> list[int]:
    """The batches after which there was a checkpoint."""
    return [int(found) for found in re.findall(r"Checkpoint \[\d+\] Updates=(\d+)", log)]


def weights(folder: JobFolder) -> dict[str, torch.Tensor]:
    return torch.load(folder.root / "model" / "model.best", weights_only=True)


@pytest.mark.parametrize("kind", LEARNS)
def test_it_learns_to_turn_sequences_round(kind: str, job: Job, capsys: pytest.CaptureFixture[str]):
    train(job(bleu_sample_size="-1", **LEARNS[kind]))
    found = metrics(capsys.readouterr().out)
    assert found["validation:perplexity"][-1] < 2.5
    assert found["validation:accuracy"][-1] > 0.7
    assert found["validation:bleu"][-1] > 0.5


def test_the_log_tells_every_metric_at_every_checkpoint(
    job: Job, capsys: pytest.CaptureFixture[str]
):
    train(job(bleu_sample_size="20", max_num_batches="25"))
    log = capsys.readouterr().out
    assert checkpoints(log) == [10, 20, 25]
    found = metrics(log)
    assert all(len(values) >= 3 for values in found.values())
    assert re.search(
        r"\[.* INFO \d+\] #quality_metric: host=algo-1, epoch=0, batch=10 "
        r"validation perplexity <loss>=[\d.]+$",
        log,
        re.MULTILINE,
    )
    assert re.search(r"epoch=0, batch=10 train perplexity <loss>=[\d.]+$", log, re.MULTILINE)
    # The last numbers are those of the model that is kept.
    assert found["validation:perplexity"][-1] == min(found["validation:perplexity"])


def test_the_training_metric_can_be_accuracy(job: Job, capsys: pytest.CaptureFixture[str]):
    train(job(training_metric="accuracy"))
    log = capsys.readouterr().out
    found = re.findall(r"batch=\d+ train accuracy <score>=(\S+)", log)
    assert len(found) == 2
    assert all(0 < float(share) < 1 for share in found)
    assert "train perplexity" not in log


def test_bleu_is_left_out_unless_asked_for(job: Job, capsys: pytest.CaptureFixture[str]):
    train(job(max_num_batches="1"))
    assert metrics(capsys.readouterr().out)["validation:bleu"] == []
    train(job("bleu", max_num_batches="1", optimized_metric="bleu"))
    assert len(metrics(capsys.readouterr().out)["validation:bleu"]) == 1


def test_the_artifact_is_the_four_files(job: Job, vocabulary):
    folder = job()
    train(folder)
    model = folder.root / "model"
    names = ["config.json", "model.best", "vocab.src.json", "vocab.trg.json"]
    assert sorted(path.name for path in model.iterdir()) == names
    assert json.loads((model / "vocab.src.json").read_text()) == json.loads(vocabulary.to_json())
    network, settings, source, target = artifact.load(model)
    assert settings.network.rnn_num_hidden == 32
    assert source == target == vocabulary
    assert not network.training


def test_the_same_data_give_the_same_model(job: Job):
    folders = [job(name) for name in ("one", "two")]
    for folder in folders:
        train(folder)
    one, two = map(weights, folders)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name


@pytest.mark.parametrize(
    "given",
    [
        {"bucketing_enabled": "false"},
        {"bucket_width": "2"},
        {"batch_size": "16"},
        {"optimizer_type": "sgd"},
        {"optimizer_type": "rmsprop"},
        {"weight_decay": "0.1"},
        {"clip_gradient": "0.0001", "optimizer_type": "sgd"},
        {"lr_scheduler_type": "fixed_rate_inv_t", "fixed_rate_lr_half_life": "1"},
        {"lr_scheduler_type": "fixed_rate_inv_sqrt_t", "fixed_rate_lr_half_life": "1"},
        {"weight_init_type": "uniform", "weight_init_scale": "0.1"},
        {"xavier_factor_type": "out"},
        {"embed_dropout_source": "0.3"},
        {"max_seq_len_source": "4"},
        {"max_seq_len_target": "4"},
    ],
)
def test_hyperparameters_change_the_model(given: dict[str, str], job: Job):
    common = {"max_num_batches": "4", "learning_rate": "0.05"}
    plain = {"bucket_width": "2"} if "bucketing_enabled" in given else {}
    plain |= {"optimizer_type": "sgd"} if "clip_gradient" in given else {}
    one, other = job("one", **common, **plain), job("two", **common, **plain | given)
    for folder in (one, other):
        train(folder)
    name = "decoder.combine.weight"
    assert not torch.equal(weights(one)[name], weights(other)[name])


def test_momentum_acts_with_sgd_and_is_told_to_do_nothing_else(
    job: Job, capsys: pytest.CaptureFixture[str]
):
    common = {"optimizer_type": "sgd", "max_num_batches": "4", "learning_rate": "0.05"}
    one, two = job("one", **common), job("two", **common, momentum="0.9")
    for folder in (one, two):
        train(folder)
    name = "output.weight"
    assert not torch.equal(weights(one)[name], weights(two)[name])
    assert "momentum has no effect" not in capsys.readouterr().out
    train(job("three", momentum="0.9", max_num_batches="1"))
    assert "momentum has no effect with optimizer_type adam" in capsys.readouterr().out


def test_training_ends_when_it_no_longer_improves(job: Job, capsys: pytest.CaptureFixture[str]):
    """With a rate of next to nothing, accuracy stays what it is."""
    given = {
        "max_num_batches": "-1",
        "optimized_metric": "accuracy",
        "learning_rate": "1e-12",
        "checkpoint_frequency_num_batches": "2",
        "checkpoint_threshold": "2",
        "plateau_reduce_lr_threshold": "1",
    }
    folder = job(**given)
    train(folder)
    log = capsys.readouterr().out
    assert checkpoints(log) == [2, 4, 6]
    assert "accuracy did not improve for 2 checkpoints: training ends." in log
    assert log.count("The learning rate is reduced to") == 2
    assert "The model is that of checkpoint 1." in log


def test_early_stopping_waits_for_the_least_epochs(job: Job, capsys: pytest.CaptureFixture[str]):
    given = {"max_num_batches": "-1", "learning_rate": "1e-12", "optimized_metric": "accuracy"}
    train(job(min_num_epochs="2", checkpoint_threshold="1", **given))
    # Of 640 pairs in batches of 32, an epoch has 21 batches: two buckets leave a rest each.
    assert checkpoints(capsys.readouterr().out)[-1] >= 40


def test_epochs_that_are_asked_for_are_trained_to_their_end(
    job: Job, capsys: pytest.CaptureFixture[str]
):
    given = {"max_num_batches": "-1", "learning_rate": "1e-12", "optimized_metric": "accuracy"}
    train(job(max_num_epochs="3", checkpoint_threshold="1", bucketing_enabled="false", **given))
    log = capsys.readouterr().out
    assert checkpoints(log) == [10, 20, 30, 40, 50, 60]
    assert re.findall(r"completed (\S+) % of epochs", log)[-1] == "100"


def test_the_best_checkpoint_is_kept_not_the_last(
    job: Job, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    qualities = iter([Quality(9.0, 0.1, None), Quality(5.0, 0.3, None), Quality(7.0, 0.2, None)])
    kept: list[dict[str, torch.Tensor]] = []

    def judge(network: torch.nn.Module, *_: object, **__: object) -> Quality:
        kept.append({name: value.clone() for name, value in network.state_dict().items()})
        return next(qualities)

    monkeypatch.setattr(training, "evaluate", judge)
    folder = job(max_num_batches="30")
    train(folder)
    for name, tensor in weights(folder).items():
        assert torch.equal(tensor, kept[1][name])
    found = metrics(capsys.readouterr().out)
    assert found["validation:perplexity"] == [9.0, 5.0, 7.0, 5.0]
    assert found["validation:accuracy"] == [0.1, 0.3, 0.2, 0.3]


@pytest.mark.parametrize(
    ("metric", "better", "worse"),
    [
        ("perplexity", Quality(2.0, 0.1, 0.1), Quality(3.0, 0.9, 0.9)),
        ("accuracy", Quality(3.0, 0.2, 0.1), Quality(2.0, 0.1, 0.9)),
        ("bleu", Quality(3.0, 0.1, 0.2), Quality(2.0, 0.9, 0.1)),
    ],
)
def test_better_is_by_the_metric_that_is_optimized(metric: str, better: Quality, worse: Quality):
    assert better.better_than(worse, metric)
    assert not worse.better_than(better, metric)
    assert not better.better_than(better, metric)
    assert worse.better_than(None, metric)


def test_divergence_is_the_settings_fault(job: Job):
    with pytest.raises(CustomerError, match="Training diverged within 10 batches: the loss is"):
        train(job(optimizer_type="sgd", learning_rate="1e30", clip_gradient="-1"))


def test_divergence_after_a_good_checkpoint_keeps_it(
    job: Job, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    step = training.Training._step

    def diverging(self: training.Training, batch: object) -> None:
        step(self, batch)
        if self.batches == 10:
            self._set_rate(1e30)
            self._rate.now = 1e30

    monkeypatch.setattr(training.Training, "_step", diverging)
    folder = job(optimizer_type="sgd", clip_gradient="-1", max_num_batches="-1")
    train(folder)
    log = capsys.readouterr().out
    assert checkpoints(log) == [10]
    assert "Training diverged within 20 batches and ends here" in log
    assert all(bool(tensor.isfinite().all()) for tensor in weights(folder).values())


@pytest.mark.parametrize("channel", ["train", "validation", "vocab"])
def test_every_channel_is_needed(channel: str, job: Job):
    with pytest.raises(CustomerError, match=f"no channel '{channel}'"):
        train(job(leave_out=channel))


def test_both_vocabularies_are_needed(job: Job, vocabulary):
    with pytest.raises(CustomerError, match=r"no file vocab\.trg\.json, but vocab\.src\.json"):
        train(job(words={"vocab.src.json": vocabulary.to_json()}))


def test_ids_beyond_the_vocabulary_are_refused(job: Job, records: Callable[[Pairs], bytes]):
    with pytest.raises(CustomerError, match=r"val\.rec: record 2 has the id 99 as source"):
        train(job(validation=records([([4], [5]), ([99], [4])])))


def test_what_is_left_out_and_cut_is_told(
    job: Job, records: Callable[[Pairs], bytes], capsys: pytest.CaptureFixture[str]
):
    pairs = [([4] * 9, [5] * 7), ([], [4]), *[([5], [5])] * 20]
    train(job(train=records(pairs), max_seq_len_source="6", max_seq_len_target="6"))
    log = capsys.readouterr().out
    assert "The channel train has 21 pairs of sequences." in log
    assert "1 records of train are left out: their source or target is empty." in log
    assert "1 source sequences of train are longer than max_seq_len_source and are cut" in log
    assert "1 target sequences of train are longer than max_seq_len_target and are cut" in log


def test_several_hosts_are_refused(job: Job):
    with pytest.raises(CustomerError, match="one host"):
        train(job(hosts=("algo-1", "algo-2")))


def test_hyperparameters_are_judged_before_data_are_read(job: Job):
    with pytest.raises(HyperparameterError, match="rnn_num_hidden"):
        train(job(train=b"no records", rnn_num_hidden="33"))


def test_one_pair_is_enough(job: Job, records: Callable[[Pairs], bytes]):
    train(job(train=records([([4], [5])]), validation=records([([4], [5])]), max_num_batches="3"))


@pytest.mark.slow
def test_a_job_of_its_own_trains_and_fails(job: Job):
    good = job(max_num_batches="2")
    ended = good.run()
    assert ended.returncode == 0, ended.stderr
    assert metrics(ended.stdout)["validation:perplexity"]
    assert (good.root / "model" / "model.best").exists()
    bad = job("bad", train=b"w1 w2")
    assert bad.run().returncode == 1
    assert bad.failure.startswith("ClientError: train.rec: ")


def test_memory_that_does_not_suffice_is_told(job: Job, monkeypatch: pytest.MonkeyPatch):
    def no_memory(self: training.Training, batch: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training.Training, "_step", no_memory)
    with pytest.raises(CustomerError, match=r"reduce batch_size \(32\)"):
        train(job())


def test_a_model_is_there_from_the_first_checkpoint_on(job: Job, monkeypatch: pytest.MonkeyPatch):
    """So that a job which is stopped leaves the best so far."""
    folder = job(max_num_batches="-1")
    seen: list[list[str]] = []
    step = training.Training._step

    def watched(self: training.Training, batch: object) -> None:
        seen.append(sorted(path.name for path in Path(folder.root, "model").iterdir()))
        if len(seen) == 11:
            raise KeyboardInterrupt
        step(self, batch)

    monkeypatch.setattr(training.Training, "_step", watched)
    with pytest.raises(KeyboardInterrupt):
        train(folder)
    assert "model.best" not in seen[9]
    assert "model.best" in seen[10]
    artifact.load(folder.root / "model")
