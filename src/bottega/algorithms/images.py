"""Which image names run here, and what each of them is.

A training job, a processing job or a model names an image. Nothing is pulled: the name says which
of bottega's own runtimes does the work. AWS's images are recognised by their repository name,
whatever the account and the region are, so that a URI from ``sagemaker.image_uris.retrieve`` works
unchanged.

>>> resolve("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1").name
'xgboost'
>>> resolve("scikit-learn").script_mode
True
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["algorithm", "framework", "both", "preparation", "container"]
DATA_WRANGLER = "data-wrangler"
"""The runtime that prepares tables by a flow, in processing jobs and in front of models."""


DOCKER = "docker"
"""What stands for every image that a Docker engine runs; only models can have such a one."""


class UnsupportedImage(ValueError):
    """The image does not run here. The message says which ones do."""


@dataclass(frozen=True)
class Image:
    """What an image name stands for."""

    name: str
    """``xgboost``, ``scikit-learn`` or ``python``; goes into ``BOTTEGA_IMAGE``."""
    kind: Kind
    """``algorithm`` trains by itself, ``framework`` runs the user's script, ``both`` decides by the
    hyperparameters: with ``sagemaker_program`` (or a ``code`` channel) it runs the script.
    ``preparation`` trains nothing: it runs a flow. ``container`` is run by a Docker engine."""
    tag: str
    """The version asked for, empty when the name has none. It selects no other code here."""
    script_mode: bool
    """Whether a script of the user can run in it."""

    @property
    def algorithm(self) -> bool:
        """Whether it trains and serves without a script of the user."""
        return self.kind in ("algorithm", "both")


@dataclass(frozen=True)
class Framework:
    """A runtime for scripts of the user, as it is offered to people."""

    name: str
    """An image name that stands for it."""
    title: str
    summary: str
    """What a script finds there, in one sentence."""


FRAMEWORKS = (
    Framework(
        "scikit-learn",
        "scikit-learn",
        "Runs your script with scikit-learn, pandas and numpy at hand.",
    ),
    Framework("xgboost", "XGBoost script", "Runs your script with the XGBoost library at hand."),
    Framework("python", "Python", "Runs any Python script; requirements.txt brings what it needs."),
)
"""The runtimes that run a script, in the order in which they are offered."""

_REGISTRY = re.compile(
    r"(?:\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws)"
    r"|public\.ecr\.aws|docker\.io|localhost(?::\d+)?)"
)

_FIRST_PARTY = (
    "blazingtext",
    "factorization-machines",
    "image-classification",
    "kmeans",
    "linear-learner",
    "object-detection",
    "seq2seq",
)
"""Algorithms whose images run no script; repository, short name and runtime are the same."""
_ALGORITHMS: dict[str, tuple[str, Kind, bool]] = {
    name: (name, "algorithm", False) for name in _FIRST_PARTY
}

# Repository (or short name) -> runtime, kind, script mode.
_REPOSITORIES: dict[str, tuple[str, Kind, bool]] = {
    **_ALGORITHMS,
    "sagemaker-xgboost": ("xgboost", "both", True),
    # The first generation (tags 1 and latest) has no script mode.
    "xgboost": ("xgboost", "algorithm", False),
    "sagemaker-scikit-learn": ("scikit-learn", "framework", True),
    "python": ("python", "framework", True),
    "mlflow-pyfunc": ("python", "framework", True),
    "pytorch-inference": ("python", "framework", True),
    "pytorch-training": ("python", "framework", True),
    "sagemaker-base-python": ("python", "framework", True),
    "sagemaker-base-python-310": ("python", "framework", True),
    "sagemaker-base-python-38": ("python", "framework", True),
    "sagemaker-data-science": ("python", "framework", True),
    "sagemaker-data-science-310": ("python", "framework", True),
    "sagemaker-distribution-prod": ("python", "framework", True),
    "sagemaker-data-wrangler-container": (DATA_WRANGLER, "preparation", False),
}
_SHORT_NAMES: dict[str, tuple[str, Kind, bool]] = {
    **_ALGORITHMS,
    "xgboost": ("xgboost", "both", True),
    "sagemaker-xgboost": ("xgboost", "both", True),
    "scikit-learn": ("scikit-learn", "framework", True),
    "sklearn": ("scikit-learn", "framework", True),
    "sagemaker-scikit-learn": ("scikit-learn", "framework", True),
    "mlflow-pyfunc": ("python", "framework", True),
    "python": ("python", "framework", True),
    "pytorch-inference": ("python", "framework", True),
    "pytorch-training": ("python", "framework", True),
    "sagemaker-data-wrangler-container": (DATA_WRANGLER, "preparation", False),
}
_BUILT_IN_ELSEWHERE = frozenset(
    {
        "forecasting-deepar",
        "ipinsights",
        "knn",
        "lda",
        "ntm",
        "object2vec",
        "pca",
        "randomcutforest",
        "semantic-segmentation",
    }
)
_DEEP_LEARNING = re.compile(r"(?:.*-)?(?:pytorch|tensorflow|mxnet|chainer)(?:-.*)?")
_RUNS_HERE = (
    "Images that run here: xgboost (any .../sagemaker-xgboost:<version> too), "
    f"{', '.join(_FIRST_PARTY)} (any .../<name>:1 too), scikit-learn (any "
    ".../sagemaker-scikit-learn:<version> too) and python (pytorch-training, pytorch-inference and "
    "mlflow-pyfunc too); in processing jobs and inference "
    "pipelines sagemaker-data-wrangler-container, too."
)


def resolve(image: str) -> Image:
    """Find the runtime that an image name stands for.

    Args:
        image: an ECR URI of any account and region, a repository name, or a short name
        (``xgboost``,
            ``scikit-learn``, ``sklearn``, ``python``), each with or without a tag or digest.

    Raises:
        UnsupportedImage: no runtime here stands for it.
    """
    text = image.strip()
    path, _, digest = text.partition("@")
    host, slash, rest = path.partition("/")
    registry = host if slash and ("." in host or ":" in host) else ""
    name, _, tag = (rest if registry else path).partition(":")
    repository = name.rpartition("/")[2]
    known = _SHORT_NAMES.get(name)
    if registry:
        known = _REPOSITORIES.get(repository) if _REGISTRY.fullmatch(registry) else None
    if known is not None:
        runtime, kind, script_mode = known
        return Image(name=runtime, kind=kind, tag=tag or digest, script_mode=script_mode)
    raise UnsupportedImage(_refusal(image, repository, ours=not registry or ".ecr" in registry))


def names() -> tuple[str, ...]:
    """The runtimes, by the names that ``Image.name`` takes."""
    return tuple(sorted({runtime for runtime, _, _ in _SHORT_NAMES.values()}))


def _refusal(image: str, repository: str, *, ours: bool) -> str:
    if ours and repository in _BUILT_IN_ELSEWHERE:
        reason = f"the built-in algorithm {repository} is not available in this version"
    elif ours and _DEEP_LEARNING.fullmatch(repository):
        reason = "deep learning images are not available in this version"
    else:
        reason = "no runtime here stands for it"
    return f"The image {image!r} does not run here: {reason}. {_RUNS_HERE}"
