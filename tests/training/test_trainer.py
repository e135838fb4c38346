"""The training loop against the same loop written in PyTorch."""

import itertools

import numpy as np
import pytest
import torch

from mem_core.engine import philox
from mem_core.training.optimizers import SGD, Adam
from mem_core.training.schedules import cosine
from mem_core.training.trainer import DivergedError, descend, train

STEPS = 25
RATES = cosine(STEPS, 0.1, floor_ratio=0.0, warmup_steps=5)
START = np.array([[0.5], [-1.0], [2.0]])


def _data():
    generator = philox(0, "regression")
    return generator.standard_normal((STEPS, 8, 3)), generator.standard_normal((STEPS, 8, 1))


def _loss(params, x, y):
    return ((x @ params["weight"] - y) ** 2).mean()


def _batches(engine):
    return ((engine.asarray(x), engine.asarray(y)) for x, y in zip(*_data(), strict=True))


def test_equals_a_loop_in_torch_with_clipping_and_schedule(engine):
    optimizer = Adam(learning_rate=1.0, betas=(0.9, 0.95))
    updates = list(
        train(
            engine,
            _loss,
            {"weight": engine.asarray(START)},
            _batches(engine),
            optimizer=optimizer,
            rates=RATES,
            largest_gradient=0.5,
        )
    )

    weight = torch.tensor(START, requires_grad=True)
    reference = torch.optim.Adam([weight], betas=(0.9, 0.95))
    for rate, x, y, update in zip(RATES, *map(torch.tensor, _data()), updates, strict=True):
        reference.param_groups[0]["lr"] = rate
        loss = ((x @ weight - y) ** 2).mean()
        reference.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([weight], 0.5)
        reference.step()
        assert update.loss == pytest.approx(loss.item(), abs=1e-10)
        np.testing.assert_allclose(engine.to_numpy(update.params["weight"]), weight.detach().numpy(), atol=1e-10)
    assert [update.step for update in updates] == list(range(1, STEPS + 1))
    assert [update.learning_rate for update in updates] == RATES.tolist()


def test_nothing_is_computed_before_it_is_asked_for(engine):
    drawn = []

    def batches():
        for batch in _batches(engine):
            drawn.append(batch)
            yield batch

    updates = train(
        engine, _loss, {"weight": engine.asarray(START)}, batches(), optimizer=SGD(learning_rate=0.1), rates=RATES
    )
    assert not drawn
    assert [update.step for update in itertools.islice(updates, 3)] == [1, 2, 3]
    assert len(drawn) == 3


def test_the_parameters_given_are_left_as_they_are(engine):
    params = {"weight": engine.asarray(START)}
    for _ in train(engine, _loss, params, _batches(engine), optimizer=Adam(learning_rate=0.1), rates=RATES):
        pass
    np.testing.assert_array_equal(engine.to_numpy(params["weight"]), START)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_a_loss_that_is_no_number_names_the_step(engine):
    steps = train(
        engine,
        _loss,
        {"weight": engine.asarray(START)},
        _batches(engine),
        optimizer=SGD(learning_rate=1.0),
        rates=[1e200] * STEPS,
    )
    with pytest.raises(DivergedError, match=r"at step \d+, at a learning rate of 1e\+200"):
        list(steps)


def test_too_few_batches_are_an_error(engine):
    batches = itertools.islice(_batches(engine), 2)
    steps = train(
        engine, _loss, {"weight": engine.asarray(START)}, batches, optimizer=SGD(learning_rate=0.1), rates=RATES
    )
    with pytest.raises(ValueError, match="batches ended before step 3"):
        list(steps)


def test_a_gradient_by_hand_gives_the_same_updates(engine):
    def value_and_grad(params, x, y):
        error = x @ params["weight"] - y
        return (error**2).mean(), {"weight": 2 * x.T @ error / len(x)}

    start = {"weight": engine.asarray(START)}
    optimizer = Adam(learning_rate=1.0)
    by_hand = descend(engine, value_and_grad, start, _batches(engine), optimizer=optimizer, rates=RATES)
    automatic = train(engine, _loss, start, _batches(engine), optimizer=optimizer, rates=RATES)
    for ours, theirs in zip(by_hand, automatic, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-12)
        weights = [engine.to_numpy(update.params["weight"]) for update in (ours, theirs)]
        np.testing.assert_allclose(*weights, rtol=1e-10)
