"""How fast a machine can be at each of the things that a kernel does, measured in the same run as the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mem_core.kernels.benchmark.cases import Device
from mem_core.kernels.benchmark.place import Place
from mem_core.kernels.benchmark.work import Work


@dataclass(frozen=True)
class Sizes:
    """What is large enough to measure a ceiling, and small enough not to take long.

    Attributes:
        copied: numbers of four bytes, many times what a cache holds.
        rows: of the matrices.
        exponentials: numbers side by side; on a processor they fit into its cache.
        repeats: how often their exponentials are taken.
        dtypes: of the matrices.
    """

    copied: int
    rows: int
    exponentials: int
    repeats: int
    dtypes: tuple[str, ...] = ("float32",)


_SIZES: Mapping[Device, Sizes] = {
    "numpy": Sizes(2**25, 1024, 2**16, 16),
    "cpu": Sizes(2**25, 2048, 2**17, 16),
    "cuda": Sizes(2**30, 8192, 2**22, 1024, ("float32", "bfloat16")),
    "interpreter": Sizes(2**10, 16, 2**10, 4),
}


@dataclass(frozen=True)
class Ceilings:
    """Rates of one machine.

    Attributes:
        bytes_per_second: of a large copy, read and written bytes both counted.
        products_per_second: operations in a product of large matrices, by the type of their numbers.
        exponentials_per_second: powers of 2 in float32, from which others differ by a multiplication.
    """

    bytes_per_second: float
    products_per_second: Mapping[str, float]
    exponentials_per_second: float

    def nearest(self, moved: int, work: Work, dtype: str) -> tuple[str, float]:
        """Name the ceiling that allows a pass the least speed, and the seconds that the pass takes at it.

        Operations outside of products are held against the rate of products in float32, which is that of
        multiplications and additions in pairs.
        """
        seconds = {
            "copy": moved / self.bytes_per_second,
            "matrix products": work.products / self.products_per_second[dtype],
            "arithmetic": work.others / self.products_per_second["float32"],
            "exponentials": work.exponentials / self.exponentials_per_second,
        }
        name = max(seconds, key=lambda ceiling: seconds[ceiling])
        return name, seconds[name]


def measure(place: Place) -> Ceilings:
    """Measure the ceilings of a place."""
    sizes = _SIZES[place.device]
    copy = place.time(place.copying(sizes.copied)).seconds
    products = {dtype: place.time(place.multiplying(sizes.rows, dtype)).seconds for dtype in sizes.dtypes}
    exponentials = place.time(place.exponentiating(sizes.exponentials, sizes.repeats)).seconds
    return Ceilings(
        8 * sizes.copied / copy,
        {dtype: 2 * sizes.rows**3 / seconds for dtype, seconds in products.items()},
        sizes.exponentials * sizes.repeats / exponentials,
    )
