"""Maps over nested dicts, lists and tuples of arrays: the form in which parameters are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def map_tree(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply `function` to the leaves of one or more trees of the same shape."""
    if isinstance(tree, dict):
        return {key: map_tree(function, value, *(other[key] for other in others)) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        mapped = [map_tree(function, *leaves) for leaves in zip(tree, *others, strict=True)]
        return type(tree)(mapped)
    return function(tree, *others)


def leaves(tree: Any) -> list[Any]:
    """List the leaves of a tree, in the order of its keys."""
    found: list[Any] = []
    map_tree(found.append, tree)
    return found
