"""Experiment A: items written into several kinds of memory, and asked for again. Nothing is trained.

Axes: b sequences, n items, m memories of a mixture, h all matrices, K key width, V value width, C values to choose
from.

    S_m ← write(S_m, k, v) for the memories m that the router chose, all others stay as they are
    o = Σ_m g_m S_mᵀ k,  and with a shared memory  o + S_sharedᵀ k

The matrices lie side by side as heads of one recurrence: the single memory, the mixture, and the mixture whose router
has collapsed. What a router did not choose has β = 0 and a gate of 1, which leaves it exactly as it is.

Source: arXiv 2502.13685, sections 3.2 and 3.3, with all projections the identity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mem_core.engine import Array, Engine, philox
from mem_core.kernels import gated_delta_rule, gated_linear_attention
from mem_core.mechanisms.architectures.mixture_of_memories.settings import (
    BY_NOISE,
    COLLAPSED,
    COLLAPSED_ROUTER,
    LINEAR,
    LONGEST,
    MIXTURE,
    SHARED,
    SINGLE,
    WIDE,
    MixtureSettings,
)
from mem_core.nn.memory_store import unit_vectors
from mem_core.nn.router import Routing, route

VALUES = 64
"""Different values, each a random vector of length 1."""
VALUE_WIDTH = 16
ROUTER_SPREAD = 4.0
"""Standard deviation of the router's weights, and so of its scores: most of the weight goes to the first choice."""
COUNTS = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 72, 80, 96, 112, LONGEST)
"""Items after which all are asked for."""


@dataclass(frozen=True)
class Items:
    """What is written and asked for.

    Attributes:
        keys: of length 1 (b,n,K).
        meant: which of the values belongs to each key (b,n).
        values, wide_values: the values to choose from (b,C,V), and others M times as wide for the wide memory.
        written, asked: where the mixture's router sends an item, and where it sends the question for it.
        collapsed: where a router sends it that scores all memories the same.
    """

    keys: Array
    meant: Array
    values: Array
    wide_values: Array
    written: Routing
    asked: Routing
    collapsed: Routing


def draw(settings: MixtureSettings, engine: Engine, seed: int) -> Items:
    """Draw keys, values and routers, all from normal distributions, independent for every sequence."""
    sequences, width, memories = settings.sequences, settings.key_width, settings.memories

    def normal(name: str, *shape: int) -> Array:
        # A stream for each width, so that wide values that are not wider are the usual ones.
        generator = philox(seed, "mixture of memories", name, *shape[1:])
        return engine.asarray(generator.standard_normal((sequences, *shape)))

    def routing(scores: Array) -> Routing:
        return route(engine, scores, settings.top_k)

    keys = unit_vectors(engine, normal("keys", LONGEST, width))
    meant = philox(seed, "mixture of memories", "meant").integers(VALUES, size=(sequences, LONGEST))
    by_key = keys @ (ROUTER_SPREAD * normal("router", width, memories))
    if settings.router == COLLAPSED_ROUTER:
        by_key = 0.0 * by_key
    by_noise = ROUTER_SPREAD * normal("noise", LONGEST, memories)
    return Items(
        keys=keys,
        meant=engine.asarray(meant),
        values=unit_vectors(engine, normal("values", VALUES, VALUE_WIDTH)),
        wide_values=unit_vectors(engine, normal("values", VALUES, VALUE_WIDTH * memories)),
        written=routing(by_key),
        asked=routing(by_noise if settings.router == BY_NOISE else by_key),
        collapsed=routing(0.0 * by_key),
    )


def write(
    engine: Engine, rule: str, decay: float, keys: Array, values: Array, chosen: Array, states: Array
) -> tuple[Array, Array]:
    """Write items one after the other into the matrices that were chosen for each.

        linear:  S ← α S + k vᵀ        delta:  S ← α S,  S ← S + k (v − Sᵀk)ᵀ

    Args:
        engine: where to compute.
        rule: `linear` or `delta`.
        decay: α, above 0.
        keys, values: of the items (b,n,K), (b,n,V).
        chosen: 1 where an item goes into a matrix, else 0 (b,n,h).
        states: the matrices before (b,h,K,V).

    Returns:
        `(what each matrix answers to an item's key right after the item (b,n,h,V), the matrices after)`.

    Raises:
        ValueError: if shapes do not fit, there is no item, or a number is not finite.
    """
    xp, matrices = engine.xp, chosen.shape[-1]
    every_key = xp.broadcast_to(keys[:, :, None], (*keys.shape[:2], matrices, keys.shape[-1]))
    every_value = xp.broadcast_to(values[:, :, None], (*values.shape[:2], matrices, values.shape[-1]))
    gates = math.log(decay) * chosen
    if rule == LINEAR:
        found: tuple[Array, Array] = gated_linear_attention(
            every_key, every_key * chosen[..., None], every_value, gates, 1.0, states, True, check=True
        )
    else:
        found = gated_delta_rule(every_key, every_key, every_value, chosen, gates, 1.0, states, True, check=True)
    return found


