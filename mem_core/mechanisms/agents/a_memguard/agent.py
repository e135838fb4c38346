"""The imitating agent and what stands between it and its memory: one question under every defence.

Axes: L lives, G defences, K retrieved records, A actions, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Array, Engine
from mem_core.nn.density_clustering import dbscan, largest_cluster
from mem_core.nn.memory_store import unit_vectors


@dataclass(frozen=True)
class Judgement:
    """What the consensus step says about the retrieved records; it never sees which of them were planted.

    Attributes:
        cosines: between the paths of one question, (L, G, K, K).
        labels: cluster of each path, (L, G, K).
        consistent: members of the largest cluster, (L, G, K).
    """

    cosines: Array
    labels: Array
    consistent: Array


def reason(engine: Engine, contents: Array, noise: Array) -> Array:
    """Write one reasoning path per record: ρ = unit(content of the record's action + noise of the wording).

    Args:
        engine: whose arrays these are.
        contents: vectors of the records' actions, (L, G, K, D).
        noise: (L, K, D), the same under every defence.
    """
    return unit_vectors(engine, contents + noise[:, None])


def judge(engine: Engine, paths: Array, found: Array, eps: float) -> Judgement:
    """Keep the largest group of agreeing paths: DBSCAN on 1 − cosine with min_samples 2; no group keeps none."""
    cosines = paths @ engine.xp.matrix_transpose(paths)
    labels = dbscan(engine, 1 - cosines, eps, min_samples=2, present=found)
    return Judgement(cosines, labels, largest_cluster(engine, labels))


def act(
    engine: Engine, actions: Array, cosines: Array, usable: Array, own: Array, temperature: float, count: int
) -> Array:
    """Let the usable records vote for their actions with weight exp(temperature·cosine).

    Without a usable record the agent does what it would do without memory.

    Args:
        engine: whose arrays these are.
        actions, cosines, usable: of the retrieved records, (L, G, K).
        own: action without memory, (L,).
        temperature: sharpness of the vote.
        count: A.

    Returns:
        the action taken, int64 (L, G); of actions with the same weight the one with the lower number.
    """
    xp = engine.xp
    # exp(temperature·(cosine − 1)) differs by a factor that all share, and cannot overflow.
    weight = xp.where(usable, xp.exp(temperature * (xp.where(usable, cosines, 0.0) - 1)), 0.0)
    numbers = xp.arange(count, dtype=xp.int64)
    votes = xp.sum(xp.where(actions[..., None] == numbers, weight[..., None], 0.0), axis=-2)  # (L, G, A)
    most = votes >= xp.max(votes, axis=-1)[..., None]
    voted = xp.min(xp.where(most, numbers, count), axis=-1)
    return xp.where(xp.any(usable, axis=-1), voted, own[:, None])
