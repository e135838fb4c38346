"""Selective synaptic dampening itself: importance, selection, dampening. And the attack that asks what is left.

With I(D) the importance of a weight θ for all training rows and I(D_f) that for the rows to forget:

    selected where I(D_f) > α·I(D),   β = min(λ·I(D) / I(D_f), 1),   θ ← β·θ where selected

Source: Foster, Schoepf and Brintrup 2024 (arXiv 2308.07707), and ssd.py and metrics.py of
github.com/if-loops/selective-synaptic-dampening.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mem_core.engine import Array, Engine, leaves, map_tree
from mem_core.mechanisms.editing.synaptic_dampening.classifier import Classifier
from mem_core.nn.fisher_information import squared_batch_gradients
from mem_core.nn.relu_mlp import Parameters
from mem_core.training.membership_inference import share_called_members
from mem_core.training.optimizers import Tree

Mode = Literal["sample", "batch"]
RELEASED_BATCH = 64
"""Rows of a mini-batch in the paper's code."""


@dataclass(frozen=True)
class Dampened:
    """What a dampening did.

    Attributes:
        selected, total: how many weights were selected, of how many.
        beta_mean: mean multiplier of the selected weights; 1 if there are none.
    """

    selected: int
    total: int
    beta_mean: float


def fisher_diag(
    engine: Engine,
    classifier: Classifier,
    params: Parameters,
    x: Array,
    y: Array,
    mode: Mode = "sample",
    batch_size: int = RELEASED_BATCH,
) -> Parameters:
    """Return the importance of every weight for some rows, in their order where batches matter.

    Args:
        engine: where the network is.
        classifier: what it is.
        params: its weights, one network.
        x, y: pixels (n, 64) and one-hot true labels (n, 10).
        mode: "sample" for the Fisher information, the mean of each row's squared gradient; "batch" for the squared
            gradients of mini-batches of `batch_size` rows, as released.
        batch_size: of the second.

    Raises:
        ValueError: if there are no rows, or the mode is neither.
    """
    if mode not in ("sample", "batch"):
        raise ValueError(f"mode must be sample or batch, got {mode!r}.")
    if not len(x):
        raise ValueError("x holds no rows, but an importance is a mean over one or more.")
    if mode == "sample":
        return classifier.squared_gradients(engine, params, x, y)

    def gradient(x: Array, y: Array) -> Parameters:
        return classifier.gradient(engine, params, x[None], y[None])[1]

    found: Parameters = squared_batch_gradients(gradient, (x, y), batch_size)
    return found


@dataclass(frozen=True, eq=False)
class Selection:
    """Which weights are dampened, and how hard.

    Attributes:
        marks: booleans, a tree of the importances' form.
        betas: what each weight is multiplied by, 1 where it is not selected.
    """

    marks: Tree
    betas: Tree

    def summary(self, engine: Engine) -> Dampened:
        """Count what was selected, and average its multipliers."""
        marks = engine.xp.astype(_flat(engine, self.marks), engine.float_dtype)
        count = round(engine.item(engine.xp.sum(marks)))
        total = engine.item(engine.xp.sum(marks * _flat(engine, self.betas)))
        return Dampened(count, int(marks.shape[0]), total / count if count else 1.0)


def select_weights(engine: Engine, imp_all: Tree, imp_forget: Tree, alpha: float, lam: float) -> Selection:
    """Select the weights whose importances are in a ratio above α, and find what to multiply them by.

    Args:
        engine: where the importances are.
        imp_all, imp_forget: I(D) and I(D_f), trees of one form.
        alpha: α, 0 or more.
        lam: λ, 0 or more.

    Raises:
        ValueError: naming what is negative, not a number, or of another shape than the rest.
    """
    for name, value in (("alpha", alpha), ("lam", lam)):
        if not value >= 0:
            raise ValueError(f"{name} must be 0 or more, got {value}.")
    _check_importances(engine, imp_all, imp_forget)
    xp = engine.xp
    marks = map_tree(lambda forget, whole: forget > alpha * whole, imp_forget, imp_all)

    def beta(mark: Array, forget: Array, whole: Array) -> Array:
        ones = xp.ones_like(forget)  # where nothing is selected I(D_f) may be 0, and must not divide
        return xp.where(mark, xp.clip(lam * whole / xp.where(mark, forget, ones), 0.0, 1.0), ones)

    return Selection(marks, map_tree(beta, marks, imp_forget, imp_all))


def dampen(
    engine: Engine, params: Tree, imp_all: Tree, imp_forget: Tree, alpha: float, lam: float
) -> tuple[Tree, Dampened]:
    """Shrink the weights that matter much more for the rows to forget than for all rows.

    Args:
        engine: where the weights are.
        params: θ, a tree of arrays; left as it is.
        imp_all, imp_forget: I(D) and I(D_f), trees of the same form.
        alpha: α, 0 or more. In mode "sample" a ratio I(D_f)/I(D) cannot exceed 1/f, f the share of the rows to
            forget among all, so that from there on nothing is selected.
        lam: λ, 0 or more.

    Returns:
        The weights, of which none has grown or changed its sign, and what was done.

    Raises:
        ValueError: naming what is negative, not a number, or of another shape than the rest.
    """
    if _shapes(params) != _shapes(imp_all):
        raise ValueError(f"imp_all must have the shapes of params, {_shapes(params)}, got {_shapes(imp_all)}.")
    selection = select_weights(engine, imp_all, imp_forget, alpha, lam)
    return map_tree(lambda weight, beta: weight * beta, params, selection.betas), selection.summary(engine)


def mia_entropy(
    engine: Engine, classifier: Classifier, params: Parameters, x_retain: Array, x_test: Array, x_forget: Array
) -> float:
    """Return the share of the forgotten rows that an attacker takes for training rows, from the answers' entropy.

    Args:
        engine: where the network is.
        classifier, params: the network after forgetting.
        x_retain: training rows that were kept, which the attacker knows to be such, (n, 64).
        x_test: rows that were never trained on, which the attacker knows to be such.
        x_forget: rows in question.

    Raises:
        ValueError: if one of the three is empty.
    """
    members, outsiders, asked = (
        engine.to_numpy(classifier.logits(engine, params, x[None]))[0] for x in (x_retain, x_test, x_forget)
    )
    return share_called_members(members, outsiders, asked)


def _check_importances(engine: Engine, imp_all: Tree, imp_forget: Tree) -> None:
    if _shapes(imp_all) != _shapes(imp_forget):
        raise ValueError(f"imp_forget must have the shapes of imp_all, {_shapes(imp_all)}, got {_shapes(imp_forget)}.")
    for name, importance in (("imp_all", imp_all), ("imp_forget", imp_forget)):
        if bool(engine.xp.any(engine.xp.isnan(_flat(engine, importance)))):
            raise ValueError(f"{name} holds values that are not numbers.")


def _shapes(tree: Tree) -> list[tuple[int, ...]]:
    return [tuple(leaf.shape) for leaf in leaves(tree)]


def _flat(engine: Engine, tree: Any) -> Array:
    return engine.xp.concat([engine.xp.reshape(leaf, (-1,)) for leaf in leaves(tree)])
