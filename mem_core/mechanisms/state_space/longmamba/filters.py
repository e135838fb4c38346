"""What each mode makes of the step sizes before the scan. No weight changes, and no token leaves the sequence.

A step size of 0 gives a decay of exp(0) = 1 and writes 0: the head's state stays as it is, and its output at that
token is still C·h + D·x.

Axes: b batch, t tokens, H heads.
"""

from __future__ import annotations

from typing import Literal, get_args

from mem_core.engine import Array, Engine
from mem_core.mechanisms.state_space.longmamba.calibration import Plan

Mode = Literal["off", "LongMamba", "random skip", "all heads", "norm-scale", "alpha", "bound"]
MODES: tuple[Mode, ...] = get_args(Mode)


def keep(delta: Array, threshold: Array) -> Array:
    """Tell which tokens matter to a head: Δ above its threshold, strictly. Raw Δ, not clamped ones (b,t,H)."""
    return delta > threshold


def filtered(engine: Engine, mode: Mode, delta: Array, plan: Plan, chance: Array | None = None) -> Array:
    """Return the step sizes that the scan gets.

    - `off`: unchanged. All other modes leave local heads unchanged, except `all heads`.
    - `LongMamba`: Δ if Δ > g, else 0.
    - `random skip`: as many tokens kept as by LongMamba, on average, but by chance.
    - `all heads`: LongMamba's rule in local heads too.
    - `norm-scale`: every Δ times T / ΣΔ.
    - `alpha`: the ⌊α S⌋ largest Δ of this very sequence kept, at least one.
    - `bound`: the largest Δ of this very sequence kept while their sum is at most T.

    Args:
        engine: where the arrays live.
        mode: one of the above.
        delta: step sizes after softplus (b,t,H), t longer than the trained length.
        plan: for this length.
        chance: numbers drawn evenly from [0, 1), for `random skip` (b,t,H).

    Returns:
        (b,t,H).

    Source: Ye et al. 2025, arXiv 2504.16053, and the methods `dt_thre`, `norm`, `alpha` and `bound` of its code;
    `random skip` and `all heads` are controls of this experiment.
    """
    xp = engine.xp
    if mode == "off":
        return delta
    if mode == "norm-scale":
        scaled = delta * (plan.budget / xp.sum(delta, axis=1))[:, None, :]
        return xp.where(plan.global_heads, scaled, delta)
    kept = keep(delta, plan.threshold)
    if mode == "random skip":
        assert chance is not None, "random skip needs chance"
        rate = xp.mean(xp.astype(kept, delta.dtype), axis=1, keepdims=True)
        kept = chance < rate
    elif mode == "alpha":
        count = xp.floor(plan.kept_share * delta.shape[1])
        kept = _rank(engine, delta) < xp.maximum(count, xp.ones_like(count))
    elif mode == "bound":
        rank = _rank(engine, delta)
        sums = xp.cumulative_sum(-xp.sort(-delta, axis=1), axis=1)
        kept = xp.take_along_axis(sums, rank, axis=1) <= plan.budget
    if mode != "all heads":
        kept = kept | ~plan.global_heads
    return xp.where(kept, delta, xp.zeros_like(delta))


def _rank(engine: Engine, delta: Array) -> Array:
    """Number the tokens of each sequence and head from the largest Δ, 0, down; earlier first among equals."""
    xp = engine.xp
    order = xp.argsort(-delta, axis=1, stable=True)
    return xp.argsort(order, axis=1, stable=True)
