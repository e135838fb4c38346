"""Writing the wanted values into the feed-forward memories, one layer after the other.

For layers l_1 < … < l_n, i = 0 … n − 1, with the model as edited so far:

    r = z − m_L,   R = r / divisor_i,   Δ = (KᵀK + λC)⁻¹KᵀR,   W ← W + Δ

Axes: E requests, J contexts, d width, F feed-forward units.

Source: arXiv 2308.08742, section 4.2; `pmet_main.py` and `compute_ks.py` of its code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mem_core.data.fact_world import FactWorld
from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.editing.pmet.model import BLOCKS, HEADS, Params
from mem_core.mechanisms.editing.pmet.requests import ASKED, PREFIXES, Requests
from mem_core.mechanisms.editing.pmet.settings import LAST, LINEAR, SQUARE_ROOT
from mem_core.mechanisms.editing.pmet.targets import clean_value
from mem_core.nn import parallel_transformer as transformer
from mem_core.nn.linear_associative_memory import constrained_update, second_moment

GENERAL_PROMPTS = 2000
"""Random prompts over whose tokens the keys to be preserved are averaged."""

Moments = Mapping[int, Array]
"""C of each layer, (F, F), of the model before any edit."""


class Edited(NamedTuple):
    """An edited model, and the length ‖Δ‖ of the change of each edited layer's weights."""

    params: Params
    lengths: dict[int, float]


def divisors(layers: int, spread: str) -> list[float]:
    """Return what the residual is divided by at each of n layers: √(n − i), n − i, or ∞ until the last.

    Raises:
        ValueError: if there is no layer, or no spread of that name.

    >>> divisors(3, "linear")
    [3.0, 2.0, 1.0]
    """
    if layers < 1:
        raise ValueError(f"layers must be at least 1, got {layers}.")
    left = range(layers, 0, -1)
    if spread == SQUARE_ROOT:
        return [math.sqrt(number) for number in left]
    if spread == LINEAR:
        return [float(number) for number in left]
    if spread == LAST:
        return [1.0 if number == 1 else math.inf for number in left]
    raise ValueError(f"spread must be {SQUARE_ROOT!r}, {LINEAR!r} or {LAST!r}, got {spread!r}.")


def general_moments(engine: Engine, params: Params, world: FactWorld, layers: Sequence[int], seed: int) -> Moments:
    """Average kᵀk over all tokens of random prompts, for each layer."""
    tokens, _ = world.draw(philox(seed, "pmet", "general prompts"), GENERAL_PROMPTS)
    x = transformer.embed(engine, params, engine.asarray(tokens))
    traces = transformer.blocks_forward(engine, params, x, HEADS, stop=layers[-1] + 1)
    return {
        layer: second_moment(engine, traces[layer].keys.reshape(-1, traces[layer].keys.shape[-1])) for layer in layers
    }


def write(
    engine: Engine,
    params: Params,
    world: FactWorld,
    requests: Requests,
    target: Array,
    *,
    part: str,
    layers: Sequence[int],
    spread: str,
    preservation: float,
    moments: Moments,
) -> Edited:
    """Return the model with the wanted values written; with no request, the model itself.

    Args:
        engine: whose arrays these are.
        params: the model; left as it is.
        world: for the prompts.
        requests: what is changed.
        target: z, value wanted of the last edited layer's part (E, d).
        part: whose value `target` is, as in `targets.PARTS`.
        layers: which are written, in increasing order.
        spread: how the residual is divided among them.
        preservation: λ.
        moments: C of every layer in `layers`.

    Raises:
        ValueError: if layers are missing, out of order or outside the model, one fact is given two answers, or λ = 0
            leaves the change undetermined.
    """
    _require_layers(layers)
    requests.require_consistent()
    lengths = dict.fromkeys(layers, 0.0)
    if not requests.count:
        return Edited(params, lengths)
    prompts = requests.prompts(world, (0, *PREFIXES), ASKED)
    tokens = engine.asarray(prompts.reshape(-1, prompts.shape[-1]))
    x = transformer.embed(engine, params, tokens)
    for layer, divisor in zip(layers, divisors(len(layers), spread), strict=True):
        traces = transformer.blocks_forward(engine, params, x, HEADS, stop=layers[-1] + 1)
        contexts = 1 + len(PREFIXES)
        residual = (target - clean_value(traces[-1], part)[::contexts]) / divisor
        keys = mean_keys(traces[layer].keys[:, -1], contexts)
        change = constrained_update(engine, keys, residual, moments[layer], preservation)
        lengths[layer] = engine.item(engine.xp.sum(change * change)) ** 0.5
        params = with_change(params, layer, engine.xp.astype(change, engine.float_dtype))
    return Edited(params, lengths)


def mean_keys(keys: Array, contexts: int) -> Array:
    """Average each request's keys over its prefixes, and that with the plain prompt's: (E·J, F) to (E, F)."""
    by_request = keys.reshape(-1, contexts, keys.shape[-1])
    return 0.5 * (by_request[:, 0] + by_request[:, 1:].mean(1))


def with_change(params: Params, layer: int, change: Array) -> Params:
    """Return the parameters with `change` (F, d) added to the memory of one layer."""
    blocks = list(params["blocks"])
    blocks[layer] = {**blocks[layer], "ffn_out": blocks[layer]["ffn_out"] + change}
    return {**params, "blocks": blocks}


def _require_layers(layers: Sequence[int]) -> None:
    if not layers or list(layers) != sorted(set(layers)) or not 0 <= layers[0] <= layers[-1] < BLOCKS:
        raise ValueError(f"layers must be one or more of 0 … {BLOCKS - 1} in increasing order, got {list(layers)}.")
