"""The value that makes the model give a new answer: changes δ found by gradient descent, for all requests at once.

A change is added to a part of layer L at the last token of the prompt. For each request the loss is

    ν·mean −ln p(new | prompt_j; δ)  +  κ·KL(p₀ ‖ p_δ at "is a")  +  ω·Σ over parts of ‖δ‖/‖clean‖²

and after each step ‖δ‖ is cut to c·‖clean‖. All parts of a parallel block flow into one sum, so they receive the same
gradient: two parts carry about half of the change each.

Axes: P parts that are changed, E requests, J contexts, d width, O answers.

Source: arXiv 2308.08742, section 4.1; `compute_zs.py` of its code, `compute_z.py` of MEMIT's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mem_core.data.fact_world import FactWorld
from mem_core.engine import Array, Engine
from mem_core.mechanisms.editing.pmet.model import BLOCKS, HEADS, Params, one_hot
from mem_core.mechanisms.editing.pmet.requests import ASKED, PREFIXES, Requests
from mem_core.mechanisms.editing.pmet.settings import FFN_ONLY, MEMIT, PMET, EditSettings
from mem_core.nn import parallel_transformer as transformer
from mem_core.nn.parallel_block import BlockTrace, NormTrace
from mem_core.nn.relu_mlp import log_softmax
from mem_core.training.optimizers import Adam

ATTENTION, FFN, OUTPUT = "attention", "ffn", "output"
PARTS = {PMET: (FFN, ATTENTION), FFN_ONLY: (FFN,), MEMIT: (OUTPUT,)}
"""What each method changes; what it writes is the first."""

DECAY = 0.5
"""ω, in the authors' settings for GPT-J."""
RATE = 0.2
"""η of Adam, in the authors' settings for GPT-J."""
GOOD_ENOUGH = 0.05
"""Loss below which a request is done."""
REACHED_FACTOR = 0.1
"""What ν is multiplied by once the new answer is the most probable one."""
REACHED_KL = 0.01
"""κ·KL up to which a request then is done."""
SMALLEST_LENGTH = 1e-12
"""Added to a length that is divided by, so that the gradient of the length is zero at δ = 0, as in PyTorch."""


class Step(NamedTuple):
    """What is seen before one step, of one request as numbers or of all as arrays (E,).

    Attributes:
        likelihood, kl, decay: the terms of the loss in nats, each with its weight.
        new, old: mean probability of the new and of the true answer over the contexts.
    """

    likelihood: Any
    kl: Any
    decay: Any
    new: Any
    old: Any


@dataclass(frozen=True)
class Targets:
    """What the optimisation found.

    Attributes:
        value: what layer L's part must give at the edit token, clean value and change (E, d).
        history: of the first request, as long as it was optimised.
    """

    value: Array
    history: tuple[Step, ...]


def clean_value(trace: BlockTrace, part: str) -> Array:
    """Return what a part of a layer gives at the last token, (B, d)."""
    found = {ATTENTION: trace.attention, FFN: trace.values, OUTPUT: trace.output}[part]
    return found[:, -1]


def optimise(
    engine: Engine, params: Params, world: FactWorld, requests: Requests, settings: EditSettings, method: str
) -> Targets:
    """Find the value for every request that makes the model give its new answer.

    Args:
        engine: whose arrays these are.
        params: the model, not edited.
        world: for the prompts.
        requests: at least one.
        settings: the last edited layer L, the number of steps, c and κ.
        method: PMET, FFN only or MEMIT: which parts are changed.
    """
    search = _Search(engine, params, world, requests, settings, PARTS[method])
    history = tuple(search.descend(settings.steps, lowers_likelihood=method != MEMIT))
    return Targets(search.clean[0] + search.delta[0], history)


