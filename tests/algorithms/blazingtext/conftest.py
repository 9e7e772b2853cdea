"""BlazingText jobs on small made texts."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bottega.testing.job_folder import JobFolder

TOPICS = {
    "sea": ["ship", "wave", "harbour", "sailor", "tide", "whale", "anchor", "reef"],
    "sky": ["cloud", "wing", "pilot", "étoile", "storm", "moon", "plane", "kite"],
    "land": ["forest", "hill", "ströme", "path", "wolf", "barn", "stone", "meadow"],
}
COMMON = ["the", "a", "of", "and", "in"]

Job = Callable[..., JobFolder]


def make_texts(count: int, *, seed: int = 3) -> list[tuple[str, str]]:
    """Topics and texts about them: words of a topic stand together, and common ones anywhere."""
    rnd = random.Random(seed)
    found = []
    for _ in range(count):
        topic = rnd.choice(list(TOPICS))
        words = rnd.choices(TOPICS[topic], k=rnd.randint(4, 8)) + rnd.choices(COMMON, k=3)
        rnd.shuffle(words)
        found.append((topic, " ".join(words)))
    return found


@pytest.fixture(scope="session")
def topics() -> dict[str, list[str]]:
    """The words of each topic."""
    return TOPICS


@pytest.fixture(scope="session")
def texts() -> list[tuple[str, str]]:
    """400 topics and texts about them."""
    return make_texts(400)


@pytest.fixture(scope="session")
def plain() -> str:
    """A thousand texts, one a line."""
    return "".join(f"{text}\n" for _, text in make_texts(1000))


@pytest.fixture(scope="session")
def labelled() -> tuple[str, str]:
    """Texts with their topics as labels, to train on and to validate."""
    lines = [f"__label__{topic} {text}\n" for topic, text in make_texts(500)]
    return "".join(lines[:400]), "".join(lines[400:])


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Makes a job of one host; names of hyperparameters and their values are given."""

    def make(name: str = "ml", **values: str) -> JobFolder:
        small = {"vector_dim": "16", "buckets": "1000", "min_count": "1"}
        return JobFolder(
            tmp_path / name,
            {**small, **values},
            image="blazingtext",
            environment={"BOTTEGA_CPUS": "2"},
        )

    return make
