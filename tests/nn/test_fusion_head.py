"""A head on every stage. Axes: b image, D channels, N state, l token, K classes."""

import numpy as np
import pytest
import torch

from mem_core.engine import philox
from mem_core.nn import fusion_head

STATES, TOKENS = philox(0, "states").standard_normal((2, 3, 6, 4)), philox(0, "tokens").standard_normal((3, 6, 9))


@pytest.fixture
def params(engine):
    return fusion_head.init(engine, 2, 6, 5, philox(1, "head"))


def _logits(engine, params):
    return fusion_head.head_logits(engine, params, [engine.asarray(one) for one in STATES], engine.asarray(TOKENS))


def test_every_head_is_a_linear_map_of_the_mean_of_its_normalised_vectors(engine, params):
    for found, seen, head in zip(_logits(engine, params), (*STATES, TOKENS), params["heads"], strict=True):
        vectors = torch.tensor(seen).transpose(1, 2)
        mean = torch.nn.functional.layer_norm(vectors, (6,)).mean(dim=1).numpy()
        np.testing.assert_allclose(engine.to_numpy(found), mean @ engine.to_numpy(head["weight"]), atol=1e-12)


def test_at_the_start_all_heads_count_alike(engine, params):
    logits = _logits(engine, params)
    np.testing.assert_allclose(engine.to_numpy(fusion_head.fusion_weights(engine, params)), 1 / 3)
    found = engine.to_numpy(fusion_head.fused(engine, params, logits))
    np.testing.assert_allclose(found, engine.to_numpy(logits).mean(axis=0), atol=1e-12)


def test_a_head_with_a_far_higher_score_decides_alone(engine, params):
    logits = _logits(engine, params)
    decided = {**params, "scores": engine.asarray(np.array([0.0, 1000.0, 0.0]))}
    found = engine.to_numpy(fusion_head.fused(engine, decided, logits))
    np.testing.assert_allclose(found, engine.to_numpy(logits[1]), atol=1e-12)


def test_without_stages_the_tokens_are_all_there_is(engine):
    params = fusion_head.init(engine, 0, 6, 5, philox(1, "head"))
    logits = fusion_head.head_logits(engine, params, [], engine.asarray(TOKENS))
    assert logits.shape == (1, 3, 5)
    np.testing.assert_array_equal(
        engine.to_numpy(fusion_head.fused(engine, params, logits)), engine.to_numpy(logits[0])
    )


def test_states_without_a_head_are_refused(engine, params):
    with pytest.raises(ValueError, match="states must be 2, one for every head but the last, got 1"):
        fusion_head.head_logits(engine, params, [engine.asarray(STATES[0])], engine.asarray(TOKENS))
