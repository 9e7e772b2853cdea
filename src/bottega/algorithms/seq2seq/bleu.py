"""BLEU of a corpus (Papineni et al. 2002): one reference a sentence, n-grams up to four."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence

_LONGEST = 4


def corpus_bleu(
    hypotheses: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Hashable]]
) -> float:
    """BLEU-4 with brevity penalty, from 0 to 1.

    An order of n-grams of which none matches counts as half a match, the next such order as a
    quarter, and so on, as sacreBLEU does by default; orders longer than all hypotheses are zero.

    Args:
        hypotheses: the tokens of each translation.
        references: the tokens of what each should be.

    Raises:
        ValueError: there are not as many of the one as of the other.
    """
    matches, totals = [0] * _LONGEST, [0] * _LONGEST
    length = wanted = 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        length += len(hypothesis)
        wanted += len(reference)
        for order in range(1, _LONGEST + 1):
            found = _ngrams(hypothesis, order)
            totals[order - 1] += sum(found.values())
            matches[order - 1] += (found & _ngrams(reference, order)).total()
    if not matches[0] or not all(totals):
        return 0.0
    logs, smooth = 0.0, 1
    for matched, total in zip(matches, totals, strict=True):
        if matched:
            logs += math.log(matched / total)
        else:
            smooth *= 2
            logs += math.log(1 / (smooth * total))
    brevity = 1.0 if length >= wanted else math.exp(1 - wanted / length)
    return brevity * math.exp(logs / _LONGEST)


def _ngrams(tokens: Sequence[Hashable], order: int) -> Counter[tuple[Hashable, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))
