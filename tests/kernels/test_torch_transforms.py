"""What PyTorch's transforms do to every kernel: compile, batch, differentiate twice; on the CPU and in Triton."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mem_core import kernels
from mem_core.engine import Engine, select


def outputs_of(function: Callable, *arrays: torch.Tensor) -> torch.Tensor:
    """Add up the squares of all outputs, so that every gradient depends on every array."""
    found = function(*arrays)
    return sum((output**2).sum() for output in (found if isinstance(found, tuple) else (found,)))


def conv(x, weight, bias, initial_state):
    return kernels.causal_conv1d(x, weight, bias, initial_state, activation="silu")


def selective(u, delta, A, B, C, D, z, bias, start):
    return kernels.selective_scan(u, delta, A, B, C, D, z, bias, True, start, return_last_state=True)


def ssd(x, dt, A, B, C, start):
    return kernels.ssd_scan(x, dt, A, B, C, initial_state=start, return_final_state=True)


def attend(q, k, v, g, start):
    return kernels.gated_linear_attention(q, k, v, g, initial_state=start, return_final_state=True)


def learn(q, k, v, beta, g, start):
    return kernels.gated_delta_rule(q, k, v, beta, g, initial_state=start, return_final_state=True)


def mix(*arrays):
    return kernels.hidden_state_mixer(*arrays, return_hidden_state=True)


CASES = {
    "causal_conv1d": (conv, [(2, 3, 5), (3, 4), (3,), (2, 3, 3)]),
    "gated_delta_rule": (
        learn,
        [(1, 5, 2, 3), (1, 5, 2, 3), (1, 5, 2, 4), (1, 5, 2), (1, 5, 2), (1, 2, 3, 4)],
    ),
    "gated_linear_attention": (
        attend,
        [(1, 5, 2, 3), (1, 5, 2, 3), (1, 5, 2, 4), (1, 5, 2, 3), (1, 2, 3, 4)],
    ),
    "gated_linear_attention_per_head": (
        attend,
        [(1, 5, 2, 3), (1, 5, 2, 3), (1, 5, 2, 4), (1, 5, 2), (1, 2, 3, 4)],
    ),
    "hidden_state_mixer": (mix, [(1, 3, 5), (1, 2, 5), (2,), (1, 2, 5), (1, 2, 5), (1,), (8, 3), (3, 4)]),
    "linear_scan": (kernels.linear_scan, [(2, 5, 3), (2, 5, 3), (2, 3)]),
    "selective_scan": (
        selective,
        [(1, 4, 5), (1, 4, 5), (4, 2), (1, 2, 2, 5), (1, 2, 2, 5), (4,), (1, 4, 5), (4,), (1, 4, 2)],
    ),
    "ssd_scan": (ssd, [(1, 5, 2, 3), (1, 5, 2), (2,), (1, 5, 1, 2), (1, 5, 1, 2), (1, 2, 3, 2)]),
}


@pytest.fixture(params=["cpu", "triton"])
def device(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue("triton") if request.param == "triton" else select("torch")


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, device: Engine, normal: Callable) -> tuple[Callable, list[torch.Tensor]]:
    function, shapes = CASES[request.param]
    return function, [device.asarray(np.tanh(normal(*shape))) for shape in shapes]


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "triton"])
def test_compiling_changes_nothing(device):
    # In a process of its own: the compiler cannot follow the checks of types that tests put around every function.
    script = Path(__file__).with_name("compile_with_torch.py")
    done = subprocess.run([sys.executable, script, device], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(CASES)


def test_vmap_of_the_gradient_is_a_loop_of_gradients(case):
    function, arrays = case
    gradient = torch.func.grad(lambda *given: outputs_of(function, *given), argnums=tuple(range(len(arrays))))
    many = [torch.stack([array, -0.5 * array, 0.3 * array]) for array in arrays[1:]]
    together = torch.func.vmap(gradient, in_dims=(None, *[0] * len(many)))(arrays[0], *many)
    for entry in range(3):
        expected = gradient(arrays[0], *(array[entry] for array in many))
        for found, wanted in zip(together, expected, strict=True):
            torch.testing.assert_close(found[entry], wanted, rtol=1e-5, atol=1e-5)


def test_the_gradient_of_the_gradient_is_that_of_float64(case, device):
    function, arrays = case

    def size_of_gradient(*given):
        return sum((array**2).sum() for array in torch.func.grad(lambda *g: outputs_of(function, *g), (0, 1))(*given))

    exact = torch.func.grad(size_of_gradient, (0, 1))(*(array.double() for array in arrays))
    for found, wanted in zip(torch.func.grad(size_of_gradient, (0, 1))(*arrays), exact, strict=True):
        torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_strided_inputs_give_the_same(triton, normal, name):
    function, shapes = CASES[name]
    whole = [triton.asarray(np.tanh(normal(*(2 * size for size in shape)))) for shape in shapes]
    views = [array[tuple(slice(None, None, 2) for _ in array.shape)].requires_grad_() for array in whole]
    dense = [view.detach().contiguous().requires_grad_() for view in views]
    expected = torch.autograd.grad(outputs_of(function, *dense), dense)
    for found, wanted in zip(torch.autograd.grad(outputs_of(function, *views), views), expected, strict=True):
        torch.testing.assert_close(found, wanted)


# What flash-linear-attention allows its kernels, as a share of the root mean square.
TOLERANCE = {torch.bfloat16: 5e-3, torch.float16: 1e-3}
# Linear attention and the delta rule, whose gates stay in float32, have such a test of their own.
ALL_NARROW = [name for name in CASES if not name.startswith("gated")]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", ALL_NARROW)
def test_narrow_floats_are_within_their_rounding(triton, normal, name, dtype):
    function, shapes = CASES[name]
    narrow = [triton.asarray(np.tanh(normal(*shape)), dtype=dtype).requires_grad_() for shape in shapes]
    wide = [array.detach().cpu().double().requires_grad_() for array in narrow]
    outputs, exact = function(*narrow), function(*wide)
    outputs, exact = (found if isinstance(found, tuple) else (found,) for found in (outputs, exact))
    assert outputs[0].dtype == dtype
    found = torch.autograd.grad(sum(output.float().sum() for output in outputs), narrow)
    wanted = torch.autograd.grad(sum(output.sum() for output in exact), wide)
    for got, expected in zip([*outputs, *found], [*exact, *wanted], strict=True):
        assert (got.cpu().double() - expected).norm() < TOLERANCE[dtype] * max(expected.norm(), expected.numel() ** 0.5)


def test_narrow_floats_are_added_up_in_float32(triton):
    # In bfloat16 itself a sum stops to grow at 256, where half a unit of the last place is 1.
    ones = triton.asarray(np.ones((1, 400, 1)), dtype=torch.bfloat16)
    h = kernels.linear_scan(ones, ones)
    assert h.dtype == torch.bfloat16
    assert h[0, -1, 0].item() == 400
