"""The parallel transformer: its gradient against both gradient systems and differences, and what a token may see."""

import math

import numpy as np
import pytest
from torch.nn import functional

from mem_core.engine import leaves, map_tree, select
from mem_core.nn import parallel_transformer as transformer
from mem_core.nn.parallel_block import block_forward
from mem_core.nn.parallel_transformer import TransformerShape
from mem_core.nn.relu_mlp import log_softmax

ENGINES = ("numpy", "torch")
SHAPE = TransformerShape(vocabulary=9, length=4, answers=5, width=6, blocks=3, heads=2)
BATCH = 7


def _model(engine, seed=0):
    generator = np.random.default_rng(seed)
    params = transformer.initial_parameters(engine, SHAPE, generator)
    # Scales of exactly 1 and shifts of 0 would hide a wrong gradient.
    params = map_tree(lambda leaf: leaf + engine.asarray(0.1 * generator.standard_normal(tuple(leaf.shape))), params)
    tokens = generator.integers(SHAPE.vocabulary, size=(BATCH, SHAPE.length))
    wanted = np.eye(SHAPE.answers)[generator.integers(SHAPE.answers, size=BATCH)]
    return params, engine.asarray(tokens), engine.asarray(wanted)


@pytest.fixture(params=ENGINES)
def engine(request):
    return select(request.param, precision="float64")


def _loss(engine, tokens, wanted):
    def loss(params):
        logs = log_softmax(engine, transformer.logits(engine, params, tokens, SHAPE.heads))
        return -engine.xp.sum(wanted * logs) / BATCH

    return loss


def test_the_gradient_is_the_gradient_systems(engine):
    params, tokens, wanted = _model(engine)
    value, gradient = transformer.loss_and_gradient(engine, params, tokens, wanted, SHAPE.heads)
    expected_value, expected = engine.value_and_grad(_loss(engine, tokens, wanted))(params)
    assert engine.item(value) == pytest.approx(engine.item(expected_value), rel=1e-12)
    assert gradient.keys() == params.keys()
    pairs = []
    map_tree(lambda ours, theirs: pairs.append((ours, theirs)), gradient, expected)
    for ours, theirs in pairs:
        np.testing.assert_allclose(engine.to_numpy(ours), engine.to_numpy(theirs), rtol=1e-9, atol=1e-12)


def test_the_gradient_is_that_of_central_differences():
    engine = select("numpy", precision="float64")
    params, tokens, wanted = _model(engine)
    _, gradient = transformer.loss_and_gradient(engine, params, tokens, wanted, SHAPE.heads)
    loss = _loss(engine, tokens, wanted)
    generator = np.random.default_rng(1)
    direction = map_tree(lambda leaf: generator.standard_normal(leaf.shape), params)
    high, low = (
        loss(map_tree(lambda leaf, step, s=sign: leaf + s * 1e-6 * step, params, direction)) for sign in (1, -1)
    )
    along = sum(float(np.sum(ours * step)) for ours, step in zip(leaves(gradient), leaves(direction), strict=True))
    assert along == pytest.approx((high - low) / 2e-6, rel=1e-6)


