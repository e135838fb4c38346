"""Optimizers against torch.optim in float64, on both engines."""

import numpy as np
import pytest
import torch

from mem_core.engine import map_tree, philox, select
from mem_core.training.optimizers import SGD, Adam, clip_by_global_norm

STEPS = 30
SHAPES = {"weights": (5, 3), "layers": [(4,), (2, 3, 2)]}
# The same formulas in the same float type: only the order of a few multiplications differs.
TOLERANCE = 1e-10

CASES = {
    "adam": (Adam(learning_rate=0.03), torch.optim.Adam, {"lr": 0.03}),
    "adam coupled decay": (
        Adam(learning_rate=0.01, betas=(0.8, 0.99), epsilon=1e-6, weight_decay=0.1),
        torch.optim.Adam,
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1},
    ),
    "adamw": (
        Adam(learning_rate=0.01, weight_decay=0.3, decoupled=True),
        torch.optim.AdamW,
        {"lr": 0.01, "weight_decay": 0.3},
    ),
    "sgd": (SGD(learning_rate=0.05), torch.optim.SGD, {"lr": 0.05}),
    "sgd momentum": (SGD(learning_rate=0.05, momentum=0.9), torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "sgd momentum decay": (
        SGD(learning_rate=0.05, momentum=0.9, weight_decay=0.02),
        torch.optim.SGD,
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.02},
    ),
}


def _draw(stream):
    generator = philox(0, "optimizers", stream)
    return {
        "weights": generator.normal(size=SHAPES["weights"]),
        "layers": [generator.normal(size=shape) for shape in SHAPES["layers"]],
    }


def _flat(tree):
    return [tree["weights"], *tree["layers"]]


@pytest.mark.parametrize(("ours", "reference", "arguments"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("scheduled", [False, True], ids=["constant rate", "scheduled rate"])
def test_updates_match_torch_optim(engine, ours, reference, arguments, scheduled):
    start = _draw("params")
    theirs = [torch.nn.Parameter(torch.from_numpy(array.copy())) for array in _flat(start)]
    optimizer = reference(theirs, **arguments)
    params = map_tree(engine.asarray, start)
    state = ours.init(params)
    for step in range(STEPS):
        gradient = _draw(step)
        rate = ours.learning_rate * (1 + step) / STEPS if scheduled else None
        if rate is not None:
            optimizer.param_groups[0]["lr"] = rate
        for parameter, grad in zip(theirs, _flat(gradient), strict=True):
            parameter.grad = torch.from_numpy(grad.copy())
        optimizer.step()
        params, state = ours.update(params, map_tree(engine.asarray, gradient), state, learning_rate=rate)
    for parameter, expected in zip(_flat(params), theirs, strict=True):
        np.testing.assert_allclose(engine.to_numpy(parameter), expected.detach().numpy(), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("ours", [case[0] for case in CASES.values()], ids=CASES.keys())
def test_float32_stays_float32_and_nothing_changes_in_place(ours):
    for name in ("numpy", "torch"):
        engine = select(name)
        params = map_tree(engine.asarray, _draw("params"))
        gradient = map_tree(engine.asarray, _draw("gradient"))
        kept = [engine.to_numpy(leaf).copy() for leaf in _flat(params) + _flat(gradient)]
        state = ours.init(params)
        for _ in range(2):
            new, state = ours.update(params, clip_by_global_norm(gradient, 0.5), state)
        assert all(engine.to_numpy(leaf).dtype == np.float32 for leaf in _flat(new))
        for leaf, before in zip(_flat(params) + _flat(gradient), kept, strict=True):
            np.testing.assert_array_equal(engine.to_numpy(leaf), before)


def test_decoupled_decay_is_weaker_than_coupled_by_the_learning_rate():
    params = {"w": np.ones(3)}
    no_gradient = {"w": np.zeros(3)}
    coupled, decoupled = (
        Adam(learning_rate=0.01, weight_decay=3e-4, decoupled=decoupled) for decoupled in (False, True)
    )
    moved_coupled = 1 - coupled.update(params, no_gradient, coupled.init(params))[0]["w"][0]
    moved_decoupled = 1 - decoupled.update(params, no_gradient, decoupled.init(params))[0]["w"][0]
    assert moved_coupled == pytest.approx(0.01, rel=1e-3)  # normalised: a full step of the learning rate
    assert moved_decoupled == pytest.approx(0.01 * 3e-4)


@pytest.mark.parametrize("largest", [0.3, 1e4], ids=["clipped", "left alone"])
def test_clipping_matches_torch(engine, largest):
    gradient = _draw("gradient")
    expected = [torch.nn.Parameter(torch.zeros(array.shape, dtype=torch.float64)) for array in _flat(gradient)]
    for parameter, grad in zip(expected, _flat(gradient), strict=True):
        parameter.grad = torch.from_numpy(grad.copy())
    torch.nn.utils.clip_grad_norm_(expected, largest)
    clipped = clip_by_global_norm(map_tree(engine.asarray, gradient), largest)
    for ours, parameter in zip(_flat(clipped), expected, strict=True):
        np.testing.assert_allclose(engine.to_numpy(ours), parameter.grad.numpy(), atol=TOLERANCE, rtol=0)


def test_clipping_a_zero_gradient_gives_zero():
    assert np.all(clip_by_global_norm({"w": np.zeros(4)}, 1.0)["w"] == 0)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Adam(learning_rate=0.0), "learning_rate is 0.0"),
        (lambda: Adam(learning_rate=float("nan")), "learning_rate is nan"),
        (lambda: Adam(learning_rate=0.1, betas=(0.9, 1.0)), "betas is 1.0"),
        (lambda: Adam(learning_rate=0.1, weight_decay=-1.0), "weight_decay is -1.0"),
        (lambda: Adam(learning_rate=0.1, epsilon=0.0), "epsilon is 0.0"),
        (lambda: SGD(learning_rate=-1.0), "learning_rate is -1.0"),
        (lambda: SGD(learning_rate=0.1, momentum=1.0), "momentum is 1.0"),
        (lambda: clip_by_global_norm({"w": np.ones(2)}, 0.0), "largest is 0.0"),
    ],
)
def test_bad_numbers_are_refused_by_name_and_value(make, named):
    with pytest.raises(ValueError, match=named):
        make()
