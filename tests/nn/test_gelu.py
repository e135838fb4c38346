"""GELU against x·Φ(x) and PyTorch."""

import numpy as np
import torch
from scipy.stats import norm

from mem_core.engine import select
from mem_core.nn.gelu import gelu

X = np.linspace(-8.0, 8.0, 401)


def test_is_x_times_the_normal_distribution_function_to_three_digits(engine):
    np.testing.assert_allclose(engine.to_numpy(gelu(engine.asarray(X))), X * norm.cdf(X), atol=5e-4)


def test_value_and_gradient_agree_with_torch():
    """The same formula in float64, summed in another order."""
    engine = select("numpy", "float64")
    tensor = torch.tensor(X, requires_grad=True)
    wanted = torch.nn.functional.gelu(tensor, approximate="tanh")
    found = engine.value_and_grad(lambda x: engine.xp.sum(gelu(x) * engine.asarray(X)))(engine.asarray(X))[1]
    (gradient,) = torch.autograd.grad((wanted * torch.tensor(X)).sum(), tensor)
    np.testing.assert_allclose(gelu(X), wanted.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(found, gradient.numpy(), atol=1e-12)


def test_large_numbers_do_not_overflow(engine):
    far = engine.asarray(np.array([-1e4, 1e4]))
    np.testing.assert_array_equal(engine.to_numpy(gelu(far)), [0.0, 1e4])


def test_the_argument_stays_as_it_is():
    x = X.copy()
    gelu(x)
    np.testing.assert_array_equal(x, X)
