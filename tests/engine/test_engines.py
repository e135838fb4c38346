from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from mem_core.engine import Engine, EngineError, available, leaves, map_tree, philox, select

# Names of the array API standard that mechanisms may use, each with arguments for arrays x (3, 4) and y (3, 4).
STANDARD: dict[str, Any] = {
    "concat": lambda xp, x, y: xp.concat([x, y], axis=1),
    "permute_dims": lambda xp, x, y: xp.permute_dims(x, (1, 0)),
    "matrix_transpose": lambda xp, x, y: xp.matrix_transpose(x),
    "vecdot": lambda xp, x, y: xp.vecdot(x, y),
    "cumulative_sum": lambda xp, x, y: xp.cumulative_sum(x, axis=1),
    "cumulative_sum with the initial": lambda xp, x, y: xp.cumulative_sum(x, axis=1, include_initial=True),
    "sum": lambda xp, x, y: xp.sum(x, axis=-1, keepdims=True),
    "mean": lambda xp, x, y: xp.mean(x * y, axis=0),
    "std": lambda xp, x, y: xp.std(x, axis=0, correction=1),
    "var": lambda xp, x, y: xp.var(x, axis=1),
    "stack": lambda xp, x, y: xp.stack([x, y], axis=1),
    "where": lambda xp, x, y: xp.where(x > 0, x, y),
    "expand_dims": lambda xp, x, y: xp.expand_dims(x, axis=1),
    "exp and log": lambda xp, x, y: xp.log(xp.exp(x) + xp.exp(y)),
    "max": lambda xp, x, y: xp.max(x, axis=1),
    "pow": lambda xp, x, y: xp.pow(xp.abs(x), 1.5),
    "atan2": lambda xp, x, y: xp.atan2(x, y),
    "einsum": lambda xp, x, y: xp.einsum("ij,kj->ik", x, y),
    "tanh": lambda xp, x, y: xp.tanh(x),
    "reshape": lambda xp, x, y: xp.reshape(x, (2, 6)),
    "astype": lambda xp, x, y: xp.astype(x, xp.float64),
    "maximum": lambda xp, x, y: xp.maximum(x, y),
    "take": lambda xp, x, y: xp.take(x, xp.asarray([2, 0, 2]), axis=-1),
    "zeros": lambda xp, x, y: xp.zeros((3, 4)) + x,
    "full": lambda xp, x, y: xp.full((3, 4), 0.5) * x,
    "linspace": lambda xp, x, y: xp.linspace(0.0, 1.0, 4) * x,
}


def two_arrays() -> tuple[np.ndarray, np.ndarray]:
    generator = philox(3, "arrays")
    return generator.normal(size=(3, 4)), generator.normal(size=(3, 4))


@pytest.mark.parametrize("name", STANDARD)
def test_standard_names_agree_on_both_engines_with_their_gradients(name: str) -> None:
    results = []
    for kind in ("numpy", "torch"):
        engine = select(kind, precision="float64")
        x, y = map(engine.asarray, two_arrays())
        output = STANDARD[name](engine.xp, x, y)

        def loss(params: Any, engine: Engine = engine, y: Any = y) -> Any:
            return engine.xp.sum(STANDARD[name](engine.xp, params["x"], y) ** 2)

        value, gradient = engine.value_and_grad(loss)({"x": x})
        results.append((engine.to_numpy(output), engine.item(value), engine.to_numpy(gradient["x"])))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_gradients_match_central_differences(engine: Engine) -> None:
    x, y = map(engine.asarray, two_arrays())

    def loss(params: Any) -> Any:
        return engine.xp.sum(engine.xp.tanh(params["w"] @ engine.xp.permute_dims(y, (1, 0))) ** 2)

    _, gradient = engine.value_and_grad(loss)({"w": x})
    step = np.zeros((3, 4))
    step[1, 2] = 1e-6
    up, down = (engine.item(loss({"w": engine.asarray(engine.to_numpy(x) + sign * step)})) for sign in (1, -1))
    assert engine.to_numpy(gradient["w"])[1, 2] == pytest.approx((up - down) / 2e-6, rel=1e-6)


def test_auxiliary_values_come_back_as_plain_arrays(engine: Engine) -> None:
    x, _ = map(engine.asarray, two_arrays())

    def loss(params: Any) -> Any:
        doubled = params["x"] * 2.0
        return engine.xp.sum(doubled**2), {"doubled": doubled}

    (value, auxiliary), gradient = engine.value_and_grad(loss, has_aux=True)({"x": x})
    np.testing.assert_allclose(engine.to_numpy(auxiliary["doubled"]), 2 * two_arrays()[0])
    np.testing.assert_allclose(engine.to_numpy(gradient["x"]), 8 * two_arrays()[0])
    assert engine.item(value) == pytest.approx(4 * (two_arrays()[0] ** 2).sum())