def test_a_block_is_the_textbook_block():
    # PyTorch's own attention and norm as the second opinion.
    engine = select("torch", precision="float64")
    params, tokens, _ = _model(engine)
    block = params["blocks"][0]
    x = transformer.embed(engine, params, tokens)
    trace = block_forward(engine, block, x, SHAPE.heads)
    normed = functional.layer_norm(x, (SHAPE.width,), block["scale"], block["shift"], eps=1e-5)
    projected = (normed @ block["query_key_value"]).reshape(BATCH, SHAPE.length, 3, SHAPE.heads, -1)
    query, key, value = projected.permute(2, 0, 3, 1, 4)
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    attention = mixed.transpose(1, 2).reshape(x.shape) @ block["attention_out"]
    keys = functional.relu(normed @ block["ffn_in"] + block["ffn_in_bias"])
    values = keys @ block["ffn_out"] + block["ffn_out_bias"]
    for ours, theirs in ((trace.attention, attention), (trace.keys, keys), (trace.output, x + attention + values)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_a_token_sees_only_what_stands_before_it(engine):
    params, tokens, _ = _model(engine)
    x = transformer.embed(engine, params, tokens)
    later = engine.asarray(np.arange(SHAPE.length)[:, None] == SHAPE.length - 1)
    before, after = (
        transformer.blocks_forward(engine, params, stream, SHAPE.heads)[-1].output for stream in (x, x + 1.0 * later)
    )
    np.testing.assert_array_equal(engine.to_numpy(before[:, :-1]), engine.to_numpy(after[:, :-1]))
    assert np.abs(engine.to_numpy(before - after)[:, -1]).max() > 1e-3


def test_going_on_from_a_stream_is_the_same_run(engine):
    params, tokens, _ = _model(engine)
    x = transformer.embed(engine, params, tokens)
    whole = transformer.blocks_forward(engine, params, x, SHAPE.heads)
    part = transformer.blocks_forward(engine, params, x, SHAPE.heads, stop=2)
    rest = transformer.blocks_forward(engine, params, part[-1].output, SHAPE.heads, first=2)
    np.testing.assert_array_equal(engine.to_numpy(rest[-1].output), engine.to_numpy(whole[-1].output))


@pytest.mark.parametrize("first", [1, 2])
def test_the_gradient_by_a_stream_is_that_of_the_gradient_system(engine, first):
    params, tokens, wanted = _model(engine)
    x = transformer.embed(engine, params, tokens)
    stream = transformer.blocks_forward(engine, params, x, SHAPE.heads, stop=first)[-1].output

    def loss(stream):
        traces = transformer.blocks_forward(engine, params, stream, SHAPE.heads, first=first)
        logits = transformer.answer(engine, params, traces[-1].output[:, -1]).logits
        return -engine.xp.sum(wanted * log_softmax(engine, logits))

    traces = transformer.blocks_forward(engine, params, stream, SHAPE.heads, first=first)
    norm, logits = transformer.answer(engine, params, traces[-1].output[:, -1])
    error = engine.xp.exp(log_softmax(engine, logits)) - wanted
    by_last = transformer.answer_backward(engine, params, norm, error)
    found, by_blocks = transformer.blocks_backward(engine, params, traces, by_last, first=first)
    _, expected = engine.value_and_grad(loss)(stream)
    np.testing.assert_allclose(engine.to_numpy(found), engine.to_numpy(expected), rtol=1e-9, atol=1e-12)
    assert len(by_blocks) == SHAPE.blocks - first


def test_no_prompt_has_no_answer(engine):
    params, tokens, _ = _model(engine)
    assert tuple(transformer.logits(engine, params, tokens[:0], SHAPE.heads).shape) == (0, SHAPE.answers)


def test_weights_that_write_to_the_stream_start_smaller(engine):
    shape = TransformerShape(vocabulary=4, length=2, answers=3, width=64, blocks=8)
    params = transformer.initial_parameters(engine, shape, np.random.default_rng(0))
    deviation = {name: float(np.std(engine.to_numpy(params["blocks"][0][name]))) for name in ("ffn_in", "ffn_out")}
    assert deviation["ffn_in"] == pytest.approx(1 / math.sqrt(64), rel=0.05)
    assert deviation["ffn_out"] == pytest.approx(1 / math.sqrt(256) / 4, rel=0.05)


@pytest.mark.parametrize(("size", "value"), [("width", 0), ("blocks", 0), ("answers", -1), ("width", 7)])
def test_bad_sizes_are_named(size, value):
    with pytest.raises(ValueError, match=f"{size} must be"):
        TransformerShape(**{"vocabulary": 4, "length": 2, "answers": 3, "width": 8, size: value})
