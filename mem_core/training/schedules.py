"""Learning-rate schedules as plain arrays: every function returns one rate for each step.

`rates[t]` is the rate used *for* step t = 0 .. T-1, as float64 in the unit of the peak rate. A phase of n steps
ends exactly on its last value: a warmup on the peak, a decay on the floor `floor_ratio * peak`. So no step is
spent at a rate of zero on the way up, and the checkpoint after the last step has seen the floor.

Sources: warmup-stable-decay (WSD), WSD-S and the inverse decay as in Wen et al. 2024, "Understanding
Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective", arXiv 2410.05192, and the training
framework levanter of the same group (`src/levanter/optim/config.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Rates = NDArray[np.float64]
DecayShape = Literal["inverse", "linear", "cosine", "1-sqrt"]
DecayOf = Literal["total", "cycle"]
SHAPES: tuple[DecayShape, ...] = get_args(DecayShape)


def warmup(steps: int, peak: float) -> Rates:
    """Rise linearly to the peak: rates[t] = peak * (t + 1) / steps.

    Args:
        steps: length of the warmup; 0 gives an empty array.
        peak: the rate reached at the last step, above 0.

    Raises:
        ValueError: if `steps` is negative or `peak` is not a positive number.

    >>> warmup(4, 1.0).tolist()
    [0.25, 0.5, 0.75, 1.0]
    """
    _require_peak(peak)
    if steps < 0:
        raise ValueError(f"warmup steps must be 0 or more, got {steps}.")
    return peak * np.arange(1, steps + 1) / max(steps, 1)


def decay(steps: int, peak: float, *, floor_ratio: float = 0.1, shape: DecayShape = "inverse") -> Rates:
    """Fall from the peak to the floor in `steps` steps; the last one is exactly `floor_ratio * peak`.

    With s = (i + 1) / steps for i = 0 .. steps-1 and r = `floor_ratio`:

    - `inverse`: peak / (1 + (1/r - 1) s), so 1/rate rises linearly. On a quadratic hill with gradient noise this
      is the decay that drains the hill fastest.
    - `linear`: peak (1 - (1 - r) s), as `torch.optim.lr_scheduler.LinearLR` after i + 1 steps.
    - `cosine`: peak (r + (1 - r) (1 + cos(pi s)) / 2).
    - `1-sqrt`: peak (r + (1 - r) (1 - sqrt(s))), from Haegele et al. 2024, arXiv 2405.18392.

    Args:
        steps: length of the decay, 1 or more.
        peak: the rate just before the decay, above 0.
        floor_ratio: last rate over the peak, from 0 to 1; above 0 for `inverse`.
        shape: one of the four above.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> decay(3, 1.0, floor_ratio=0.25).tolist()
    [0.5, 0.3333333333333333, 0.25]
    >>> decay(2, 1.0, floor_ratio=0.5, shape="linear").tolist()
    [0.75, 0.5]
    >>> decay(2, 8.0, floor_ratio=0.0, shape="cosine").tolist()
    [4.0, 0.0]
    >>> decay(4, 8.0, floor_ratio=0.0, shape="1-sqrt").tolist()[0]
    4.0
    """
    _require_steps("steps", steps)
    _require_peak(peak)
    _require_floor(floor_ratio, shape)
    share = np.arange(1, steps + 1) / steps
    if shape == "inverse":
        return peak / (1 + (1 / floor_ratio - 1) * share)
    left = {"linear": 1 - share, "cosine": (1 + np.cos(math.pi * share)) / 2, "1-sqrt": 1 - np.sqrt(share)}[shape]
    return peak * (floor_ratio + (1 - floor_ratio) * left)


def constant(steps: int, peak: float, *, warmup_steps: int = 0) -> Rates:
    """Stay at the peak after the warmup.

    Args:
        steps: length of the whole schedule, 1 or more.
        peak: the rate, above 0.
        warmup_steps: how many of the steps rise to the peak, from 0 to `steps`.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> constant(3, 16.0).tolist()
    [16.0, 16.0, 16.0]
    >>> constant(3, 16.0, warmup_steps=2).tolist()
    [8.0, 16.0, 16.0]
    """
    _require_steps("steps", steps)
    _require_warmup(warmup_steps, steps)
    return np.concatenate([warmup(warmup_steps, peak), np.full(steps - warmup_steps, float(peak))])


def cosine(steps: int, peak: float, *, floor_ratio: float = 0.1, warmup_steps: int = 0) -> Rates:
    """Fall along half a cosine from the warmup's end to the last step.

    rates[t] = peak (r + (1 - r) (1 + cos(pi s)) / 2), s = (t + 1 - W) / (T - W), W = `warmup_steps`.

    Args:
        steps: length T of the whole schedule, 1 or more.
        peak: the highest rate, above 0.
        floor_ratio: last rate over the peak, from 0 to 1.
        warmup_steps: from 0 to `steps`.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> cosine(4, 2.0, floor_ratio=0.0).round(3).tolist()
    [1.707, 1.0, 0.293, 0.0]
    >>> cosine(4, 2.0, floor_ratio=0.5, warmup_steps=2).tolist()
    [1.0, 2.0, 1.5, 1.0]
    """
    _require_steps("steps", steps)
    _require_warmup(warmup_steps, steps)
    _require_floor(floor_ratio, "cosine")
    rise = warmup(warmup_steps, peak)
    if warmup_steps == steps:
        return rise
    return np.concatenate([rise, decay(steps - warmup_steps, peak, floor_ratio=floor_ratio, shape="cosine")])


def cyclic_cosine(budgets: Sequence[int], peak: float, *, floor_ratio: float = 0.1, warmup_steps: int = 0) -> Rates:
    """Run one cosine to each budget and restart at the peak after it.

    Args:
        budgets: steps from the start at which a cosine ends, strictly increasing.
        peak: the rate at every restart, above 0.
        floor_ratio: last rate of every cosine over the peak, from 0 to 1.
        warmup_steps: length of the only warmup, at the start; from 0 to the first budget.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> cyclic_cosine([2, 4], 8.0, floor_ratio=0.5).tolist()
    [6.0, 4.0, 6.0, 4.0]
    """
    _require_budgets(budgets)
    _require_warmup(warmup_steps, budgets[0])
    lengths = np.diff(budgets, prepend=0).tolist()
    first = cosine(lengths[0], peak, floor_ratio=floor_ratio, warmup_steps=warmup_steps)
    return np.concatenate([first, *(cosine(length, peak, floor_ratio=floor_ratio) for length in lengths[1:])])


def decay_length(steps: int, decay_fraction: float) -> int:
    """Turn a share of `steps` into a number of steps: the nearest whole number, at least 1.

    Raises:
        ValueError: if `decay_fraction` is not above 0 and at most 1, or `steps` is below 1.

    >>> decay_length(2000, 0.1), decay_length(10, 0.01)
    (200, 1)
    """
    _require_steps("steps", steps)
    if not 0 < decay_fraction <= 1:
        raise ValueError(f"decay_fraction must be above 0 and at most 1, got {decay_fraction}.")
    return max(1, round(decay_fraction * steps))


def wsd(
    steps: int,
    peak: float,
    *,
    decay_fraction: float = 0.1,
    floor_ratio: float = 0.1,
    shape: DecayShape = "inverse",
    warmup_steps: int = 0,
) -> Rates:
    """Warm up, stay at the peak, and decay over the last `decay_fraction` of all steps.

    Args:
        steps: length T of the whole schedule, 1 or more.
        peak: the rate of the stable phase, above 0.
        decay_fraction: share f of the steps that decay, D = round(f T), in (0, 1].
        floor_ratio: last rate over the peak, from 0 to 1; above 0 for `inverse`.
        shape: see `decay`.
        warmup_steps: from 0 to T - D.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> wsd(6, 1.0, decay_fraction=0.5, floor_ratio=0.25).round(3).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.333, 0.25]
    >>> wsd(4, 1.0, decay_fraction=0.25, floor_ratio=0.5, warmup_steps=2).tolist()
    [0.5, 1.0, 1.0, 0.5]
    """
    length = decay_length(steps, decay_fraction)
    _require_warmup(warmup_steps, steps - length)
    fall = decay(length, peak, floor_ratio=floor_ratio, shape=shape)
    if length == steps:
        return fall
    return np.concatenate([constant(steps - length, peak, warmup_steps=warmup_steps), fall])


@dataclass(frozen=True)
class PlannedDecay:
    """One decay of WSD-S.

    Attributes:
        budget: step at which it ends.
        steps: its length.
        wanted: the length that the fraction asks for; longer than `steps` where the cycle is too short for it.
    """

    budget: int
    steps: int
    wanted: int

    @property
    def capped(self) -> bool:
        """Whether the cycle was too short for the decay asked for."""
        return self.wanted > self.steps


def planned_decays(
    budgets: Sequence[int], decay_fraction: float, decay_of: DecayOf = "total"
) -> tuple[PlannedDecay, ...]:
    """Plan the decays of WSD-S: D_k = round(f T_k), at most the cycle's length T_k - T_(k-1).

    Args:
        budgets: steps T_1 < T_2 < ... at which the decays end.
        decay_fraction: share f, in (0, 1].
        decay_of: f is a share of the `total` T_k, or of the `cycle` T_k - T_(k-1) as in levanter.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> [planned.steps for planned in planned_decays([500, 1000, 2000], 0.1)]
    [50, 100, 200]
    >>> [planned.steps for planned in planned_decays([500, 1000, 2000], 0.1, "cycle")]
    [50, 50, 100]
    >>> planned_decays([500, 540], 0.1)[1]
    PlannedDecay(budget=540, steps=40, wanted=54)
    """
    _require_budgets(budgets)
    if decay_of not in get_args(DecayOf):
        raise ValueError(f"decay_of must be 'total' or 'cycle', got {decay_of!r}.")
    planned = []
    for budget, previous in zip(budgets, [0, *budgets[:-1]], strict=True):
        cycle = budget - previous
        wanted = decay_length(budget if decay_of == "total" else cycle, decay_fraction)
        planned.append(PlannedDecay(budget, min(wanted, cycle), wanted))
    return tuple(planned)


def wsd_s(
    budgets: Sequence[int],
    peak: float,
    *,
    decay_fraction: float = 0.1,
    floor_ratio: float = 0.1,
    shape: DecayShape = "inverse",
    decay_of: DecayOf = "total",
    warmup_steps: int = 0,
) -> Rates:
    """Decay in place before every budget, then jump straight back to the peak and go on from there (WSD-S).

    No step is thrown away and there is no second warmup. A decay longer than its cycle is capped; `planned_decays`
    tells which.

    Args:
        budgets: steps T_1 < T_2 < ... after which a finished checkpoint is wanted.
        peak: the rate of the stable phases, above 0.
        decay_fraction, decay_of: see `planned_decays`.
        floor_ratio: last rate of every decay over the peak, from 0 to 1; above 0 for `inverse`.
        shape: see `decay`.
        warmup_steps: length of the only warmup, at the start; from 0 to the start of the first decay.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> wsd_s([3, 6], 1.0, decay_fraction=0.34, floor_ratio=0.5).round(3).tolist()
    [1.0, 1.0, 0.5, 1.0, 0.667, 0.5]
    """
    planned = planned_decays(budgets, decay_fraction, decay_of)
    _require_warmup(warmup_steps, planned[0].budget - planned[0].steps)
    rates = constant(budgets[-1], peak)
    rates[:warmup_steps] = warmup(warmup_steps, peak)
    for item in planned:
        fall = decay(item.steps, peak, floor_ratio=floor_ratio, shape=shape)
        rates[item.budget - item.steps : item.budget] = fall
    return rates


def _require_steps(name: str, steps: int) -> None:
    if steps < 1:
        raise ValueError(f"{name} must be 1 or more, got {steps}.")


def _require_peak(peak: float) -> None:
    if not (math.isfinite(peak) and peak > 0):
        raise ValueError(f"peak must be a positive number, got {peak}.")


def _require_floor(floor_ratio: float, shape: str) -> None:
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)}, got {shape!r}.")
    if not 0 <= floor_ratio <= 1:
        raise ValueError(f"floor_ratio must be from 0 to 1, got {floor_ratio}.")
    if shape == "inverse" and floor_ratio == 0:
        raise ValueError("floor_ratio is 0, but inverse decay needs a floor: it would divide by zero.")


def _require_warmup(warmup_steps: int, room: int) -> None:
    if not 0 <= warmup_steps <= room:
        raise ValueError(f"warmup_steps must be from 0 to {room}, the steps before the rate falls, got {warmup_steps}.")


def _require_budgets(budgets: Sequence[int]) -> None:
    rising = all(earlier < later for earlier, later in pairwise(budgets))
    if not budgets or budgets[0] < 1 or not rising:
        raise ValueError(f"budgets must be strictly increasing whole numbers from 1 up, got {list(budgets)}.")
