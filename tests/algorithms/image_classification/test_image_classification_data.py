"""Framing images, batches, and labels that cannot be learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.base import CustomerError
from bottega.algorithms.image_classification.data import ImageChannel, read_targets, split
from bottega.algorithms.image_classification.framing import Framing
from bottega.algorithms.image_classification.progress import Progress
from bottega.algorithms.image_classification.settings import Settings
from bottega.algorithms.readers.images import ImageItem, ImageSet


class Images(ImageSet):
    """Pictures in memory."""

    def __init__(self, labels: Sequence[Sequence[float]], data: Sequence[bytes] = ()) -> None:
        self._labels = labels
        self._data = data

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> ImageItem:
        return ImageItem(self.name(index), self._data[index], self.label(index))

    def label(self, index: int) -> np.ndarray:
        return np.array(self._labels[index], dtype=np.float32)

    def name(self, index: int) -> str:
        return f"{index}.png"


def settings_of(**given: str) -> Settings:
    return Settings.read({"num_classes": "3", "num_training_samples": "4", **given})


@given(count=st.integers(1, 60), size=st.integers(1, 20))
def test_batches_are_a_partition_without_lonely_images(count: int, size: int):
    batches = split(np.arange(count), size)
    assert np.concatenate(batches).tolist() == list(range(count))
    if size > 1 and count > 1:
        assert all(2 <= len(batch) <= size + 1 for batch in batches)
    else:
        assert all(len(batch) == 1 for batch in batches)


@given(height=st.integers(4, 40), width=st.integers(4, 40), side=st.integers(4, 30))
def test_what_is_cut_out_has_the_shape_of_the_network(height: int, width: int, side: int):
    framing = Framing((3, 8, 10), (side, side))
    picture = framing.covering(np.zeros((height, width, 3), dtype=np.uint8))
    assert picture.shape[0] >= 8
    assert picture.shape[1] >= 10
    assert framing.cut(picture).shape == (8, 10, 3)
    assert framing.cut(picture, np.random.default_rng(0)).shape == (8, 10, 3)


def test_the_middle_is_the_middle_and_chance_goes_everywhere():
    framing = Framing((1, 2, 2))
    picture = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    assert framing.cut(picture)[:, :, 0].tolist() == [[5, 6], [9, 10]]
    draw = np.random.default_rng(0)
    corners = {int(framing.cut(picture, draw)[0, 0, 0]) for _ in range(200)}
    assert corners == {0, 1, 2, 4, 5, 6, 8, 9, 10}


@pytest.mark.parametrize(("sides", "shape"), [((1, 99), (8, 8)), ((16, 16), (16, 16))])
def test_images_keep_to_the_limits(picture, sides: tuple[int, int], shape: tuple[int, int]):
    assert Framing((3, 4, 4), sides).prepare(picture(0)).shape[:2] == shape


def channel_of(picture, count: int, side: int = 8, shape: tuple[int, int, int] = (3, 8, 8)):
    images = Images(
        [[n % 3] for n in range(count)], [picture(n % 3, n, side) for n in range(count)]
    )
    targets = read_targets(images, "train", settings_of())
    return ImageChannel(images, targets, Framing(shape), threads=2, seed=0)


def test_every_epoch_shows_every_image_in_another_order(picture):
    channel = channel_of(picture, 10)
    assert channel.same_size
    seen = []
    for epoch in (0, 1, 0):
        batches = list(channel.shuffled(4, epoch, vary=False))
        assert [len(batch.targets) for batch in batches] == [4, 4, 2]
        seen.append(np.concatenate([batch.pictures for batch in batches]))
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
    for one in seen:
        assert {p.tobytes() for p in one} == {p.tobytes() for p in seen[0]}


def test_a_host_with_fewer_images_begins_again(picture):
    channel = channel_of(picture, 5)
    batches = list(channel.shuffled(3, 0, vary=True, batches=5))
    assert [len(batch.targets) for batch in batches] == [3, 2, 3, 2, 3]
    np.testing.assert_array_equal(batches[0].targets, batches[2].targets)


def test_pictures_and_targets_belong_together(picture):
    channel = channel_of(picture, 9, side=12)
    for batch in [*channel.shuffled(4, 3, vary=True), *channel.all(4)]:
        means = batch.pictures.mean(axis=(1, 2))
        # The strongest colour tells the class: red, blue, green.
        assert np.array([0, 2, 1])[means.argmax(axis=1)].tolist() == batch.targets.tolist()


def test_small_images_are_enlarged_and_remembered(picture):
    assert not channel_of(picture, 3).enlarged
    found = channel_of(picture, 3, side=5)
    assert found.enlarged
    assert found.sides == (8, 8)


@pytest.mark.parametrize(
    ("labels", "given", "reason"),
    [
        (
            [[0], [3]],
            {},
            r"1\.png of the channel train has the label 3; num_classes=3 allows 0 to 2",
        ),
        ([[0, 1, 0]], {}, "has 3 labels; set multi_label to 1"),
        ([[0, 1]], {"multi_label": "1"}, "has 2 labels where num_classes is 3"),
        ([[0, 1, 0], [0, 2, 1]], {"multi_label": "1"}, r"1\.png of the channel train.* label 2"),
    ],
)
def test_labels_that_do_not_fit(labels: list[list[float]], given: dict[str, str], reason: str):
    with pytest.raises(CustomerError, match=reason):
        read_targets(Images(labels), "train", settings_of(**given))


def test_targets():
    one = read_targets(Images([[2], [0]]), "train", settings_of())
    assert one.tolist() == [2, 0]
    assert one.dtype == np.int64
    several = read_targets(Images([[1, 0, 1]]), "train", settings_of(multi_label="1"))
    assert several.tolist() == [[1, 0, 1]]
    single = read_targets(Images([[2], [0]]), "train", settings_of(multi_label="1"))
    assert single.tolist() == [[0, 0, 1], [1, 0, 0]]


def progress_after(accuracies: Sequence[float], **given: str) -> tuple[Progress, str]:
    settings = settings_of(early_stopping="True", epochs="50", **given)
    progress, reason = Progress(), ""
    for accuracy in accuracies:
        progress.epochs += 1
        progress.see(accuracy, settings.patience[2])
        reason = progress.enough(settings)
        if reason:
            break
    return progress, reason


def test_early_stopping_waits():
    accuracies = [0.1, 0.5, 0.5, 0.4, 0.5, 0.3, 0.5, 0.9]
    given = {"early_stopping_min_epochs": "2", "early_stopping_patience": "3"}
    progress, reason = progress_after(accuracies, **given)
    assert (progress.epochs, progress.best_epoch, progress.best) == (5, 2, 0.5)
    assert "not risen for 3 epochs" in reason


def test_early_stopping_waits_for_the_least_number_of_epochs():
    given = {"early_stopping_min_epochs": "6", "early_stopping_patience": "1"}
    assert progress_after([0.5] * 9, **given)[0].epochs == 6


def test_small_gains_do_not_count_for_early_stopping_but_for_the_model():
    given = {
        "early_stopping_min_epochs": "1",
        "early_stopping_patience": "2",
        "early_stopping_tolerance": "0.1",
    }
    progress, reason = progress_after([0.5, 0.52, 0.54, 0.7], **given)
    assert reason
    assert (progress.epochs, progress.best_epoch) == (3, 3)


def test_all_epochs_are_the_end():
    progress, reason = progress_after([0.1] * 60, early_stopping_patience="100")
    assert progress.epochs == 50
    assert reason == "all epochs are done"


def test_which_weights_are_kept():
    assert Progress(epochs=7, best_epoch=3).wanted(0) == {3}
    assert Progress(epochs=7, best_epoch=3).wanted(2) == {2, 3, 4, 6}
