"""Constrained fine-tuning: gradient steps on the same weights that the editors write, none moving further than a bound.

Source: FT-L in Meng et al. 2022, "Locating and Editing Factual Associations in GPT", arXiv 2202.05262, appendix E.
"""

from __future__ import annotations

from mem_core.data.fact_world import FactWorld
from mem_core.engine import Engine
from mem_core.mechanisms.editing.pmet.model import HEADS, Params, one_hot
from mem_core.mechanisms.editing.pmet.requests import ASKED, PREFIXES, Requests
from mem_core.mechanisms.editing.pmet.settings import EditSettings
from mem_core.mechanisms.editing.pmet.writing import with_change
from mem_core.nn import parallel_transformer as transformer
from mem_core.nn.relu_mlp import log_softmax
from mem_core.training.optimizers import Adam

RATE = 0.01
"""Of Adam."""
BOUND = 0.03
"""Largest change of a single weight: of 0.01 to 0.05 the one with the best score in the browser's world. A lower one
hardly changes an answer, a higher one damages more."""


def fine_tune(engine: Engine, params: Params, world: FactWorld, requests: Requests, settings: EditSettings) -> Params:
    """Lower the mean of −ln p(new) over the requests' prompts by Adam, and cut every weight's change to the bound.

    Args:
        engine: whose arrays these are.
        params: the model; left as it is.
        world: for the prompts.
        requests: what is changed; with none, nothing is.
        settings: edited layers and number of steps.
    """
    xp, layers = engine.xp, settings.edited_layers
    prompts = requests.prompts(world, (0, *PREFIXES), ASKED)
    x = transformer.embed(engine, params, engine.asarray(prompts.reshape(-1, prompts.shape[-1])))
    # Blocks below the first edited layer never change, so their part of the stream is computed once.
    x = transformer.blocks_forward(engine, params, x, HEADS, stop=layers[0])[-1].output
    wanted = one_hot(engine, requests.wanted.repeat(1 + len(PREFIXES)))
    adam = Adam(learning_rate=RATE)
    changes = [0.0 * params["blocks"][layer]["ffn_out"] for layer in layers]
    state, edited = adam.init(changes), params
    for _ in range(settings.steps):
        traces = transformer.blocks_forward(engine, edited, x, HEADS, first=layers[0])
        norm, logits = transformer.answer(engine, edited, traces[-1].output[:, -1])
        error = (xp.exp(log_softmax(engine, logits)) - wanted) / len(wanted)
        by_last = transformer.answer_backward(engine, edited, norm, error)
        _, by_blocks = transformer.blocks_backward(engine, edited, traces, by_last, first=layers[0])
        gradient = [by_blocks[layer - layers[0]]["ffn_out"] for layer in layers]
        changes, state = adam.update(changes, gradient, state)
        changes = [xp.clip(change, -BOUND, BOUND) for change in changes]
        edited = params
        for layer, change in zip(layers, changes, strict=True):
            edited = with_change(edited, layer, change)
    return edited
