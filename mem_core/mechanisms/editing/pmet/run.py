"""The run: a model learns its facts, wanted values are found, and the edits are written, swept and counted."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.editing.pmet.bench import Bench, Recipe
from mem_core.mechanisms.editing.pmet.model import learn, log_probabilities, make_world
from mem_core.mechanisms.editing.pmet.scoring import Scores
from mem_core.mechanisms.editing.pmet.settings import (
    FFN_ONLY,
    FINE_TUNING,
    LINEAR,
    MEMIT,
    METHODS,
    PMET,
    SPREADS,
    SQUARE_ROOT,
    EditSettings,
)
from mem_core.mechanisms.editing.pmet.tables import (
    AS_SET,
    Tables,
    empty,
    facts_table,
    history_tables,
    lengths_table,
    picked_table,
    retention_table,
    scores_table,
    sweep_table,
    trade_table,
    training_table,
)
from mem_core.mechanisms.tables import Table

SWEPT = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Values of λ that are tried."""
LINES = {
    "PMET √": (PMET, SQUARE_ROOT),
    "PMET linear": (PMET, LINEAR),
    "FFN √": (FFN_ONLY, SQUARE_ROOT),
    "MEMIT": (MEMIT, LINEAR),
}
"""Recipes that are compared under every λ, whatever is set."""
PARTS = {"training": 0.0, "editing": 0.6, "sweep": 0.7, "counting": 0.9}
"""Where each part begins on the progress bar."""
KNOWN = 0.95
"""Share of facts below which the model is said not to know them."""


def run(settings: EditSettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Run all parts, frame by frame.

    Raises:
        RunError: if training diverges.
    """
    tables = empty()
    bench = yield from _training(settings, engine, seed, tables)
    for part, steps in (("editing", _editing), ("sweep", _sweep), ("counting", _counting)):
        start = PARTS[part]
        end = min((other for other in PARTS.values() if other > start), default=1.0)
        for done, message in steps(settings, bench, tables):
            yield Frame(start + (end - start) * done, dict(tables), message)


Progress = Iterator[tuple[float, str]]
"""Share of a part that is done, and a sentence; the tables have been filled that far."""


def _training(settings: EditSettings, engine: Engine, seed: int, tables: Tables) -> Generator[Frame, None, Bench]:
    world = make_world(settings, seed)
    questions, answers = world.questions(), world.answers[..., None]
    measured: list[tuple[int, float, float]] = []
    for learned in learn(engine, settings, seed):
        said = log_probabilities(engine, learned.params, questions).argmax(-1)
        measured.append((learned.step, learned.loss, float((said == answers).mean())))
        tables["training"] = training_table(measured)
        message = f"Training: step {learned.step} of {settings.training_steps}, {measured[-1][2]:.0%} known."
        yield Frame(PARTS["editing"] * learned.step / settings.training_steps, dict(tables), message)
    return Bench(engine, settings, seed, world, learned.params)


def _editing(settings: EditSettings, bench: Bench, tables: Tables) -> Progress:
    """Find the values, then make the edits with every method."""
    tables["picked"] = picked_table(bench)
    aimed = PMET if settings.method == FINE_TUNING else settings.method
    tables |= history_tables(bench.targets[aimed].history if bench.edited[0] else ())
    yield 0.3, "The wanted values are found."

    before = bench.examine(bench.params, settings.edits)
    by_method: dict[str, Scores] = {}
    for method in METHODS:
        recipe = Recipe(method, LINEAR if method == MEMIT else settings.spread, settings.preservation)
        after = bench.examine(bench.edit(recipe, settings.edits).params, settings.edits)
        by_method[method] = bench.score(after, settings.edits)
        if method == settings.method:
            tables["facts"] = facts_table(bench, before, after, bench.requests(settings.edits))
    tables["scores"] = scores_table(by_method)
    spreading = FFN_ONLY if settings.method == FFN_ONLY else PMET  # the other two know one spread, or none
    recipes = {spread: Recipe(spreading, spread, settings.preservation) for spread in SPREADS}
    tables["lengths"] = lengths_table({name: bench.edit(recipes[name], settings.edits).lengths for name in SPREADS})
    yield 1.0, _what_was_edited(settings, bench, tables)


def _what_was_edited(settings: EditSettings, bench: Bench, tables: Tables) -> str:
    count, known = bench.requests(settings.edits).count, tables["training"]["right"][-1]
    words = "1 fact is edited." if count == 1 else f"{count} facts are edited."
    if count < settings.edits:
        words = f"{count} of {settings.edits} facts are edited; the others ask for what is true or said already."
    if known < KNOWN:
        words += f" The model knew only {known:.0%} of its facts: raise training_steps."
    return words


def _sweep(settings: EditSettings, bench: Bench, tables: Tables) -> Progress:
    """Make the same edits under every λ."""
    here = bench.as_set
    lines = dict(LINES)
    if here.method == FINE_TUNING:
        constant = bench.scores(here, settings.edits)
    elif (here.method, here.spread) not in lines.values():
        lines[AS_SET] = (here.method, here.spread)
    found: dict[tuple[str, float], Scores] = {}
    trade: dict[float, Scores] = {}
    tables["set_at"] = Table.of(preservation=[here.preservation], text=["λ as set"])
    for number, value in enumerate(SWEPT, start=1):
        for line, (method, spread) in lines.items():
            found[line, value] = bench.scores(Recipe(method, spread, value), settings.edits)
            if (method, spread) == (here.method, here.spread):
                trade[value] = found[line, value]
        if here.method == FINE_TUNING:
            trade[value] = constant
        tables["sweep"], tables["trade"] = sweep_table(found), trade_table(trade)
        yield number / len(SWEPT), f"The same edits at λ = {value:g}."


def _counting(settings: EditSettings, bench: Bench, tables: Tables) -> Progress:
    """Make more and more edits with the recipe as set."""
    kept = [(0, bench.score(bench.examine(bench.params, 0), 0).specificity)]
    counts = bench.counts
    for number, count in enumerate(counts, start=1):
        kept.append((count, bench.scores(bench.as_set, count).specificity))
        tables["retention"] = retention_table(kept)
        yield number / len(counts), f"Edits at once: {count}. {kept[-1][1]:.0%} of the other facts are left."
