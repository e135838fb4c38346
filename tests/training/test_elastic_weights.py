import math

import numpy as np
import pytest

from mem_core.engine import leaves, philox, select
from mem_core.training.elastic_weights import Anchor, penalty

ENGINES = ("numpy", "torch")


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def weights(engine, stream):
    generator = philox(0, stream)
    return {
        "weight": engine.asarray(generator.normal(size=(2, 3, 4))),
        "bias": engine.asarray(generator.normal(size=(2, 1, 4))),
    }


def anchored(engine):
    importance = {name: leaf * leaf for name, leaf in weights(engine, "importance").items()}
    return Anchor.after(None, weights(engine, "then"), importance)


def test_at_the_anchor_loss_and_gradient_are_exactly_zero(engine):
    loss, gradient = penalty(engine, weights(engine, "then"), anchored(engine), 100.0)
    assert not engine.to_numpy(loss).any()
    assert not any(engine.to_numpy(leaf).any() for leaf in leaves(gradient))


def test_elsewhere_the_gradient_is_that_of_the_loss_by_central_differences(engine):
    anchor, now = anchored(engine), weights(engine, "now")
    _, gradient = penalty(engine, now, anchor, 7.0)
    step = 1e-5
    for name, place in (("weight", (1, 2, 3)), ("bias", (0, 0, 1))):
        losses = []
        for side in (1, -1):
            moved = {key: np.array(engine.to_numpy(leaf)) for key, leaf in now.items()}
            moved[name][place] += side * step
            there = {key: engine.asarray(leaf) for key, leaf in moved.items()}
            losses.append(engine.to_numpy(penalty(engine, there, anchor, 7.0)[0])[place[0]])
        slope = (losses[0] - losses[1]) / (2 * step)
        assert float(gradient[name][place]) == pytest.approx(slope, rel=1e-8)


def test_the_loss_is_the_sum_over_all_weights_of_one_network():
    engine = select("numpy")
    then, importance = [{"w": np.array([[1.0, 2.0], [0.0, 0.0]])}, {"w": np.array([[3.0, 1.0], [1.0, 5.0]])}]
    loss, _ = penalty(engine, {"w": np.array([[2.0, 4.0], [1.0, 0.0]])}, Anchor(then, importance, 1), 10.0)
    assert loss.tolist() == [10 * (3 * 1 + 1 * 4), 10 * 1]


def test_importance_is_the_mean_over_the_tasks_and_the_anchor_the_last():
    parts = [{"w": np.array([[value]])} for value in (3.0, 6.0, 0.0)]
    anchor = None
    for number, importance in enumerate(parts):
        anchor = Anchor.after(anchor, {"w": np.array([[float(number)]])}, importance)
    assert anchor.tasks == 3
    assert anchor.importance["w"].tolist() == [[3.0]]
    assert anchor.params["w"].tolist() == [[2.0]]


@pytest.mark.parametrize("strength", [-1.0, math.nan])
def test_a_strength_that_is_none_is_refused(strength):
    engine = select("numpy")
    with pytest.raises(ValueError, match="strength"):
        penalty(engine, weights(engine, "now"), anchored(engine), strength)
