"""What the papers say of these scans, measured on the small and the long input; no claim reads a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.state_space.scan_kernels.pictures import WHOLE_MATRIX
from mem_core.mechanisms.state_space.scan_kernels.rounding import BOUND
from mem_core.mechanisms.state_space.scan_kernels.settings import CHUNKS, CONSTANT, TREE

PAPER = "Dao & Gu 2024"
SERIES = ({"kind": CONSTANT, "variation": 0.0},)
"""A constant input with a constant decay, whose state is a geometric series."""


def check_same_states(results: Sequence[Result]) -> Evidence:
    """Compare the largest difference from float64 with what rounding may do, over all ways and decays."""
    table = results[0].tables["rounding"]
    limits = {row["decay"]: row["difference"] for row in table.where(way=BOUND).rows()}
    rows = [row for row in table.rows() if row["way"] != BOUND]
    worst = max(rows, key=lambda row: row["difference"] / limits[row["decay"]])
    note = f"{worst['way']} at decay {worst['decay']:g}: {worst['difference']:.1e}"
    return Evidence(worst["difference"] / limits[worst["decay"]], 1, "<=", note)


def check_cut_anywhere(results: Sequence[Result]) -> Evidence:
    """Compare the difference between chunks and the loop with what rounding may do to the two of them."""
    rows = results[0].tables["cuts"].rows()
    worst = max(rows, key=lambda row: row["difference"])
    note = f"{len(rows)} chunk lengths; largest difference {worst['difference']:.1e}, at {worst['chunk']}"
    return Evidence(worst["difference"] / worst["bound"], 2, "<=", note)


def check_tree_depth(results: Sequence[Result]) -> Evidence:
    """Take the rounds of the tree for each doubling of the length, at the length where they are most."""
    rows = results[0].tables["counts"].where(way=TREE).rows()
    note = ", ".join(f"{row['length']} tokens {row['depth']} rounds" for row in rows)
    return Evidence(max(row["depth"] / math.log2(row["length"]) for row in rows), 2, "<=", note)


def check_chunk_work(results: Sequence[Result]) -> Evidence:
    """Compare the multiplications of the chunks with those of the whole matrix."""
    costs = results[0].tables["costs"]
    chunked, whole = (int(costs.where(way=way)["work"][0]) for way in (CHUNKS, WHOLE_MATRIX))
    return Evidence(chunked / whole, 0.5, "<=", f"{chunked} multiplications against {whole}")


def check_geometric_series(results: Sequence[Result]) -> Evidence:
    """Compare the states with h_t = (1 − a^t) / (1 − a)."""
    tables = results[0].tables
    inputs, decays = tables["inputs"]["value"], tables["decays"]["value"]
    if inputs.min() != 1 or inputs.max() != 1 or decays.min() != decays.max():
        return Evidence.missing("needs a constant input and a constant decay")
    a = float(decays[0])
    worst = max(abs(row["value"] - _series(a, row["token"])) for row in tables["states"].rows())
    limit = float(tables["cuts"]["bound"][0])
    return Evidence(worst / limit, 1, "<=", f"a = {a:.3g}: largest difference {worst:.1e}")


def _series(a: float, terms: int) -> float:
    return float(terms) if a == 1 else (1 - a**terms) / (1 - a)


CLAIMS = (
    Claim(
        key="same-states",
        statement="Loop, tree, chunks and the engine's own kernel give the same states, with decays from 0 to 1: each "
        "stays within what rounding alone can do, ε Σ (lag + 1 + log₂ L) a…a |b|.",
        source=f"{PAPER}, section 3: one matrix, several ways to multiply with it",
        paper_value="equal in exact arithmetic",
        check=check_same_states,
    ),
    Claim(
        key="cut-anywhere",
        statement="It does not matter where the input is cut: chunks of any length, from one token to all of them, "
        "differ from the loop by rounding alone (twice the bound, since both round).",
        source=f"{PAPER}, section 6",
        paper_value="an identity",
        check=check_cut_anywhere,
    ),
    Claim(
        key="tree-depth",
        statement="The rounds of a tree grow with the logarithm of the length: at most two more when it doubles.",
        source="Blelloch 1990, sections 1.2 and 1.4",
        paper_value="an up-sweep and a down-sweep of log₂ L rounds each",
        check=check_tree_depth,
    ),
    Claim(
        key="chunk-work",
        statement="Chunks reach every state with at most half of the multiplications of the whole matrix.",
        source=f"{PAPER}, section 6",
        paper_value="linear in the length, where attention is quadratic",
        check=check_chunk_work,
    ),
    Claim(
        key="geometric-series",
        statement="With a constant decay and a constant input the state is the geometric series (1 − a^t) / (1 − a), "
        "within the same bound.",
        source="closed form",
        check=check_geometric_series,
        variants=SERIES,
    ),
)
