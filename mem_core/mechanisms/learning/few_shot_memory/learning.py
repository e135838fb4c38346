"""Training in three parts: the language, the study of a few sentences, and the text that comes after.

Each part starts a new optimizer. Kept into the next part, the running means of the gradients would go on pulling
towards what was studied, and recall would rise while other text is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from mem_core.data.markov_text import Texts
from mem_core.engine import Engine, philox
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.learning.few_shot_memory.settings import FewShotSettings
from mem_core.nn.window_language_model import (
    Parameters,
    Predictions,
    WindowShape,
    initial_parameters,
    loss_and_gradient,
    predictions_of,
)
from mem_core.training.optimizers import Adam
from mem_core.training.trainer import DivergedError, Update, descend

WINDOW = 4
"""Words that the model looks back on. With fewer, studied sentences share windows and cannot all be recalled."""
LATE_FACTOR = 0.3
"""The learning rate of the training before falls to this in its last third."""


def shape_of(settings: FewShotSettings) -> WindowShape:
    """Return the sizes of the model."""
    return WindowShape(settings.vocabulary, WINDOW, settings.width, settings.hidden)


def learn_language(engine: Engine, settings: FewShotSettings, text: Texts, seed: int) -> Iterator[Update]:
    """Train a new model on sentences of the language."""
    shape = shape_of(settings)
    late = settings.pretraining_steps // 3
    rate = settings.pretraining_rate
    rates = [rate] * (settings.pretraining_steps - late) + [rate * LATE_FACTOR] * late
    params = initial_parameters(engine, shape, philox(seed, "weights"))
    batches = _batches(engine, shape, text, settings.pretraining_batch)
    return _train(engine, params, batches, rates, "pretraining_rate")


def study(
    engine: Engine, settings: FewShotSettings, params: Parameters, seen: Texts, exposures: int, seed: int
) -> Iterator[Parameters]:
    """Read the sentences over and over, in a new order each time, and give the parameters after each exposure."""
    shape = shape_of(settings)
    generator = philox(seed, "orders")
    orders = [generator.permutation(len(seen)) for _ in range(exposures)]
    batches = chain.from_iterable(_batches(engine, shape, seen[order], settings.batch) for order in orders)
    steps = -(-len(seen) // settings.batch)  # the last batch of an exposure may be smaller
    rates = [settings.study_rate] * (steps * exposures)
    for update in _train(engine, params, batches, rates, "study_rate"):
        if update.step % steps == 0:
            yield update.params


def read_on(engine: Engine, settings: FewShotSettings, params: Parameters, text: Texts) -> Iterator[Update]:
    """Go on with other text, one sentence in each update."""
    batches = _batches(engine, shape_of(settings), text, 1)
    return _train(engine, params, batches, [settings.new_rate] * len(text), "new_rate")


def _batches(engine: Engine, shape: WindowShape, texts: Texts, size: int) -> Iterator[Predictions]:
    windows, targets = predictions_of(engine, shape, texts)
    for start in range(0, len(texts), size):
        yield Predictions(windows[start : start + size], targets[start : start + size])


def _train(
    engine: Engine, params: Parameters, batches: Iterable[Predictions], rates: Sequence[float], setting: str
) -> Iterator[Update]:
    def value_and_grad(params: Parameters, batch: Predictions) -> tuple[float, Parameters]:
        return loss_and_gradient(engine, params, batch)

    try:
        yield from descend(
            engine,
            value_and_grad,
            params,
            ((batch,) for batch in batches),
            optimizer=Adam(learning_rate=1.0),  # every step brings its own rate
            rates=rates,
        )
    except DivergedError as error:
        raise RunError(f"{error} Lower {setting}.") from error
