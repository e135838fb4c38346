"""The activation that may follow the short convolution."""

from __future__ import annotations

from mem_core.kernels.arguments import Arguments


def check_activation(given: Arguments, activation: str | None) -> None:
    """Refuse an activation that the convolution does not have."""
    if activation not in (None, "silu"):
        raise given.error(f"activation must be None or 'silu', got {activation!r}")
