import numpy as np
import pytest

from mem_core.engine import leaves, philox, select
from mem_core.nn import elm_neuron
from mem_core.nn.elm_neuron import ElmShape, ElmTiming, synaptic_trace

SHAPE = ElmShape(channels=12, units=5, outputs=3, branches=4)


def spikes(batch=3, steps=20, channels=12, seed=0):
    return (philox(seed, "spikes").random((batch, steps, channels)) < 0.3).astype(float)


def memory_of(engine, shape, timing, seed=0, tau_synapse=5.0, **options):
    params = elm_neuron.init(engine, shape, [philox(seed, "weights")])
    trace = synaptic_trace(engine, engine.asarray(spikes(channels=shape.channels)), tau_synapse, timing.step)
    return engine.to_numpy(elm_neuron.apply(engine, params, trace, [timing], **options))[:, 0]


def as_in_the_papers_code(shape, timing, tau_synapse=5.0):
    """`dynamics` of both versions of the official neuron, step by step; v2 leaks on the branch."""
    engine = select("numpy", precision="float64")
    params = {name: array[0] for name, array in elm_neuron.init(engine, shape, [philox(0, "weights")]).items()}
    kappa_s = np.exp(-timing.step / tau_synapse)
    tau = np.logspace(np.log10(timing.tau_min), np.log10(timing.tau_max), shape.units)
    kappa_m, kappa_lambda = np.exp(-timing.step / tau), np.exp(-timing.step * timing.strength / tau)
    x = spikes(channels=shape.channels)
    w_s = np.maximum(params["synapses"], 0)
    s, b, m = np.zeros(x[:, 0].shape), np.zeros((len(x), shape.inputs)), np.zeros((len(x), shape.units))
    first = np.concatenate([params["from_branches"], params["from_memory"]])
    steps = []
    for t in range(x.shape[1]):
        if timing.version == "v1":
            s = kappa_s * s + w_s * x[:, t]
            b = s.reshape(len(x), shape.inputs, -1).sum(-1)
        else:
            b = kappa_s * b + (w_s * x[:, t]).reshape(len(x), shape.inputs, -1).sum(-1)
        hidden = np.maximum(np.concatenate([b, kappa_m * m], axis=-1) @ first + params["hidden_bias"], 0)
        delta = 1.7159 * np.tanh(2 / 3 * (hidden @ params["to_memory"] + params["memory_bias"]))
        gain = timing.strength * (1 - kappa_m) if timing.version == "v1" else 1 - kappa_lambda
        m = kappa_m * m + gain * delta
        steps.append(m)
    return np.stack(steps)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("branches", [None, 4])
def test_the_neuron_does_what_the_papers_code_does(engine, version, branches):
    shape = ElmShape(channels=12, units=5, outputs=3, branches=branches)
    timing = ElmTiming(tau_min=1, tau_max=100, version=version)
    np.testing.assert_allclose(
        memory_of(engine, shape, timing), as_in_the_papers_code(shape, timing), rtol=1e-10, atol=1e-12
    )


def test_the_sum_over_a_branch_commutes_with_the_leak(engine):
    raw = spikes()
    summed_first = raw.reshape(3, 20, 4, 3).sum(-1)
    leaked_first = engine.to_numpy(synaptic_trace(engine, engine.asarray(raw), 5.0)).reshape(20, 3, 4, 3).sum(-1)
    leaked_last = engine.to_numpy(synaptic_trace(engine, engine.asarray(summed_first), 5.0))
    np.testing.assert_allclose(leaked_last, leaked_first, atol=1e-12)


def test_without_reading_the_memory_it_fades_by_its_leak_alone(engine):
    timing = ElmTiming(tau_min=1, tau_max=100)
    params = elm_neuron.init(engine, SHAPE, [philox(0, "weights")])
    heard = np.zeros((1, 40, 12))
    heard[:, :4] = 1
    traces = [synaptic_trace(engine, engine.asarray(x), 0.01) for x in (heard, 0 * heard)]  # no spike outlasts its step
    for reads_memory, exact in ((False, True), (True, False)):
        found = [
            engine.to_numpy(elm_neuron.apply(engine, params, trace, [timing], reads_memory=reads_memory))[:, 0, 0]
            for trace in traces
        ]
        left = (found[0] - found[1])[3:]
        by_leak_alone = left[0] * timing.keep(5) ** np.arange(len(left))[:, None]
        assert np.allclose(left, by_leak_alone, rtol=1e-9, atol=1e-12) == exact


@pytest.mark.parametrize(("units", "count"), [(1, 4601), (15, 6827), (20, 8002), (100, 54_002)])
def test_parameter_counts_are_those_of_the_papers_neuronio_models(units, count):
    assert ElmShape(channels=4500, units=units, outputs=2, branches=45).parameters == count


