"""A language of word pairs: which context comes up how often, and which token follows it.

Axes: C contexts, V tokens, K kinds of pair (context, token) that can occur, B examples a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_SUMS_TO_ONE = 1e-9  # how far a probability may be from summing to one, float64


@dataclass(frozen=True, eq=False)
class Bigram:
    """A bigram language: contexts drawn independently, each followed by one token.

    Attributes:
        context_probability: how often each context is drawn, shape (C,), sums to 1.
        next_token: probability of each token after each context, shape (C, V), rows sum to 1.

    Raises:
        ValueError: if the shapes do not fit or the numbers are not probabilities.

    >>> language = Bigram(np.array([0.5, 0.5]), np.array([[1.0, 0.0], [0.5, 0.5]]))
    >>> language.entropy.round(3).tolist(), language.certain.tolist()
    ([0.0, 0.693], [True, False])
    """

    context_probability: NDArray[np.float64]
    next_token: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = self.next_token.shape
        if len(shape) != 2 or self.context_probability.shape != shape[:1]:
            raise ValueError(
                f"next_token must have shape (C, V) with C = {self.context_probability.size}, got {shape}."
            )
        for name in ("context_probability", "next_token"):
            values = getattr(self, name)
            if values.min() < 0 or np.abs(values.sum(-1) - 1).max() > _SUMS_TO_ONE:
                raise ValueError(f"{name} must be probabilities that sum to 1.")

    @cached_property
    def entropy(self) -> NDArray[np.float64]:
        """What cannot be known about the next token: -sum_y P(y|c) ln P(y|c) in nats, shape (C,)."""
        logs = np.log(np.where(self.next_token > 0, self.next_token, 1.0))
        return np.asarray(-(self.next_token * logs).sum(-1) + 0.0)  # + 0.0 turns -0.0 into 0.0

    @cached_property
    def certain(self) -> NDArray[np.bool_]:
        """Which contexts are facts: exactly one token can follow; shape (C,)."""
        return np.asarray((self.next_token > 0).sum(-1) == 1)

    def draw(
        self, generator: np.random.Generator, steps: int, batch_size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw batches of examples.

        One uniform number an example, so the draws do not depend on how the steps are cut into calls. The examples of
        a batch come in ascending order, which no average over the batch can notice and which makes counting cheap.

        Args:
            generator: where the numbers come from.
            steps: how many batches.
            batch_size: B, examples in each.

        Returns:
            Contexts and the tokens that follow them, both of shape (steps, B).
        """
        contexts, tokens, cumulative = self._pairs
        uniform = np.sort(generator.random((steps, batch_size)), axis=1)
        drawn = np.minimum(np.searchsorted(cumulative, uniform, side="right"), len(cumulative) - 1)
        return contexts[drawn], tokens[drawn]

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """List the pairs that can occur and the running sum of their probabilities, each of shape (K,)."""
        joint = self.context_probability[:, None] * self.next_token
        contexts, tokens = np.nonzero(joint)
        return contexts, tokens, np.cumsum(joint[contexts, tokens])


def facts_and_open(
    generator: np.random.Generator,
    *,
    facts: int,
    open_contexts: int,
    vocabulary: int,
    fact_share: float,
    zipf_exponent: float = 0.0,
) -> Bigram:
    """Make a language with some facts, which have one next token, and some open contexts, where any token follows.

    Facts come first: contexts 0 .. facts-1. Fact number i (from 1) is drawn with a probability in proportion to
    i ** -zipf_exponent; open contexts are equally likely, and after them every token is.

    Args:
        generator: draws the next token of every fact.
        facts: number of contexts with one fixed next token, 1 or more.
        open_contexts: number of contexts with a uniform next token, 1 or more.
        vocabulary: number V of tokens, 2 or more.
        fact_share: share of all examples that are facts, between 0 and 1.
        zipf_exponent: 0 makes all facts equally common, 1 is Zipf's law.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> language = facts_and_open(np.random.default_rng(0), facts=3, open_contexts=1, vocabulary=4, fact_share=0.3)
    >>> language.context_probability.round(3).tolist(), language.next_token[3].tolist()
    ([0.1, 0.1, 0.1, 0.7], [0.25, 0.25, 0.25, 0.25])
    """
    for name, value, least in (("facts", facts, 1), ("open_contexts", open_contexts, 1), ("vocabulary", vocabulary, 2)):
        if value < least:
            raise ValueError(f"{name} must be {least} or more, got {value}.")
    if not 0 < fact_share < 1:
        raise ValueError(f"fact_share must be between 0 and 1, got {fact_share}.")
    weight = np.arange(1, facts + 1) ** -float(zipf_exponent)
    frequencies = [fact_share * weight / weight.sum(), np.full(open_contexts, (1 - fact_share) / open_contexts)]
    next_token = np.full((facts + open_contexts, vocabulary), 1 / vocabulary)
    next_token[:facts] = 0.0
    next_token[np.arange(facts), generator.integers(vocabulary, size=facts)] = 1.0
    return Bigram(np.concatenate(frequencies), next_token)


def overlapping_languages(
    generator: np.random.Generator,
    *,
    languages: int,
    contexts: int,
    vocabulary: int,
    overlap: float,
    concentration: float = 0.1,
) -> list[Bigram]:
    """Make languages that agree in part on what follows what: P_k = s P_base + (1 - s) P'_k.

    Rows of P_base and of every P'_k are Dirichlet(`concentration`), so that few tokens are likely after a context;
    how often each context comes up is Dirichlet(1), drawn for each language on its own.

    Args:
        generator: where the numbers come from.
        languages: how many, 1 or more.
        contexts: C, 1 or more.
        vocabulary: V, 2 or more.
        overlap: share s of every row that all languages have in common, from 0 to 1.
        concentration: above 0; smaller makes rows more certain.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> first, second = overlapping_languages(
    ...     np.random.default_rng(0), languages=2, contexts=3, vocabulary=4, overlap=1.0
    ... )
    >>> bool((first.next_token == second.next_token).all())
    True
    """
    for name, value, least in (("languages", languages, 1), ("contexts", contexts, 1), ("vocabulary", vocabulary, 2)):
        if value < least:
            raise ValueError(f"{name} must be {least} or more, got {value}.")
    if not 0 <= overlap <= 1:
        raise ValueError(f"overlap must be from 0 to 1, got {overlap}.")
    if not 0 < concentration < np.inf:
        raise ValueError(f"concentration must be a positive number, got {concentration}.")
    rows = np.full(vocabulary, float(concentration))
    shared = generator.dirichlet(rows, size=contexts)
    own = generator.dirichlet(rows, size=(languages, contexts))
    frequencies = generator.dirichlet(np.ones(contexts), size=languages)
    return [
        Bigram(frequency, overlap * shared + (1 - overlap) * alone)
        for frequency, alone in zip(frequencies, own, strict=True)
    ]
