from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import torch

from mem_core import kernels
from mem_core.engine import select
from mem_core.kernels import availability
from mem_core.kernels.activations import silu, softplus
from mem_core.kernels.dispatch import NAMED, Kernel, kind_of, namespace, zeros

EVERYTHING_ON_NUMPY = """
import sys
import numpy as np
from mem_core import kernels

one = np.ones((1, 20, 1, 1), dtype=np.float32)
kernels.ssd_scan(one, one[..., 0], -one[0, 0, 0], one, one, z=one, dt_softplus=True)
kernels.linear_scan(one[..., 0], one[..., 0])
kernels.causal_conv1d(one[..., 0], one[0, ..., 0], activation="silu")
row = one.reshape(1, 1, 20)
kernels.selective_scan(row, row, -one[0, 0], row, row, z=row)
kernels.hidden_state_mixer(row, row, one[0, 0, 0], row, row, one[0, 0, 0], one[0, :2, 0], one[0, 0])
kernels.scatter_add(one[0, :, 0], np.zeros(20, dtype=int), 2)
kernels.explain()
print([name for name in ("torch", "autograd", "array_api_compat", "triton") if name in sys.modules])
"""


def test_numpy_arrays_need_neither_torch_nor_autograd():
    done = subprocess.run([sys.executable, "-c", EVERYTHING_ON_NUMPY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


def test_kinds_are_told_apart():
    array, tensor = np.ones(2), torch.ones(2)
    assert kind_of(array, None) == "numpy"
    assert kind_of(tensor) == "torch"
    seen = []
    engine = select("numpy")
    engine.value_and_grad(lambda x: (seen.append((kind_of(array, x), namespace(x).__name__)), x.sum())[1])(array)
    assert seen == [("autograd", "autograd.numpy")]


def test_mixed_and_foreign_arguments_are_refused():
    with pytest.raises(TypeError, match="PyTorch tensors and some are not"):
        kind_of(torch.ones(2), np.ones(2))
    with pytest.raises(TypeError, match="Expected an array, got list"):
        kind_of([1.0])


def test_zeros_take_type_and_device_from_another_array(engine):
    found = zeros((2, 3), like=engine.asarray(np.ones(1)))
    assert engine.to_numpy(found).dtype == np.float64
    np.testing.assert_array_equal(engine.to_numpy(found), np.zeros((2, 3)))


def kernel_with_triton(name=""):
    return Kernel(lambda x: "numpy", lambda *_: (), lambda: lambda x: "torch", lambda: lambda x: "triton", name)


def test_a_gpu_gets_the_triton_version_where_there_is_one(triton):
    kernel, without = kernel_with_triton(), Kernel(lambda x: "numpy", lambda *_: (), lambda: lambda x: "torch")
    there = triton.asarray(np.ones(1))
    assert (kernel(np.ones(1)), kernel(there), without(there)) == ("numpy", "triton", "torch")


def test_a_tensor_that_triton_cannot_take_goes_to_torch_and_the_log_says_why_once(triton, caplog):
    kernel = kernel_with_triton("spelling_test")
    doubles = triton.asarray(np.ones(1), dtype=torch.float64)
    assert [kernel(doubles), kernel(doubles)] == ["torch", "torch"]
    assert [record.message for record in caplog.records] == [
        "spelling_test runs in PyTorch on the GPU, slower than in Triton: Triton kernels take float16, bfloat16, "
        "float32, and this is float64."
    ]
    NAMED.pop("spelling_test")


def test_without_triton_the_log_says_how_to_get_it(triton, caplog, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "triton" else find(name))
    monkeypatch.setattr(availability, "_logged", set())
    assert kernel_with_triton()(triton.asarray(np.ones(1))) == "torch"
    assert "Triton is not installed (pip install 'memory-lab[triton]', Linux only)" in caplog.text
    assert "linear_scan: the PyTorch version, because Triton is not installed" in kernels.explain()


def test_cpu_tensors_go_to_torch_even_when_triton_is_interpreted():
    assert kernel_with_triton()(torch.ones(1)) == "torch"


def test_the_explanation_has_a_line_for_every_kernel(triton):
    lines = kernels.explain().splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == sorted(NAMED)
    assert set(NAMED) >= {"causal_conv1d", "linear_scan", "scatter_add", "ssd_scan"}
    version = importlib.metadata.version("triton")
    wanted = f"linear_scan: Triton {version} for float16, bfloat16, float32, the PyTorch version for float64."
    assert wanted in lines
    assert "scatter_add: the PyTorch version, which is a single call of PyTorch already." in lines


@pytest.mark.skipif(torch.cuda.is_available(), reason="the explanation for a machine without a GPU")
def test_the_explanation_says_that_there_is_no_gpu():
    assert "linear_scan: the PyTorch version, because PyTorch sees no GPU." in kernels.explain()


@pytest.mark.parametrize("function", [silu, softplus])
def test_activations_and_their_slopes_are_the_same_on_both_engines(function):
    points = np.array([-800.0, -90.0, -20.0, -1.0, 0.0, 1e-3, 19.9, 20.1, 79.9, 80.1, 800.0])
    found = []
    for kind in ("numpy", "torch"):
        engine = select(kind, "float64")
        _, gradient = engine.value_and_grad(lambda x, engine=engine: engine.xp.sum(function(x)))(engine.asarray(points))
        found.append((engine.to_numpy(function(engine.asarray(points))), engine.to_numpy(gradient)))
    for numpy, torch_ in zip(*found, strict=True):
        np.testing.assert_allclose(numpy, torch_, rtol=1e-12, atol=1e-15)
