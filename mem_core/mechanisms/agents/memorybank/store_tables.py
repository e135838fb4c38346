"""Tables of the live store: sizes and hits by day, the survivors, the life of one piece, the policies side by side."""

from __future__ import annotations

import math
from typing import Any

from mem_core.mechanisms.agents.memorybank.forgetting import retention
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.agents.memorybank.store import Diary, Store
from mem_core.mechanisms.tables import Table

SMOOTHED_DAYS = 7
"""The hit rate of a day is the mean over this many days up to it: a single day has few questions."""
MOST_DAYS_SHOWN = 90
MOST_SURVIVORS_SHOWN = 120
"""Per policy."""
STEPS_PER_DAY = 4
"""Points per day of the drawn life of one piece."""
FEWEST_RECALL_DAYS, MOST_RECALL_DAYS = 4, 12
"""A piece recalled on so many days shows the sawtooth best."""
BAND = 2.0
"""Half the width of the bands, in standard errors over the lives."""


def empty_store_tables() -> dict[str, Table]:
    """Return the tables before the first day."""
    numbers: list[float] = []
    return {
        "store_days": Table.of(
            {"day": "days"}, policy=numbers, day=numbers, size=numbers, hit_rate=numbers, low=numbers, high=numbers
        ),
        "store_survivors": Table.of(policy=numbers, popularity=numbers, strength=numbers),
        "store_piece": Table.of({"day": "days"}, day=numbers, retention=numbers, strength=numbers, forgotten=numbers),
        "store_lives": Table.of(
            policy=numbers, life=numbers, hit_rate=numbers, late_hit_rate=numbers, mean_size=numbers, end_size=numbers
        ),
        "store_policies": Table.of(
            policy=numbers, hit_rate=numbers, late_hit_rate=numbers, low=numbers, high=numbers, end_size=numbers
        ),
    }


def store_tables(store: Store) -> dict[str, Table]:
    """Lay out what the store has seen so far."""
    return {
        "store_days": _days(store),
        "store_survivors": _survivors(store),
        "store_piece": _piece(store.diary, store.settings),
        "store_lives": _lives(store),
        "store_policies": _policies(store),
    }


def _days(store: Store) -> Table:
    diary, days = store.diary, store.day
    lives = store.settings.repeats
    every = math.ceil(days / MOST_DAYS_SHOWN)
    shown = [day for day in range(days) if day % every == 0 or day == days - 1]
    rows = []
    for place, policy in enumerate(store.settings.policies):
        for day in shown:
            recent = diary.hits[max(0, day + 1 - SMOOTHED_DAYS) : day + 1]
            per_life = sum(hits[:, place] for hits in recent) / len(recent)
            mean, error = float(per_life.mean()), _standard_error(per_life, lives)
            size = float(diary.sizes[day][:, place].mean())
            rows.append((policy, day + 1, size, mean, max(0.0, mean - BAND * error), min(1.0, mean + BAND * error)))
    policy_names, day_numbers, sizes, rates, low, high = zip(*rows, strict=True)
    return Table.of(
        {"day": "days"}, policy=policy_names, day=day_numbers, size=sizes, hit_rate=rates, low=low, high=high
    )


def _standard_error(values: Any, count: int) -> float:
    return float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0


def _survivors(store: Store) -> Table:
    """The pieces left in the first life: a sample where there are many."""
    told = store.stored.shape[-1]
    popularity = store.world.popularity[0][:told]
    to_numpy = store.engine.to_numpy
    rows: list[tuple[str, float, float]] = []
    for place, policy in enumerate(store.settings.policies):
        left = to_numpy(store.stored[0, place]).nonzero()[0]
        left = left[:: max(1, math.ceil(len(left) / MOST_SURVIVORS_SHOWN))]
        strength = to_numpy(store.strength[0, place])[left].tolist()
        rows += [(policy, *pair) for pair in zip(popularity[left].tolist(), strength, strict=True)]
    if not rows:
        return empty_store_tables()["store_survivors"]
    policy_names, popular, strengths = zip(*rows, strict=True)
    return Table.of(policy=policy_names, popularity=popular, strength=strengths)


