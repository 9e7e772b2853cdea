"""Rules over what goes into a network: images and sequences of tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.parameters import ParameterRefused, parameter
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import Collections, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class CheckInputImages(Rule):
    """Input images are not normalised: the mean of a channel is too far from zero."""

    looks_for: ClassVar[str] = "Input images whose mean is far from zero."
    advice: ClassVar[str] = (
        "Normalise images with the mean and the standard deviation of the training data, such as "
        "torchvision.transforms.Normalize(mean, std) after ToTensor()."
    )
    collections: ClassVar[Collections] = {
        "input_image": {"include_regex": ".*hybridsequential0_input_0", "save_interval": "500"}
    }
    tensors_wanted: ClassVar[str] = "input images (see its parameter regex)"

    threshold_mean: float = parameter(
        0.2, at_least=0, doc="How far the mean of a channel may be from zero."
    )
    threshold_samples: int = parameter(
        500, at_least=1, doc="How many images to see before judging."
    )
    regex: tuple[str, ...] = parameter(
        (".*hybridsequential0_input_0",), pattern=True, doc="Expressions for the input's tensor."
    )
    channel: int = parameter(
        1,
        at_least=0,
        doc="Which axis of the tensor counts colour channels; the first counts images.",
    )

    _images: dict[str, int] = field(default_factory=dict, init=False)
    _sums: dict[str, NDArray[Any]] = field(default_factory=dict, init=False)
    """Of the images' means by channel."""

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        for name in at.matching(self.regex):
            value = at.value(name)
            if value is None or value.ndim < 2 or not value.size:
                continue
            self.looked_at += 1
            axes = tuple(axis for axis in range(value.ndim) if axis != self.channel)
            means = np.atleast_1d(value.mean(axis=axes, dtype=np.float64)) * len(value)
            before = self._sums.get(name)
            # Another number of channels is another network's input.
            fresh = before is None or before.shape != means.shape
            self._sums[name] = means if before is None or fresh else before + means
            self._images[name] = len(value) + (0 if fresh else self._images[name])
            if self._images[name] < self.threshold_samples:
                continue
            every = self._sums[name] / self._images[name]
            worst = int(np.abs(every).argmax())
            if abs(every[worst]) > self.threshold_mean:
                return self.found(
                    at,
                    f"The mean of channel {worst} of {name} is {every[worst]:.4g} over "
                    f"{self._images[name]:,} images; within {self.threshold_mean:g} of zero is "
                    "sound.",
                    [name],
                    mean=number(float(every[worst])),
                    threshold_mean=self.threshold_mean,
                    channel=worst,
                    images=self._images[name],
                )
        return None


@dataclass
class NLPSequenceRatio(Rule):
    """Too large a part of the input's tokens is one token, such as padding."""

    looks_for: ClassVar[str] = "Input sequences that consist too much of one token, as of padding."
    advice: ClassVar[str] = (
        "Padding: put sequences of like length into one batch (bucketing), or pad to the longest "
        "of the batch only. Unknown words: use another vocabulary or tokens of parts of words."
    )
    collections: ClassVar[Collections] = {
        "input_sequence": {"include_regex": ".*embedding0_input_0", "save_interval": "500"}
    }
    tensors_wanted: ClassVar[str] = "input sequences (see its parameter tensor_regex)"

    tensor_regex: tuple[str, ...] = parameter(
        (".*embedding0_input_0",), pattern=True, doc="Expressions for the input's tensor."
    )
    token_values: tuple[float, ...] = parameter((0.0,), doc="The tokens to count.")
    token_thresholds_percent: tuple[float, ...] = parameter(
        (50.0,), at_least=0, at_most=100, doc="Largest percentage of each of these tokens."
    )

    def __post_init__(self) -> None:
        if len(self.token_thresholds_percent) < len(self.token_values):
            raise ParameterRefused(
                f"The rule NLPSequenceRatio has {len(self.token_values)} token_values and "
                f"{len(self.token_thresholds_percent)} token_thresholds_percent. Give each token "
                "its threshold."
            )

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        for name in at.matching(self.tensor_regex):
            value = at.value(name)
            if value is None or not value.size:
                continue
            self.looked_at += 1
            for token, limit in zip(self.token_values, self.token_thresholds_percent, strict=False):
                share = 100 * float(np.count_nonzero(value == token)) / value.size
                if share > limit:
                    return self.found(
                        at,
                        f"{share:.3g} % of the tokens of {name} are {token:g}; up to {limit:g} % "
                        "is sound.",
                        [name],
                        percent=share,
                        threshold_percent=limit,
                        token=token,
                    )
        return None
