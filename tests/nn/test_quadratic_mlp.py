"""The quadratic network: gradients by hand against both gradient systems and against differences."""

import numpy as np
import pytest
import torch

from mem_core.data.modular_arithmetic import split, stacked
from mem_core.engine import map_tree, philox, select
from mem_core.nn import quadratic_mlp as mlp

MODULUS, HIDDEN, NETWORKS = 7, 5, 3


def _pairs(modulus=MODULUS, networks=NETWORKS, share=0.55):
    return stacked([split(modulus, share, philox(0, "pairs", index))[0] for index in range(networks)])


def _weights(engine, modulus=MODULUS, hidden=HIDDEN, networks=NETWORKS, output_scale=1.0):
    generators = [philox(0, "weights", index) for index in range(networks)]
    return mlp.initial_parameters(engine, modulus, hidden, generators, output_scale)


def _gradient(engine, params, pairs):
    rows = mlp.pair_rows(engine, pairs.modulus, pairs.first, pairs.second, for_gradient=True)
    activations = mlp.forward(engine, params, rows)
    targets = mlp.centred_targets(engine, pairs.labels, pairs.modulus)
    loss, output_gradient = mlp.centred_loss(engine, activations.outputs, targets)
    return loss, mlp.gradient(engine, params, rows, activations, output_gradient)


def _obvious_loss(engine, pairs):
    """Return the loss in the form of the paper's code, with one-hot inputs: ‖o_c‖² − 2·o_c[y] + 1 − 1/M."""
    xp = engine.xp
    size = pairs.modulus
    one_hot = np.eye(size)
    inputs = engine.asarray(np.concatenate([one_hot[pairs.first], one_hot[pairs.second]], axis=-1))
    labels = engine.asarray(one_hot[pairs.labels])

    def loss(params):
        outputs = ((inputs @ params["hidden"]) ** 2) @ params["output"]
        centred = outputs - xp.mean(outputs, axis=-1, keepdims=True)
        each = xp.sum(centred * centred, axis=-1) - 2 * xp.sum(centred * labels, axis=-1) + 1 - 1 / size
        return xp.sum(xp.mean(each, axis=-1))

    return loss


@pytest.mark.parametrize("modulus", [3, 7, 12])
def test_loss_and_gradient_match_automatic_differentiation(engine, modulus):
    pairs, params = _pairs(modulus), _weights(engine, modulus)
    expected, expected_gradient = engine.value_and_grad(_obvious_loss(engine, pairs))(params)
    loss, gradient = _gradient(engine, params, pairs)
    assert engine.to_numpy(loss).sum() == pytest.approx(engine.item(expected), rel=1e-12)
    for name in ("hidden", "output"):
        np.testing.assert_allclose(
            engine.to_numpy(gradient[name]), engine.to_numpy(expected_gradient[name]), atol=1e-12, rtol=1e-10
        )


def test_gradient_matches_central_differences():
    engine = select("numpy", precision="float64")
    pairs, params = _pairs(), _weights(engine)
    _, gradient = _gradient(engine, params, pairs)
    generator = philox(0, "directions")
    for name in ("hidden", "output"):
        direction = generator.normal(size=params[name].shape)
        step = 1e-6
        ahead, behind = (
            _gradient(engine, {**params, name: params[name] + sign * step * direction}, pairs)[0].sum()
            for sign in (1, -1)
        )
        assert np.sum(gradient[name] * direction) == pytest.approx((ahead - behind) / (2 * step), rel=1e-7)


def test_outputs_of_zero_have_loss_one_minus_one_over_the_classes(engine):
    for modulus in (3, 7, 24):
        loss, _ = _gradient(engine, _weights(engine, modulus, output_scale=0.0), _pairs(modulus))
        np.testing.assert_allclose(engine.to_numpy(loss), 1 - 1 / modulus, rtol=1e-12)


def test_a_perfect_answer_has_no_loss_whatever_is_added_to_all_classes(engine):
    pairs = _pairs()
    targets = mlp.centred_targets(engine, pairs.labels, MODULUS)
    loss, gradient = mlp.centred_loss(engine, targets + 3.0, targets)
    np.testing.assert_allclose(engine.to_numpy(loss), 0, atol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(gradient), 0, atol=1e-12)


