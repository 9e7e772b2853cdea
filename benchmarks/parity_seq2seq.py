"""How well Seq2Seq translates: BLEU on the Flickr test set of Multi30k, English to German.

    python benchmarks/parity_seq2seq.py --device cuda --minutes 5
    python benchmarks/parity_seq2seq.py --minutes 60               on the CPU

Prepares the text with ``bottega.algorithms.seq2seq.prepare``, trains a job in a process of its own,
stops it as a user would when the time is over and there is a checkpoint, and translates the test
set through the same ``load`` and ``predict`` that an endpoint calls. Needs torch; sacreBLEU, where
it is installed, scores the same translations. ``PYTHONPATH=src`` is enough to run it where bottega
is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from measurement import Result, Table, finish, options, scratch, versions

from bottega.algorithms import registry
from bottega.algorithms.seq2seq.bleu import corpus_bleu
from bottega.algorithms.seq2seq.prepare import Text, read_pairs
from bottega.algorithms.seq2seq.prepare import main as prepare
from bottega.testing.job_folder import JobFolder

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RECORDIO = "application/x-recordio-protobuf"
MIN_COUNT = "2"
HYPERPARAMETERS = {
    "num_embed_source": "512",
    "num_embed_target": "512",
    "rnn_num_hidden": "512",
    "num_layers_encoder": "1",
    "num_layers_decoder": "2",
    "embed_dropout_source": "0.4",
    "embed_dropout_target": "0.4",
    "rnn_decoder_hidden_dropout": "0.5",
    "learning_rate": "0.001",
    "batch_size": "64",
    "max_seq_len_source": "50",
    "max_seq_len_target": "50",
    "optimized_metric": "bleu",
    "bleu_sample_size": "-1",
    "checkpoint_frequency_num_batches": "455",
    "plateau_reduce_lr_threshold": "2",
    "max_num_epochs": "40",
}
METHOD = (
    "Multi30k (task 1, raw text), lower-cased and parted into words and punctuation by "
    "`prepare --lowercase --tokenize`; 29,000 pairs to train, 1,014 to judge checkpoints, words "
    "seen less than twice are `<unk>`. The test set is test_2016_flickr, 1,000 sentences, one "
    "reference each. BLEU-4 is of the corpus, of lower-cased tokens, against the whole reference: "
    "an `<unk>` in a translation is a wrong word. Once by bottega's own BLEU and once by sacreBLEU "
    "with tokenize=none. Hyperparameters: {hyperparameters}; all others are the defaults. The "
    "training job is stopped after {minutes:g} minutes if it has not ended by then."
)
PEER = (
    "No peer is run beside it: Sockeye's recurrent models were made for MXNet, which is retired, "
    "and Sockeye 3 has Transformers only. For the same test set an attention GRU trained to "
    "convergence is known to reach about 30 BLEU, a Transformer 35 to 39, with the data set's own "
    "tokenization."
)


def text_files(data: Path, name: str) -> tuple[Path, Path]:
    """The English and the German side of one part of the data."""
    folder = data / "multi30k-en-de"
    return folder / f"{name}.en.gz", folder / f"{name}.de.gz"


def prepared(data: Path, folder: Path) -> None:
    """Write the files of the channels."""
    train, validation = text_files(data, "train"), text_files(data, "val")
    arguments = ["--source", *map(str, train[:1]), "--target", *map(str, train[1:])]
    arguments += ["--val-source", str(validation[0]), "--val-target", str(validation[1])]
    arguments += ["--output", str(folder), "--lowercase", "--tokenize"]
    arguments += ["--word-min-count-source", MIN_COUNT, "--word-min-count-target", MIN_COUNT]
    if prepare(arguments) != 0:
        raise SystemExit("The data cannot be prepared.")


def trained(
    folder: Path, files: Path, hyperparameters: Mapping[str, str], device: str, minutes: float
) -> tuple[JobFolder, list[list[float]]]:
    """Run the job; gives its folder and minutes, perplexity, accuracy and BLEU by checkpoint."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOTTEGA_")}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    job = JobFolder(folder, hyperparameters, image="seq2seq", environment=environment)
    for channel, names, kind in (
        ("train", ["train.rec"], RECORDIO),
        ("validation", ["val.rec"], RECORDIO),
        ("vocab", ["vocab.src.json", "vocab.trg.json"], "application/json"),
    ):
        job.channel(channel, kind, {name: (files / name).read_bytes() for name in names})
    definitions = {
        d.name: re.compile(d.regex) for d in registry.algorithm("seq2seq").metric_definitions
    }
    start, history = time.monotonic(), []
    latest: dict[str, float] = {}
    process = job.start()
    assert process.stdout is not None
    stopped = False
    for line in process.stdout:
        elapsed = (time.monotonic() - start) / 60
        if "Speed" not in line:
            print(f"{elapsed:7.2f} min  {line.rstrip()}", flush=True)
        latest |= {
            name: float(found[1])
            for name, regex in definitions.items()
            if (found := regex.search(line))
        }
        if len(latest) == len(definitions) and "Checkpoint [" in line:
            history.append(
                [
                    elapsed,
                    latest["validation:perplexity"],
                    100 * latest["validation:accuracy"],
                    100 * latest["validation:bleu"],
                ]
            )
            latest = {}
        if elapsed >= minutes and history and not stopped:
            process.terminate()
            stopped = True
    assert process.stderr is not None
    errors = process.stderr.read()
    if process.wait() != 0 and not stopped:
        raise SystemExit(f"The training job failed: {job.failure or errors}")
    return job, history


