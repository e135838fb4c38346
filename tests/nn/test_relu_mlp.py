import numpy as np
import pytest
import torch

from mem_core.engine import leaves, map_tree, philox, select
from mem_core.nn import relu_mlp

ENGINES = ("numpy", "torch")
WIDTHS = (5, 7, 6, 4)


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def network(engine, networks=2, widths=WIDTHS):
    return relu_mlp.initial(engine, [philox(0, "weights", number) for number in range(networks)], widths)


def batch(engine, networks=2, examples=9):
    generator = philox(0, "examples")
    images = generator.normal(size=(networks, examples, WIDTHS[0]))
    return engine.asarray(images), engine.asarray(np.eye(4)[generator.integers(4, size=(networks, examples))])


def in_torch(engine, params, network_number):
    """Return one network as PyTorch's own layers."""
    layers = []
    for layer in params:
        weight, bias = (torch.tensor(engine.to_numpy(layer[name])[network_number]) for name in ("weight", "bias"))
        linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
        linear.weight.data, linear.bias.data = weight.T.contiguous(), bias[0]
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def test_weights_and_biases_are_uniform_within_one_over_the_root_of_the_inputs(engine):
    first, second = network(engine, networks=1, widths=(400, 100, 10))
    for layer, bound in ((first, 1 / 20), (second, 1 / 10)):
        for leaf in leaves(layer):
            values = engine.to_numpy(leaf)
            assert np.abs(values).max() <= bound
            assert np.abs(values).max() > 0.7 * bound
    weights = engine.to_numpy(first["weight"])
    assert weights.std() == pytest.approx(1 / 20 / np.sqrt(3), rel=0.02)  # a uniform distribution's


def test_a_network_does_not_depend_on_those_beside_it(engine):
    alone, together = network(engine, 1), network(engine, 3)
    map_tree(
        lambda one, all_: np.testing.assert_array_equal(engine.to_numpy(one)[0], engine.to_numpy(all_)[0]),
        alone,
        together,
    )


@pytest.mark.parametrize("widths", [(5,), (5, 0, 2)])
def test_widths_that_make_no_network_are_refused(widths):
    with pytest.raises(ValueError, match="widths must be"):
        network(select("numpy"), widths=widths)


def test_loss_and_gradient_are_pytorchs(engine):
    params, (images, targets) = network(engine), batch(engine)
    activations = relu_mlp.forward(engine, params, images)
    loss, error = relu_mlp.cross_entropy(engine, activations[-1], targets)
    ours = map_tree(engine.to_numpy, relu_mlp.gradient(engine, params, activations, error))
    for number in range(2):
        theirs = in_torch(engine, params, number)
        labels = torch.tensor(engine.to_numpy(targets)[number].argmax(-1))
        expected = torch.nn.functional.cross_entropy(theirs(torch.tensor(engine.to_numpy(images)[number])), labels)
        expected.backward()
        assert float(engine.to_numpy(loss)[number]) == pytest.approx(expected.item(), rel=1e-12)
        for layer, linear in zip(ours, theirs[::2], strict=True):
            np.testing.assert_allclose(layer["weight"][number], linear.weight.grad.numpy().T, atol=1e-14)
            np.testing.assert_allclose(layer["bias"][number, 0], linear.bias.grad.numpy(), atol=1e-14)


def test_the_gradient_is_the_engines_own(engine):
    params, (images, targets) = network(engine), batch(engine)

    def total(tree):
        return engine.xp.sum(relu_mlp.cross_entropy(engine, relu_mlp.forward(engine, tree, images)[-1], targets)[0])

    _, expected = engine.value_and_grad(total)(params)
    activations = relu_mlp.forward(engine, params, images)
    _, error = relu_mlp.cross_entropy(engine, activations[-1], targets)
    found = relu_mlp.gradient(engine, params, activations, error)
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(engine.to_numpy(one), engine.to_numpy(other), atol=1e-14)


