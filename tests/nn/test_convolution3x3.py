import numpy as np
import pytest
import torch
from torch.nn import functional

from mem_core.engine import select
from mem_core.nn.convolution3x3 import convolution3x3, halved, neighbourhoods

ENGINES = ("numpy", "torch")


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def drawn(*shape):
    return np.random.default_rng(3).standard_normal(shape)


def by_torch(pictures, weight, bias):
    """One network's convolution; the weights of a tap are in rows of all channels."""
    channels, outputs = pictures.shape[-1], weight.shape[-1]
    kernel = torch.tensor(weight).reshape(3, 3, channels, outputs).permute(3, 2, 0, 1)
    picture = torch.tensor(pictures).permute(0, 3, 1, 2)
    return functional.conv2d(picture, kernel, torch.tensor(bias[0]), padding=1).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("side", [1, 2, 5, 8])
def test_it_is_pytorchs_convolution_in_every_network(engine, side):
    pictures, weight, bias = drawn(2, 4, side, side, 3), drawn(2, 27, 5), drawn(2, 1, 5)
    found = engine.to_numpy(convolution3x3(engine, *map(engine.asarray, (pictures, weight, bias))))
    for network in range(2):
        expected = by_torch(pictures[network], weight[network], bias[network])
        np.testing.assert_allclose(found[network], expected, rtol=1e-12, atol=1e-12)


def test_the_same_pictures_go_through_every_network(engine):
    pictures, weight, bias = drawn(1, 4, 6, 6, 1), drawn(3, 9, 2), drawn(3, 1, 2)
    found = engine.to_numpy(convolution3x3(engine, *map(engine.asarray, (pictures, weight, bias))))
    assert found.shape == (3, 4, 6, 6, 2)
    np.testing.assert_allclose(found[2], by_torch(pictures[0], weight[2], bias[2]), rtol=1e-12, atol=1e-12)


def test_its_gradients_are_those_of_central_differences(engine):
    pictures, bias = engine.asarray(drawn(1, 2, 4, 4, 1)), engine.asarray(drawn(1, 1, 2))
    weight = drawn(1, 9, 2)

    def loss(weight):
        return engine.xp.sum(halved(engine, convolution3x3(engine, pictures, weight, bias)) ** 3)

    gradient = engine.to_numpy(engine.value_and_grad(loss)(engine.asarray(weight))[1])
    for place in [(0, 0, 0), (0, 4, 1), (0, 8, 0)]:
        moved = np.zeros_like(weight)
        moved[place] = 1e-5
        up, down = (engine.item(loss(engine.asarray(weight + sign * moved))) for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-5, rel=1e-6)


def test_halving_averages_two_by_two_pixels(engine):
    picture = np.arange(16.0).reshape(1, 1, 4, 4, 1)
    found = engine.to_numpy(halved(engine, engine.asarray(picture)))
    assert found[0, 0, :, :, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_pictures_of_the_wrong_shape_are_refused(engine):
    with pytest.raises(ValueError, match="pictures must be square"):
        neighbourhoods(engine, engine.asarray(drawn(1, 1, 3, 4, 1)))
    with pytest.raises(ValueError, match="even side to be halved, got 3"):
        halved(engine, engine.asarray(drawn(1, 1, 3, 3, 1)))
