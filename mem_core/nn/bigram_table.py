"""The smallest language model: one row of logits for each context, trained by plain gradient descent.

Many runs train side by side on the same batches, each with its own learning rate.
Axes: C contexts, R runs, V tokens, U different contexts in one batch, T steps, B examples a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.engine import Array, Engine


@dataclass(frozen=True, eq=False)
class BatchCounts:
    """One batch with its repeated contexts merged, which is all that the gradient depends on.

    Attributes:
        contexts: the different contexts of the batch, ascending, shape (U,).
        counts: how often each came up, shape (U, 1, 1).
        token_counts: how often each token followed it, shape (U, 1, V).
    """

    contexts: Array
    counts: Array
    token_counts: Array


def count_batches(
    engine: Engine, contexts: NDArray[np.int64], tokens: NDArray[np.int64], vocabulary: int
) -> list[BatchCounts]:
    """Merge the repeated contexts of every batch.

    Merging first means that an update never meets a context twice, so none can be lost: assigning to
    `table[contexts]` with repeated contexts would keep the last one alone.

    Args:
        engine: where the counts are to be used.
        contexts, tokens: drawn examples, both of shape (T, B).
        vocabulary: number V of tokens.

    Returns:
        One `BatchCounts` a step.
    """
    steps = contexts.shape[0]
    size = int(contexts.max()) + 1
    keys = np.arange(steps, dtype=np.int64)[:, None] * size + contexts  # the browser's own integers have 32 bits
    pairs, pair_counts = _count(keys * vocabulary + tokens)
    row_keys, first_pair = _first_of_each(pairs // vocabulary)
    rows = np.repeat(np.arange(len(row_keys)), np.diff(first_pair, append=len(pairs)))
    token_counts = np.zeros((len(row_keys), 1, vocabulary))
    token_counts[rows, 0, pairs % vocabulary] = pair_counts
    ends = np.searchsorted(row_keys, np.arange(steps + 1) * size)
    bounds = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    # Indices of the machine's own width: `take` in a browser refuses 64 bits.
    columns = ((row_keys % size).astype(np.intp), token_counts.sum(-1, keepdims=True), token_counts)
    moved = [engine.asarray(column) for column in columns]
    return [BatchCounts(*(column[start:stop] for column in moved)) for start, stop in bounds]


def descend(engine: Engine, table: Array, batches: Sequence[BatchCounts], rates: Array, batch_size: int) -> Array:
    """Take one step of stochastic gradient descent on cross-entropy for each batch.

    table_c <- table_c - (rate / B) * (n_c * softmax(table_c) - n_(c,.)),
    where n_c counts context c in the batch and n_(c,y) counts token y after it.

    Args:
        engine: where `table` lives.
        table: logits, shape (C, R, V); not changed.
        batches: one for each step.
        rates: learning rate of each step and run, shape (T, R).
        batch_size: B.

    Returns:
        The logits after the last step, shape (C, R, V).
    """
    scaled = rates[:, :, None] / batch_size  # (T, R, 1)
    step_all = _descend_numpy if engine.kind == "numpy" else _descend_torch
    return step_all(table, batches, scaled)


def _descend_numpy(table: NDArray[Any], batches: Sequence[BatchCounts], rates: NDArray[Any]) -> NDArray[Any]:
    table = table.copy()
    ones = np.ones((table.shape[-1], 1), dtype=table.dtype)  # a product with ones sums short rows faster than sum
    for batch, rate in zip(batches, rates, strict=True):
        rows = table.take(batch.contexts, axis=0)  # (U, R, V)
        change = np.exp(rows - rows.max(axis=-1, keepdims=True))
        change *= batch.counts / (change @ ones)
        change -= batch.token_counts
        change *= rate
        table[batch.contexts] = rows - change
    return table


def _descend_torch(table: Any, batches: Sequence[BatchCounts], rates: Any) -> Any:
    table = table.clone()
    for batch, rate in zip(batches, rates.unbind(0), strict=True):
        rows = table.index_select(0, batch.contexts)  # (U, R, V)
        change = (rows - rows.amax(-1, keepdim=True)).exp_()  # half the time of softmax for rows as short as these
        change.mul_(batch.counts / change.sum(-1, keepdim=True)).sub_(batch.token_counts).mul_(rate)
        table.index_copy_(0, batch.contexts, rows.sub_(change))
    return table


def reference_descend(
    table: NDArray[np.float64], contexts: NDArray[np.int64], tokens: NDArray[np.int64], rates: Sequence[float]
) -> NDArray[np.float64]:
    """Do what `descend` does for one run, example by example.

    Args:
        table: logits, shape (C, V); not changed.
        contexts, tokens: drawn examples, both of shape (T, B).
        rates: learning rate of each step, length T.
    """
    table = table.copy()
    for rate, batch_contexts, batch_tokens in zip(rates, contexts, tokens, strict=True):
        gradient = np.zeros_like(table)
        for context, token in zip(batch_contexts, batch_tokens, strict=True):
            weights = np.exp(table[context] - table[context].max())
            gradient[context] += weights / weights.sum()
            gradient[context, token] -= 1
        table -= rate / len(batch_contexts) * gradient
    return table


def excess_loss(engine: Engine, table: Array, next_token: Array, entropy: Array) -> Array:
    """Give the exact loss of each context above the least possible: KL(P_c || softmax(table_c)), in nats.

    Args:
        engine: where the arrays live.
        table: logits, shape (C, R, V).
        next_token: true probabilities, shape (C, V).
        entropy: of each row of `next_token`, shape (C,).

    Returns:
        Shape (C, R).
    """
    xp = engine.xp
    top = xp.max(table, axis=-1, keepdims=True)
    log_sum = xp.log(xp.sum(xp.exp(table - top), axis=-1)) + top[..., 0]
    return log_sum - xp.sum(table * next_token[:, None, :], axis=-1) - entropy[:, None]


def _count(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different values, ascending, and how often each occurs."""
    ordered = np.sort(values, axis=None, kind="stable")  # linear in time where the values are in order already
    distinct, first = _first_of_each(ordered)
    return distinct, np.diff(first, append=len(ordered))


def _first_of_each(ordered: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different values of an ascending array and where each comes first."""
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    return ordered[first], first