def test_the_parameter_count_is_the_number_of_weights(engine):
    params = elm_neuron.init(engine, SHAPE, [philox(0, "weights")])
    assert sum(int(np.prod(leaf.shape)) for leaf in leaves(params)) == SHAPE.parameters


def test_time_constants_are_evenly_spaced_on_a_log_scale():
    tau = ElmTiming(tau_min=1, tau_max=1000).tau(100)
    np.testing.assert_allclose(tau, np.logspace(0, 3, 100), rtol=1e-12)
    assert ElmTiming(tau_min=2, tau_max=1000).tau(1).tolist() == [2.0]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_twice_the_step_and_twice_the_time_constants_is_the_same_neuron(engine, version):
    once = memory_of(engine, SHAPE, ElmTiming(tau_min=1, tau_max=100, version=version))
    twice = memory_of(engine, SHAPE, ElmTiming(tau_min=2, tau_max=200, step=2.0, version=version), tau_synapse=10.0)
    np.testing.assert_allclose(twice, once, rtol=1e-10, atol=1e-14)


def test_the_two_gains_agree_for_slow_units_and_not_for_fast_ones():
    first, second = (ElmTiming(tau_min=1, tau_max=100, version=version).gain(2) for version in ("v1", "v2"))
    assert first[1] == pytest.approx(second[1], rel=0.03)
    assert first[0] == pytest.approx(3.1606, abs=5e-5)
    assert second[0] == pytest.approx(0.9933, abs=5e-5)


@pytest.mark.parametrize(("version", "bound"), [("v1", 5.0), ("v2", None)])
def test_a_constant_proposal_ends_at_the_fixed_point(version, bound):
    engine = select("numpy", precision="float64")
    timing = ElmTiming(tau_min=1, tau_max=20, version=version)
    params = elm_neuron.init(engine, SHAPE, [philox(0, "weights")])
    params["to_memory"] = params["to_memory"] * 0
    trace = synaptic_trace(engine, engine.asarray(spikes(steps=2000)), 5.0)
    last = elm_neuron.apply(engine, params, trace, [timing])[-1, 0, 0]
    proposed = 1.7159 * np.tanh(2 / 3 * params["memory_bias"][0])
    factor = bound if bound else timing.gain(5) / (1 - timing.keep(5))
    np.testing.assert_allclose(last, factor * proposed, rtol=1e-10)


def test_a_synapse_with_negative_weight_is_silent(engine):
    params = elm_neuron.init(engine, SHAPE, [philox(0, "weights")])
    trace = synaptic_trace(engine, engine.asarray(spikes()), 5.0)
    timing = [ElmTiming(tau_min=1, tau_max=100)]
    without = elm_neuron.apply(engine, {**params, "synapses": params["synapses"] * 0.0}, trace, timing)
    negative = elm_neuron.apply(engine, {**params, "synapses": params["synapses"] * -1.0}, trace, timing)
    np.testing.assert_array_equal(engine.to_numpy(negative), engine.to_numpy(without))


def test_the_output_is_linear_in_the_memory(engine):
    params = elm_neuron.init(engine, SHAPE, [philox(0, "weights"), philox(1, "weights")])
    memory = engine.asarray(philox(2, "memory").standard_normal((2, 3, 5)))
    found = engine.to_numpy(elm_neuron.read_out(params, memory))
    weights, bias = engine.to_numpy(params["output"]), engine.to_numpy(params["output_bias"])
    np.testing.assert_allclose(found, engine.to_numpy(memory) @ weights + bias[:, None], rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tau_max": 1.0}, "tau_max is 1.0"),
        ({"tau_max": float("nan")}, "tau_max is nan"),
        ({"step": 0.0}, "step is 0.0"),
        ({"tau_min": -1.0}, "tau_min is -1.0"),
        ({"version": "v3"}, "version is 'v3'"),
    ],
)
def test_impossible_timing_is_named(change, words):
    with pytest.raises(ValueError, match=words):
        ElmTiming(**{"tau_min": 1.0, "tau_max": 100.0, **change})


@pytest.mark.parametrize(
    ("change", "words"), [({"units": 0}, "units is 0"), ({"branches": 5}, "branches is 5"), ({"branches": 0}, "is 0")]
)
def test_impossible_sizes_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        ElmShape(**{"channels": 12, "units": 5, "outputs": 3, **change})


@pytest.mark.parametrize(("tau", "step", "words"), [(0.0, 1.0, "tau is 0.0"), (5.0, -1.0, "step is -1.0")])
def test_a_trace_needs_positive_times(tau, step, words):
    engine = select("numpy")
    with pytest.raises(ValueError, match=words):
        synaptic_trace(engine, engine.asarray(spikes()), tau, step)
