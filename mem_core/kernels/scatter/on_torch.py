"""Sums of rows by index on PyTorch."""

from __future__ import annotations

from torch import Tensor


def scatter_rows(rows: Tensor, *, index: Tensor, size: int) -> Tensor:
    """Return sums (size, …) of rows (n, …) by index (n,).

    PyTorch's own gradient of `index_add` is the gather one would write by hand. On a GPU the order of the additions is
    not fixed, so float32 sums may differ in the last digits from run to run.
    """
    try:
        return rows.new_zeros(size, *rows.shape[1:]).index_add(0, index.long(), rows)
    except (IndexError, RuntimeError) as error:
        if "index" in str(error):
            raise ValueError(f"scatter_add: index must lie in 0 … {size - 1}; {error}.") from error
        raise
