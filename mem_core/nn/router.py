"""A top-k router: every token is sent to the few of M experts, or memories, that score highest.

Axes: ... any leading axes (batch, tokens), M experts.
"""

from __future__ import annotations

from typing import NamedTuple

from mem_core.engine import Array, Engine


class Routing(NamedTuple):
    """Where tokens are sent.

    Attributes:
        probabilities: s, the softmax over all experts (..., M).
        chosen: 1 for the experts a token is sent to, else 0 (..., M); has no gradient.
        weights: g, the probabilities of the chosen ones scaled to a sum of 1, else 0 (..., M).
    """

    probabilities: Array
    chosen: Array
    weights: Array


def route(engine: Engine, logits: Array, top_k: int) -> Routing:
    """Choose the k experts of each token that score highest; of equal scores the lower index wins.

        s = softmax(logits),  I = the k largest of s,  g_m = s_m / Σ_{j∈I} s_j for m in I, else 0

    The softmax is over all experts and comes before the choice, so that also those not chosen get a gradient.

    Args:
        engine: where the logits live.
        logits: scores of the experts (..., M).
        top_k: k, from 1 to M.

    Raises:
        ValueError: if top_k is out of its range.

    Source: Shazeer et al. 2017, "Outrageously Large Neural Networks" (arXiv 1701.06538), section 2.1, for the choice;
    Du et al. 2025 (arXiv 2502.13685), equations 3 and 4, for this order of softmax and choice.

    >>> from mem_core.engine import select
    >>> engine = select("numpy", "float64")
    >>> route(engine, engine.xp.log(engine.asarray([0.5, 0.3, 0.2])), top_k=2).weights.round(3).tolist()
    [0.625, 0.375, 0.0]
    """
    experts = logits.shape[-1]
    if not 1 <= top_k <= experts:
        raise ValueError(f"top_k must be from 1 to the number of experts, {experts}, got {top_k}.")
    xp = engine.xp
    raised = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    probabilities = raised / xp.sum(raised, axis=-1, keepdims=True)
    chosen = xp.astype(_rank(engine, probabilities) < top_k, probabilities.dtype)
    kept = probabilities * chosen
    return Routing(probabilities, chosen, kept / xp.sum(kept, axis=-1, keepdims=True))


def _rank(engine: Engine, scores: Array) -> Array:
    """Count for each expert those before it: (..., M) to whole numbers (..., M)."""
    xp = engine.xp
    own, other = scores[..., :, None], scores[..., None, :]
    place = xp.arange(scores.shape[-1])
    lower_index = place[None, :] < place[:, None]
    return xp.sum((other > own) | ((other == own) & lower_index), axis=-1)


def load_balance_loss(engine: Engine, routing: Routing) -> Array:
    """Return the loss that is least where all experts get equally many tokens.

        M Σ_m f_m P_m,  f_m = share of tokens sent to m,  P_m = mean of s_m over the tokens

    With k choices a token it is k where routing is even, and at most M: all tokens to one expert, and certain of it.
    The gradient goes through P alone.

    Args:
        engine: where the arrays live.
        routing: of all tokens of a batch.

    Source: Fedus et al. 2021, "Switch Transformers" (arXiv 2101.03961), equation 4.
    """
    xp = engine.xp
    tokens = tuple(range(routing.chosen.ndim - 1))
    share, mean = xp.mean(routing.chosen, axis=tokens), xp.mean(routing.probabilities, axis=tokens)
    return routing.chosen.shape[-1] * xp.sum(share * mean)