def test_squared_gradients_are_those_of_every_example_alone(engine):
    params, (images, targets) = network(engine), batch(engine)
    activations = relu_mlp.forward(engine, params, images)
    errors = engine.xp.exp(relu_mlp.log_softmax(engine, activations[-1])) - targets
    found = map_tree(engine.to_numpy, relu_mlp.squared_gradients(engine, params, activations, errors))
    alone = []
    for number in range(images.shape[1]):
        image, target = images[:, number : number + 1], targets[:, number : number + 1]
        own = relu_mlp.forward(engine, params, image)
        _, error = relu_mlp.cross_entropy(engine, own[-1], target)
        alone.append(map_tree(engine.to_numpy, relu_mlp.gradient(engine, params, own, error)))
    expected = map_tree(lambda *gradients: np.mean(np.square(gradients), axis=0), *alone)
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-18)


def test_examples_may_be_shared_by_all_networks(engine):
    params, (images, targets) = network(engine), batch(engine, networks=1)
    shared = relu_mlp.forward(engine, params, images)
    repeated = relu_mlp.forward(engine, params, engine.xp.concat([images, images], axis=0))
    np.testing.assert_allclose(engine.to_numpy(shared[-1]), engine.to_numpy(repeated[-1]), atol=1e-15)
    _, error = relu_mlp.cross_entropy(engine, shared[-1], targets)
    ours, theirs = (relu_mlp.gradient(engine, params, each, error) for each in (shared, repeated))
    for one, other in zip(leaves(ours), leaves(theirs), strict=True):
        np.testing.assert_allclose(engine.to_numpy(one), engine.to_numpy(other), atol=1e-15)


def test_large_logits_neither_overflow_nor_lose_the_loss(engine):
    logits = engine.asarray(np.array([[[1e4, 0.0], [0.0, 1e4]]]))
    targets = engine.asarray(np.array([[[1.0, 0.0], [1.0, 0.0]]]))
    loss, error = relu_mlp.cross_entropy(engine, logits, targets)
    assert float(engine.to_numpy(loss)[0]) == 5e3
    np.testing.assert_allclose(engine.to_numpy(error), [[[0, 0], [-0.5, 0.5]]])


@pytest.mark.parametrize("units", [2, 4])
def test_distillation_is_pytorchs_divergence_over_the_known_units(engine, units):
    generator = philox(1, "logits")
    logits, teacher = (generator.normal(size=(1, 9, 4)) for _ in range(2))
    loss, gradient = relu_mlp.distillation(
        engine, engine.asarray(logits), engine.asarray(teacher), temperature=2.0, units=units
    )
    ours = torch.tensor(logits[0], requires_grad=True)
    log_q, log_p = (torch.log_softmax(each[:, :units] / 2.0, dim=-1) for each in (ours, torch.tensor(teacher[0])))
    expected = torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="batchmean")
    expected.backward()
    assert float(engine.to_numpy(loss)[0]) == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(engine.to_numpy(gradient)[0], ours.grad.numpy(), atol=1e-15)


def test_a_network_that_is_its_own_teacher_has_nothing_to_learn_from_it(engine):
    logits = engine.asarray(philox(2, "logits").normal(size=(2, 5, 4)))
    loss, gradient = relu_mlp.distillation(engine, logits, logits, temperature=2.0, units=3)
    assert not engine.to_numpy(loss).any()
    assert not engine.to_numpy(gradient).any()


@pytest.mark.parametrize(
    ("temperature", "units", "named"), [(0.0, 2, "temperature"), (2.0, 0, "units"), (2.0, 5, "units")]
)
def test_distillation_refuses_what_it_cannot_use(temperature, units, named):
    with pytest.raises(ValueError, match=named):
        relu_mlp.distillation(
            select("numpy"), np.zeros((1, 2, 4)), np.zeros((1, 2, 4)), temperature=temperature, units=units
        )