class _Search:
    """The changes δ of all requests, and the residual stream that they are added to."""

    def __init__(
        self,
        engine: Engine,
        params: Params,
        world: FactWorld,
        requests: Requests,
        settings: EditSettings,
        parts: Sequence[str],
    ) -> None:
        self._engine, self._params, self._settings = engine, params, settings
        self._first = settings.edited_layers[-1] + 1
        prompts = [requests.prompts(world, (0, *PREFIXES), ASKED), requests.kept_prompts(world)[:, None]]
        tokens = engine.xp.concat([engine.asarray(each) for each in prompts], axis=1)
        self._count, self._contexts = requests.count, 1 + len(PREFIXES)
        x = transformer.embed(engine, params, tokens.reshape(-1, tokens.shape[-1]))
        trace = transformer.blocks_forward(engine, params, x, HEADS, stop=self._first)[-1]
        self._stream = trace.output
        clean = [self._by_request(clean_value(trace, part))[:, 0] for part in parts]
        self.clean = engine.xp.stack(clean)  # (P, E, d)
        self._length = _length(engine, self.clean)
        self.delta = 0.0 * self.clean
        self._wanted, self._true = (one_hot(engine, each)[:, None] for each in (requests.wanted, requests.true))
        self._before = self._logs()[-1][:, -1]

    def descend(self, steps: int, *, lowers_likelihood: bool) -> Iterator[Step]:
        """Take the steps, and yield what is seen of the first request before each, until it is done.

        Where `lowers_likelihood`, ν falls once the new answer is the most probable one.
        """
        engine, xp = self._engine, self._engine.xp
        adam = Adam(learning_rate=RATE)
        state = adam.init(self.delta)
        nu = self._wanted[:, 0, 0] * 0.0 + 1.0
        active = nu > 0
        for number in range(steps):
            traces, norm, logs = self._logs()
            seen = self._terms(logs, nu)
            if bool(active[0]):
                yield Step(*(engine.item(term[0]) for term in seen))
            loss, gradient = seen.likelihood + seen.kl + seen.decay, self._gradient(traces, norm, logs, nu)
            active = active & (loss >= GOOD_ENOUGH)
            if lowers_likelihood:
                reached = xp.all(xp.argmax(logs[:, :-1], axis=-1) == xp.argmax(self._wanted, axis=-1), axis=1)
                active = active & ~(reached & (seen.kl <= REACHED_KL))
                nu = 1.0 - (1.0 - REACHED_FACTOR) * xp.astype(reached, engine.float_dtype)
            if number == steps - 1 or not bool(xp.any(active)):
                return
            moved, state = adam.update(self.delta, gradient, state)
            self.delta = xp.where(active[None, :, None], self._cut(moved), self.delta)

    def _logs(self) -> tuple[list[BlockTrace], NormTrace, Array]:
        """Run the model behind layer L with the changes: traces of the blocks, the last norm, ln p (E, J + 1, O)."""
        engine, params, xp = self._engine, self._params, self._engine.xp
        shift = xp.sum(self.delta, axis=0)[:, None] + xp.zeros_like(self._by_request(self._stream[:, -1]))
        last = self._stream[:, -1] + shift.reshape(-1, shift.shape[-1])
        traces: list[BlockTrace] = []
        if self._first < BLOCKS:
            x = xp.concat([self._stream[:, :-1], last[:, None]], axis=1)
            traces = transformer.blocks_forward(engine, params, x, HEADS, first=self._first)
            last = traces[-1].output[:, -1]
        norm, logits = transformer.answer(engine, params, last)
        return traces, norm, self._by_request(log_softmax(engine, logits))

    def _terms(self, logs: Array, nu: Array) -> Step:
        """Return the terms of every request's loss and its two probabilities, each (E,)."""
        xp, settings = self._engine.xp, self._settings
        new, old = (xp.sum(logs[:, :-1] * each, axis=-1) for each in (self._wanted, self._true))  # (E, J)
        kl = xp.sum(xp.exp(self._before) * (self._before - logs[:, -1]), axis=-1)
        decay = xp.sum(_length(self._engine, self.delta) / self._length**2, axis=(0, 2))
        probabilities = (xp.mean(xp.exp(each), axis=1) for each in (new, old))
        return Step(-nu * xp.mean(new, axis=1), settings.kl_weight * kl, DECAY * decay, *probabilities)

    def _gradient(self, traces: Sequence[BlockTrace], norm: NormTrace, logs: Array, nu: Array) -> Array:
        """Return the gradient of the sum of all losses by δ, (P, E, d)."""
        engine, xp = self._engine, self._engine.xp
        asked = (xp.exp(logs[:, :-1]) - self._wanted) * (nu[:, None, None] / self._contexts)
        kept = (xp.exp(logs[:, -1:]) - xp.exp(self._before)[:, None]) * self._settings.kl_weight
        error = xp.concat([asked, kept], axis=1)
        by_last = transformer.answer_backward(engine, self._params, norm, error.reshape(-1, error.shape[-1]))
        if traces:
            by_stream, _ = transformer.blocks_backward(engine, self._params, traces, by_last, first=self._first)
            by_last = by_stream[:, -1]
        by_shift = xp.sum(self._by_request(by_last), axis=1)
        length = _length(engine, self.delta) + SMALLEST_LENGTH
        return by_shift[None] + DECAY * self.delta / (length * self._length**2)

    def _cut(self, delta: Array) -> Array:
        """Shorten what is longer than c times the clean value."""
        length, bound = _length(self._engine, delta), self._settings.clamp * self._length
        return self._engine.xp.where(length > bound, delta * (bound / (length + SMALLEST_LENGTH)), delta)

    def _by_request(self, rows: Array) -> Array:
        """(E·(J + 1), …) to (E, J + 1, …)."""
        return rows.reshape(self._count, self._contexts + 1, *rows.shape[1:])


def _length(engine: Engine, vectors: Array) -> Array:
    """Return the length of vectors along the last axis, which stays with size 1."""
    return engine.xp.sum(vectors * vectors, axis=-1, keepdims=True) ** 0.5
