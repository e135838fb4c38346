"""Eighty facts in the weights of one layer, and a change that gives some of them a new answer.

Facts are pairs of a subject and a relation; subjects come in groups and so have similar keys:

    S = √(1 − ρ)·N(0, I) + √ρ·(vector of the subject's group),   k = relu((S + relation)·G),   G ~ N(0, 1/d)

The covariance of keys is estimated from other subjects of the same groups, as one would from general text. That of the
80 keys alone has no inverse: they span 80 of 160 dimensions, and what an edit does to the rest would be left to
rounding.

Axes: F facts, E edits, d dimensions, A answers (relation and object).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.overview.memory_in_llms.settings import COVARIANCE
from mem_core.nn.linear_associative_memory import constrained_update, second_moment

SUBJECTS, RELATIONS, OBJECTS, GROUPS = 20, 4, 6, 6
FACTS = SUBJECTS * RELATIONS
ANSWERS = RELATIONS * OBJECTS
DIMENSION = 160
SIMILARITY = 0.5
"""ρ: how much of a subject's vector is its group's."""
OTHER_SUBJECTS = 500
"""From whose keys E[kᵀk] is estimated."""
RIDGE = 1.0
"""γ of the memory in weights."""
REWORDING = 0.3
"""How far a reworded question moves the subject, in standard deviations of its vector."""


@dataclass(frozen=True, eq=False)
class EditWorld:
    """The facts, the weights that hold them, and the order in which facts would be edited.

    Attributes:
        keys, reworded: of every fact, as asked and reworded, (F, d), float64.
        moment: E[kᵀk] of keys in general, (d, d), float64.
        weights: W = (KᵀK + γI)⁻¹KᵀY, (d, A), float64.
        answers: true answer of every fact, F numbers below A.
        wanted: another object for every fact, F numbers below A.
        order: the facts in the order of editing.
    """

    keys: Array
    reworded: Array
    moment: Array
    weights: Array
    answers: tuple[int, ...]
    wanted: tuple[int, ...]
    order: tuple[int, ...]


def draw(engine: Engine, seed: int) -> EditWorld:
    """Draw facts and fit the weights to them."""
    xp, vectors = engine.xp, philox(seed, "memory-in-llms", "edit keys")
    facts = philox(seed, "memory-in-llms", "edit facts")
    groups = vectors.standard_normal((GROUPS, DIMENSION))
    subjects, others = (_subjects(vectors, facts, groups, count) for count in (SUBJECTS, OTHER_SUBJECTS))
    relations = vectors.standard_normal((RELATIONS, DIMENSION))
    mixing = vectors.standard_normal((DIMENSION, DIMENSION)) / DIMENSION**0.5
    moved = subjects + REWORDING * vectors.standard_normal((SUBJECTS, DIMENSION))
    keys, reworded, general = (
        xp.astype(engine.asarray(((s[:, None] + relations) @ mixing).reshape(-1, DIMENSION).clip(0)), xp.float64)
        for s in (subjects, moved, others)
    )
    objects, shifts = facts.integers(OBJECTS, size=FACTS), facts.integers(1, OBJECTS, size=FACTS)
    relation = [fact % RELATIONS for fact in range(FACTS)]
    answers = tuple(OBJECTS * r + o for r, o in zip(relation, objects.tolist(), strict=True))
    other = ((objects + shifts) % OBJECTS).tolist()
    wanted = tuple(OBJECTS * r + o for r, o in zip(relation, other, strict=True))
    normal = keys.T @ keys + RIDGE * xp.eye(DIMENSION, dtype=xp.float64)
    weights = xp.linalg.solve(normal, keys.T @ one_hot(engine, answers))
    return EditWorld(
        keys,
        reworded,
        second_moment(engine, general),
        weights,
        answers,
        wanted,
        tuple(facts.permutation(FACTS).tolist()),
    )


def _subjects(vectors: Array, facts: Array, groups: Array, count: int) -> Array:
    own = vectors.standard_normal((count, DIMENSION))
    return (1 - SIMILARITY) ** 0.5 * own + SIMILARITY**0.5 * groups[facts.integers(GROUPS, size=count)]


def one_hot(engine: Engine, answers: Sequence[int]) -> Array:
    """Return the targets of some answers, (len(answers), A), float64."""
    return engine.xp.eye(ANSWERS, dtype=engine.xp.float64)[list(answers)]


def ask(engine: Engine, weights: Array, keys: Array) -> list[int]:
    """Return the answer with the highest score to every key."""
    answers: list[int] = engine.to_numpy(engine.xp.argmax(keys @ weights, axis=-1)).tolist()
    return answers


def edited(engine: Engine, world: EditWorld, count: int, constraint: str, preservation: float) -> Array:
    """Return the weights after the first `count` edits, written at once: W + (KᵀK + λC)⁻¹·Kᵀ·R.

    R is what the wanted one-hot answers differ from the present scores. C is the identity, or E[kᵀk] of keys in
    general.
    """
    xp, facts = engine.xp, list(world.order[:count])
    keys = world.keys[facts]
    residuals = one_hot(engine, [world.wanted[fact] for fact in facts]) - keys @ world.weights
    spared = world.moment if constraint == COVARIANCE else xp.eye(DIMENSION, dtype=xp.float64)
    return world.weights + constrained_update(engine, keys, residuals, spared, preservation)


def checksum(engine: Engine, weights: Array) -> str:
    """Return a hash of every bit of the weights."""
    return hashlib.sha256(engine.to_numpy(weights).tobytes()).hexdigest()[:16]