def mixed(engine: Engine, weights: Array, reads: Array) -> Array:
    """Return Σ_m g_m o_m: weights (b,n,m), what each memory answers (b,m,n,V), to (b,n,V)."""
    return engine.xp.sum(engine.xp.permute_dims(weights, (0, 2, 1))[..., None] * reads, axis=1)


class Memories:
    """All memories that are compared, reading the same items.

    Attributes:
        count: items written so far.
        states: the matrices with values of the usual width (b,h,K,V).
        wide_state: the one with wide values (b,1,K,V·M).
    """

    def __init__(self, settings: MixtureSettings, engine: Engine, items: Items) -> None:
        self._settings, self._engine, self._items = settings, engine, items
        xp, wide_width = engine.xp, items.wide_values.shape[-1]
        leading, matrices = settings.sequences, 1 + 2 * settings.memories
        self.count = 0
        self.states = xp.zeros((leading, matrices, settings.key_width, VALUE_WIDTH))
        self.wide_state = xp.zeros((leading, 1, settings.key_width, wide_width))
        every = xp.ones((leading, LONGEST, 1))
        self._chosen = xp.concat([every, items.written.chosen, items.collapsed.chosen], axis=-1)

    def write(self, count: int) -> None:
        """Write the items up to the one of that number."""
        part = slice(self.count, count)
        written = self._items.values, self._items.wide_values
        values, wide_values = (self._meant(choices)[:, part] for choices in written)
        self.states = self._write(part, values, self._chosen[:, part], self.states)
        self.wide_state = self._write(part, wide_values, self._chosen[:, part, :1], self.wide_state)
        self.count = count

    def scores(self) -> dict[str, Array]:
        """Ask for all items written so far: how well the answer of each memory fits each value (b,n,C)."""
        items, memories = self._items, self._settings.memories
        keys = items.keys[:, None, : self.count]  # (b,1,n,K)
        reads = keys @ self.states  # (b,h,n,V)
        single = reads[:, 0]
        mixture = mixed(self._engine, items.asked.weights[:, : self.count], reads[:, 1 : 1 + memories])
        collapsed = mixed(self._engine, items.collapsed.weights[:, : self.count], reads[:, 1 + memories :])
        fits = self._engine.xp.matrix_transpose(items.values)
        return {
            SINGLE: single @ fits,
            WIDE: (keys @ self.wide_state)[:, 0] @ self._engine.xp.matrix_transpose(items.wide_values),
            MIXTURE: mixture @ fits,
            # A memory that every item is written to is the single memory; its answer is added with weight 1.
            SHARED: (mixture + single) @ fits,
            COLLAPSED: collapsed @ fits,
        }

    def _write(self, part: slice, values: Array, chosen: Array, states: Array) -> Array:
        rule, decay = self._settings.rule, self._settings.decay
        return write(self._engine, rule, decay, self._items.keys[:, part], values, chosen, states)[1]

    def _meant(self, choices: Array) -> Array:
        """Pick each item's value: (b,C,·) to (b,n,·)."""
        xp = self._engine.xp
        ones = xp.astype(self._items.meant[..., None] == xp.arange(VALUES), choices.dtype)
        return ones @ choices


def counts(settings: MixtureSettings) -> tuple[int, ...]:
    """Return the numbers of items after which all are asked for; the one that is set is among them."""
    return tuple(sorted({*COUNTS, settings.items}))


def recalled(engine: Engine, scores: Array, meant: Array) -> Array:
    """Say which items are answered right, fitting no other value better: (b,n,C) and (b,n) to booleans (b,n)."""
    return engine.xp.argmax(scores, axis=-1) == meant
