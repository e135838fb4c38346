"""What is learned, one task after another: three languages of word pairs, or three groups of handwritten digits.

Runs sit side by side on the first axis of every weight and see the same batches.
Axes: R runs, K tasks, T steps of a task, B examples a batch, C contexts, V tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from mem_core.data import digits
from mem_core.data.bigram import Bigram, overlapping_languages
from mem_core.data.replay import ShareMemory
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.learning.infinite_lr.settings import TASKS, WORD_PAIRS, InfiniteSettings
from mem_core.nn import low_rank_bigram, masked_autoencoder
from mem_core.training.optimizers import Adam, Tree

CONTEXTS, VOCABULARY, RANK = 48, 48, 8
"""Of the languages and of their model, whose 816 weights cannot hold three tables of 2304 entries at once."""
INITIAL_SCALE = 0.3
"""Standard deviation of the model's first weights."""

BETAS = (0.9, 0.95)
"""Of Adam, in the authors' small-scale code (github.com/Pauljanson002/MAE-1, config.py)."""
WEIGHT_DECAY = 0.05
"""Of AdamW on the digits, the default of the same code; the languages are learned without."""

DIGITS_OF_TASK = ((0, 1, 2, 3), (4, 5, 6), (7, 8, 9))
PATCH_SIDE = 2  # pixels; 16 patches a picture
HIDDEN_PATCHES = 12  # three quarters, as in the authors' code
HELD_OUT = 0.25  # of every task's pictures
TEST_MASKS = 8  # for each held-out picture


class Problem(Protocol):
    """Tasks to be learned one after another, and the model that learns them.

    Attributes:
        optimizer: how it is trained; the rates come from a schedule.
        unit: of the loss.
    """

    optimizer: Adam
    unit: str

    def start(self, runs: int) -> Tree:
        """Return the first weights, the same for every run."""

    def batches(self, task: int) -> Iterator[Any]:
        """Give one batch for each step of a task; tasks are asked for in order."""

    def gradient(self, params: Tree, batch: Any) -> Tree:
        """Return the gradient of every run on one batch."""

    def losses(self, params: Tree) -> Array:
        """Return the loss of every run on every task, shape (R, K)."""


def problem_of(settings: InfiniteSettings, engine: Engine, seed: int) -> Problem:
    """Return the problem that the settings name.

    Raises:
        RunError: if the digits are asked for and their package is not installed.
    """
    if settings.task == WORD_PAIRS:
        return WordPairs(settings, engine, seed, languages_of(settings, seed))
    try:
        return HiddenPatches(settings, engine, seed, digits.load())
    except digits.DigitsMissingError as error:
        raise RunError(f"{error} Or set task to {WORD_PAIRS}.") from error


def languages_of(settings: InfiniteSettings, seed: int) -> list[Bigram]:
    """Return the three languages."""
    generator = philox(seed, "languages")
    sizes = {"languages": TASKS, "contexts": CONTEXTS, "vocabulary": VOCABULARY}
    return overlapping_languages(generator, **sizes, overlap=settings.overlap)


