"""One source of random numbers for every engine.

Numbers are drawn by NumPy's counter-based Philox generator and then moved to the engine, so that a seed gives the
same experiment on every engine and every machine.
"""

from __future__ import annotations

import hashlib

import numpy as np


def philox(seed: int, *stream: str | int) -> np.random.Generator:
    """Return the generator of one named stream of a seed.

    Streams with different names are independent: the data of a run does not change when its initial weights take
    more numbers.

    Args:
        seed: the run's seed, any non-negative whole number.
        stream: names of the stream, for example `"queries"` or `"weights", 3`.

    >>> philox(0, "data").integers(100, size=3).tolist() == philox(0, "data").integers(100, size=3).tolist()
    True
    """
    name = "/".join(map(str, stream)).encode()
    words = np.frombuffer(hashlib.sha256(name).digest(), dtype=np.uint32)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *map(int, words)])))
