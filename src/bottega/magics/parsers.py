"""What each magic takes."""

from __future__ import annotations

import argparse

from bottega.algorithms import registry
from bottega.magics.arguments import MagicParser
from bottega.sdk.training_request import DEFAULT_INSTANCE

STRATEGIES = ("Bayesian", "Random", "Grid", "Hyperband")


def _train() -> MagicParser:
    parser = MagicParser(
        "%%train",
        "Train a model.\n\nThe lines of the cell are hyperparameters, `name: value` each; with\n"
        "--script the cell is the training script itself.",
    )
    parser.add_argument(
        "algorithm", nargs="?", help=f"a built-in algorithm: {', '.join(registry.names())}"
    )
    _add_training(parser)
    parser.add_argument("--experiment", metavar="NAME", help="the MLflow experiment of its run")
    parser.add_argument("--into", metavar="VARIABLE", help="put the job into this variable, too")
    parser.add_argument("--no-wait", action="store_true", help="return while the job runs")
    return parser


def _add_training(parser: MagicParser) -> None:
    """The words that %%train and %%tune have in common."""
    parser.add_argument("--script", action="store_true", help="the cell is the training script")
    parser.add_argument(
        "--image", default="scikit-learn", help="what the script runs in (scikit-learn)"
    )
    parser.add_argument("--data", metavar="DATA", help="a variable, a path or an s3:// URI")
    parser.add_argument("--validation", metavar="DATA", help="the validation data, likewise")
    parser.add_argument(
        "--channel",
        nargs=2,
        action="append",
        metavar=("NAME", "DATA"),
        help="the data of a further channel, such as test",
    )
    parser.add_argument("--target", metavar="COLUMN", help="the column to predict")
    parser.add_argument("--content-type", default="", help="of an s3:// prefix, such as text/csv")
    parser.add_argument("--name", help="of the job")
    parser.add_argument("--instance-type", default=DEFAULT_INSTANCE, metavar="ML")
    parser.add_argument("--instance-count", type=int, default=1, metavar="N")
    parser.add_argument(
        "--hp", nargs=2, action="append", metavar=("NAME", "VALUE"), help="a hyperparameter"
    )
    parser.add_argument(
        "--metric", nargs=2, action="append", metavar=("NAME", "REGEX"), help="of a script's log"
    )


