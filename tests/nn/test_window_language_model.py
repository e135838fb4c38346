"""The window language model: its gradient against two gradient systems and differences, its decoding against a loop."""

import math

import numpy as np
import pytest
import torch

from mem_core.engine import map_tree, philox, select
from mem_core.nn.window_language_model import (
    WindowShape,
    continue_greedily,
    initial_parameters,
    logits,
    loss_and_gradient,
    negative_log_likelihood,
    predictions_of,
)
from mem_core.training.optimizers import Adam
from mem_core.training.trainer import descend

SHAPE = WindowShape(vocabulary=7, window=3, width=4, hidden=9)
TEXTS = np.array([[0, 3, 3, 6, 1], [2, 2, 2, 2, 2], [5, 4, 0, 3, 3]])  # repeats inside a window, and between texts


def weights(engine, shape=SHAPE, seed=0):
    return initial_parameters(engine, shape, philox(seed, "weights"))


def loss_in_torch(params, texts, shape=SHAPE):
    """The model in PyTorch's own modules: an embedding with a token for the start, two linear layers, cross-entropy."""
    padded = torch.cat([torch.full((len(texts), shape.window), shape.vocabulary), torch.tensor(texts)], dim=1)
    windows = padded[:, :-1].unfold(1, shape.window, 1)
    features = torch.nn.functional.embedding(windows, params["embedding"]).flatten(2)
    hidden = torch.relu(features @ params["hidden"] + params["hidden_bias"])
    outputs = hidden @ params["output"] + params["output_bias"]
    return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), torch.tensor(texts).flatten())


def test_loss_and_gradient_equal_those_of_torch(engine):
    params = weights(engine)
    loss, gradient = loss_and_gradient(engine, params, predictions_of(engine, SHAPE, TEXTS))
    theirs = {name: torch.tensor(engine.to_numpy(value), requires_grad=True) for name, value in params.items()}
    expected = loss_in_torch(theirs, TEXTS)
    expected.backward()
    assert engine.item(loss) == pytest.approx(expected.item(), rel=1e-12)
    assert gradient.keys() == params.keys()
    for name, value in gradient.items():
        np.testing.assert_allclose(engine.to_numpy(value), theirs[name].grad.numpy(), atol=1e-14, err_msg=name)


def test_the_gradient_by_hand_equals_the_one_of_the_engine(engine):
    params, predictions = weights(engine), predictions_of(engine, SHAPE, TEXTS)
    evaluate = engine.value_and_grad(
        lambda params: engine.xp.mean(negative_log_likelihood(engine, params, predictions))
    )
    value, expected = evaluate(params)
    loss, gradient = loss_and_gradient(engine, params, predictions)
    assert engine.item(loss) == pytest.approx(engine.item(value), rel=1e-12)
    map_tree(
        lambda ours, theirs: np.testing.assert_allclose(engine.to_numpy(ours), engine.to_numpy(theirs), atol=1e-14),
        gradient,
        expected,
    )


def test_the_gradient_equals_central_differences():
    engine, size = select("numpy", precision="float64"), 1e-6
    params, predictions = weights(engine), predictions_of(engine, SHAPE, TEXTS)
    _, gradient = loss_and_gradient(engine, params, predictions)
    generator = philox(1, "directions")
    for name, value in params.items():
        direction = generator.standard_normal(value.shape)
        ends = [
            loss_and_gradient(engine, {**params, name: value + sign * size * direction}, predictions)[0]
            for sign in (1, -1)
        ]
        assert np.sum(gradient[name] * direction) == pytest.approx((ends[0] - ends[1]) / (2 * size), rel=1e-6)


def test_training_equals_a_loop_in_torch(engine):
    params, steps = weights(engine), 20
    batch = (predictions_of(engine, SHAPE, TEXTS),)
    *_, last = descend(
        engine,
        lambda params, predictions: loss_and_gradient(engine, params, predictions),
        params,
        [batch] * steps,
        optimizer=Adam(learning_rate=1.0),
        rates=[0.01] * steps,
    )
    theirs = {name: torch.tensor(engine.to_numpy(value), requires_grad=True) for name, value in params.items()}
    reference = torch.optim.Adam(theirs.values(), lr=0.01)
    for _ in range(steps):
        reference.zero_grad()
        loss_in_torch(theirs, TEXTS).backward()
        reference.step()
    for name, value in theirs.items():
        np.testing.assert_allclose(engine.to_numpy(last.params[name]), value.detach().numpy(), atol=1e-10)


