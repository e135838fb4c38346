"""The energy that one hidden unit climbs while the units still learn independently (stage II).

With w = [u; v] the weights of one unit, σ(z) = z² and Ỹ the one-hot labels minus their mean over the pairs::

    (2)  E(w) = ½‖Ỹᵀ σ(Xw)‖²,   ∇E = Xᵀ diag(σ′(Xw)) ỸỸᵀ σ(Xw),   on ‖w‖ = 1
    (3)  E(w) = (2/M) Σ_{k=1}^{M−1} |û_k|²|v̂_k|²   for all M² pairs, û_k = Σ_m u_m e^{−2πikm/M}

By (3) the maxima on ‖w‖ = 1 are pure waves, one frequency with ‖u‖ = ‖v‖ and any two phases, with E* = M/4, or M/2 for
the frequency M/2 of an even M. The paper prints M/16 and M/8: its proof drops the factor 2 of the cross term 2·u_a·v_b.
Two frequencies with shares c and 1 − c have (M/4)(c² + (1 − c)²), which is less.

Axes: M residues, S units; weights are columns, shape (2M, S), u above v. Rows of pairs run over the sum c and then a.

Source: arXiv 2509.21519, Theorem 1, Theorem 2 and Corollary 2; (3) is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine
from mem_core.nn.spectra import power_spectrum, purity

ASCENT_RATE = 0.05
"""Step of the projected ascent on all pairs; on a share p of the pairs E is p² as large, and the step 1/p² as long."""

FADED = 1e-3
"""Share of the strongest unit's power below which decay has removed a unit; what is left of it is rounding."""


@dataclass(frozen=True)
class Landscape:
    """E for some of the M² pairs.

    Attributes:
        modulus: M.
        share: how many of the M² pairs count.
        counted: 1 for each pair that counts, else 0, shape (M, M, 1): sum c, then a.
        label_share: share of each sum c among the pairs that count, shape (M, 1).
        second: b = c − a of each row, shape (M·M,).
        by_second: row of the pair (a, b) for each b and then a, shape (M·M,).
    """

    modulus: int
    share: float
    counted: Array
    label_share: Array
    second: Array
    by_second: Array


def landscape(engine: Engine, modulus: int, present: Any = None) -> Landscape:
    """Return the landscape of the pairs marked in `present`, shape (M, M) with a along the rows; None is all pairs."""
    numbers = range(modulus)
    counted = [[1.0 if present is None else float(present[a][(c - a) % modulus]) for a in numbers] for c in numbers]
    total = sum(map(sum, counted))
    return Landscape(
        modulus,
        total / modulus**2,
        engine.asarray(counted)[:, :, None],
        engine.asarray([sum(row) / total for row in counted])[:, None],
        engine.asarray([(c - a) % modulus for c in numbers for a in numbers]),
        engine.asarray([(a + b) % modulus * modulus + a for b in numbers for a in numbers]),
    )


def energy_and_gradient(engine: Engine, ground: Landscape, weights: Array) -> tuple[Array, Array]:
    """Return E of each unit, shape (S,), and ∇E, shape (2M, S), by equation (2)."""
    xp = engine.xp
    size = ground.modulus
    u, v = weights[:size], weights[size:]
    backwards = xp.reshape(xp.take(v, ground.second, axis=0), (size, size, -1))
    inputs = (u[None] + backwards) * ground.counted  # (c, a, S)
    by_sum = xp.sum(inputs * inputs, axis=1)  # (c, S)
    pull = by_sum - ground.label_share * xp.sum(by_sum, axis=0)  # Ỹᵀσ
    energy = 0.5 * xp.sum(pull * pull, axis=0)
    back = pull - xp.sum(ground.label_share * pull, axis=0)  # ỸỸᵀσ, alike for all pairs with one sum
    through = 2.0 * back[:, None, :] * inputs
    by_second = xp.take(xp.reshape(through, (size * size, -1)), ground.by_second, axis=0)
    gradient_v = xp.sum(xp.reshape(by_second, (size, size, -1)), axis=1)
    return energy, xp.concat([xp.sum(through, axis=0), gradient_v])


def energy_of_all_pairs(engine: Engine, weights: Array) -> Array:
    """Return E of each unit for all M² pairs by the closed form (3), shape (S,)."""
    xp = engine.xp
    size = weights.shape[0] // 2
    spectrum = xp.abs(xp.fft.fft(xp.reshape(weights, (2, size, -1)), axis=1)) ** 2
    return 2.0 / size * xp.sum(spectrum[0, 1:] * spectrum[1, 1:], axis=0)


def largest_energy(modulus: int, frequency: int) -> float:
    """Return E* of a pure wave on ‖w‖ = 1 for all M² pairs: M/4, or M/2 at the frequency M/2."""
    return modulus / 2 if 2 * frequency == modulus else modulus / 4


def ascend(engine: Engine, ground: Landscape, weights: Array, steps: int, every: int) -> Iterator[Array]:
    """Climb by w ← (w + rate·∇E)/‖w + rate·∇E‖ and give the weights after every `every` steps."""
    rate = ASCENT_RATE / ground.share**2
    for step in range(1, steps + 1):
        _, gradient = energy_and_gradient(engine, ground, weights)
        weights = normalised(engine, weights + rate * gradient)
        if step % every == 0:
            yield weights


def normalised(engine: Engine, weights: Array) -> Array:
    """Return the units with ‖w‖ = 1; a unit of zeros stays one."""
    xp = engine.xp
    length = xp.sqrt(xp.sum(weights * weights, axis=0, keepdims=True))
    return weights / xp.where(length > 0, length, xp.ones_like(length))


def not_faded(engine: Engine, weights: Array) -> Array:
    """Return the units, shape (2M, at most S), with at least a thousandth of the power of the strongest."""
    power = engine.to_numpy(engine.xp.sum(weights * weights, axis=0)).tolist()
    kept = [unit for unit, value in enumerate(power) if value >= FADED * max(power)]
    return engine.xp.take(weights, engine.asarray(kept), axis=1)


def wave_purity(engine: Engine, weights: Array) -> tuple[Array, Array]:
    """Return each unit's largest share of power in one frequency other than 0, over u and v together, and which.

    Args:
        engine: whose arrays these are.
        weights: shape (..., 2M, S).
    """
    xp = engine.xp
    size = weights.shape[-2] // 2
    power = power_spectrum(engine, xp.reshape(weights, (*weights.shape[:-2], 2, size, weights.shape[-1])), axis=-2)
    return purity(engine, xp.sum(power, axis=-3), axis=-2)
