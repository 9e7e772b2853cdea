"""Columns that are not there, and values that no model can learn from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said
from bottega.nearest import nearest

_LABEL_WORDS = re.compile(
    r"\b(?:y|Y|y_train|label|labels|target|targets|label_column|target_column|pop)\b"
)
_QUOTED = re.compile(r"['\"]([^'\"]+)['\"]")
_SHOWN = 8
_PANDAS = ("/pandas/", "/polars/")
_LABEL_CHECKS = frozenset({"_check_y", "column_or_1d", "check_classification_targets", "_encode_y"})


def no_key(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """A KeyError of a table; one of a dictionary of the script's own is nothing that is known."""
    if said.error is None or not any(
        part in frame.file for frame in said.error.frames for part in _PANDAS
    ):
        return None
    return no_column(job, said, found)


def no_column(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """A column by a name that the table does not have."""
    names = _names(found["names"])
    if not names:
        return None
    channels = job.columns()
    known = list(dict.fromkeys(name for columns in channels.values() for name in columns))
    near = nearest(names[0], known) or _same_letters(names[0], known)
    label = _is_label(job, said, names)
    what = "label column" if label else "column"
    shown = ", ".join(repr(name) for name in names[:3])
    has = f"; it has {_list(known)}" if known else ""
    meant = f" Did you mean {near!r}?" if near else ""
    advice = []
    if near:
        advice.append(
            step(
                "Use the name that the data have.", f"{'target' if label else 'column'} = {near!r}"
            )
        )
    advice.append(step("See the names as pandas reads them.", "print(list(frame.columns))"))
    if known and all(_is_number(name) for name in known):
        advice.insert(
            0,
            step(
                "The first line of the file is no header, though it is read as one.",
                "pandas.read_csv(path, header=None)",
            ),
        )
    elif not near:
        advice.append(
            step(
                "Strip blanks from the names, and look at the separator of the file.",
                'frame = pandas.read_csv(path, sep=";")\nframe.columns = frame.columns.str.strip()',
            )
        )
    return Cause(
        "LabelColumnMissing" if label else "ColumnMissing",
        f"The data have no {what} {shown}{has}.{meant}",
        tuple(advice),
    )


def _names(text: str) -> list[str]:
    text = text.strip()
    quoted = _QUOTED.findall(text)
    if not quoted:
        return [text] if text else []
    return [one for one in quoted if one not in ("object", "str", "string")]


def _same_letters(name: str, known: Sequence[str]) -> str:
    """The known name that differs in case and blanks only."""
    plain = name.strip().lower()
    return next((one for one in known if one.strip().lower() == plain), "")


def _is_label(job: FailedJob, said: Said, names: Sequence[str]) -> bool:
    """Whether the column is what the model is to learn: the code or a hyperparameter says so."""
    for frame in said.error.frames if said.error else ():
        if not frame.library and _LABEL_WORDS.search(frame.code):
            return True
    return any(
        value in names and _LABEL_WORDS.search(name.replace("-", "_"))
        for name, value in job.hyperparameters.items()
    )


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def no_number_in_file(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """What a built-in algorithm says of a cell that is no number."""
    value, column, line = found["value"], int(found["column"]), int(found["line"])
    place = f"column {column} of line {line}"
    if "looks like a header" in said.text:
        return Cause(
            "HeaderInData",
            f"The first line of the data is a header ({value!r} in column {column}); built-in "
            "algorithms read CSV without one.",
            (
                step(
                    "Write the file without header and index, the label in the first column.",
                    'frame.to_csv("train.csv", header=False, index=False)',
                ),
                step(
                    "Or let bottega write it: a frame and the name of the label suffice.",
                    'session.train("xgboost", frame, target="label")',
                ),
            ),
        )
    if column == 1:
        return Cause(
            "LabelNotNumeric",
            f"The label in the first column is {value!r} in line {line}, and a label must be a "
            "number.",
            (
                step(
                    "Number the classes.",
                    "frame[label] = frame[label].astype('category').cat.codes",
                ),
                step(
                    "Put the label into the first column, if it is another one.",
                    "frame = frame[[label, *frame.columns.drop(label)]]",
                ),
            ),
        )
    return Cause(
        "ValueNotNumeric",
        f"{value!r} in {place} is no number, and the algorithm reads numbers only.",
        (
            step(
                "Make numbers of the words, a column for each.",
                "frame = pandas.get_dummies(frame, dtype=float)",
            ),
            step("Leave empty what is missing.", 'frame.replace("?", numpy.nan)'),
        ),
    )


def no_number(job: FailedJob, said: Said, found: re.Match[str]) -> Cause | None:
    """A library that was given words where it computes."""
    if said.error is None or not said.error.frames or not said.error.frames[-1].library:
        return None
    value = found["value"]
    if any(frame.function in _LABEL_CHECKS for frame in said.error.frames):
        return Cause(
            "LabelNotNumeric",
            f"The label is {value!r} in some row, and this model learns numbers.",
            (
                step(
                    "Number the classes, and keep what number is what.",
                    "y, classes = pandas.factorize(frame[label])",
                ),
            ),
        )
    return Cause(
        "ValueNotNumeric",
        f"{value!r} is no number, and a column that the model was given has it.",
        (
            step("See which columns hold words.", 'print(frame.select_dtypes("object").columns)'),
            step(
                "Encode them inside of the model, so that they are encoded when it is served, too.",
                "encoder = OneHotEncoder(handle_unknown='ignore')\n"
                "words = make_column_transformer((encoder, names), remainder='passthrough')\n"
                "make_pipeline(words, model)",
            ),
        ),
    )


def classes(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Labels that are not the numbers from 0 on."""
    got = found.groupdict().get("got") or ""
    return Cause(
        "LabelNotNumeric",
        f"The classes must be numbers from 0 on; the label has {got}."
        if got
        else "The label is of a kind that this model does not learn: "
        f"{said.text.splitlines()[0].partition(': ')[2]}",
        (
            step(
                "Number the classes, and keep what number is what.",
                "encoder = LabelEncoder()\ny = encoder.fit_transform(y)",
            ),
            step("For a regression make numbers of the label.", "y = y.astype(float)"),
        ),
    )


def out_of_range(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Labels that the objective does not take."""
    objective = job.hyperparameters.get("objective", "")
    count = job.hyperparameters.get("num_class", "")
    told = f" (objective {objective}{f', num_class {count}' if count else ''})" if objective else ""
    said_so = found[0].strip().rstrip(".")
    return Cause(
        "LabelOutOfRange",
        f"A label is outside of what is learned{told}: {said_so}.",
        (
            step(
                "See the labels that there are.", "print(frame[label].value_counts(dropna=False))"
            ),
            step(
                "Number the classes from 0 on, and set num_class to how many there are.",
                "codes, classes = pandas.factorize(frame[label])",
            ),
            step(
                "See whether the label is the first column: an index may have taken its place.",
                'frame.to_csv("train.csv", header=False, index=False)',
            ),
        ),
    )


def one_class(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Nothing to tell apart."""
    which = found.groupdict().get("label")
    only = f" ({which})" if which else ""
    return Cause(
        "OneClassOnly",
        f"All rows of the training data have the same label{only}; a classifier needs two.",
        (
            step(
                "Shuffle before you split, and keep the shares of the classes.",
                "train_test_split(x, y, stratify=y)",
            ),
            step(
                "See the labels that there are.", "print(frame[label].value_counts(dropna=False))"
            ),
        ),
    )


def missing_values(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """NaN where a model takes none."""
    where = "The label has" if "Input y" in said.text else "The features have"
    return Cause(
        "MissingValues",
        f"{where} missing or infinite values, which this model does not take.",
        (
            step("See in which columns.", "print(frame.isna().sum()[lambda n: n > 0])"),
            step(
                "Fill them inside of the model.",
                'make_pipeline(SimpleImputer(strategy="median"), model)',
            ),
            step("Or take a model that knows missing values.", "HistGradientBoostingClassifier()"),
        ),
    )


RULES: tuple[Rule, ...] = (
    rule(
        r"None of \[Index\(\[(?P<names>[^\]]+)\][^)]*\)\] are in the \[(?:columns|index)\]",
        no_column,
    ),
    rule(r"KeyError: [\"']?\[(?P<names>[^\]]+)\] (?:not in index|not found in axis)", no_column),
    rule(
        r"[Uu]secols do not match columns, columns expected but not found: \[(?P<names>[^\]]+)\]",
        no_column,
    ),
    rule(r"Missing column provided to 'parse_dates': (?P<names>[^\n]+)", no_column),
    rule(r"^KeyError: (?P<names>[^\n]+)", no_key, "KeyError"),
    rule(
        r"'(?P<value>[^']*)' in column (?P<column>\d+) of line (?P<line>\d+) is not a number",
        no_number_in_file,
    ),
    rule(r"could not convert string to float: '(?P<value>[^']*)'", no_number, "ValueError"),
    rule(
        r"Invalid classes inferred from unique values of `y`\.[^\n]*?got (?P<got>\[[^\]]*\])",
        classes,
    ),
    rule(r"Unknown label type: [^\n]+", classes),
    rule(
        r"[Ll]abel must be in [^\n]+|Label -?[\d.e+]+ in [^\n]+|Target -?\d+ is out of bounds|"
        r"num_class[^\n]*must be[^\n]+|[Ll]abels? [^\n]* num_class[^\n]*",
        out_of_range,
    ),
    rule(r"the data contains only one class: (?P<label>\S+)", one_class),
    rule(r"Every label of the channel train is (?P<label>\d+)", one_class),
    rule(r"The number of classes has to be greater than one; got (?:1|one) class", one_class),
    rule(r"Input (?:[Xy] )?contains (?:NaN|infinity)", missing_values, "ValueError"),
)
