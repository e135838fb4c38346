"""Learning rates for training on one data set after another: the infinite schedule and repeated cosine.

As in `mem_core.training.schedules`, `rates[t]` is the rate used *for* step t = 0 .. T-1, a phase ends exactly on its
last value, and the unit is that of the peak rate. The step number n of the papers is t + 1.

Sources: Singh et al. 2025, "Beyond Cosine Decay: On the effectiveness of Infinite Learning Rate Schedule for Continual
Pre-training", arXiv 2503.02844 (Eq. 1), and Ibrahim et al. 2024, "Simple and Scalable Strategies to Continually
Pre-train Large Language Models", arXiv 2403.08763, where the schedule comes from.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from mem_core.training.schedules import Rates, constant, cosine, decay, warmup

CooldownShape = Literal["cosine", "inverse sqrt"]
COOLDOWN_SHAPES: tuple[CooldownShape, ...] = get_args(CooldownShape)

INVERSE_SQRT_TIMESCALE = 10.0
"""How fast the inverse-square-root cool-down falls at first, in 1 / its length (arXiv 2403.08763)."""


def infinite(
    steps: int,
    peak: float,
    *,
    constant_ratio: float,
    warmup_steps: int = 0,
    cooldown_steps: int = 0,
    shape: CooldownShape = "cosine",
) -> Rates:
    """Warm up once, cool down to a moderate rate, and stay there for as long as one likes.

    With the end of the warmup W = `warmup_steps`, that of the cool-down C = W + `cooldown_steps`, the constant rate
    c = `constant_ratio` * peak and u = (n - W) / (C - W):

    - n <= W:      peak * n / W
    - W < n <= C:  c + (peak - c) (1 + cos(pi u)) / 2, or for `inverse sqrt`
                   peak + (c - peak) h(u) / h(1), h(u) = 1 / sqrt(1 + 10 u) - 1
    - n > C:       c

    The last phase, an annealing, is run on a copy whenever a finished checkpoint is wanted: `exponential_decay`.

    Args:
        steps: length of the whole schedule, 1 or more.
        peak: the highest rate, above 0.
        constant_ratio: constant rate over the peak, above 0 and at most 1; at 1 there is no cool-down.
        warmup_steps: W, 0 or more; 0 starts at the peak.
        cooldown_steps: C - W, 0 or more; 0 jumps to the constant rate.
        shape: of the cool-down.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> infinite(6, 8.0, constant_ratio=0.5, warmup_steps=2, cooldown_steps=2).tolist()
    [4.0, 8.0, 6.0, 4.0, 4.0, 4.0]
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}.")
    if not 0 < constant_ratio <= 1:
        raise ValueError(f"constant_ratio must be above 0 and at most 1, got {constant_ratio}.")
    if cooldown_steps < 0:
        raise ValueError(f"cooldown_steps must be 0 or more, got {cooldown_steps}.")
    if shape not in COOLDOWN_SHAPES:
        raise ValueError(f"shape must be one of {', '.join(COOLDOWN_SHAPES)}, got {shape!r}.")
    rise, left = warmup(warmup_steps, peak), steps - warmup_steps - cooldown_steps
    if left < 0:
        raise ValueError(f"warmup_steps and cooldown_steps must fit into {steps} steps, they take {steps - left}.")
    phases = [rise]
    if cooldown_steps:
        phases.append(_cooldown(cooldown_steps, peak, constant_ratio, shape))
    if left:
        phases.append(constant(left, constant_ratio * peak))
    return np.concatenate(phases)


def _cooldown(steps: int, peak: float, constant_ratio: float, shape: CooldownShape) -> Rates:
    if shape == "cosine":
        return decay(steps, peak, floor_ratio=constant_ratio, shape="cosine")
    fallen = 1 / np.sqrt(1 + INVERSE_SQRT_TIMESCALE * np.arange(1, steps + 1) / steps) - 1
    return np.asarray(peak * (1 + (constant_ratio - 1) * fallen / fallen[-1]))


def exponential_decay(steps: int, start: float, end: float) -> Rates:
    """Anneal from `start` to `end` by the same factor in every step: rates[t] = start * (end / start) ^ ((t + 1) / T).

    Args:
        steps: length T of the annealing, 1 or more; it ends exactly on `end`.
        start: the rate just before, above 0.
        end: the last rate, above 0, for an exponential never reaches 0, and at most `start`.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> exponential_decay(2, 8.0, 2.0).tolist()
    [4.0, 2.0]
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}.")
    if not 0 < end <= start:
        raise ValueError(f"end must be above 0 and at most start = {start}, got {end}.")
    return np.asarray(start * (end / start) ** (np.arange(1, steps + 1) / steps))


def repeated_cosine(
    steps: int, tasks: int, peak: float, *, floor_ratio: float = 0.1, warmup_steps: int = 0, rewarm_ratio: float = 1.0
) -> Rates:
    """Fall along half a cosine in every task, and warm up again at the start of the next.

    Within a task, with its step j = 1 .. T, the warmup's length W and its peak p (`peak` in the first task, then
    p = max(`rewarm_ratio` * peak, floor)): linear from the floor (the first task: from 0) to p for j <= W, then
    floor + (p - floor) (1 + cos(pi (j - W) / (T - W))) / 2.

    Args:
        steps: length T of one task, 1 or more.
        tasks: how many, 1 or more.
        peak: the highest rate of the first task, above 0.
        floor_ratio: last rate of every task over the peak, from 0 to 1.
        warmup_steps: W, from 0 to T.
        rewarm_ratio: peak of later tasks over that of the first, from 0, which stays on the floor, to 1.

    Raises:
        ValueError: naming the argument that cannot be used.

    >>> repeated_cosine(4, 2, 8.0, floor_ratio=0.25, warmup_steps=2, rewarm_ratio=0.5).tolist()
    [4.0, 8.0, 5.0, 2.0, 3.0, 4.0, 3.0, 2.0]
    """
    if tasks < 1:
        raise ValueError(f"tasks must be 1 or more, got {tasks}.")
    if not 0 <= rewarm_ratio <= 1:
        raise ValueError(f"rewarm_ratio must be from 0 to 1, got {rewarm_ratio}.")
    first = cosine(steps, peak, floor_ratio=floor_ratio, warmup_steps=warmup_steps)
    floor = floor_ratio * peak
    top = max(rewarm_ratio * peak, floor)
    # The same shape between the floor and another top; where it begins, the warmup rises from the floor, not from 0.
    shape = cosine(steps, 1.0, floor_ratio=0.0, warmup_steps=warmup_steps)
    later = floor + (top - floor) * shape
    return np.concatenate([first, *[later] * (tasks - 1)])
