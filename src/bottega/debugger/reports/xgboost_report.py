"""The report of the rule CreateXgboostReport: how an XGBoost model learned, and where it errs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.debugger.reports import files
from bottega.debugger.reports.charts import (
    Line,
    bar_list,
    heat_table,
    histogram,
    line_chart,
    number,
)
from bottega.debugger.reports.page import Section, cards, duration, heading, page, table
from bottega.debugger.reports.training import ReportedTraining
from bottega.debugger.reports.xgboost_numbers import XgboostNumbers, numbers_of
from bottega.debugger.rules.metric_names import better_when_large
from bottega.debugger.tensors.trial import Trial

PAGE = "xgboost_report.html"
NOTEBOOK = "xgboost_report.ipynb"
NUMBERS = "xgboost-reports"
MOST_FEATURES = 20
MOST_SHOWN_CLASSES = 30

_FOOTER = (
    "Labels and predictions are those that the hook saved last: of the last data set of the "
    "watchlist that is not the training data, and of the training data where there is no other."
)
_REGRESSION = "The labels of the data that predictions were made of."


def write(trial: Trial, training: ReportedTraining, folder: Path) -> list[Path]:
    """Write the report: the page, the notebook, and a JSON file for each part.

    Each file is put in place whole, so that doing it again, also after a kill, leaves one report.

    Args:
        trial: the tensors that the training saved.
        training: what it is about.
        folder: ``rule-output/<RuleConfigurationName>``.

    Returns:
        What was written, relative to the folder.
    """
    found = numbers_of(trial)
    shown = sections(found, training)
    title, subtitle = "XGBoost training report", f"Training job {training.name}"
    return files.write_all(
        folder,
        {
            **{Path(NUMBERS, f"{name}.json"): one for name, one in found.parts.items()},
            Path(NOTEBOOK): files.notebook(title, subtitle, shown),
            Path(PAGE): page(title, subtitle, shown, _FOOTER),
        },
    )


def sections(found: XgboostNumbers, training: ReportedTraining) -> list[Section]:
    """All parts of the page, in order; those without numbers are left out."""
    shown = [_summary(found, training)]
    for name, title, text, body in (
        ("LabelDistribution", "Distribution of labels", _labels_text(found), _labels),
        (
            "Metrics",
            "Metrics over the rounds",
            "A validation loss that goes up while the training loss goes down is overfitting.",
            _metrics,
        ),
        (
            "FeatureImportance",
            "Feature importance",
            "weight: in how many splits a feature is used; gain: how much its splits help; cover: "
            "how many samples they decide. Parts of the sum, at the last step that saved them.",
            _importance,
        ),
        (
            "ConfusionMatrix",
            "Confusion matrix",
            "Rows are true classes, columns predicted ones; colour is the part of the row.",
            _confusion,
        ),
        (
            "ClassificationReport",
            "Precision, recall, F1",
            "Precision: which part of what was predicted as the class is of it. Recall: which part "
            "of the class was found. F1: their harmonic mean.",
            _report,
        ),
        (
            "IterativeAccuracy",
            "Accuracy of each class over the rounds",
            "Which part of each class was predicted rightly.",
            _accuracy,
        ),
        (
            "ROC",
            "Receiver operating characteristic",
            "Over all thresholds: which part of class 1 is found at which part of false alarms.",
            _roc,
        ),
        ("Residuals", "Residuals", "Prediction minus label.", _residuals),
        (
            "ErrorPerLabelBin",
            "Absolute error by label",
            "The mean absolute error of the samples whose label lies in each range.",
            _errors,
        ),
    ):
        content = found.parts.get(name)
        if content:
            anchor = name.lower()
            shown.append(Section(anchor, title, text, body(content), f"{NUMBERS}/{name}.json"))
    return shown


def _summary(found: XgboostNumbers, training: ReportedTraining) -> Section:
    facts = {"status": training.status or "unknown"}
    if training.started is not None and training.ended is not None:
        facts["duration"] = duration(training.ended - training.started)
    if found.objective:
        facts["objective"] = found.objective
    if found.step is not None:
        facts["labels and predictions of step"] = str(found.step)
    for name, course in found.parts.get("Metrics", {}).items():
        best = max if better_when_large(name) else min
        values = course["values"]
        value = best(values)
        step = course["steps"][values.index(value)]
        facts[f"best {name} (step {step})"] = number(value)
    report = found.parts.get("ClassificationReport")
    if report:
        facts["accuracy"] = f"{100 * report['accuracy']:.2f} %"
    residuals = found.parts.get("Residuals")
    if residuals:
        facts |= {name.upper(): number(residuals[name]) for name in ("rmse", "mae", "r2")}
    body = cards(facts)
    missing = [name for name in ("Metrics", "FeatureImportance") if name not in found.parts] + (
        ["labels and predictions"] if found.step is None else []
    )
    if missing:
        body += (
            f'<p class="empty">The training did not save: {", ".join(missing)}. What needs them is '
            "left out.</p>"
        )
    if training.hyperparameters:
        body += heading("Hyperparameters")
        body += table(("name", "value"), sorted(training.hyperparameters.items()))
    return Section("summary", "Training job summary", "", body)


def _labels_text(found: XgboostNumbers) -> str:
    if found.kind != "classification":
        return _REGRESSION
    return _REGRESSION + (
        " Where one class has far fewer samples than another one, see scale_pos_weight or weights."
    )


def _labels(content: Mapping[str, Any]) -> str:
    if "edges" in content:
        return histogram(content["edges"], content["counts"], x_label="label")
    total = sum(content.values())
    rows = list(content.items())[:MOST_SHOWN_CLASSES]
    return bar_list(
        (f"class {name}", count, f"{count:,} ({100 * count / total:.1f} %)") for name, count in rows
    )


def _metrics(content: Mapping[str, Any]) -> str:
    by_metric: dict[str, list[Line]] = {}
    for name, course in content.items():
        data, _, metric = name.partition("-")
        line = Line(name, course["steps"], course["values"], dashed=data != "train")
        by_metric.setdefault(metric, []).append(line)
    return "".join(
        heading(metric) + line_chart(lines, x_label="round", y_label=metric)
        for metric, lines in sorted(by_metric.items())
    )


def _importance(content: Mapping[str, Mapping[str, float]]) -> str:
    parts = []
    for kind, features in content.items():
        total = sum(features.values()) or 1.0
        rows = [
            (name, value / total, f"{100 * value / total:.1f} %")
            for name, value in list(features.items())[:MOST_FEATURES]
        ]
        more = len(features) - MOST_FEATURES
        told = f'<p class="text">and {more} more</p>' if more > 0 else ""
        parts.append(f"<div>{heading(kind)}{bar_list(rows)}{told}</div>")
    return f'<div class="columns">{"".join(parts)}</div>'


def _confusion(content: Mapping[str, Any]) -> str:
    names, matrix = content["labels"], content["matrix"]
    if len(names) > MOST_SHOWN_CLASSES:
        return (
            f'<p class="empty">There are {len(names)} classes, too many to draw; the matrix is in '
            f"{NUMBERS}/ConfusionMatrix.json.</p>"
        )
    return heat_table(matrix, names, corner="true \\ predicted")


def _report(content: Mapping[str, Any]) -> str:
    columns = ("precision", "recall", "f1-score", "support")
    rows: list[tuple[object, ...]] = [
        (f"class {name}", *(one[column] for column in columns))
        for name, one in list(content["classes"].items())[:100]
    ]
    average = content["macro avg"]
    support = sum(one["support"] for one in content["classes"].values())
    rows.append(("macro average", *(average[column] for column in columns[:3]), support))
    return table(("class", *columns), rows)


def _accuracy(content: Mapping[str, Any]) -> str:
    lines = [
        Line(f"class {name}", one["steps"], one["values"])
        for name, one in list(content.items())[:8]
    ]
    return line_chart(lines, x_label="round", y_label="accuracy", y_range=(0, 1))


def _roc(content: Mapping[str, Any]) -> str:
    lines = [
        Line(f"model (area {content['auc']:.4f})", content["fpr"], content["tpr"]),
        Line("guessing", [0.0, 1.0], [0.0, 1.0], dashed=True),
    ]
    return line_chart(
        lines, x_label="false positive rate", y_label="true positive rate", y_range=(0, 1)
    )


def _residuals(content: Mapping[str, Any]) -> str:
    return histogram(content["edges"], content["counts"], x_label="residual", mark=0.0)


def _errors(content: Mapping[str, Any]) -> str:
    edges = content["edges"]
    rows = [
        (f"{number(low)} to {number(high)}", error, f"{number(error)} ({count:,} samples)")
        for low, high, error, count in zip(
            edges, edges[1:], content["mean_absolute_error"], content["samples"], strict=False
        )
        if error is not None
    ]
    return bar_list(rows)