def test_networks_side_by_side_are_the_networks_alone(engine):
    pairs, params = _pairs(), _weights(engine)
    loss, gradient = _gradient(engine, params, pairs)
    for index in range(NETWORKS):
        alone = stacked([split(MODULUS, 0.55, philox(0, "pairs", index))[0]])
        own = map_tree(lambda leaf, index=index: leaf[index : index + 1], params)
        own_loss, own_gradient = _gradient(engine, own, alone)
        assert engine.item(own_loss) == pytest.approx(engine.item(loss[index]), rel=1e-12)
        for name in ("hidden", "output"):
            np.testing.assert_allclose(
                engine.to_numpy(own_gradient[name][0]), engine.to_numpy(gradient[name][index]), atol=1e-13
            )


def test_permuting_hidden_units_changes_no_output(engine):
    pairs, params = _pairs(), _weights(engine)
    rows = mlp.pair_rows(engine, MODULUS, pairs.first, pairs.second, for_gradient=False)
    order = engine.asarray(np.array([3, 0, 4, 1, 2]))
    permuted = {
        "hidden": engine.xp.take(params["hidden"], order, axis=2),
        "output": engine.xp.take(params["output"], order, axis=1),
    }
    before, after = (mlp.forward(engine, weights, rows).outputs for weights in (params, permuted))
    np.testing.assert_allclose(engine.to_numpy(after), engine.to_numpy(before), atol=1e-13)


def test_initial_weights_are_uniform_within_the_linear_layers_bounds():
    engine = select("numpy", precision="float64")
    params = mlp.initial_parameters(engine, 23, 400, [philox(0, "weights")])
    for name, inputs in (("hidden", 46), ("output", 400)):
        bound = inputs**-0.5
        assert 0.99 * bound < np.abs(params[name]).max() <= bound
        assert np.std(params[name]) == pytest.approx(bound / 3**0.5, rel=0.02)


def test_normal_weights_have_the_deviation_of_the_formula():
    engine = select("numpy", precision="float64")
    params = mlp.normal_parameters(engine, 97, 500, [philox(0, "weights")])
    for weights in params.values():
        assert weights.std() == pytest.approx((16 * 500) ** (-1 / 3), rel=0.01) == pytest.approx(0.05, rel=0.01)
        assert weights.mean() == pytest.approx(0, abs=1e-3)


def test_the_squared_loss_and_its_gradient_equal_torchs(engine):
    drawn = [philox(0, name).normal(size=(2, 9, MODULUS)) for name in ("outputs", "targets")]
    outputs, targets = (torch.tensor(array) for array in drawn)
    outputs.requires_grad_(True)
    expected = torch.stack([torch.nn.functional.mse_loss(*pair) for pair in zip(outputs, targets, strict=True)])
    expected.sum().backward()
    loss, gradient = mlp.squared_loss(engine, *map(engine.asarray, drawn))
    np.testing.assert_allclose(engine.to_numpy(loss), expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(gradient), outputs.grad.numpy(), rtol=1e-12)


def test_the_squared_loss_of_outputs_of_zero_is_one_over_the_classes(engine):
    one_hot = engine.asarray(np.eye(MODULUS)[None])
    loss, _ = mlp.squared_loss(engine, 0 * one_hot, one_hot)
    assert engine.item(loss) == pytest.approx(1 / MODULUS)


def test_the_output_scale_leaves_the_hidden_weights_alone(engine):
    whole, none = _weights(engine), _weights(engine, output_scale=0.0)
    assert np.array_equal(engine.to_numpy(whole["hidden"]), engine.to_numpy(none["hidden"]))
    assert np.all(engine.to_numpy(none["output"]) == 0)


def test_pairs_without_a_gradient_table_refuse_the_gradient(engine):
    pairs, params = _pairs(), _weights(engine)
    rows = mlp.pair_rows(engine, MODULUS, pairs.first, pairs.second, for_gradient=False)
    activations = mlp.forward(engine, params, rows)
    with pytest.raises(ValueError, match="for_gradient=True"):
        mlp.gradient(engine, params, rows, activations, activations.outputs)
