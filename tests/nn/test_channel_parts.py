"""Cutting channels into parts. Axes: batch, channels, length."""

import numpy as np

from mem_core.engine import philox
from mem_core.nn.channel_parts import channel_parts

X = philox(0, "parts").standard_normal((2, 6, 5))


def test_parts_are_the_channels_in_order(engine):
    parts = channel_parts(engine.asarray(X), parts=3)
    np.testing.assert_array_equal(np.concatenate([engine.to_numpy(part) for part in parts], axis=1), X)
    assert [part.shape for part in parts] == [(2, 2, 5)] * 3


def test_the_gradient_of_every_part_comes_back_to_its_channels(engine):
    def loss(x):
        first, second = channel_parts(x, parts=2)
        return engine.xp.sum(first * first) + 3.0 * engine.xp.sum(second)

    gradient = engine.to_numpy(engine.value_and_grad(loss)(engine.asarray(X))[1])
    np.testing.assert_allclose(gradient, np.concatenate([2 * X[:, :3], np.full((2, 3, 5), 3.0)], axis=1))


def test_a_part_that_is_not_used_has_no_gradient(engine):
    def loss(x):
        return engine.xp.sum(channel_parts(x, parts=2)[1])

    gradient = engine.to_numpy(engine.value_and_grad(loss)(engine.asarray(X))[1])
    np.testing.assert_array_equal(gradient, np.repeat([0.0, 1.0], 3)[None, :, None] * np.ones_like(X))
