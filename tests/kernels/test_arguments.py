"""Bad input to every public function: whatever is wrong is named, with what came and what was expected."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core import kernels
from mem_core.engine import select
from mem_core.kernels.arguments import Arguments

SHAPES = {
    "causal_conv1d": {"x": (2, 3, 5), "weight": (3, 4), "bias": (3,), "initial_state": (2, 3, 3)},
    "causal_conv1d_step": {"x": (2, 3), "state": (2, 3, 3), "weight": (3, 4), "bias": (3,)},
    "hidden_state_mixer": {
        "x": (2, 3, 5),
        **dict.fromkeys(("dt", "B", "C"), (2, 4, 5)),
        "A": (4,),
        "D": (1,),
        "hz_weight": (12, 3),
        "out_weight": (3, 6),
    },
    "linear_scan": {"a": (2, 5, 3), "b": (2, 5, 3), "initial_state": (2, 3)},
    "linear_scan_step": {"a": (2, 3), "b": (2, 3), "state": (2, 3)},
    "selective_scan": {
        **dict.fromkeys(("u", "delta", "z"), (2, 4, 5)),
        "A": (4, 3),
        **dict.fromkeys(("B", "C"), (2, 3, 5)),
        **dict.fromkeys(("D", "delta_bias"), (4,)),
        "initial_state": (2, 4, 3),
    },
    "selective_scan_step": {
        **dict.fromkeys(("u", "delta", "z"), (2, 4)),
        "A": (4, 3),
        **dict.fromkeys(("B", "C"), (2, 3)),
        **dict.fromkeys(("D", "delta_bias"), (4,)),
        "state": (2, 4, 3),
    },
    "ssd_scan": {
        **dict.fromkeys(("x", "z"), (2, 5, 4, 3)),
        "dt": (2, 5, 4),
        **dict.fromkeys(("A", "D", "dt_bias"), (4,)),
        **dict.fromkeys(("B", "C"), (2, 5, 2, 6)),
        "initial_state": (2, 4, 3, 6),
    },
    "ssd_step": {
        **dict.fromkeys(("x", "z"), (2, 4, 3)),
        "dt": (2, 4),
        **dict.fromkeys(("A", "D", "dt_bias"), (4,)),
        **dict.fromkeys(("B", "C"), (2, 2, 6)),
        "state": (2, 4, 3, 6),
    },
}
ARGUMENTS = [(function, name) for function, shapes in SHAPES.items() for name in shapes]
CHECKED = [(function, name) for function, name in ARGUMENTS if not function.endswith("step")]


@pytest.fixture
def given(engine):
    """Make arguments of ones for a function."""
    return lambda function: {name: engine.asarray(np.ones(shape)) for name, shape in SHAPES[function].items()}


@pytest.mark.parametrize("function", SHAPES)
def test_ones_will_do(given, function):
    getattr(kernels, function)(**given(function))


@pytest.mark.parametrize(("function", "name"), ARGUMENTS)
def test_an_axis_too_few_is_refused(engine, given, function, name):
    arguments = given(function)
    arguments[name] = engine.asarray(np.ones(()))
    with pytest.raises(ValueError, match=rf"{function}: {name} must have shape \(.*, got \(\)\."):
        getattr(kernels, function)(**arguments)


@pytest.mark.parametrize(("function", "name"), ARGUMENTS)
def test_whole_numbers_are_refused(engine, given, function, name):
    arguments = given(function)
    arguments[name] = engine.asarray(np.ones(SHAPES[function][name], dtype=np.int64))
    with pytest.raises(ValueError, match=f"{function}: {name} must hold floating-point numbers, got int64"):
        getattr(kernels, function)(**arguments)


@pytest.mark.parametrize(("function", "name"), ARGUMENTS)
def test_float64_is_not_mixed_with_narrower_floats(engine, given, function, name):
    arguments = given(function)
    first, *others = arguments
    single = select(engine.kind, "float32")
    arguments[name] = single.asarray(np.ones(SHAPES[function][name]))
    blamed, got = (others[0], "float64 and float32") if name == first else (name, "float32 and float64")
    with pytest.raises(ValueError, match=f"{function}: .* must be float64 if and only if .* is, got {got}") as caught:
        getattr(kernels, function)(**arguments)
    assert name in (blamed, first) or f"{blamed} must" in str(caught.value)


@pytest.mark.parametrize(("function", "name"), ARGUMENTS)
def test_tensors_on_two_devices_are_refused(function, name):
    arguments = {key: torch.ones(shape) for key, shape in SHAPES[function].items()}
    arguments[name] = arguments[name].to("meta")
    with pytest.raises(ValueError, match=rf"{function}: \w+ must be on (cpu|meta) as \w+ is, got (cpu|meta)\."):
        getattr(kernels, function)(**arguments)


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize(("function", "name"), CHECKED)
def test_numbers_that_are_not_finite_are_refused_when_checked(engine, given, function, name, number):
    arguments = given(function)
    place = tuple(size - 1 for size in SHAPES[function][name])
    arguments[name][place] = number
    message = rf"{function}: {name} must hold finite numbers, got {number} at \({', '.join(map(str, place))},?\)\."
    with pytest.raises(ValueError, match=message):
        getattr(kernels, function)(**arguments, check=True)


def test_checks_see_through_gradients(engine):
    def loss(a):
        return engine.xp.sum(kernels.linear_scan(a, a, check=True))

    assert engine.item(engine.value_and_grad(loss)(engine.asarray(np.ones((1, 2, 1))))[0]) == 3
    with pytest.raises(ValueError, match=r"linear_scan: a must hold finite numbers, got nan at \(0, 1, 0\)\."):
        engine.value_and_grad(loss)(engine.asarray([[[1.0], [np.nan]]]))


def test_tensors_and_arrays_are_not_mixed():
    with pytest.raises(TypeError, match="PyTorch tensors and some are not"):
        kernels.linear_scan(np.ones((1, 2, 1), np.float32), torch.ones(1, 2, 1))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_narrow_floats_stay_as_they_are_only_for_triton(triton, dtype):
    array = triton.asarray(np.ones(3), dtype=getattr(torch, dtype))
    assert str(Arguments("mix").take("x", array, "length").dtype) == "torch.float32"
    kept = Arguments("mix", kernels.dispatch.NAMED["linear_scan"]).take("x", array, "length")
    assert str(kept.dtype) == f"torch.{dtype}"
