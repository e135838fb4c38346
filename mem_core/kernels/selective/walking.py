"""The selective scan as a walk over blocks of time, written once for NumPy and PyTorch.

Axes: t time, b batch, g group of channels, r channel in its group, n state; d = (g,r). A block holds some steps of all
channels in arrays (t,b,g,n,r), small enough for the processor's cache; the states that enter the blocks are kept, and
the way back makes the rest again. Channels lie next to one another, so that sums over n are products with a vector.
All exponentials are of two: 2^(Δ A log2 e) takes a third of the time of exp(Δ A).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mem_core.engine import Array
from mem_core.kernels.cache_blocks import blocks
from mem_core.kernels.selective.vectors import Fixed, Varying, Vectors

Recur = Callable[[Array, Array, Array, bool], None]
"""`recur(a, h, entering, backwards)` along the first axis, in place: h_t += a_t h_{t−1} from the state that enters, or
backwards h_t += a_{t+1} h_{t+1}, where what enters has its factor already."""

_FEWEST_STEPS = 8  # in a block: of a large batch only some sequences are taken at once


def forward(
    xp: Any, recur: Recur, u: Array, step: Array, A: Array, B: Array, C: Array, initial_state: Array
) -> tuple[Array, Array, Array]:
    """Return `(y, last_state, states that enter the blocks)`.

    u, step, y (b,d,t), A (d,n), B and C (b,g,n,t) or (1,d,n,1), states (b,d,n); the kept states (blocks,b,d,n).
    """
    walk = _Walk(xp, recur, u, step, A, B, C)
    y, last = xp.empty_like(u), xp.empty_like(initial_state)
    between = walk.empty(len(walk.times), *initial_state.shape)
    for rows in walk.batches:
        walk.take(rows)
        state = walk.by_group(initial_state[rows])
        for number, times in enumerate(walk.times):
            between[number, rows] = walk.by_channel(state)
            _, h = walk.states(times, state)
            # In the place of the inputs, which have done their part: new memory takes longer than what is put there.
            walk.inputs[times] = walk.C.gather(times, h)
            state[:] = h[-1]
        walk.time_last(walk.inputs, y[rows])
        last[rows] = walk.by_channel(state)
    return y, last, between


def backward(
    xp: Any, recur: Recur, arrays: tuple[Array, ...], between: Array, gradients: tuple[Array, Array]
) -> tuple[Array, ...]:
    """Return the gradients of u, step, A, B, C and the initial state; g is the gradient of h.

        g_t = C_t dy_t + a_{t+1} g_{t+1}

    dC_t = Σ_d dy_t h_t,  dB_t = Σ_d g_t Δ_t u_t,  d(Δ u)_t = Σ_n g_t B_t,  d(Δ A)_t = g_t a_t h_{t−1}
    """
    u, step, A, B, C, initial_state = arrays
    walk = _Walk(xp, recur, u, step, A, B, C)
    du, dstep, dinitial = (xp.empty_like(array) for array in (u, step, initial_state))
    dA, dB, dC = 0.0, xp.zeros_like(B), xp.zeros_like(C)
    for rows in walk.batches:
        walk.take(rows)
        given, carried = walk.time_first(gradients[0][rows]), walk.by_group(gradients[1][rows])
        for number, times in reversed(list(enumerate(walk.times))):
            entering = walk.by_group(between[number, rows])
            a, h = walk.states(times, entering)
            g = walk.spare[2][: h.shape[0]]
            walk.C.spread(times, given[times], g)
            recur(a, g, carried, True)
            carried = a[0] * g[0]
            # (t,b,g,n,r): d(Δ A), in the place of a
            a *= g
            a[1:] *= h[:-1]
            a[0] *= entering
            walk.C.collect(times, given[times], h, h)
            dA = dA + xp.multiply(a, walk.steps[times][..., None, :], out=h).sum((0, 1))
            # d(Δ u) and what d(Δ A) brings of dΔ take the places of dy and Δ, which have done their part.
            given[times] = walk.B.gather(times, g)
            walk.B.collect(times, walk.inputs[times], g, g)
            walk.steps[times] = xp.multiply(a, walk.A, out=h).sum(3)
        walk.time_last(given, du[rows])
        walk.time_last(walk.steps, dstep[rows])
        dstep[rows] += du[rows] * u[rows]
        du[rows] *= step[rows]
        dinitial[rows] = walk.by_channel(carried)
        walk.put(dB, rows, walk.B)
        walk.put(dC, rows, walk.C)
    return du, dstep, walk.by_channel(dA), dB, dC, dinitial


class _Walk:
    """Sequences cut into blocks and turned for a walk through time.

    Attributes:
        batches: the sequences that are taken at once, slices of the batch.
        times: the blocks of time.
        A: decay rates (g,n,r).
        steps, inputs: Δ and Δ u of the sequences that were taken (t,b,g,r).
        B, C: their vectors.
        spare: room for three arrays (t,b,g,n,r) of a block.
    """

    steps: Array
    inputs: Array
    B: Vectors
    C: Vectors

    def __init__(self, xp: Any, recur: Recur, u: Array, step: Array, A: Array, B: Array, C: Array) -> None:
        self.xp, self.recur, self.arrays = xp, recur, (u, step, B, C)
        batch, channels, length = u.shape
        numbers = channels * A.shape[1]
        self.batches = list(blocks(batch, _FEWEST_STEPS * numbers))
        together = len(range(batch)[self.batches[0]])
        self.times = list(blocks(length, together * numbers))
        self._fixed = (1, channels, A.shape[1], 1)
        self.groups = next((vectors.shape[1] for vectors in (B, C) if vectors.shape != self._fixed), 1)
        self.A = self.by_group(A)
        self._exponents = self.A * math.log2(math.e)
        longest = len(range(length)[self.times[0]])
        self.spare = [self.empty(longest, together, *self.A.shape) for _ in range(3)]

    def take(self, rows: slice) -> None:
        """Turn some sequences for the walk."""
        u, step, B, C = self.arrays
        self.steps, self.inputs = self.time_first(step[rows]), self.time_first(u[rows])
        self.inputs *= self.steps
        self.B, self.C = self._vectors(B, rows), self._vectors(C, rows)
        self.spare = [array[:, : self.steps.shape[1]] for array in self.spare]

    def states(self, times: slice, entering: Array) -> tuple[Array, Array]:
        """Return the factors exp(Δ A) and the states of a block, from the state that enters it."""
        steps = self.steps[times]
        a, h = (array[: steps.shape[0]] for array in self.spare[:2])
        self.xp.exp2(self.xp.multiply(steps[..., None, :], self._exponents, out=a), out=a)
        self.B.spread(times, self.inputs[times], h)
        self.recur(a, h, entering, False)
        return a, h

    def empty(self, *shape: int) -> Array:
        """Return an array of the type of the inputs."""
        like = self.arrays[0]
        return self.xp.empty(shape, dtype=like.dtype, device=like.device)

    def time_first(self, sequence: Array) -> Array:
        """(b,d,t) to (t,b,g,r), or (b,g,n,t) to (t,b,g,n); a copy, in which b comes first in memory."""
        sequence = sequence.reshape(sequence.shape[0], -1, sequence.shape[-1])
        turned = self.empty(*sequence.shape[::2], sequence.shape[1])
        _turn(sequence, turned)
        return self.xp.moveaxis(turned, 0, 1).reshape(turned.shape[1], turned.shape[0], self.groups, -1)

    def time_last(self, sequence: Array, result: Array) -> None:
        """Put (t,b,g,r) into (b,d,t), or (t,b,g,n) into (b,g,n,t)."""
        turned = self.xp.moveaxis(sequence, 0, 1).reshape(sequence.shape[1], sequence.shape[0], -1)
        _turn(turned, result.reshape(result.shape[0], -1, result.shape[-1]))

    def by_group(self, states: Array) -> Array:
        """(…,d,n) to (…,g,n,r); a copy."""
        turned = states.reshape(*states.shape[:-2], self.groups, -1, states.shape[-1]).swapaxes(-1, -2)
        copy = self.empty(*turned.shape)
        copy[:] = turned
        return copy

    def by_channel(self, states: Array) -> Array:
        """(…,g,n,r) to (…,d,n)."""
        return states.swapaxes(-1, -2).reshape(*states.shape[:-3], -1, states.shape[-2])

    def put(self, gradient: Array, rows: slice, vectors: Vectors) -> None:
        """Bring the gradient that the vectors have collected to where the gradient of B or C is put together."""
        if gradient.shape != self._fixed:
            self.time_last(vectors.gradient, gradient[rows])
        else:
            gradient += self.by_channel(vectors.gradient)[None, :, :, None]

    def _vectors(self, vectors: Array, rows: slice) -> Vectors:
        if vectors.shape != self._fixed:
            return Varying(self.xp, self.time_first(vectors[rows]))
        return Fixed(self.xp, self.by_group(vectors[0, :, :, 0]))


def _turn(matrices: Array, result: Array) -> None:
    # One by one: PyTorch turns a single matrix in tiles, four times faster than a stack of them.
    for into, matrix in zip(result, matrices, strict=True):
        into[:] = matrix.mT
