"""Membership inference: telling from a network's answers alone whether it was trained on an example.

Axes: n examples, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mem_core.training.logistic_regression import fit_logistic_regression


def answer_entropy(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return −Σ p ln p of p = softmax(logits) in nats: (n, K) to (n,); low where the network is sure.

    >>> answer_entropy(np.array([[0.0, 0.0], [900.0, 0.0]])).round(4).tolist()
    [0.6931, 0.0]
    """
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return np.asarray((np.exp(logs) * -logs).sum(axis=-1))


def share_called_members(members: NDArray[Any], outsiders: NDArray[Any], asked: NDArray[Any]) -> float:
    """Return the share of some examples that an attacker takes for examples the network was trained on.

    The attacker knows the entropy of every answer. A logistic regression on it, fitted to tell members from outsiders
    with both counting the same, then judges the examples asked about.

    Args:
        members, outsiders: logits on examples that were trained on and on others, (n, K).
        asked: logits on the examples in question, (n, K).

    Raises:
        ValueError: if one of the three is empty.

    Source: `get_membership_attack_prob` in metrics.py of github.com/if-loops/selective-synaptic-dampening, after
    Chundawat et al. 2023 (arXiv 2205.08096).
    """
    for name, logits in (("members", members), ("outsiders", outsiders), ("asked", asked)):
        if not len(logits):
            raise ValueError(f"{name} must hold at least one example.")
    known = np.concatenate([answer_entropy(members), answer_entropy(outsiders)])
    labels = np.arange(len(known)) < len(members)
    attacker = fit_logistic_regression(known[:, None], labels, balanced=True)
    return float((attacker.scores(answer_entropy(asked)[:, None]) > 0).mean())