def _tune() -> MagicParser:
    parser = MagicParser(
        "%%tune",
        "Train a model many times to find its best hyperparameters.\n\nThe lines of the cell are "
        "hyperparameters: `max_depth: 2..8`, `eta: 0.01..0.5 log`\nand `booster: gbtree | dart` "
        "are searched, `num_round: 100` stays. An empty cell\nsearches what the algorithm "
        "recommends. With --script the cell is the training\nscript, and --range says what is "
        "searched.",
    )
    parser.add_argument(
        "algorithm", nargs="?", help=f"a built-in algorithm: {', '.join(registry.names())}"
    )
    parser.add_argument("--objective", metavar="METRIC", help="such as validation:rmse")
    parser.add_argument("--minimize", action="store_true", help="for metrics of a script")
    parser.add_argument("--maximize", action="store_true", help="for metrics of a script")
    parser.add_argument(
        "--range",
        nargs=2,
        action="append",
        metavar=("NAME", "RANGE"),
        help="a range, such as 2..8, '0.01..0.5 log' or 'a | b'",
    )
    parser.add_argument("--strategy", default="Bayesian", choices=STRATEGIES)
    parser.add_argument("--trials", type=int, metavar="N", help="how many trainings (20)")
    parser.add_argument("--parallel", type=int, default=2, metavar="N", help="at a time (2)")
    parser.add_argument("--early-stopping", action="store_true", help="stop weak trainings")
    parser.add_argument("--resources", type=int, nargs=2, metavar=("MIN", "MAX"), help="Hyperband")
    parser.add_argument("--max-runtime", type=int, metavar="SECONDS", help="of the whole search")
    parser.add_argument("--target-value", type=float, metavar="VALUE", help="ends the search")
    parser.add_argument("--seed", type=int, metavar="N", help="of the search")
    parser.add_argument("--warm-start", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--transfer-learning", action="store_true", help="from other data")
    _add_training(parser)
    parser.add_argument("--into", metavar="VARIABLE", help="put the tuning job into this, too")
    parser.add_argument("--no-wait", action="store_true", help="return while the search goes on")
    return parser


def _tunings() -> MagicParser:
    parser = MagicParser("%tunings", "List tuning jobs, newest first.")
    parser.add_argument("job", nargs="?", help="show this one, live while it runs")
    parser.add_argument("--status", help="only those in this status, such as Completed")
    parser.add_argument("--name", help="only those whose name contains this")
    parser.add_argument("--limit", type=int, default=20, metavar="N")
    return parser


def _deploy() -> MagicParser:
    parser = MagicParser("%deploy", "Put the model of a job behind an endpoint.")
    parser.add_argument("job", nargs="?", help="its name or variable; the last one trained here")
    parser.add_argument("--name", help="of the endpoint; the job's when absent")
    parser.add_argument("--instance-type", default=DEFAULT_INSTANCE, metavar="ML")
    parser.add_argument("--instance-count", type=int, default=1, metavar="N")
    parser.add_argument("--into", metavar="VARIABLE", help="put the endpoint into this, too")
    return parser


def _predict() -> MagicParser:
    parser = MagicParser("%predict", "Predict; the predictions are the value of the cell.")
    parser.add_argument("endpoint", help="its name or variable")
    parser.add_argument(
        "rows",
        nargs=argparse.REMAINDER,
        help="a variable or expression, a file, or one row of numbers with commas",
    )
    return parser


def _jobs() -> MagicParser:
    parser = MagicParser("%jobs", "List training jobs, newest first.")
    parser.add_argument("job", nargs="?", help="show this one, live while it runs")
    parser.add_argument("--status", help="only those in this status, such as Failed")
    parser.add_argument("--name", help="only those whose name contains this")
    parser.add_argument("--limit", type=int, default=20, metavar="N")
    return parser


def _debug_job() -> MagicParser:
    parser = MagicParser(
        "%debug_job",
        "Show what the rules of a training job found.\n\nRules, findings with what to do, the "
        "courses of losses or metrics, and the reports; live\nwhile the job runs. With --into the "
        "tensors can be read on: bottega.debugger.create_trial\ndoes the same for any folder or "
        "s3:// URI, and trial.tensor_names(regex='loss') and\ntrial.tensor(name).value(step) "
        "read from it.",
    )
    parser.add_argument("job", nargs="?", help="its name or variable; the last one trained here")
    parser.add_argument("--into", metavar="VARIABLE", help="put its tensors into this variable")
    return parser


def _endpoints() -> MagicParser:
    parser = MagicParser("%endpoints", "List endpoints, newest first.")
    parser.add_argument("--status", help="only those in this status, such as InService")
    parser.add_argument("--limit", type=int, default=20, metavar="N")
    return parser


def _experiment() -> MagicParser:
    parser = MagicParser(
        "%%experiment", "Run the cell inside an MLflow run of an experiment of the studio."
    )
    parser.add_argument("experiment", help="its name; made when there is none")
    parser.add_argument("--run", metavar="NAME", help="the run's name")
    return parser


def _run_as_job() -> MagicParser:
    parser = MagicParser("%run_as_job", "Run a notebook, as it is saved, as a job.")
    parser.add_argument("notebook", nargs="?", help="its path; this notebook when absent")
    parser.add_argument(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        metavar=("NAME", "VALUE"),
        help="a value for the cell tagged `parameters`; JSON, or else a text",
    )
    parser.add_argument("--name", help="of the job")
    parser.add_argument("--with", dest="dependencies", nargs="+", default=[], metavar="PATH")
    parser.add_argument("--kernel", help="the kernel; the notebook's own when absent")
    parser.add_argument("--no-wait", action="store_true", help="return while the job runs")
    return parser


def _bottega() -> MagicParser:
    return MagicParser("%bottega", "Say which studio this is, and which magics there are.")


PARSERS = {
    "train": _train(),
    "tune": _tune(),
    "tunings": _tunings(),
    "deploy": _deploy(),
    "predict": _predict(),
    "jobs": _jobs(),
    "debug_job": _debug_job(),
    "endpoints": _endpoints(),
    "experiment": _experiment(),
    "run_as_job": _run_as_job(),
    "bottega": _bottega(),
}
"""By the magic's name."""