def _piece(diary: Diary, settings: ForgettingSettings) -> Table:
    """Retention of one of the first pieces, first life and first policy: it falls, and a recall lifts it to one."""
    piece = _interesting_piece(diary)
    born = piece // settings.facts_per_day
    strength, recalled_on = 1.0, born
    rows: list[tuple[float, float, float]] = []
    for day in range(born, len(diary.recalls)):
        rows.append((day, retention(day - recalled_on, strength, settings.tau), strength))
        if diary.recalls[day][piece]:
            strength, recalled_on = strength + float(diary.recalls[day][piece]), day
            rows.append((day, 1.0, strength))
        for step in range(1, STEPS_PER_DAY):
            later = day + step / STEPS_PER_DAY
            rows.append((later, retention(later - recalled_on, strength, settings.tau), strength))
        if not diary.alive[day][piece]:
            rows.append((day + 1, retention(day + 1 - recalled_on, strength, settings.tau), strength))
            break
    days, kept, strengths = zip(*rows, strict=True)
    forgotten = [not diary.alive[-1][piece]] * len(rows)
    return Table.of({"day": "days"}, day=days, retention=kept, strength=strengths, forgotten=forgotten)


def _interesting_piece(diary: Diary) -> int:
    """Choose the piece that lived longest among those recalled on neither too few days nor too many."""
    recall_days, nights = diary.recalls[-1] * 0, diary.recalls[-1] * 0
    for counts, alive in zip(diary.recalls, diary.alive, strict=True):
        recall_days[: len(counts)] += counts > 0
        nights[: len(alive)] += alive
    shows = (recall_days >= FEWEST_RECALL_DAYS) & (recall_days <= MOST_RECALL_DAYS)
    scores = zip(shows.tolist(), nights.tolist(), strict=True)
    return max(enumerate(scores), key=lambda item: item[1])[0]


def _lives(store: Store) -> Table:
    diary, half = store.diary, store.settings.days // 2
    rows = []
    for place, policy in enumerate(store.settings.policies):
        for life in range(store.settings.repeats):
            hits = [float(item[life, place]) for item in diary.hits]
            sizes = [int(item[life, place]) for item in diary.sizes]
            late = hits[half:]
            rows.append(
                (
                    policy,
                    life,
                    _mean(hits),
                    _mean(late) if late else math.nan,
                    _mean(sizes),
                    sizes[-1],
                )
            )
    policy_names, lives, rates, late_rates, mean_sizes, end_sizes = zip(*rows, strict=True)
    return Table.of(
        policy=policy_names,
        life=lives,
        hit_rate=rates,
        late_hit_rate=late_rates,
        mean_size=mean_sizes,
        end_size=end_sizes,
    )


def _policies(store: Store) -> Table:
    diary = store.diary
    rows = []
    for place, policy in enumerate(store.settings.policies):
        per_life = sum(hits[:, place] for hits in diary.hits) / len(diary.hits)
        mean, error = float(per_life.mean()), _standard_error(per_life, store.settings.repeats)
        late = diary.hits[store.settings.days // 2 :]
        late_rate = float(sum(hits[:, place] for hits in late).mean()) / len(late) if late else math.nan
        rows.append(
            (
                policy,
                mean,
                late_rate,
                max(0.0, mean - BAND * error),
                min(1.0, mean + BAND * error),
                float(diary.sizes[-1][:, place].mean()),
            )
        )
    policy_names, rates, late_rates, low, high, sizes = zip(*rows, strict=True)
    return Table.of(policy=policy_names, hit_rate=rates, late_hit_rate=late_rates, low=low, high=high, end_size=sizes)


def _mean(values: list[Any]) -> float:
    return math.fsum(values) / len(values)
