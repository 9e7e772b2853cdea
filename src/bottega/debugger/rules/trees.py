"""Rules over the trees of XGBoost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading, listed
from bottega.debugger.rules.rule import TREES, Collections, Rule


@dataclass
class TreeDepth(Rule):
    """A tree is as deep as a limit, or deeper."""

    looks_for: ClassVar[str] = "Trees that are as deep as the limit or deeper."
    advice: ClassVar[str] = (
        "Deep trees learn the training data by heart: lower max_depth, or raise min_child_weight "
        "or gamma."
    )
    frameworks: ClassVar[tuple[str, ...]] = TREES
    collections: ClassVar[Collections] = {"trees": {"save_interval": "500"}}
    tensors_wanted: ClassVar[str] = "trees (the tensor trees/Node)"

    depth: float = parameter(
        4.0, at_least=0, doc="Depth: the logarithm to base 2 of the largest number of a node."
    )

    def look(self, at: Reading) -> Finding | None:
        for name in at.of_collection("trees"):
            if name.rpartition("/")[2].lower() != "node":
                continue
            nodes = at.value(name)
            if nodes is None or not nodes.size:
                continue
            self.looked_at += 1
            largest = int(nodes.max())
            depth = math.log2(largest) if largest > 0 else 0.0
            if depth >= self.depth:
                return self.found(
                    at,
                    f"A tree has a node of number {largest}, which is a depth of {depth:.3g}; less "
                    f"than {self.depth:g} would be sound.",
                    [name],
                    depth=number(depth),
                    depth_limit=self.depth,
                    largest_node=largest,
                )
        return None


@dataclass
class FeatureImportanceOverweight(Rule):
    """A few features have nearly all of the importance."""

    looks_for: ClassVar[str] = "A few features that have nearly all of the importance."
    advice: ClassVar[str] = (
        "See whether these features know the label (leakage). If they do not, colsample_bytree and "
        "more regularisation let other features have their part."
    )
    frameworks: ClassVar[tuple[str, ...]] = TREES
    collections: ClassVar[Collections] = {"feature_importance": {"save_interval": "500"}}
    tensors_wanted: ClassVar[str] = "feature importances"

    threshold: float = parameter(
        0.8, at_least=0, at_most=1, doc="Largest part of all importance that they may have."
    )
    nfeatures: int = parameter(3, at_least=1, doc="How many features are added up.")
    tensor_regex: tuple[str, ...] = parameter(
        (".*feature_importance/weight",), pattern=True, doc="Expressions for the importances."
    )

    def look(self, at: Reading) -> Finding | None:
        for kind, features in sorted(importances(at, at.matching(self.tensor_regex)).items()):
            total = sum(features.values())
            if total <= 0:
                continue
            self.looked_at += 1
            first = sorted(features, key=features.__getitem__, reverse=True)[: self.nfeatures]
            share = sum(features[name] for name in first) / total
            if share > self.threshold:
                return self.found(
                    at,
                    f"{listed(first)} have {100 * share:.3g} % of all importance ({kind}) of "
                    f"{len(features)} features; up to {100 * self.threshold:g} % is sound.",
                    [kind],
                    share=number(share),
                    threshold=self.threshold,
                    nfeatures=self.nfeatures,
                    features=", ".join(first),
                )
        return None


@dataclass
class CreateXgboostReport(Rule):
    """Writes a report at the training's end; never fires."""

    looks_for: ClassVar[str] = "Nothing: it writes a report on the training at its end."
    advice: ClassVar[str] = "Open the report."
    frameworks: ClassVar[tuple[str, ...]] = TREES
    collections: ClassVar[Collections] = {
        "metrics": {"save_interval": "5"},
        "feature_importance": {"save_interval": "5"},
        "predictions": {"save_interval": "5"},
        "labels": {"save_interval": "5"},
        "hyperparameters": {"save_steps": "0"},
    }
    tensors_wanted: ClassVar[str] = "tensors"

    def look(self, at: Reading) -> Finding | None:
        self.looked_at += len(at.trial.tensor_names(step=at.step))
        return None


def importances(at: Reading, names: list[str]) -> dict[str, dict[str, float]]:
    """Importances by kind (``feature_importance/weight``) and feature.

    A kind is one tensor for each feature, or one for all of them, which are then called by number.
    """
    found: dict[str, dict[str, float]] = {}
    for name in names:
        value = at.value(name)
        if value is None:
            continue
        head, _, last = name.rpartition("/")
        if value.size == 1 and head.count("/") >= 1:
            found.setdefault(head, {})[last] = float(value.reshape(-1)[0])
        else:
            features = {f"f{place}": float(one) for place, one in enumerate(value.reshape(-1))}
            found.setdefault(name, {}).update(features)
    return found
