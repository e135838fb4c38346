import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from mem_core.engine import philox, select
from mem_core.nn.leaky_memory import HEIGHT, SLOPE, leaky_memory

STEPS, NEURONS, BATCH, HIDDEN, UNITS = 9, 2, 3, 5, 4
NAMES = ("drive", "inward", "outward", "bias")


def draw(engine, seed=0):
    generator = philox(seed, "arrays")
    sizes = {
        "drive": (STEPS, NEURONS, BATCH, HIDDEN),
        "inward": (NEURONS, UNITS, HIDDEN),
        "outward": (NEURONS, HIDDEN, UNITS),
        "bias": (NEURONS, UNITS),
    }
    arrays = {name: engine.asarray(generator.standard_normal(size)) for name, size in sizes.items()}
    rates = {name: engine.asarray(generator.uniform(0.1, 0.95, (NEURONS, UNITS))) for name in ("keep", "gain")}
    return arrays, rates


def step_by_step(arrays, rates):
    """The equations as they are written, one step and one neuron at a time."""
    drive, inward, outward, bias = (np.asarray(arrays[name]) for name in NAMES)
    memory = np.zeros((STEPS, NEURONS, BATCH, UNITS))
    for neuron in range(NEURONS):
        before = np.zeros((BATCH, UNITS))
        for t in range(STEPS):
            kept = np.asarray(rates["keep"])[neuron] * before
            hidden = np.maximum(drive[t, neuron] + kept @ inward[neuron], 0)
            proposed = 1.7159 * np.tanh(2 / 3 * (hidden @ outward[neuron] + bias[neuron]))
            before = kept + np.asarray(rates["gain"])[neuron] * proposed
            memory[t, neuron] = before
    return memory


def test_memory_follows_the_equations(engine):
    arrays, rates = draw(engine)
    found = engine.to_numpy(leaky_memory(**arrays, **rates))
    np.testing.assert_allclose(found, step_by_step(arrays, rates), rtol=1e-12, atol=1e-14)


def test_a_constant_proposal_is_a_leaky_integrator_per_unit(engine):
    arrays, rates = draw(engine)
    arrays["outward"] = arrays["outward"] * 0.0
    found = engine.to_numpy(leaky_memory(**arrays, **rates))
    proposed = HEIGHT * np.tanh(SLOPE * engine.to_numpy(arrays["bias"]))
    keep, gain = (engine.to_numpy(rates[name]) for name in ("keep", "gain"))
    for neuron in range(NEURONS):
        for unit in range(UNITS):
            expected = lfilter([gain[neuron, unit]], [1, -keep[neuron, unit]], np.full(STEPS, proposed[neuron, unit]))
            np.testing.assert_allclose(found[:, neuron, 0, unit], expected, rtol=1e-12)


def gradients(engine, arrays, rates):
    weights = engine.asarray(philox(1, "weights").standard_normal((STEPS, NEURONS, BATCH, UNITS)))

    def loss(arrays):
        return engine.xp.sum(leaky_memory(**arrays, **rates) * weights)

    _, gradient = engine.value_and_grad(loss)(arrays)
    return {name: engine.to_numpy(array) for name, array in gradient.items()}, loss


def test_the_gradient_is_that_of_central_differences(engine):
    arrays, rates = draw(engine)
    gradient, loss = gradients(engine, arrays, rates)
    for name in NAMES:
        direction = engine.asarray(philox(2, name).standard_normal(tuple(arrays[name].shape)))
        ends = [loss({**arrays, name: arrays[name] + sign * 1e-6 * direction}) for sign in (1, -1)]
        slope = (engine.item(ends[0]) - engine.item(ends[1])) / 2e-6
        assert (gradient[name] * engine.to_numpy(direction)).sum() == pytest.approx(slope, rel=1e-6)


def test_the_gradient_is_that_of_a_loop_that_torch_differentiates():
    engine = select("torch", precision="float64")
    arrays, rates = draw(engine)
    leaves = {name: array.clone().requires_grad_() for name, array in arrays.items()}
    before, steps = torch.zeros(NEURONS, BATCH, UNITS, dtype=torch.float64), []
    for drive in leaves["drive"]:
        kept = rates["keep"][:, None] * before
        hidden = torch.relu(drive + kept @ leaves["inward"])
        before = kept + rates["gain"][:, None] * HEIGHT * torch.tanh(
            SLOPE * (hidden @ leaves["outward"] + leaves["bias"][:, None])
        )
        steps.append(before)
    weights = torch.from_numpy(philox(1, "weights").standard_normal((STEPS, NEURONS, BATCH, UNITS)))
    (torch.stack(steps) * weights).sum().backward()
    for name in ("numpy", "torch"):
        found, _ = gradients(select(name, precision="float64"), *draw(select(name, precision="float64")))
        for array in NAMES:
            np.testing.assert_allclose(found[array], leaves[array].grad.numpy(), rtol=1e-10, atol=1e-12)


def test_neurons_side_by_side_do_not_touch_one_another(engine):
    arrays, rates = draw(engine)
    together = engine.to_numpy(leaky_memory(**arrays, **rates))
    alone = leaky_memory(
        arrays["drive"][:, 1:],
        *(arrays[name][1:] for name in NAMES[1:]),
        **{name: rate[1:] for name, rate in rates.items()},
    )
    np.testing.assert_allclose(engine.to_numpy(alone)[:, 0], together[:, 1], rtol=1e-12)


def test_the_scaled_tanh_has_its_slope_and_bound():
    assert pytest.approx(1.1439, abs=5e-5) == HEIGHT * SLOPE
    assert HEIGHT * np.tanh(SLOPE) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", ["drive", "outward", "bias", "keep", "gain"])
def test_a_shape_that_does_not_fit_is_named(engine, name):
    arrays, rates = draw(engine)
    given = {**arrays, **rates}
    given[name] = given[name][..., :-1]
    with pytest.raises(ValueError, match=f"{name} has shape"):
        leaky_memory(**given)
