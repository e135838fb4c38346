from __future__ import annotations

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.kernels import scatter_add
from mem_core.kernels.scatter import reference


@pytest.mark.parametrize("further", [(), (1,), (3,), (2, 3)], ids=["numbers", "one_column", "rows", "matrices"])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_agrees_with_adding_row_by_row(engine, normal, further, count):
    rows, index = normal(count, *further), np.arange(count) ** 2 % 7
    sums = scatter_add(engine.asarray(rows), engine.asarray(index), size=9)
    np.testing.assert_allclose(engine.to_numpy(sums), reference.scatter_add(rows, index, 9), atol=1e-13)


def test_every_row_to_the_same_place_is_the_sum(engine, normal):
    rows = normal(50, 3)
    sums = scatter_add(engine.asarray(rows), engine.asarray(np.zeros(50, dtype=int)), size=2)
    np.testing.assert_allclose(engine.to_numpy(sums), [rows.sum(axis=0), np.zeros(3)], atol=1e-13)


def test_every_row_to_a_place_of_its_own_is_a_permutation(engine, normal):
    rows, places = normal(5, 3), np.array([3, 0, 4, 1, 2])
    sums = scatter_add(engine.asarray(rows), engine.asarray(places), size=5)
    np.testing.assert_array_equal(engine.to_numpy(sums)[places], rows)


def test_the_gradient_is_central_differences(engine, normal, gradients, central_differences):
    rows, index = normal(6, 2), np.array([0, 2, 2, 1, 2, 0])

    def function(rows):
        return scatter_add(rows, engine.asarray(index) if isinstance(rows, torch.Tensor) else index, size=4)

    (found,), (wanted,) = gradients(engine, function, [rows]), central_differences(function, [rows])
    np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_keeps_the_type_of_the_rows(normal, kind):
    single = select(kind, "float32")
    rows, index = normal(1000), np.arange(1000) % 3
    sums = single.to_numpy(scatter_add(single.asarray(rows), single.asarray(index), size=3))
    assert sums.dtype == np.float32
    np.testing.assert_allclose(sums, reference.scatter_add(rows, index, 3), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_takes_any_whole_numbers_as_index(engine, normal, dtype):
    rows, index = normal(4, 2), np.array([200, 0, 200, 1], dtype=dtype)
    sums = scatter_add(engine.asarray(rows), engine.asarray(index), size=201)
    np.testing.assert_allclose(engine.to_numpy(sums), reference.scatter_add(rows, index, 201))


def test_strided_rows_give_the_same(engine, normal):
    rows, index = normal(3, 8).T, np.arange(16)[::2] % 5
    given = torch.from_numpy(rows) if engine.kind == "torch" else rows
    sums = scatter_add(given, engine.asarray(index), size=5)
    np.testing.assert_allclose(engine.to_numpy(sums), reference.scatter_add(rows, index, 5))


def test_vmap_is_a_loop(engine, normal):
    rows, index = normal(3, 6, 2), np.stack([np.arange(6) % size for size in (2, 3, 4)])
    function = engine.vmap(lambda rows, index: scatter_add(rows, index, size=4))
    sums = engine.to_numpy(function(engine.asarray(rows), engine.asarray(index)))
    for entry in range(3):
        np.testing.assert_allclose(sums[entry], reference.scatter_add(rows[entry], index[entry], 4))


def test_vmap_of_the_gradient_is_a_loop_of_gradients(normal):
    rows, index = torch.tensor(normal(3, 6, 2)), torch.tensor([0, 2, 2, 1, 2, 0])
    gradient = torch.func.grad(lambda rows: (scatter_add(rows, index, size=4) ** 2).sum())
    together = torch.func.vmap(gradient)(rows)
    for entry in range(3):
        torch.testing.assert_close(together[entry], gradient(rows[entry]))


@pytest.mark.parametrize("wrong", [4, -1])
def test_an_index_outside_is_refused(engine, wrong):
    with pytest.raises(ValueError, match=r"scatter_add: index must lie in 0 … 3"):
        scatter_add(engine.asarray(np.ones((2, 3))), engine.asarray(np.array([0, wrong])), size=4)


@pytest.mark.parametrize(
    ("rows", "index", "size", "message"),
    [
        (np.ones((2, 3)), np.array([0, 1, 2]), 4, r"index must have shape \(rows\) = \(2\), got \(3,\)\."),
        (np.ones((2, 3)), np.array([0.0, 1.0]), 4, r"index must hold whole numbers, got float64\."),
        (np.ones((2, 3)), np.array([True, False]), 4, r"index must hold whole numbers, got bool\."),
        (np.ones((2, 3)), np.array([0, 1]), 0, r"size must be at least 1, got 0\."),
        (np.ones((0, 3)), np.zeros(0, dtype=int), 4, r"rows must have at least one entry along rows"),
        (np.ones((2, 3), dtype=int), np.array([0, 1]), 4, r"rows must hold floating-point numbers, got int64\."),
    ],
    ids=["rows", "float_index", "bool_index", "size", "empty", "integers"],
)
def test_bad_input_is_refused(engine, rows, index, size, message):
    with pytest.raises(ValueError, match=f"scatter_add: {message}"):
        scatter_add(engine.asarray(rows), engine.asarray(index), size)


def test_engines_must_not_be_mixed(normal):
    with pytest.raises(TypeError, match=r"convert them with engine\.asarray"):
        scatter_add(torch.tensor(normal(2, 3)), np.array([0, 1]), size=2)