def test_vmap_equals_a_loop_also_over_gradients(engine: Engine) -> None:
    generator = philox(1, "batch")
    weights = engine.asarray(generator.normal(size=(5, 4)))
    x = engine.asarray(generator.normal(size=(3, 4)))

    def loss(params: Any, x: Any) -> Any:
        return engine.xp.sum((x @ params["w"]) ** 3)

    values, gradients = engine.vmap(engine.value_and_grad(loss), (0, None))({"w": weights}, x)
    for index in range(5):
        value, gradient = engine.value_and_grad(loss)({"w": weights[index]}, x)
        assert engine.item(values[index]) == pytest.approx(engine.item(value), rel=1e-12)
        np.testing.assert_allclose(engine.to_numpy(gradients["w"][index]), engine.to_numpy(gradient["w"]), rtol=1e-12)


def test_vmap_refuses_arguments_of_different_batch_sizes() -> None:
    numpy = select("numpy")
    with pytest.raises(ValueError, match="one batch size"):
        numpy.vmap(lambda a, b: a + b)(np.ones(3), np.ones(4))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_floats_take_the_engine_precision_and_whole_numbers_stay_whole(kind: str) -> None:
    single = select(kind)
    assert single.to_numpy(single.asarray([0.5])).dtype == np.float32
    assert single.to_numpy(single.asarray([1, 2])).dtype == np.int64
    assert single.to_numpy(single.asarray([0.5], dtype=single.xp.float64)).dtype == np.float64
    assert single.to_numpy(single.xp.zeros((2,))).dtype == np.float32
    assert single.to_numpy(single.xp.full((2,), 1)).dtype == np.int64


def test_moving_an_array_to_an_engine_does_not_share_its_memory() -> None:
    source = np.ones(3, dtype=np.float32)
    moved = select("torch").asarray(source)
    moved += 1
    assert source.tolist() == [1.0, 1.0, 1.0]


def test_the_same_seed_and_stream_give_the_same_numbers_and_others_do_not() -> None:
    first = philox(7, "weights", 0).normal(size=4)
    np.testing.assert_array_equal(first, philox(7, "weights", 0).normal(size=4))
    assert not np.allclose(first, philox(7, "weights", 1).normal(size=4))
    assert not np.allclose(first, philox(8, "weights", 0).normal(size=4))


def test_random_numbers_stay_what_they_were_so_that_old_links_show_old_runs() -> None:
    assert philox(0, "data").integers(1_000_000, size=3).tolist() == [923444, 645569, 777184]


def test_trees_map_and_list_their_leaves_in_order() -> None:
    tree = {"a": [1, 2], "b": {"c": 3}}
    assert map_tree(lambda x, y: x + y, tree, tree) == {"a": [2, 4], "b": {"c": 6}}
    assert leaves(tree) == [1, 2, 3]


def test_an_unknown_engine_is_refused_by_name() -> None:
    with pytest.raises(EngineError, match="There is no engine called 'jax'; the engines are auto, numpy, torch, cuda"):
        select("jax")


def test_the_environment_chooses_what_auto_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_CORE_ENGINE", "numpy")
    assert select("auto").kind == "numpy"
    monkeypatch.setenv("MEM_CORE_ENGINE", "abacus")
    with pytest.raises(EngineError, match="abacus"):
        select("auto")


def test_cuda_without_a_gpu_says_what_is_missing() -> None:
    if "cuda" in available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineError, match=r"GPU|Triton"):
        select("cuda")


def test_auto_takes_the_fastest_engine_that_works_here() -> None:
    assert select("auto").kind == available()[-1]


def in_a_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_package_imports_with_numpy_alone() -> None:
    heavy = "{'torch', 'triton', 'altair', 'marimo', 'polars', 'autograd', 'scipy', 'array_api_compat'}"
    code = (
        "import sys; from mem_core.mechanisms import catalog; catalog.load_all(); "
        f"from mem_core.engine import select; select('numpy'); print(sorted({heavy} & set(sys.modules)))"
    )
    assert in_a_process(code) == "[]"


def test_without_torch_auto_is_numpy_and_torch_says_what_to_install() -> None:
    code = (
        "import importlib.util as u, sys; real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else real(name, *rest)\n"
        "from mem_core.engine import select, EngineError\n"
        "print(select('auto').kind)\n"
        "try: select('torch')\n"
        "except EngineError as error: print(error)"
    )
    assert in_a_process(code).splitlines() == [
        "numpy",
        "The torch engine needs PyTorch; install it with: pip install 'memory-lab[torch]'.",
    ]
