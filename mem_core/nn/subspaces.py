"""Subspaces that hold most of an activity: how much is inside, what is outside, and the best ones there are.

Nothing is centred: what a weight meets is the activity itself, its mean included.
Axes: B examples, n inputs, k rows.
"""

from __future__ import annotations

from mem_core.engine import Array, Engine

LEAST_SHARE_OF_ENERGY = 1e-6
"""Of the strongest direction; weaker ones are rounding, and directions among them would be arbitrary."""


def project_out(engine: Engine, activity: Array, rows: Array) -> Array:
    """Return X − X·Hᵀ·H, the part of an activity outside the subspace that orthonormal rows span.

    Args:
        engine: whose arrays these are.
        activity: X, shape (..., B, n).
        rows: H, shape (k, n); none is allowed.
    """
    return activity - (activity @ engine.xp.matrix_transpose(rows)) @ rows


def captured_energy(engine: Engine, activity: Array, rows: Array) -> float:
    """Return 1 − ‖X − X·Hᵀ·H‖² / ‖X‖²: which share of the energy is inside; 1 where there is no energy.

    Rows that are not orthonormal can make it negative.

    Args:
        engine: whose arrays these are.
        activity: X, shape (..., n).
        rows: H, shape (k, n).
    """
    xp = engine.xp
    left = project_out(engine, xp.reshape(activity, (-1, activity.shape[-1])), rows)
    total = engine.item(xp.sum(activity * activity))
    return 1.0 - engine.item(xp.sum(left * left)) / total if total > 0 else 1.0


def principal_rows(engine: Engine, activity: Array, count: int, covered: Array) -> Array:
    """Return the `count` orthonormal rows that capture most of what `covered` leaves, strongest first.

    They are eigenvectors of X_⊥ᵀ·X_⊥. Where fewer directions have energy, the last rows are zero.

    Args:
        engine: whose arrays these are.
        activity: X, shape (..., n).
        count: k, from 0 to n.
        covered: rows that are there already, shape (j, n).

    Raises:
        ValueError: if `count` is not between 0 and n.

    Source: principal component analysis without centring; as a shield for weights Saha et al. 2021, "Gradient
        Projection Memory for Continual Learning", arXiv 2103.09762.
    """
    width, xp = activity.shape[-1], engine.xp
    if not 0 <= count <= width:
        raise ValueError(f"count must be from 0 to the {width} inputs, got {count}.")
    left = project_out(engine, xp.reshape(activity, (-1, width)), covered)
    left = xp.astype(left, xp.float64)  # eigenvectors of a sum of squares in float32 lose half of the digits
    energies, directions = xp.linalg.eigh(xp.matrix_transpose(left) @ left)
    strongest = xp.flip(directions, axis=-1)[:, :count]
    # Rounding moves the eigenvectors of a residual a little back into what is covered.
    rows = project_out(engine, xp.matrix_transpose(strongest), xp.astype(covered, xp.float64))
    alive = xp.flip(energies, axis=-1)[:count] > LEAST_SHARE_OF_ENERGY * energies[-1]
    return xp.astype(rows * xp.astype(alive, xp.float64)[:, None], engine.float_dtype)


def principal_cosines(engine: Engine, first: Array, second: Array) -> Array:
    """Return the cosines of the principal angles between the spans of two sets of k rows, largest first, shape (k,).

    The singular values of Q₁·Q₂ᵀ, with Qᵢ an orthonormal basis of each span: all 1 for the same span.

    Args:
        engine: whose arrays these are.
        first, second: shape (k, n), k at most n; the rows need not be orthonormal. A zero row adds a cosine of 0.

    Source: Björck and Golub 1973, "Numerical methods for computing angles between linear subspaces".
    """
    xp = engine.xp
    bases = [_basis(engine, xp.astype(rows, xp.float64)) for rows in (first, second)]
    return xp.linalg.svdvals(xp.matrix_transpose(bases[0]) @ bases[1])


def stretch(engine: Engine, rows: Array) -> float:
    """Return ‖H‖₂, the largest factor by which rows stretch an activity: 1 for orthonormal rows, 0 for none.

    Along that direction `project_out` keeps 1 − ‖H‖₂² of the activity: above 1 with the opposite sign, above √2 more
    than came in.
    """
    return engine.item(engine.xp.max(engine.xp.linalg.svdvals(rows))) if len(rows) else 0.0


def _basis(engine: Engine, rows: Array) -> Array:
    """Return an orthonormal basis of the span of some rows as columns; directions that are missing are zero."""
    xp = engine.xp
    left, lengths, _ = xp.linalg.svd(xp.matrix_transpose(rows), full_matrices=False)
    return left * xp.astype(lengths > LEAST_SHARE_OF_ENERGY * xp.max(lengths), left.dtype)
