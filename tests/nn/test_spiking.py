"""Spiking neurons: closed forms of membrane and trace, the reset, and the slope that stands in for the step's."""

import numpy as np
import pytest
import torch

from mem_core.engine import philox
from mem_core.nn.spiking import lif_step, spike_trains, surrogate_slope


def run(engine, currents, tau=2.0, threshold=1.0):
    trains = spike_trains(engine, [engine.asarray(current) for current in currents], tau=tau, threshold=threshold)
    return [engine.to_numpy(part) for part in (trains.spikes, trains.excess, trains.traces)]


@pytest.mark.parametrize("current", [0.1, 0.3, 0.49])
def test_below_half_the_threshold_a_neuron_never_fires_and_charges_towards_twice_the_current(engine, current):
    spikes, excess, traces = run(engine, [np.full((1, 1), current)] * 60)
    assert not spikes.any()
    assert not traces.any()
    steps = np.arange(1, 61)
    np.testing.assert_allclose(excess[:, 0, 0] + 1, 2 * current * (1 - 0.5**steps), rtol=1e-12)


@pytest.mark.parametrize("current", [0.51, 0.7, 1.5])
def test_above_half_the_threshold_a_neuron_fires(engine, current):
    spikes, _, _ = run(engine, [np.full((1, 1), current)] * 60)
    assert spikes.any()


def test_the_reset_takes_the_threshold_away_and_keeps_the_rest(engine):
    step = lif_step(engine, engine.asarray([[1.0, 0.2]]), engine.asarray([[1.2, 0.3]]), tau=2.0, threshold=1.0)
    np.testing.assert_allclose(engine.to_numpy(step.potential), [[0.7, 0.4]])
    np.testing.assert_allclose(engine.to_numpy(step.spikes), [[1.0, 0.0]])
    np.testing.assert_allclose(engine.to_numpy(step.excess), [[0.7, -0.6]])


def test_a_neuron_exactly_at_its_threshold_fires(engine):
    spikes, _, _ = run(engine, [np.array([[1.0]])])
    assert spikes.tolist() == [[[1.0]]]


def test_a_trace_is_the_decaying_sum_of_spikes(engine):
    currents = philox(0, "currents").uniform(0, 1.5, (9, 4, 7))
    spikes, _, traces = run(engine, currents, tau=3.0)
    weights = (1 - 1 / 3.0) ** (np.arange(9)[:, None] - np.arange(9)) * np.tri(9)
    np.testing.assert_allclose(traces, np.einsum("ts,sbk->tbk", weights, spikes), atol=1e-12)


def test_networks_in_front_do_not_touch_one_another(engine):
    currents = philox(0, "currents").uniform(0, 1.5, (5, 3, 2, 6))
    together = run(engine, currents)
    for network in range(3):
        for part, alone in zip(together, run(engine, currents[:, network]), strict=True):
            assert part.shape == (3, 5, 2, 6)
            np.testing.assert_array_equal(part[network], alone)


def test_the_surrogate_slope_is_that_of_a_sigmoid_four_times_as_steep_as_the_usual(engine):
    excess = np.linspace(-3, 3, 101)
    leaf = torch.tensor(excess, requires_grad=True)
    torch.sigmoid(4 * leaf).sum().backward()
    slope = engine.to_numpy(surrogate_slope(engine, engine.asarray(excess)))
    np.testing.assert_allclose(slope, leaf.grad.numpy(), atol=1e-14)  # PyTorch rounds 1 − σ
    assert slope.max() == pytest.approx(1.0)
    assert np.isfinite(engine.to_numpy(surrogate_slope(engine, engine.asarray([-1e4, 1e4])))).all()


@pytest.mark.parametrize(
    ("changes", "words"), [({"tau": 0.5}, "tau"), ({"threshold": 0.0}, "threshold"), ({"currents": []}, "currents")]
)
def test_what_cannot_be_used_is_named(engine, changes, words):
    arguments = {"currents": [np.ones((1, 1))], **changes}
    with pytest.raises(ValueError, match=words):
        run(engine, **arguments)
