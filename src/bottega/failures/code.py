"""The program itself: not there, not Python, or without something that it names."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said
from bottega.nearest import nearest

_USUAL: Mapping[str, str] = {
    "pd": "import pandas as pd",
    "np": "import numpy as np",
    "plt": "import matplotlib.pyplot as plt",
    "tf": "import tensorflow as tf",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "xgb": "import xgboost as xgb",
}
_MODULES = frozenset(
    (
        *("argparse", "boto3", "csv", "glob", "io", "itertools", "joblib", "json", "logging"),
        *("math", "os", "pathlib", "pickle", "random", "re", "shutil", "sklearn", "subprocess"),
        *("sys", "tarfile", "time", "torch", "warnings", "xgboost"),
    )
)
_NOT_FOUND = 127


def syntax(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A program that is no Python."""
    error = said.error
    frame = error.frames[-1] if error and error.frames else None
    where = frame.place.replace("line", "Line", 1) if frame else "The program"
    message = found["message"].strip()
    shown = f": {frame.code}" if frame and frame.code else ""
    advice = [
        step(
            "Compile it before you send it.",
            f"python -m compileall -q {job.script or '.'}",
            "shell",
        )
    ]
    if found["type"] != "SyntaxError":
        advice.insert(0, step("Indent by four spaces everywhere, and by no tabs."))
    elif "print" in message:
        advice.insert(0, step("It is written for Python 2: print is a function now.", "print(x)"))
    elif "<<<<<<<" in shown or ">>>>>>>" in shown:
        advice.insert(0, step("It has the marks of a merge in it that was not resolved."))
    elif shown.startswith((": !", ": %")):
        advice.insert(0, step("Leave out the commands of notebooks, which begin with ! and %."))
    return Cause("CodeSyntax", f"{where} is not Python: {message}{shown}.", tuple(advice))


def undefined(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A name that nothing was given."""
    name = found["name"]
    frame = said.error.own_frame if said.error else None
    where = frame.place.replace("line", "Line", 1) if frame else "The program"
    if name in _USUAL or name in _MODULES:
        advice = step("Import it, at the top of the file.", _USUAL.get(name, f"import {name}"))
    elif close := nearest(name, dir(builtins)):
        advice = step(f"Look at the spelling: Python has {close}.")
    else:
        advice = step(
            "Look at the spelling, and whether it was defined in another cell or file: a job runs "
            "this file alone, from top to bottom."
        )
    return Cause("UndefinedName", f"{where} uses {name}, which was never defined.", (advice,))


def no_script(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The program that the job names is not in its code."""
    program, files = found["program"], found.groupdict().get("files") or ""
    names = [name.strip() for name in files.split(",") if name.strip()]
    near = nearest(program, names) or next((n for n in names if n.endswith(f"/{program}")), "")
    advice = []
    if near:
        advice.append(step("Name it as it lies in the code.", f'entry_point="{near}"'))
    advice.append(
        step(
            "Send the folder that has it.", f'Estimator(entry_point="{program}", source_dir="src")'
        )
    )
    has = f"; the code has {files}" if files else ""
    return Cause(
        "ScriptNotFound", f"The script {program!r} is not in the job's code{has}.", tuple(advice)
    )


def no_code(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """The archive with the code is gone."""
    uri = found["uri"]
    return Cause(
        "ScriptNotFound",
        f"The job's code is not at {uri} any more.",
        (
            step("Start the job with its script anew, which sends the code again."),
            step(
                "See whether somebody deletes old objects in that bucket.",
                f"aws s3 ls {uri}",
                "shell",
            ),
        ),
    )


def cannot_run(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A ContainerEntrypoint that there is not."""
    program = found["program"]
    return Cause(
        "ScriptNotFound",
        f"The job's program {program!r} is not there.",
        (
            step(
                "Name an interpreter and the place of the file in its channel.",
                'ContainerEntrypoint=["python3", "/opt/ml/input/data/code/train.py"]',
            ),
            step("If it is a package's command, install the package."),
        ),
    )


def wrong_command(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """A shell that does not know a command."""
    if job.exit_code not in (_NOT_FOUND, None) and job.program_error != "ExecuteUserScriptError":
        return None
    return Cause(
        "ScriptNotFound",
        f"The shell knows no command {found['program']!r}.",
        (
            step(
                "Install what has it, or look at the spelling and at Windows' line ends.",
                "sed -i 's/\\r$//' train.sh",
                "shell",
            ),
        ),
    )


RULES: tuple[Rule, ...] = (
    rule(
        r"^(?P<type>SyntaxError|IndentationError|TabError): (?P<message>[^\n]+)",
        syntax,
        "SyntaxError",
        "IndentationError",
        "TabError",
    ),
    rule(r"^NameError: name '(?P<name>\w+)' is not defined", undefined, "NameError"),
    rule(
        r"sagemaker_program '(?P<program>[^']+)' is not in the code, "
        r"which has: (?P<files>[^\n]+?)\.?$",
        no_script,
        flags=re.MULTILINE,
    ),
    rule(r"sagemaker_submit_directory names (?P<uri>\S+?), which does not exist", no_code),
    rule(r"The code (?P<uri>s3://\S+) cannot be downloaded", no_code),
    rule(r"^bottega: cannot run '(?P<program>[^']+)': No such file", cannot_run, tail=True),
    rule(r"(?P<program>[^:\s]+): (?:command not found|not found)$", wrong_command, tail=True),
)
