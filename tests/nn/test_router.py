"""The top-k router against PyTorch's own softmax and topk, and the balance loss at its closed forms."""

import numpy as np
import pytest
import torch

from mem_core.engine import select
from mem_core.nn.router import load_balance_loss, route

TOKENS, EXPERTS = 50, 6


def logits(seed=0, spread=2.0):
    return spread * np.random.default_rng(seed).standard_normal((3, TOKENS, EXPERTS))


@pytest.mark.parametrize("top_k", [1, 2, 5, 6])
def test_routing_is_softmax_then_top_k_then_a_sum_of_one(engine, top_k):
    found = route(engine, engine.asarray(logits()), top_k)
    probabilities = torch.softmax(torch.tensor(logits()), dim=-1)
    best, places = torch.topk(probabilities, top_k, dim=-1)
    weights = torch.zeros_like(probabilities).scatter(-1, places, best / best.sum(dim=-1, keepdim=True))
    np.testing.assert_allclose(engine.to_numpy(found.probabilities), probabilities.numpy(), rtol=1e-12)
    np.testing.assert_allclose(engine.to_numpy(found.weights), weights.numpy(), rtol=1e-12)
    np.testing.assert_array_equal(engine.to_numpy(found.chosen), (weights > 0).double().numpy())


def test_of_equal_scores_the_lower_index_wins(engine):
    scores = engine.asarray([[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    chosen = engine.to_numpy(route(engine, scores, 2).chosen)
    assert chosen.tolist() == [[0, 1, 1, 0], [1, 1, 0, 0]]


def test_all_experts_with_equal_scores_weigh_the_same(engine):
    weights = engine.to_numpy(route(engine, engine.xp.zeros((2, 5)), 5).weights)
    np.testing.assert_allclose(weights, 0.2, rtol=1e-15)


def test_large_scores_do_not_overflow(engine):
    weights = engine.to_numpy(route(engine, engine.asarray([[1000.0, 999.0, -1000.0]]), 2).weights)
    np.testing.assert_allclose(weights, [[1 / (1 + np.exp(-1)), 1 / (1 + np.e), 0]], rtol=1e-12)


@pytest.mark.parametrize("top_k", [0, 7, -1])
def test_a_choice_of_none_or_of_more_than_there_are_is_refused(engine, top_k):
    with pytest.raises(ValueError, match=f"top_k must be from 1 to the number of experts, 6, got {top_k}"):
        route(engine, engine.asarray(logits()), top_k)


@pytest.mark.parametrize("top_k", [1, 3])
def test_the_balance_loss_of_even_use_is_the_number_of_choices(engine, top_k):
    # Every token prefers another expert, by so little that all probabilities are even.
    scores = 1e-9 * np.stack([np.roll(np.arange(EXPERTS), shift) for shift in range(EXPERTS)])
    found = load_balance_loss(engine, route(engine, engine.asarray(scores), top_k))
    assert engine.item(found) == pytest.approx(top_k, rel=1e-8)


def test_the_balance_loss_of_a_collapsed_router_is_the_number_of_experts(engine):
    scores = np.zeros((TOKENS, EXPERTS))
    scores[:, 2] = 100.0
    assert engine.item(load_balance_loss(engine, route(engine, engine.asarray(scores), 1))) == pytest.approx(EXPERTS)


def test_the_balance_loss_is_that_of_switch_transformers_summed_over_choices(engine):
    top_k = 2
    probabilities = torch.softmax(torch.tensor(logits()), dim=-1).reshape(-1, EXPERTS)
    order = torch.topk(probabilities, top_k, dim=-1).indices
    expected = sum(
        EXPERTS * torch.sum(torch.nn.functional.one_hot(order[:, j], EXPERTS).double().mean(0) * probabilities.mean(0))
        for j in range(top_k)
    )
    found = load_balance_loss(engine, route(engine, engine.asarray(logits()), top_k))
    assert engine.item(found) == pytest.approx(float(expected), rel=1e-12)


def test_gradients_reach_the_router_through_weights_and_balance(engine):
    given = logits()[0, :4]
    mixing = np.random.default_rng(1).standard_normal((4, EXPERTS))

    def loss(scores):
        found = route(engine, scores, 2)
        return engine.xp.sum(found.weights * engine.asarray(mixing)) + load_balance_loss(engine, found)

    _, gradient = engine.value_and_grad(loss)(engine.asarray(given))
    plain = select("numpy", precision="float64")

    def value(scores):
        found = route(plain, scores, 2)
        return float((found.weights * mixing).sum() + load_balance_loss(plain, found))

    for place in np.ndindex(*given.shape):
        step = np.zeros_like(given)
        step[place] = 1e-6
        slope = (value(given + step) - value(given - step)) / 2e-6
        assert engine.to_numpy(gradient)[place] == pytest.approx(slope, abs=1e-8)
