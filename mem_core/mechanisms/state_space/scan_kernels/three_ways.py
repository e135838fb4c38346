"""One recurrence in three orders: as a loop, as a tree, in chunks.

    h_t = a_t h_{t−1} + b_t,  h_0 = 0

Axes: B sequences, L tokens, D channels, C chunks of Q tokens. The channels of a sequence share their decays, as those
of a head of Mamba-2 do: a has the shape (B,L,1) and b the shape (B,L,D).

Each way is a generator. Between two `yield`s it does one round: multiplications that do not wait for one another. So
the number of rounds is the depth, what no number of lanes can make shorter, and the multiplications in them are the
work.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import NamedTuple

from mem_core.engine import Array, Engine


class Round(NamedTuple):
    """One round of multiplications, each with the addition that may follow it.

    Attributes:
        held: what the tokens hold after it; the next round writes into the same array.
        products: the arrays that were computed, one multiplication for each of their numbers.
    """

    held: Array
    products: tuple[Array, ...]

    @property
    def work(self) -> int:
        """How many multiplications this round did."""
        return sum(math.prod(array.shape) for array in self.products)


Scan = Generator[Round, None, Array]
"""Gives its rounds one by one, and at its end h (B,L,D)."""


def loop(engine: Engine, a: Array, b: Array) -> Scan:
    """Walk from token to token: the least work there is, and every state waits for the one before it.

    Work L, depth L.
    """
    xp = engine.xp
    h = xp.zeros_like(b)
    state = xp.zeros_like(b[:, 0])
    for t in range(b.shape[1]):
        state = a[:, t] * state + b[:, t]
        h[:, t] = state
        yield Round(h, (state,))
    return h


def tree(engine: Engine, a: Array, b: Array) -> Scan:
    """Sweep up a tree and down again: pairs, pairs of pairs, and so on, then the tokens that were left out.

    "Multiply by a, then add b" is a pair (a, b), and two such steps in a row are one: (a, b) then (a', b') is
    (a a', a' b + b'). That may be done in any grouping, as adding may. Work about 4 L, depth about 2 log2 L.

    Source:
        Blelloch 1990, "Prefix Sums and Their Applications", sections 1.2 and 1.4, in the form of Brent & Kung 1982
        that includes each token in its own sum.
    """
    a, b = (engine.xp.asarray(part, copy=True) for part in (a, b))
    length = b.shape[1]
    strides = [2**level for level in range(length.bit_length() - 1)]
    for stride in strides:  # up: the right one of each pair takes in the left one
        yield _join(a, b, later=slice(2 * stride - 1, None, 2 * stride), stride=stride)
    for stride in reversed(strides):  # down: what is finished is handed to the middle of the next pair
        if 3 * stride <= length:
            yield _join(a, b, later=slice(3 * stride - 1, None, 2 * stride), stride=stride)
    return b


def doubling(engine: Engine, a: Array, b: Array) -> Scan:
    """Let every token take in the one 1, 2, 4, ... places before it: half the rounds of a tree, more work.

    Work about 2 L log2 L, depth log2 L.

    Source:
        Hillis & Steele 1986, "Data Parallel Algorithms".
    """
    a, b = (engine.xp.asarray(part, copy=True) for part in (a, b))
    stride = 1
    while stride < b.shape[1]:
        yield _join(a, b, later=slice(stride, None), stride=stride)
        stride *= 2
    return b


def _join(a: Array, b: Array, later: slice, stride: int) -> Round:
    """Let the later tokens take in what the tokens `stride` places before them hold."""
    earlier = slice(later.start - stride, b.shape[1] - stride, later.step)
    taken, decay = a[:, later] * b[:, earlier] + b[:, later], a[:, later] * a[:, earlier]
    b[:, later], a[:, later] = taken, decay
    return Round(b, (taken, decay))


def chunks(engine: Engine, a: Array, b: Array, size: int) -> Scan:
    """Cut into chunks of Q tokens: inside each, between them, and through them again.

    Work 3 L − Q, depth Q + L/Q.

    Source:
        Dao & Gu 2024 (arXiv 2405.21060), section 6: diagonal blocks inside a chunk, off-diagonal blocks through the
        state that is carried. They compute a diagonal block as one matrix product, for which a GPU has units of its
        own; the loop here does the same with fewer multiplications.
    """
    xp = engine.xp
    length = b.shape[1]
    a, b = (_cut(engine, part, size) for part in (a, b))
    h, reach = xp.zeros_like(b), xp.zeros_like(a)
    state, left = xp.zeros_like(b[:, :, 0]), xp.ones_like(a[:, :, 0])
    for q in range(size):  # inside: every chunk by itself, from a zero state, all at the same time
        state, left = a[:, :, q] * state + b[:, :, q], a[:, :, q] * left
        h[:, :, q], reach[:, :, q] = state, left
        yield Round(h, (state, left))
    for c in range(1, h.shape[1]):  # between: the last state of a chunk is carried to the end of the next
        carried = reach[:, c, -1] * h[:, c - 1, -1]
        h[:, c, -1] += carried
        yield Round(h, (carried,))
    if h.shape[1] > 1 and size > 1:  # through: the other tokens take in what entered their chunk
        entered = reach[:, 1:, :-1] * h[:, :-1, -1:]
        h[:, 1:, :-1] += entered
        yield Round(h, (entered,))
    return xp.reshape(h, (h.shape[0], -1, h.shape[3]))[:, :length]


def _cut(engine: Engine, sequence: Array, size: int) -> Array:
    """Lay (B,L,D) out as (B,C,Q,D); the last chunk ends in zeros, which no token before them sees."""
    xp = engine.xp
    batch, length, channels = sequence.shape
    nothing = xp.zeros((batch, -length % size, channels), dtype=sequence.dtype)
    return xp.reshape(xp.concat([sequence, nothing], axis=1), (batch, -1, size, channels))


def whole_matrix(engine: Engine, a: Array, b: Array) -> Scan:
    """Write the scan as h = M b, with M_ts = a_t … a_{s+1} for s ≤ t and 0 above the diagonal.

    This is attention without a softmax. Work 1.5 L² − L/2, depth 2 L − 1: row t of M is a_t times row t−1 with a 1
    behind it, and the product adds one column after the other. `held` is M, shape (B,L,L).

    Source:
        Dao & Gu 2024 (arXiv 2405.21060), section 3: the matrix of a scan is semiseparable.
    """
    xp = engine.xp
    length = b.shape[1]
    matrix = xp.zeros((b.shape[0], length, length), dtype=b.dtype)
    matrix[:, 0, 0] = 1
    for t in range(1, length):
        row = a[:, t] * matrix[:, t - 1, :t]
        matrix[:, t, :t], matrix[:, t, t] = row, 1
        yield Round(matrix, (row,))
    h = matrix @ b
    for _ in range(length):
        yield Round(matrix, (h,))
    return h


def states(scan: Scan) -> Array:
    """Run a way to its end and return h (B,L,D)."""
    while True:
        try:
            next(scan)
        except StopIteration as end:
            return end.value