class WordPairs:
    """Languages of word pairs, learned by one model of low rank that they must share; losses are exact."""

    unit = "nats above the entropy"

    def __init__(self, settings: InfiniteSettings, engine: Engine, seed: int, languages: Sequence[Bigram]) -> None:
        self.optimizer = Adam(learning_rate=settings.peak_rate, betas=BETAS)
        self._settings, self._engine, self._seed, self._languages = settings, engine, seed, languages
        self._memory = ShareMemory(settings.replay_share)
        frequencies = [language.context_probability for language in languages]
        joint = [
            frequency[:, None] * language.next_token for frequency, language in zip(frequencies, languages, strict=True)
        ]
        least = [frequency @ language.entropy for frequency, language in zip(frequencies, languages, strict=True)]
        self._joint, self._least = engine.asarray(joint), engine.asarray(least)

    def start(self, runs: int) -> Tree:
        return low_rank_bigram.initial(
            self._engine,
            philox(self._seed, "weights"),
            runs=runs,
            contexts=CONTEXTS,
            vocabulary=VOCABULARY,
            rank=RANK,
            scale=INITIAL_SCALE,
        )

    def batches(self, task: int) -> Iterator[Array]:
        old = self._settings.replayed if task else 0
        new = self._settings.batch_size - old
        language, steps = self._languages[task], self._settings.steps
        contexts, tokens = language.draw(philox(self._seed, "batches", task), steps, new)
        shape = (CONTEXTS, VOCABULARY)
        shares = low_rank_bigram.pair_shares(self._engine, contexts, tokens, shape)
        if old:
            drawn = self._memory.draw(philox(self._seed, "replayed", task), (steps, old))
            replayed = low_rank_bigram.pair_shares(self._engine, drawn // VOCABULARY, drawn % VOCABULARY, shape)
            shares = (new * shares + old * replayed) / (new + old)
        self._memory.keep((contexts * VOCABULARY + tokens).ravel(), philox(self._seed, "kept", task))
        yield from shares

    def gradient(self, params: Tree, batch: Array) -> Tree:
        return low_rank_bigram.gradient(self._engine, params, batch)

    def losses(self, params: Tree) -> Array:
        return low_rank_bigram.excess_losses(self._engine, params, self._joint, self._least)


class HiddenPatches:
    """Groups of handwritten digits, of which three patches in four are hidden and must be filled in."""

    unit = "squared error of a pixel"

    def __init__(self, settings: InfiniteSettings, engine: Engine, seed: int, pictures: digits.Digits) -> None:
        self.optimizer = Adam(learning_rate=settings.peak_rate, betas=BETAS, weight_decay=WEIGHT_DECAY, decoupled=True)
        self._settings, self._engine, self._seed = settings, engine, seed
        self._memory = ShareMemory(settings.replay_share)
        self._training, self._tests = [], []
        masks = philox(seed, "test masks")
        for group in DIGITS_OF_TASK:
            own = pictures.of(group)
            training, held_out = own.split(round((1 - HELD_OUT) * len(own)))
            self._training.append(_patches(training))
            repeated = _patches(held_out).repeat(TEST_MASKS, axis=0)
            self._tests.append((engine.asarray(repeated), engine.asarray(_masks(masks, len(repeated)))))
        self._patches = self._training[0].shape[1:]
        self._total_and_gradient = engine.value_and_grad(self._total_error)

    def start(self, runs: int) -> Tree:
        patches, pixels = self._patches
        generator = philox(self._seed, "weights")
        sizes = {"runs": runs, "patches": patches, "pixels": pixels, "width": self._settings.width}
        return masked_autoencoder.initial(self._engine, generator, **sizes)

    def batches(self, task: int) -> Iterator[tuple[Array, Array]]:
        old = self._settings.replayed if task else 0
        new = self._settings.batch_size - old
        generator, pictures, xp = philox(self._seed, "batches", task), self._training[task], self._engine.xp
        if task:
            self._memory.keep(self._training[task - 1], philox(self._seed, "kept", task - 1))
        for _ in range(self._settings.steps):
            batch = self._engine.asarray(pictures[generator.integers(len(pictures), size=new)])
            if old:
                batch = xp.concat([batch, self._engine.asarray(self._memory.draw(generator, (old,)))], axis=0)
            yield batch, self._engine.asarray(_masks(generator, new + old))

    def gradient(self, params: Tree, batch: tuple[Array, Array]) -> Tree:
        _, gradient = self._total_and_gradient(params, *batch)
        return gradient

    def losses(self, params: Tree) -> Array:
        measured = [masked_autoencoder.errors(self._engine, params, *test) for test in self._tests]
        return self._engine.xp.stack(measured, axis=-1)

    def _total_error(self, params: Tree, patches: Array, hidden: Array) -> Array:
        """Add up the errors of all runs, so that each run's weights get its own gradient."""
        return self._engine.xp.sum(masked_autoencoder.errors(self._engine, params, patches, hidden))


def _patches(pictures: digits.Digits) -> Any:
    return masked_autoencoder.patches_of(pictures.images, PATCH_SIDE)


def _masks(generator: Any, pictures: int) -> Any:
    """Hide the same number of patches of every picture, which ones is drawn: 1 is hidden, shape (pictures, patches)."""
    seen = (digits.SIDE // PATCH_SIDE) ** 2 - HIDDEN_PATCHES
    return generator.permuted([[1.0] * HIDDEN_PATCHES + [0.0] * seen] * pictures, axis=1)
