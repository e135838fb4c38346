"""Two questions to a model: which of two sentences it has seen, and how one of them goes on.

Axes: S sentences, L words in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from mem_core.data.markov_text import Texts
from mem_core.data.rouge import rouge_l, rouge_n
from mem_core.engine import Engine
from mem_core.nn.window_language_model import (
    Parameters,
    Predictions,
    WindowShape,
    continue_greedily,
    negative_log_likelihood,
    predictions_of,
)

ROUGE_1, ROUGE_2, ROUGE_L = "ROUGE-1", "ROUGE-2", "ROUGE-L"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answered.

    Attributes:
        seen_loss, foil_loss: mean of −ln P over the words of each studied sentence and of its foil, in nats.
        seen, written: words of each studied sentence, and of what the model made of its beginning.
        given: words that it was given.
    """

    seen_loss: list[float]
    foil_loss: list[float]
    seen: list[list[int]]
    written: list[list[int]]
    given: int

    @cached_property
    def recognition(self) -> float:
        """Share of the pairs in which the studied sentence has the smaller loss; a tie is no recognition."""
        return fmean(seen < foil for seen, foil in zip(self.seen_loss, self.foil_loss, strict=True))

    @cached_property
    def recalled(self) -> list[float]:
        """Share of the words after the given ones that came back in their places, for each sentence."""
        return [
            fmean(word == wanted for word, wanted in zip(words[self.given :], text[self.given :], strict=True))
            for words, text in zip(self.written, self.seen, strict=True)
        ]

    @cached_property
    def recall(self) -> float:
        """The same share over all sentences."""
        return fmean(self.recalled)

    @cached_property
    def rouge(self) -> dict[str, float]:
        """Mean ROUGE of the whole text, the given words included, which is how the paper scores recall."""
        pairs = list(zip(self.written, self.seen, strict=True))
        return {
            ROUGE_1: fmean(rouge_n(words, text, 1) for words, text in pairs),
            ROUGE_2: fmean(rouge_n(words, text, 2) for words, text in pairs),
            ROUGE_L: fmean(rouge_l(words, text) for words, text in pairs),
        }


class Examination:
    """The same questions, to be put to one model after the other.

    Args:
        engine: where the models live.
        shape: of the models.
        seen, foils: sentences and their foils, both (S, L).
        given: words of each sentence that are given when it is to be recalled.

    Raises:
        ValueError: if there is not one foil for each sentence, or fewer than two sentences.
    """

    def __init__(self, engine: Engine, shape: WindowShape, seen: Texts, foils: Texts, given: int) -> None:
        if len(seen) != len(foils):
            raise ValueError(f"Every sentence needs one foil, got {len(seen)} sentences and {len(foils)} foils.")
        if len(seen) < 2:
            raise ValueError(f"An examination needs at least 2 sentences, got {len(seen)}.")
        self._engine, self._seen, self._given = engine, seen, given
        self._questions = [predictions_of(engine, shape, texts) for texts in (seen, foils)]

    def ask(self, params: Parameters) -> Answers:
        """Put the questions to a model."""
        seen_loss, foil_loss = (self._mean_loss(params, question) for question in self._questions)
        prompts, length = self._seen[:, : self._given], self._seen.shape[1]
        written = self._engine.to_numpy(continue_greedily(self._engine, params, prompts, length))
        return Answers(seen_loss, foil_loss, self._seen.tolist(), written.tolist(), self._given)

    def _mean_loss(self, params: Parameters, question: Predictions) -> list[float]:
        losses = negative_log_likelihood(self._engine, params, question)
        means: list[float] = self._engine.to_numpy(self._engine.xp.mean(losses, axis=-1)).tolist()
        return means