def translated(job: JobFolder, sentences: Sequence[Sequence[str]]) -> tuple[list[list[str]], float]:
    """Translations through load and predict, and the seconds they took."""
    algorithm = registry.algorithm("seq2seq")
    model = algorithm.load(job.root / "model", {})
    body = "".join(json.dumps({"source": " ".join(tokens)}) + "\n" for tokens in sentences)
    start = time.monotonic()
    answer, _ = algorithm.predict(model, body.encode(), "application/jsonlines", "")
    took = time.monotonic() - start
    return [json.loads(line)["target"].split() for line in answer.splitlines()], took


def sacrebleu_of(
    hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> float | None:
    """The score of sacreBLEU, from 0 to 100; None, with a word, where it is not installed."""
    try:
        import sacrebleu
    except ModuleNotFoundError:
        print("sacreBLEU is not installed: pip install sacrebleu to have its score too.")
        return None
    lines = [" ".join(tokens) for tokens in hypotheses]
    wanted = [" ".join(tokens) for tokens in references]
    return float(sacrebleu.corpus_bleu(lines, [wanted], tokenize="none", force=True).score)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the data sets")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--minutes", type=float, default=60, help="when to stop training (60)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the model there")
    parser.add_argument(
        "--translations", type=Path, metavar="FILE", help="keep the translations there"
    )
    parser.add_argument(
        "--score",
        type=Path,
        metavar="FILE",
        help="train nothing; put sacreBLEU's score of these translations into the result at hand",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another hyperparameter"
    )
    chosen = parser.parse_args(arguments)
    hyperparameters = {**HYPERPARAMETERS, **dict(item.split("=", 1) for item in chosen.set)}
    if chosen.score is not None:
        return score(chosen)
    with scratch() as folder:
        result = measured(chosen, hyperparameters, folder)
    finish(result, chosen.results)
    return 0


def measured(
    chosen: argparse.Namespace, hyperparameters: Mapping[str, str], folder: Path
) -> Result:
    import torch

    if chosen.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("There is no GPU that torch can use; leave out --device cuda.")
    prepared(chosen.data, folder / "files")
    job, history = trained(
        folder / "ml", folder / "files", hyperparameters, chosen.device, chosen.minutes
    )
    text = Text(lowercase=True, tokenize=True)
    sentences, references = read_pairs(text, *text_files(chosen.data, "test_2016_flickr"))
    hypotheses, seconds = translated(job, sentences)
    own = 100 * corpus_bleu(hypotheses, references)
    other = sacrebleu_of(hypotheses, references)
    print(f"test BLEU {own:.2f}, sacreBLEU {other}, {seconds:.1f} s for {len(sentences)} sentences")
    for number in range(5):
        print(" ".join(sentences[number]), "->", " ".join(hypotheses[number]))
    if chosen.keep is not None:
        shutil.copytree(job.root / "model", chosen.keep, dirs_exist_ok=True)
    if chosen.translations is not None:
        lines = "".join(" ".join(tokens) + "\n" for tokens in hypotheses)
        chosen.translations.write_text(lines, encoding="utf-8")
    place = "the CPU"
    if chosen.device == "cuda":
        place = torch.cuda.get_device_name()
    every = max(1, len(history) // 10)
    shown = {
        f"checkpoint {number}": values
        for number, values in enumerate(history, start=1)
        if number % every == 0 or number == len(history)
    }
    settings = ", ".join(f"{name} {value}" for name, value in hyperparameters.items())
    return Result(
        name="parity_seq2seq",
        title="Seq2Seq: Multi30k, English to German",
        method=METHOD.format(hyperparameters=settings, minutes=chosen.minutes),
        tables=[
            Table(
                "test_2016_flickr",
                ("BLEU", "sacreBLEU", "training minutes", "seconds for 1,000 translations"),
                {f"bottega, on {place}": (own, other, history[-1][0], seconds)},
            ),
            Table(
                "On the way, validation data",
                ("minutes", "perplexity", "accuracy %", "BLEU"),
                shown,
            ),
        ],
        packages=("torch", "numpy", "sacrebleu"),
        notes=(PEER,),
    )


def score(chosen: argparse.Namespace) -> int:
    """Add the score of sacreBLEU to the result of a run on a machine that had none of it."""
    text = Text(lowercase=True, tokenize=True)
    _, references = read_pairs(text, *text_files(chosen.data, "test_2016_flickr"))
    lines = chosen.score.read_text(encoding="utf-8").split("\n")[:-1]
    hypotheses = [line.split(" ") for line in lines]
    found = sacrebleu_of(hypotheses, references)
    if found is None:
        return 1
    file = chosen.results / "parity_seq2seq.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    (row,) = document["tables"][0]["rows"].values()
    own = 100 * corpus_bleu(hypotheses, references)
    if abs(row[0] - own) > 1e-6:
        raise SystemExit(f"{file} is of other translations: BLEU {row[0]} and {own}.")
    row[1] = found
    document["versions"]["sacrebleu"] = versions(["sacrebleu"])["sacrebleu"]
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"BLEU {own:.2f}, sacreBLEU {found:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
