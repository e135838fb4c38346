"""How much a kernel has to do at the least: operations, exponentials and bytes.

The letters below are the axes of a case: B batch, L length, D channels, N state, H heads, P width, G groups, K key
width, V value width, W taps, E inner. An operation is one multiplication or one addition in floating point. A
gradient's count is for what it takes beyond the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mem_core.kernels.benchmark.inputs import INPUTS

CHUNK = 64
"""Q, positions in a chunk: more of them mean more operations in matrix units and fewer states between chunks."""

Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Work:
    """What a pass has to do.

    Attributes:
        products: operations in products of matrices.
        others: operations on single numbers.
        exponentials: exponentials, which a processor has a unit or a routine of its own for.
    """

    products: int = 0
    others: int = 0
    exponentials: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.products + other.products, self.others + other.others, self.exponentials + other.exponentials)

    @property
    def operations(self) -> int:
        """Operations of both kinds."""
        return self.products + self.others


def work(kernel: str, sizes: Sizes, with_gradient: bool) -> Work:
    """Count what a kernel does forward, or forward and backward."""
    forward, backward = _COUNTS[kernel](sizes)
    return forward + backward if with_gradient else forward


def fewest_bytes(kernel: str, arrays: Mapping[str, Any], output: Any, with_gradient: bool) -> int:
    """Count what has to pass through memory: forward every input and the output once.

    Backward it is what the gradient needs of the inputs and the output's gradient, once more, and every gradient. A
    kernel may read its output in place of an input; more than that it need not have kept.
    """
    inputs = INPUTS[kernel]
    forward = sum(map(size, arrays.values())) + size(output)
    if not with_gradient:
        return forward
    again = sum(size(array) for name, array in arrays.items() if name not in inputs or inputs[name].again)
    return forward + again + size(output) + sum(size(arrays[name]) for name in inputs)


def size(array: Any) -> int:
    """Return an array's bytes."""
    return int(array.nbytes)


def _linear_scan(s: Sizes) -> tuple[Work, Work]:
    # h = a h + b; g = dh + a g, da = g h.
    numbers = s["batch"] * s["length"] * s["channels"]
    return Work(others=2 * numbers), Work(others=3 * numbers)


def _selective_scan(s: Sizes) -> tuple[Work, Work]:
    # For every number of the state: Δ A, its exponential, (Δ u) B, a multiplication and an addition for h, as many for
    # y, and two or three to put partial results of a scan together: 9 in all. Backward the states are made again.
    numbers = s["batch"] * s["length"] * s["channels"] * s["state"]
    return Work(others=9 * numbers, exponentials=numbers), Work(others=20 * numbers, exponentials=numbers)


def _ssd_scan(s: Sizes) -> tuple[Work, Work]:
    # A position: C Bᵀ for each group 2 Q N; for each head that times X 2 Q P, added to the state 2 N P, read 2 N P.
    # The decay between any two positions of a chunk is an exponential, and half of the pairs are in order.
    groups = 2 * CHUNK * s["state"] * s["groups"]
    heads = (2 * CHUNK * s["width"] + 4 * s["state"] * s["width"]) * s["heads"]
    return _in_chunks(s, groups + heads, exponentials=CHUNK // 2 * s["heads"])


def _gated_linear_attention(s: Sizes) -> tuple[Work, Work]:
    # Every key number of q and of k is multiplied by an exponential.
    return _in_chunks(s, _attention(s) * s["heads"], exponentials=2 * s["key_width"] * s["heads"])


def _delta_rule(s: Sizes) -> tuple[Work, Work]:
    # Beyond attention: k kᵀ 2 Q K, solving for U and W Q (K + V), W S 2 K V.
    keys, values = s["key_width"], s["value_width"]
    more = 2 * CHUNK * keys + CHUNK * (keys + values) + 2 * keys * values
    return _in_chunks(s, (_attention(s) + more) * s["heads"], exponentials=0)


def _gated_delta_rule(s: Sizes) -> tuple[Work, Work]:
    forward, backward = _delta_rule(s)
    gates = Work(exponentials=s["batch"] * s["length"] * s["heads"] * CHUNK // 2)
    return forward + gates, backward + gates


def _attention(s: Sizes) -> int:
    # A position of a head: q kᵀ and its product with v 2 Q (K + V), added to the state and read 4 K V.
    keys, values = s["key_width"], s["value_width"]
    return 2 * CHUNK * (keys + values) + 4 * keys * values


def _in_chunks(s: Sizes, products: int, exponentials: int) -> tuple[Work, Work]:
    # Every product has two factors and so two gradients; half of C Bᵀ and the like is made again.
    forward = Work(products=products, exponentials=exponentials)
    positions = s["batch"] * s["length"]
    return _times(positions, forward), _times(positions, Work(5 * forward.products // 2, 0, forward.exponentials))


def _times(count: int, each: Work) -> Work:
    return Work(count * each.products, count * each.others, count * each.exponentials)


def _causal_conv1d(s: Sizes) -> tuple[Work, Work]:
    # A multiplication and an addition a tap, and 4 for bias and silu; backward the sum again, and as much for the
    # gradients of inputs and weights.
    numbers = s["batch"] * s["channels"] * s["length"]
    forward = Work(others=2 * s["taps"] + 4, exponentials=1)
    return _times(numbers, forward), _times(numbers, Work(others=6 * s["taps"] + 8, exponentials=1))


def _hidden_state_mixer(s: Sizes) -> tuple[Work, Work]:
    # An image: into the state and out of it 2 L D N each; inside of it W_hz and W_o, 2 N D of 2 E and of E.
    tokens = 4 * s["length"] * s["channels"] * s["state"]
    inside = 6 * s["state"] * s["channels"] * s["inner"]
    weights = s["length"] * s["state"]
    forward = _times(s["batch"], Work(tokens + inside, 4 * weights, weights))
    return forward, Work(2 * forward.products, 2 * forward.others, forward.exponentials)


def _scatter_add(s: Sizes) -> tuple[Work, Work]:
    return Work(others=s["rows"] * s["width"]), Work()


_COUNTS: Mapping[str, Callable[[Sizes], tuple[Work, Work]]] = {
    "linear_scan": _linear_scan,
    "selective_scan": _selective_scan,
    "ssd_scan": _ssd_scan,
    "gated_linear_attention": _gated_linear_attention,
    "delta_rule": _delta_rule,
    "gated_delta_rule": _gated_delta_rule,
    "causal_conv1d": _causal_conv1d,
    "hidden_state_mixer": _hidden_state_mixer,
    "scatter_add": _scatter_add,
}
