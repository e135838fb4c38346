"""Spectra against closed forms: pure waves, single spikes, Parseval."""

import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.nn.spectra import inverse_participation_ratio, power_spectrum, purity

SIZES = [3, 7, 12, 23, 24]


@pytest.mark.parametrize("size", SIZES)
def test_the_powers_add_up_to_the_sum_of_squares(engine, size):
    waves = philox(0, "waves", size).normal(size=(4, size))
    power = engine.to_numpy(power_spectrum(engine, engine.asarray(waves)))
    assert power.shape == (4, size // 2 + 1)
    np.testing.assert_allclose(power.sum(-1), (waves**2).sum(-1), rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_a_cosine_of_any_phase_has_all_its_power_in_its_frequency(engine, size):
    for frequency in range(1, (size + 1) // 2):
        wave = np.cos(2 * np.pi * frequency * np.arange(size) / size + 0.7)
        share, found = purity(engine, power_spectrum(engine, engine.asarray(wave)))
        assert engine.item(share) == pytest.approx(1)
        assert engine.item(found) == frequency
        assert engine.item(inverse_participation_ratio(engine, engine.asarray(wave))) == pytest.approx(1)


def test_the_fastest_wave_of_an_even_circle_counts_once(engine):
    wave = engine.asarray([1.0, -1.0] * 6)
    assert engine.to_numpy(power_spectrum(engine, wave)).tolist() == pytest.approx([0] * 6 + [12])


def test_a_constant_is_no_wave_and_lowers_the_purity(engine):
    assert engine.item(purity(engine, power_spectrum(engine, engine.asarray(np.ones(9))))[0]) == pytest.approx(0)
    raised = np.cos(2 * np.pi * 2 * np.arange(9) / 9) + np.sqrt(0.5)
    assert engine.item(purity(engine, power_spectrum(engine, engine.asarray(raised)))[0]) == pytest.approx(0.5)


def test_a_wave_without_power_has_purity_zero(engine):
    assert engine.item(purity(engine, power_spectrum(engine, engine.asarray(np.zeros(7))))[0]) == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_single_spike_uses_all_frequencies_alike(engine, size):
    spike = np.zeros(size)
    spike[1] = 3.0
    expected = 1 / (size // 2 + 1)
    assert engine.item(inverse_participation_ratio(engine, engine.asarray(spike))) == pytest.approx(expected)


def test_the_participation_ratio_ignores_scale_and_shift(engine):
    wave = philox(1, "waves").normal(size=11)
    ratios = [
        engine.item(inverse_participation_ratio(engine, engine.asarray(changed)))
        for changed in (wave, -3 * wave, np.roll(wave, 4))
    ]
    assert ratios == pytest.approx([ratios[0]] * 3)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_the_participation_ratio_of_tiny_waves_does_not_underflow(kind, precision):
    engine = select(kind, precision=precision)
    wave = np.cos(2 * np.pi * 3 * np.arange(11) / 11)
    waves = engine.asarray(np.stack([1e-20 * wave, 0 * wave]))
    assert engine.to_numpy(inverse_participation_ratio(engine, waves)).tolist() == pytest.approx([1, 0], abs=1e-5)


def test_any_axis_may_hold_the_residues(engine):
    waves = philox(2, "waves").normal(size=(2, 9, 5))
    along_middle = power_spectrum(engine, engine.asarray(waves), axis=-2)
    moved = power_spectrum(engine, engine.asarray(np.moveaxis(waves, 1, -1)))
    np.testing.assert_allclose(engine.to_numpy(along_middle), np.moveaxis(engine.to_numpy(moved), -1, 1), rtol=1e-12)
    for measured, expected in zip(purity(engine, along_middle, axis=-2), purity(engine, moved), strict=True):
        np.testing.assert_allclose(engine.to_numpy(measured), engine.to_numpy(expected))
    ratio = inverse_participation_ratio(engine, engine.asarray(waves), axis=1)
    assert engine.to_numpy(ratio).shape == (2, 5)
