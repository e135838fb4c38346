"""How pure a wave is: the discrete Fourier spectrum of weights that are indexed by residues mod M."""

from __future__ import annotations

from mem_core.engine import Array, Engine


def power_spectrum(engine: Engine, waves: Array, axis: int = -1) -> Array:
    """Return how the power of real waves is shared among frequencies, k and M − k counted together.

    P_k = |x̂_k|²·(1 if k = 0 or k = M/2 else 2) / M, x̂_k = Σ_m x_m e^{−2πikm/M}; so that Σ_k P_k = Σ_m x_m².

    Args:
        engine: whose arrays these are.
        waves: real numbers with M entries along `axis`.
        axis: the axis of the residues.

    Returns:
        Power with ⌊M/2⌋ + 1 entries along `axis`, for the frequencies 0 to ⌊M/2⌋.
    """
    xp = engine.xp
    size = waves.shape[axis]
    amplitude = xp.abs(xp.fft.rfft(waves, axis=axis))
    folds = [1.0 / size if frequency in (0, size / 2) else 2.0 / size for frequency in range(size // 2 + 1)]
    shape = [1] * waves.ndim
    shape[axis] = len(folds)
    return amplitude * amplitude * xp.reshape(engine.asarray(folds), tuple(shape))


def purity(engine: Engine, power: Array, axis: int = -1) -> tuple[Array, Array]:
    """Return the largest share of the power in one frequency other than 0, and that frequency.

    A pure wave has 1. A wave without power has 0.

    Args:
        engine: whose arrays these are.
        power: as `power_spectrum` gives it, frequencies from 0 along `axis`.
        axis: the axis of the frequencies; it is taken away.
    """
    xp = engine.xp
    frequencies_last = xp.moveaxis(power, axis, -1)
    waves = frequencies_last[..., 1:]
    total = xp.sum(frequencies_last, axis=-1)
    share = xp.max(waves, axis=-1) / xp.where(total > 0, total, xp.ones_like(total))
    return share, xp.argmax(waves, axis=-1) + 1


def inverse_participation_ratio(engine: Engine, waves: Array, axis: int = -1) -> Array:
    """Return how few frequencies a wave uses: 1 for one frequency, 1/(⌊M/2⌋ + 1) for all of them alike.

    IPR = Σ_k |x̂_k|⁴ / (Σ_k |x̂_k|²)² over the one-sided spectrum k = 0 … ⌊M/2⌋, the constant included; it does not
    change when the wave is scaled or shifted around the circle. A wave of zeros has 0.

    Args:
        engine: whose arrays these are.
        waves: real numbers with M entries along `axis`.
        axis: the axis of the residues; it is taken away.

    Source: Doshi et al. 2023 (arXiv 2310.13061), Eqs. 3 and 4.
    """
    xp = engine.xp
    amplitude = xp.abs(xp.fft.rfft(waves, axis=axis))
    largest = xp.max(amplitude, axis=axis, keepdims=True)
    # Fourth powers of weights that decay has shrunk to 1e-12 would be zero in float32.
    relative = amplitude / xp.where(largest > 0, largest, xp.ones_like(largest))
    power = relative * relative
    total = xp.sum(power, axis=axis)
    return xp.sum(power * power, axis=axis) / xp.where(total > 0, total * total, xp.ones_like(total))
