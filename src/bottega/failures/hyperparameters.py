"""Hyperparameters that the program or the algorithm does not take."""

from __future__ import annotations

import re

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said
from bottega.nearest import nearest

_USAGE = 2
"""What argparse ends a program with that was called wrongly."""


def _by_parser(job: FailedJob, said: Said) -> bool:
    """Whether argparse ended the program, and did not only write something like it."""
    return said.error is not None or job.exit_code == _USAGE


def unrecognized(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """Arguments that a script's parser does not know: every hyperparameter becomes one."""
    if not _by_parser(job, said):
        return None
    names = re.findall(r"--?([\w.-]+)", found["arguments"])
    known = [name for name in names if _given(job, name) or name == "model_dir"]
    wrong = known or names or [found["arguments"].strip()]
    shown = ", ".join(wrong)
    many = len(wrong) > 1
    first = wrong[0]
    advice = [
        step(
            "Have the script take it: every hyperparameter comes as an argument.",
            f'parser.add_argument("--{first}")',
        ),
        step(
            "Or leave out what the script does not know.",
            "arguments, _ = parser.parse_known_args()",
        ),
    ]
    other = first.replace("_", "-") if "_" in first else first.replace("-", "_")
    if other != first:
        advice.append(
            step(
                f"Look whether the script calls it --{other}: the name must be the same to the "
                "letter."
            )
        )
    return Cause(
        "BadHyperparameter",
        f"The script does not take the hyperparameter{'s' if many else ''} {shown}.",
        tuple(advice),
    )


def _given(job: FailedJob, name: str) -> str:
    """The hyperparameter behind an argument's name; empty for none."""
    wanted = name.lstrip("-").replace("-", "_")
    return next((one for one in job.hyperparameters if one.replace("-", "_") == wanted), "")


def invalid(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """A value that a script's parser cannot read."""
    if not _by_parser(job, said):
        return None
    name = found["name"].split("/")[-1].lstrip("-")
    return Cause(
        "BadHyperparameter",
        f"The hyperparameter {name} cannot be {found['what'].strip()}.",
        (
            step(
                f"Give {name} a value of the type that the script asks for.",
                f'hyperparameters={{"{name}": ...}}',
            ),
            step("Or have the script take more.", f'parser.add_argument("--{name}", type=float)'),
        ),
    )


def required(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """Arguments that a script must be given."""
    if not _by_parser(job, said):
        return None
    names = [part.strip().split("/")[-1].lstrip("-") for part in found["names"].split(",")]
    near = {name: nearest(name, job.hyperparameters) for name in names}
    hints = [f"{name} (the job has {one})" for name, one in near.items() if one]
    return Cause(
        "BadHyperparameter",
        f"The script needs the hyperparameter{'s' if len(names) > 1 else ''} {', '.join(names)}"
        f"{', ' + ', '.join(hints) if hints else ''}.",
        (
            step("Give it.", f'hyperparameters={{"{names[0]}": ...}}'),
            step(
                "Or give it a default in the script.",
                f'parser.add_argument("--{names[0]}", default=...)',
            ),
        ),
    )


def missing_variable(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """``os.environ["SM_HP_..."]`` of a hyperparameter that is not there."""
    name = found["name"].lower()
    near = nearest(name, [one.lower() for one in job.hyperparameters])
    has = ", ".join(sorted(job.hyperparameters)) or "none"
    hint = f" Did you mean {near}?" if near else ""
    return Cause(
        "BadHyperparameter",
        f"The script reads the hyperparameter {name}, and the job has {has}.{hint}",
        (
            step("Give it.", f'hyperparameters={{"{name}": ...}}'),
            step("Or read it with a default.", f'os.environ.get("SM_HP_{found["name"]}", "1")'),
        ),
    )


def refused(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """What a built-in algorithm says of a hyperparameter."""
    name, what = found["name"], found["what"].strip().rstrip(".")
    return Cause(
        "BadHyperparameter",
        f"The hyperparameter {name} is not taken: {what}.",
        (
            step(
                f"Correct {name}, or leave it at its default.", f'hyperparameters={{"{name}": ...}}'
            ),
            step(
                "See the ranges of all hyperparameters.",
                'session.client.call("bottega", "ListAlgorithms", {})',
            ),
        ),
    )


def library_refused(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """What a library says of a parameter that a hyperparameter was given for."""
    name = found["name"]
    given = _given(job, name)
    if not given:
        return None
    kind = " It came as text: every hyperparameter does." if "got '" in said.text else ""
    return Cause(
        "BadHyperparameter",
        f"The hyperparameter {given} is {job.hyperparameters[given]}, which the library does not "
        f"take.{kind}",
        (
            step(f"Give {given} a value that it takes: {said.text.splitlines()[0].strip()[:200]}"),
            step(
                "Have the script read numbers as numbers.",
                f'parser.add_argument("--{given}", type=int)',
            ),
        ),
    )


def unreadable(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """``int("3.5")`` of a value that a hyperparameter has."""
    value = found["value"]
    given = [name for name, one in job.hyperparameters.items() if one == value]
    frame = said.error.own_frame if said.error else None
    named = [name for name in given if frame and _names(frame.code, name)]
    if not given or (said.error and said.error.frames[-1:] and said.error.frames[-1].library):
        return None
    name = (named or given)[0]
    return Cause(
        "BadHyperparameter",
        f"The hyperparameter {name} is {value!r}, which the script reads as a whole number."
        if "int()" in said.text
        else f"The hyperparameter {name} is {value!r}, which the script reads as a number.",
        (
            step(f"Give {name} a number.", f'hyperparameters={{"{name}": 1}}'),
            step("Or read what may have a fraction as such.", f"int(float(value))  # of {name}"),
        ),
        "certain" if named else "likely",
    )


def _names(code: str, name: str) -> bool:
    return name.replace("-", "_").lower() in code.lower()


RULES: tuple[Rule, ...] = (
    rule(r"error: unrecognized arguments: (?P<arguments>[^\n]+)", unrecognized, tail=True),
    rule(r"error: argument (?P<name>[\w/-]+): (?P<what>invalid [^\n]+)", invalid, tail=True),
    rule(r"error: the following arguments are required: (?P<names>[^\n]+)", required, tail=True),
    rule(r"KeyError: 'SM_HP_(?P<name>[\w-]+)'", missing_variable),
    rule(
        r"^(?:ClientError: )?Hyperparameter (?P<name>[\w.-]+): (?P<what>.+)",
        refused,
        flags=re.DOTALL,
    ),
    rule(r"The '(?P<name>\w+)' parameter of \w+ must be [^\n]+", library_refused),
    rule(r"Invalid Parameter format for (?P<name>\w+) expect [^\n]+", library_refused),
    rule(
        r"value [^\n]+ for Parameter (?P<name>\w+) (?:exceed bound|should be)[^\n]*",
        library_refused,
    ),
    rule(
        r"Some specified arguments are not used by the HfArgumentParser: \[(?P<arguments>[^\]]+)\]",
        unrecognized,
    ),
    rule(r"invalid literal for int\(\) with base 10: '(?P<value>[^']*)'", unreadable, "ValueError"),
    rule(r"could not convert string to float: '(?P<value>[^']*)'", unreadable, "ValueError"),
)
