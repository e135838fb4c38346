"""What a model does to its memory at the trained length, and the thresholds that keep it so at a longer one.

Axes: n calibration sequences, L their length, S the longer length, H heads. Symbols: Δ step size, A decay rate of a
head, T the sum of clamped Δ over L tokens (the budget), δ = exp(A T) what is left of the first token after L tokens.

Source: Ye et al. 2025, "LongMamba", arXiv 2504.16053; `load_align_target.py` in the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Array, Engine
from mem_core.nn.quantile_curve import stretch


@dataclass(frozen=True)
class Calibration:
    """Measured once, on the unchanged model and sequences of the trained length.

    Attributes:
        length: L.
        curves: clamped step sizes of each sequence and head, largest first (n,H,L).
        budgets: T of each sequence and head (n,H).
        decay: δ of each head, mean over the sequences (H,).
    """

    length: int
    curves: Array
    budgets: Array
    decay: Array


@dataclass(frozen=True)
class Plan:
    """Which tokens the heads may skip at one length.

    Attributes:
        global_heads: heads that still hold the first token after L tokens (H,), booleans.
        threshold: g, step sizes up to this one are skipped (H,).
        kept_share: α, the share of tokens that was kept in calibration (H,).
        budget: T, mean over the calibration sequences (H,).
        curve: the stretched curve of step sizes, mean over the calibration sequences (H,S).
    """

    global_heads: Array
    threshold: Array
    kept_share: Array
    budget: Array
    curve: Array


def calibrate(engine: Engine, delta: Array, rates: Array, clamp: float) -> Calibration:
    """Measure budgets and decays at the trained length.

        v = the ⌊C L⌋-th largest Δ of a sequence (at least the first),  Δ̂ = min(Δ, v),  T = Σ Δ̂,  δ = exp(A T)

    Args:
        engine: where the arrays live.
        delta: step sizes of the unchanged model, after softplus (n,L,H).
        rates: A, negative (H,).
        clamp: C, the share of the largest step sizes that counts as outliers, in (0, 1].

    Raises:
        ValueError: if clamp is out of range, delta is empty, or holds a number that is negative or not finite.
    """
    xp = engine.xp
    if not 0 < clamp <= 1:
        raise ValueError(f"clamp must be above 0 and at most 1, got {clamp}.")
    if 0 in delta.shape:
        raise ValueError(
            f"delta must hold at least one sequence of at least one token, got shape {tuple(delta.shape)}."
        )
    if not bool(xp.all(xp.isfinite(delta) & (delta >= 0))):
        raise ValueError("delta must hold finite numbers of at least 0, as softplus gives them.")
    length = delta.shape[1]
    largest_first = -xp.sort(-xp.permute_dims(delta, (0, 2, 1)), axis=-1)
    outlier = max(1, int(clamp * length)) - 1
    curves = xp.minimum(largest_first, largest_first[:, :, outlier : outlier + 1])
    budgets = xp.sum(curves, axis=-1)
    return Calibration(length, curves, budgets, xp.mean(xp.exp(budgets * rates), axis=0))


def plan(engine: Engine, calibration: Calibration, length: int, theta: float) -> Plan:
    """Find each head's threshold for sequences of `length` tokens.

    The sorted curve of Δ̂ is stretched from L to S points. Its largest values are kept until their sum first exceeds
    the budget T; the threshold is the value after them. At S ≤ L nothing is skipped: g = 0, α = 1.

        k = 1 + (how many prefix sums of the stretched curve are ≤ T),  α = min(1, k/S),  g = curve[k]

    g and α are means over the calibration sequences.

    Args:
        engine: where the arrays live.
        calibration: from `calibrate`.
        length: S.
        theta: heads with δ above this are global, in (0, 1].

    Raises:
        ValueError: if theta is out of range or length is below 1.
    """
    xp = engine.xp
    if not 0 < theta <= 1:
        raise ValueError(f"theta must be above 0 and at most 1, got {theta}.")
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}.")
    budgets = calibration.budgets
    curves = stretch(engine, calibration.curves, length)
    if length <= calibration.length:
        threshold, share = xp.zeros_like(budgets), xp.ones_like(budgets)
    else:
        kept = 1 + xp.sum(xp.astype(xp.cumulative_sum(curves, axis=-1) <= budgets[:, :, None], curves.dtype), axis=-1)
        # Sorted curves: the value at k is the largest from k on, and 0, no threshold, if k is past the end.
        after = xp.arange(length)[None, None, :] >= kept[:, :, None]
        threshold = xp.max(xp.where(after, curves, xp.zeros_like(curves)), axis=-1)
        share = xp.minimum(kept / length, xp.ones_like(budgets))
    return Plan(
        calibration.decay > theta,
        xp.mean(threshold, axis=0),
        xp.mean(share, axis=0),
        xp.mean(budgets, axis=0),
        xp.mean(curves, axis=0),
    )
