"""ROUGE: how much of a reference text comes back in another text, by runs of words and by their order.

Texts are sequences of tokens (words, or numbers); what counts as a word is for the caller to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

Tokens = Sequence[Hashable]


def rouge_n(text: Tokens, reference: Tokens, n: int) -> float:
    """Return the F-measure of the runs of n tokens that both texts have, each counted as often as both have it.

    precision = shared / runs in the text, recall = shared / runs in the reference, F = 2·precision·recall / their sum

    Args:
        text: what was written.
        reference: what should have been written.
        n: length of a run, 1 or more.

    Returns:
        A number in [0, 1]; 0 if one of the texts is shorter than n.

    Raises:
        ValueError: if n is below 1.

    Source: Lin 2004, section 2, as the package rouge-score computes it.

    >>> rouge_n("the cat sat".split(), "the cat ran".split(), 2)
    0.5
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}.")
    runs, reference_runs = _runs(text, n), _runs(reference, n)
    return _f_measure((runs & reference_runs).total(), runs.total(), reference_runs.total())


def rouge_l(text: Tokens, reference: Tokens) -> float:
    """Return the F-measure of the longest common subsequence: tokens in the same order, gaps allowed.

    Source: Lin 2004, section 3.1.

    >>> round(rouge_l("the old cat sat".split(), "the cat sat down".split()), 3)
    0.75
    """
    lengths = [0] * (len(reference) + 1)  # of the longest common subsequence with each beginning of the reference
    for token in text:
        diagonal = 0
        for place, wanted in enumerate(reference, start=1):
            above = lengths[place]
            lengths[place] = diagonal + 1 if token == wanted else max(above, lengths[place - 1])
            diagonal = above
    return _f_measure(lengths[-1], len(text), len(reference))


def _runs(tokens: Tokens, n: int) -> Counter[tuple[Hashable, ...]]:
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


def _f_measure(shared: int, in_text: int, in_reference: int) -> float:
    """Return 2PR/(P+R) = 2·shared / (in_text + in_reference)."""
    return 2 * shared / (in_text + in_reference) if shared else 0.0
