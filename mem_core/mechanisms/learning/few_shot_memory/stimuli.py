"""What the model reads: its language, the sentences to study, their foils, and the text that comes after.

Axes: S sentences, L words in each.
"""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.data.markov_text import MarkovLanguage, Texts, dirichlet_language, distinct_texts, random_texts
from mem_core.engine import philox
from mem_core.mechanisms.learning.few_shot_memory.settings import NATURAL, ONE_WORD, RANDOM, FewShotSettings

CONCENTRATION = 0.1
"""Of the Dirichlet distribution that the successors of each word are drawn from: about ten of 64 words can follow."""
FIRST_REPLACED = 2
"""A one-word foil keeps the first two words: the third is the first with a left neighbour that has one itself."""
REPLACEMENTS = 6
"""A replaced word comes from this many most likely successors of its left neighbour, so that it fits in."""


@dataclass(frozen=True, eq=False)
class Material:
    """Everything the model reads in a run; no studied sentence and no foil occurs anywhere else.

    Attributes:
        before: sentences that teach the language, in the order of training.
        seen: sentences to study, (S, L).
        foils: one for each, never studied, (S, L).
        after: the new text, one sentence for each update, no two alike.
    """

    before: Texts
    seen: Texts
    foils: Texts
    after: Texts


def prepare(settings: FewShotSettings, seed: int) -> Material:
    """Draw everything that is read in a run."""
    language = dirichlet_language(philox(seed, "language"), settings.vocabulary, CONCENTRATION)
    seen = _sentences(settings, language, settings.stimulus, seed, "studied", settings.sentences)
    foils = _foils(settings, language, seen, seed)
    steps = settings.pretraining_steps * settings.pretraining_batch
    before = _sentences(settings, language, NATURAL, seed, "before", steps, seen, foils)
    after = _sentences(settings, language, NATURAL, seed, "after", settings.new_updates, seen, foils, before)
    return Material(before, seen, foils, after)


def _sentences(
    settings: FewShotSettings,
    language: MarkovLanguage,
    kind: str,
    seed: int,
    stream: str,
    count: int,
    *avoiding: Texts,
) -> Texts:
    """Draw different sentences of a kind, none of them among those to avoid."""
    generator = philox(seed, stream)

    def draw(count: int) -> Texts:
        if kind == RANDOM:
            return random_texts(generator, settings.vocabulary, count, settings.length)
        return language.draw(generator, count, settings.length)

    return distinct_texts(draw, count, avoiding=avoiding)


def _foils(settings: FewShotSettings, language: MarkovLanguage, seen: Texts, seed: int) -> Texts:
    if settings.foil == ONE_WORD:
        return with_one_word_replaced(language, seen, seed)
    kind = NATURAL if settings.foil == NATURAL else settings.stimulus
    return _sentences(settings, language, kind, seed, "foils", settings.sentences, seen)


def with_one_word_replaced(language: MarkovLanguage, sentences: Texts, seed: int) -> Texts:
    """Replace one word of each sentence by another likely successor of its left neighbour."""
    generator = philox(seed, "replaced words")
    replaced = sentences.copy()
    for sentence in replaced:
        place = int(generator.integers(FIRST_REPLACED, len(sentence)))
        likely = language.by_likelihood[sentence[place - 1], :REPLACEMENTS]
        sentence[place] = generator.choice(likely[likely != sentence[place]])
    return replaced
