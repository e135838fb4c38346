"""The run: a walk through the two-dimensional valley, then the language model under every schedule at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mem_core.data.bigram import Bigram, facts_and_open
from mem_core.engine import Engine, philox
from mem_core.mechanisms.contract import Frame
from mem_core.mechanisms.learning.river_valley.lanes import Plan, plan_training, planned_decays, whole_schedule
from mem_core.mechanisms.learning.river_valley.results import (
    budgets_table,
    checkpoint_pairs,
    landscape_tables,
    line_table,
    loss_table,
    notes_table,
    parts_table,
    path_tables,
    rates_table,
    walk_table,
)
from mem_core.mechanisms.learning.river_valley.settings import WSD_S, RiverValleySettings
from mem_core.mechanisms.learning.river_valley.training import Losses, train
from mem_core.mechanisms.learning.river_valley.valley import Valley, Walk, walk
from mem_core.mechanisms.tables import Table

VALLEY_STEPS = 400
VALLEY_LOG_EVERY = 10  # steps
STEPS_A_FRAME = 500  # about a tenth of a second in a browser
MOST_FRAMES = 40
LOGS_A_RUN = 80
FIRST_LOGS = (1, 2, 4)  # in parts of FIRST_LOG_PART of the run: the hills fill up within the first few steps
FIRST_LOG_PART = 400


def run(settings: RiverValleySettings, engine: Engine, seed: int) -> Iterator[Frame]:
    """Train under the schedules selected and yield all tables after each stretch of steps."""
    valley = valley_of(settings)
    walked = walk_valley(settings, engine, seed)
    plan = plan_training(settings, settings.schedules, settings.peak_rate)
    notes = notes_on(settings, walked)
    still = _tables_of_the_valley(settings, valley, walked)
    still |= {"rates": rates_table(settings, plan), "notes": notes_table(notes)}
    language = language_of(settings, seed)
    losses = Losses(engine, language)
    last = settings.budgets[-1]
    progress = train(
        engine,
        language,
        plan.lanes,
        philox(seed, "batches"),
        batch_size=settings.batch_size,
        log_steps=log_steps(plan, last),
        frame_steps=frame_steps(last),
        keep=[end for pair in checkpoint_pairs(plan).values() for end in pair],
    )
    warnings = " ".join(note for _, note in notes)
    for step, history in progress:
        tables = {
            **still,
            "loss": loss_table(settings, plan, history),
            "parts": parts_table(plan, history, settings.shown, last),
            "budgets": budgets_table(plan, history),
            "line": line_table(engine, plan, history, losses),
        }
        yield Frame(step / last, tables, f"Step {step} of {last}. {warnings}".strip())


def language_of(settings: RiverValleySettings, seed: int) -> Bigram:
    """Return the language of facts and open contexts to be learned."""
    return facts_and_open(
        philox(seed, "language"),
        facts=settings.facts,
        open_contexts=settings.open_contexts,
        vocabulary=settings.vocabulary,
        fact_share=settings.fact_share,
        zipf_exponent=settings.zipf_exponent,
    )


def valley_of(settings: RiverValleySettings) -> Valley:
    """Return the two-dimensional landscape."""
    return Valley(settings.valley_steepness, settings.valley_bend, settings.valley_noise)


def walk_valley(settings: RiverValleySettings, engine: Engine, seed: int) -> Walk:
    """Walk through the valley under each schedule, its budgets scaled to the length of the walk."""
    scale = VALLEY_STEPS / settings.budgets[-1]
    budgets: list[int] = []
    for budget in settings.budgets:  # budgets close together must stay apart when scaled down
        budgets.append(max(round(budget * scale), 1 + max(budgets, default=0)))
    warmup = math.floor(settings.warmup * scale)
    rates = [whole_schedule(settings, name, budgets, settings.valley_rate, warmup) for name in settings.schedules]
    noise = philox(seed, "valley").standard_normal((budgets[-1], settings.valley_particles))
    return walk(engine, valley_of(settings), rates, noise, [*range(0, budgets[-1], VALLEY_LOG_EVERY), budgets[-1]])


def notes_on(settings: RiverValleySettings, walked: Walk) -> list[tuple[str, str]]:
    """Say what the learner should be warned of, as (about, sentence)."""
    notes = []
    if WSD_S in settings.schedules:
        notes += [
            (
                WSD_S,
                f"The decay before step {item.budget} was cut from {item.wanted} to {item.steps} steps, because only "
                f"{item.steps} steps lie between the budgets.",
            )
            for item in planned_decays(settings)
            if item.capped
        ]
    if settings.shown != settings.focus:
        notes.append((settings.focus, f"{settings.focus} is not selected, so {settings.shown} is looked into instead."))
    product = settings.valley_rate * settings.valley_steepness
    if valley_of(settings).unstable(settings.valley_rate):
        ended = f", and the walk ended at step {walked.averages[-1].step}" if walked.ended_early else ""
        notes.append(
            (
                "valley",
                f"Hill unstable: rate times steepness is {product:.3g}, so the bounce grows (stable below 2){ended}.",
            )
        )
    return notes


def log_steps(plan: Plan, last: int) -> set[int]:
    """Choose the steps to measure: an even grid, the first few steps, every checkpoint and the course of each decay."""
    steps = {last * number // LOGS_A_RUN for number in range(1, LOGS_A_RUN + 1)}
    steps |= {last * number // FIRST_LOG_PART for number in FIRST_LOGS}
    for start, stop in plan.decays:
        steps |= {start, (start + stop) // 2, stop}
    steps |= {checkpoint.step for checkpoint in plan.checkpoints}
    return steps


def frame_steps(last: int) -> Sequence[int]:
    """Choose the steps after which a frame is shown."""
    frames = min(MOST_FRAMES, max(1, math.ceil(last / STEPS_A_FRAME)))
    return sorted({last * number // frames for number in range(1, frames + 1)})


def _tables_of_the_valley(settings: RiverValleySettings, valley: Valley, walked: Walk) -> dict[str, Table]:
    paths = path_tables(settings.schedules, settings.shown, walked)
    return {
        "valley": walk_table(settings.schedules, walked),
        **paths,
        **landscape_tables(valley, paths["valley_path"]),
    }