def test_a_model_that_knows_nothing_gives_every_token_the_same_probability(engine):
    params = map_tree(lambda value: value * 0.0, weights(engine))
    losses = engine.to_numpy(negative_log_likelihood(engine, params, predictions_of(engine, SHAPE, TEXTS)))
    assert losses.shape == TEXTS.shape
    np.testing.assert_allclose(losses, math.log(7), rtol=1e-12)


def test_probabilities_sum_to_one_and_large_logits_do_not_overflow(engine):
    params = weights(engine)
    params["output"] = params["output"] * 1e4
    every_token = np.stack([np.array([0, 3, token]) for token in range(7)])
    losses = negative_log_likelihood(engine, params, predictions_of(engine, SHAPE, every_token))
    assert np.exp(-engine.to_numpy(losses)[:, 2]).sum() == pytest.approx(1, rel=1e-12)


def test_windows_hold_the_tokens_before_each_place_after_a_start_token():
    windows, targets = predictions_of(select("numpy"), SHAPE, TEXTS[:1])
    assert windows[0].tolist() == [[7, 7, 7], [7, 7, 0], [7, 0, 3], [0, 3, 3], [3, 3, 6]]
    assert targets[0].tolist() == [0, 3, 3, 6, 1]


def test_only_the_tokens_in_the_window_count(engine):
    params = weights(engine)
    one, other = (
        engine.to_numpy(negative_log_likelihood(engine, params, predictions_of(engine, SHAPE, np.array([text]))))
        for text in ([0, 1, 2, 3, 4, 5], [6, 1, 2, 3, 4, 5])
    )
    np.testing.assert_array_equal(one[0, 4:], other[0, 4:])  # both see 1 2 3 and 2 3 4
    assert (one[0, :4] != other[0, :4]).all()


def test_a_model_trained_on_one_text_recites_it(engine):
    text = np.array([[3, 1, 4, 1, 5, 2, 6, 5, 3, 5]])
    batch = (predictions_of(engine, SHAPE, text),)
    *_, last = descend(
        engine,
        lambda params, predictions: loss_and_gradient(engine, params, predictions),
        weights(engine),
        [batch] * 150,
        optimizer=Adam(learning_rate=1.0),
        rates=[0.02] * 150,
    )
    for given in (0, 2, 5, 10):
        written = engine.to_numpy(continue_greedily(engine, last.params, text[:, :given], 10))
        assert written.tolist() == text.tolist()


def test_greedy_decoding_takes_the_likeliest_token_each_time(engine):
    params, prompts = weights(engine), TEXTS[:, :2]
    written = engine.to_numpy(continue_greedily(engine, params, prompts, 6))
    assert written[:, :2].tolist() == prompts.tolist()
    for text in written.tolist():
        for place in range(2, 6):
            window = [7, 7, 7, *text[:place]][-3:]
            outputs = engine.to_numpy(logits(engine, params, engine.asarray(np.array([window]))))
            assert text[place] == outputs.argmax()


def test_first_weights_have_the_stated_spread():
    shape = WindowShape(vocabulary=99, window=4, width=50, hidden=200)
    params = weights(select("numpy"), shape)
    spreads = {name: float(value.std()) for name, value in params.items()}
    assert spreads["embedding"] == pytest.approx(0.3, rel=0.05)
    assert spreads["hidden"] == pytest.approx(1 / math.sqrt(200), rel=0.02)
    assert spreads["output"] == pytest.approx(1 / math.sqrt(200), rel=0.02)
    assert spreads["hidden_bias"] == spreads["output_bias"] == 0


def test_bad_input_is_refused():
    engine = select("numpy")
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        WindowShape(7, 0, 4, 9)
    with pytest.raises(ValueError, match="at least 2 tokens"):
        predictions_of(engine, SHAPE, np.array([[1], [2]]))
    with pytest.raises(ValueError, match=r"0 … 6, got 1 … 7"):
        predictions_of(engine, SHAPE, np.array([[1, 7]]))
    with pytest.raises(ValueError, match="at least the 5 tokens of the prompts, got 4"):
        continue_greedily(engine, weights(engine), TEXTS, 4)
