"""Arrays and tables that do not fit together, and files of another kind than they are read as."""

from __future__ import annotations

import re

from bottega.failures.causes import Cause, Rule, rule, step
from bottega.failures.job import FailedJob, Said

_PRINT = "print(x.shape, y.shape)"


def _where(said: Said) -> str:
    frame = said.error.own_frame if said.error else None
    return f" in {frame.place}" if frame else ""


def rows_differ(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Features and labels of different lengths."""
    counts = f": {found['counts']}" if found.groupdict().get("counts") else ""
    return Cause(
        "ShapeMismatch",
        f"Features and labels have different numbers of rows{_where(said)}{counts}.",
        (
            step(
                "Take both from the same table, after rows were dropped.",
                "frame = frame.dropna()\nx, y = frame.drop(columns=label), frame[label]",
            ),
            step("See the shapes.", _PRINT),
        ),
    )


def features_differ(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Another number of features than was learned from."""
    groups = found.groupdict()
    return Cause(
        "ShapeMismatch",
        f"There are {groups['got']} features where {groups['wanted']} were expected{_where(said)}.",
        (
            step(
                "Encode training and validation data with the same fitted transformer: "
                "get_dummies gives each its own columns.",
                "encoder.fit(train)\nx_valid = encoder.transform(valid)",
            ),
            step("Compare the columns.", "print(set(train.columns) ^ set(valid.columns))"),
        ),
    )


def matrices(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Two arrays that an operation cannot combine."""
    a, b = found["a"], found["b"]
    layer = "Linear" in said.text or "mat1" in said.text
    advice = [step("See the shapes before this line.", "print(a.shape, b.shape)")]
    if layer:
        inner = a.strip("()").replace("x", ",").split(",")[-1].strip()
        advice.insert(
            0,
            step(
                f"The layer must take {inner} inputs, as its data have.", f"nn.Linear({inner}, ...)"
            ),
        )
    else:
        advice.append(
            step("Give an axis of length 1 where one array is to be repeated.", "a[:, None] + b")
        )
    return Cause(
        "ShapeMismatch",
        f"Arrays of the shapes {a} and {b} do not fit together{_where(said)}.",
        tuple(advice),
    )


def dimensions(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A vector where a table is needed, or the other way round."""
    return Cause(
        "ShapeMismatch",
        f"The model needs an array of {found['wanted']} dimensions and got one of {found['got']}"
        f"{_where(said)}.",
        (
            step("Take a table of one column, not the column.", 'x = frame[["age"]]'),
            step("Or make rows of it.", "x = x.reshape(-1, 1)"),
        ),
    )


def columns_of_file(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """Lines or files of different widths."""
    what = found[0].strip().rstrip(".")
    return Cause(
        "ShapeMismatch",
        f"The rows of the data have different numbers of columns: {what}.",
        (
            step(
                "Look for separators inside of values, which need quotes, and for files of another "
                "kind under the same prefix.",
                "frame.to_csv(path, header=False, index=False)",
            ),
            step("Leave a label column out of every file, or of none."),
        ),
    )


def tokens(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A file that is no table, or has another separator."""
    return Cause(
        "WrongContentType",
        f"Line {found['line']} of the file that was read as CSV has {found['got']} columns instead "
        f"of {found['wanted']}{_where(said)}.",
        (
            step(
                "Look at that line, and at the separator.",
                f"print(open(path).read().splitlines()[{int(found['line']) - 1}])",
            ),
            step(
                "Let pandas find the separator.", 'pandas.read_csv(path, sep=None, engine="python")'
            ),
        ),
        "likely",
    )


def no_such_format(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A file that is something else than it is read as."""
    kind = next((name for name, value in found.groupdict().items() if value), "other")
    meant = {
        "parquet": "a Parquet file",
        "gzip": "a gzip file",
        "text": "UTF-8 text",
        "json": "JSON",
        "pickle": "a pickle",
    }.get(kind, "what it is read as")
    advice = {
        "parquet": step(
            "Read CSV as CSV, and leave out files such as _SUCCESS.",
            'glob.glob(folder + "/*.parquet")',
        ),
        "text": step(
            "Name its encoding, or read it as what it is: Parquet, gzip and Excel are no text.",
            'pandas.read_csv(path, encoding="latin-1")',
        ),
        "json": step("Read JSON lines line by line.", "pandas.read_json(path, lines=True)"),
    }.get(kind, step("Look at the first bytes of the file.", 'print(open(path, "rb").read(80))'))
    return Cause(
        "WrongContentType",
        f"A file was read as {meant}, and is none{_where(said)}.",
        (advice, step("Take only files of that kind: a channel has everything under its prefix.")),
        "likely",
    )


def content_type(job: FailedJob, said: Said, found: re.Match[str]) -> Cause:
    """A built-in algorithm was told a content type that it does not read, or that is wrong."""
    what = " ".join(said.text.split())[:240].removeprefix("ClientError: ").rstrip(".")
    return Cause(
        "WrongContentType",
        f"The data are not of the content type that the channel names: {what}.",
        (
            step("Say what the data are.", 'TrainingInput(uri, content_type="text/csv")'),
            step(
                "CSV needs the label in the first column and no header; without a content type "
                "XGBoost reads libsvm."
            ),
        ),
    )


RULES: tuple[Rule, ...] = (
    rule(r"inconsistent numbers of samples: (?P<counts>\[[^\]]+\])", rows_differ),
    rule(
        r"Length of values (?P<counts>\(\d+\) does not match length of index \(\d+\))", rows_differ
    ),
    rule(r"All arrays must be of the same length", rows_differ),
    rule(
        r"X has (?P<got>\d+) features, but \w+ is expecting (?P<wanted>\d+) features",
        features_differ,
    ),
    rule(
        r"[Ff]eature shape mismatch, expected: (?P<wanted>\d+), got:? (?P<got>\d+)", features_differ
    ),
    rule(r"shapes cannot be multiplied \((?P<a>\d+x\d+) and (?P<b>\d+x\d+)\)", matrices),
    rule(
        r"could not be broadcast together with shapes (?P<a>\([\d,]*\)) (?P<b>\([\d,]*\))", matrices
    ),
    rule(r"shapes (?P<a>\([\d,]*\)) and (?P<b>\([\d,]*\)) not aligned", matrices),
    rule(
        r"matmul: Input operand \d has a mismatch in its core dimension \d.*?"
        r"\(size (?P<a>\d+) is different from (?P<b>\d+)\)",
        matrices,
    ),
    rule(
        r"The size of tensor a \((?P<a>\d+)\) must match the size of tensor b \((?P<b>\d+)\)",
        matrices,
    ),
    rule(
        r"Expected input batch_size \((?P<a>\d+)\) to match target batch_size \((?P<b>\d+)\)",
        matrices,
    ),
    rule(
        r"size mismatch for [\w.]+: copying a param with shape (?P<a>[\w.]*\(\[[\d, ]*\]\)).*?"
        r"shape in current model is (?P<b>[\w.]*\(\[[\d, ]*\]\))",
        matrices,
        flags=re.DOTALL,
    ),
    rule(r"Expected (?P<wanted>\d)D array, got (?P<got>\d)D array", dimensions),
    rule(
        r"line \d+ has \d+ columns, the first line has \d+|"
        r"The channel [\w-]+ has \d+ feature columns where other data of this job has \d+|"
        r"The rows of the channel [\w-]+ have \d+ features[^\n.]*",
        columns_of_file,
    ),
    rule(
        r"Error tokenizing data\. C error: Expected (?P<wanted>\d+) fields in line (?P<line>\d+), "
        r"saw (?P<got>\d+)",
        tokens,
    ),
    rule(
        r"(?P<parquet>Parquet magic bytes not found)|(?P<gzip>Not a gzipped file|not a gzip file)|"
        r"(?P<text>UnicodeDecodeError: '[\w-]+' codec can't decode)|"
        r"(?P<json>JSONDecodeError: )|(?P<pickle>UnpicklingError: )",
        no_such_format,
    ),
    rule(
        r"cannot be read by [\w ]+ in this channel|is not a label\. Each line must be|"
        r"(?i:content type) '[^']+' [^\n]*(?:not|cannot)|is no text, as ",
        content_type,
    ),
)
