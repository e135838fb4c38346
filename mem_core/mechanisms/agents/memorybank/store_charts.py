"""Charts of the live store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.agents.memorybank.forgetting import POLICIES
from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
NOT_OPEN = "The store has not opened yet."


def _last_rows(tables: Tables) -> list[dict[str, Any]]:
    """Give the newest row of each policy."""
    newest: dict[str, dict[str, Any]] = {}
    for row in tables["store_days"].rows():
        newest[row["policy"]] = row
    return list(newest.values())


def describe_size(tables: Tables) -> str:
    """Say how many pieces each policy has left."""
    rows = _last_rows(tables)
    if not rows:
        return NOT_OPEN
    told = ", ".join(f"{row['policy']} {row['size']:.0f}" for row in rows)
    return f"Pieces left after day {rows[0]['day']}: {told}."


def describe_hits(tables: Tables) -> str:
    """Say what share of questions each policy answers now."""
    rows = _last_rows(tables)
    if not rows:
        return NOT_OPEN
    told = ", ".join(f"{row['policy']} {row['hit_rate']:.0%}" for row in rows)
    return f"Questions answered in the week up to day {rows[0]['day']}: {told}."


def describe_policies(tables: Tables) -> str:
    """Rank the policies over the whole life so far."""
    rows = sorted(tables["store_policies"].rows(), key=lambda row: -row["hit_rate"])
    if not rows:
        return NOT_OPEN
    told = ", ".join(f"{row['policy']} {row['hit_rate']:.0%} with {row['end_size']:.0f} pieces" for row in rows)
    return f"Share of all questions answered so far, and pieces left: {told}."


def describe_strength(tables: Tables) -> str:
    """Say how strength and popularity go together among the survivors of the first policy."""
    table = tables["store_survivors"]
    if not len(table):
        return "No piece is left." if len(tables["store_days"]) else NOT_OPEN
    policy = str(table["policy"][0])
    rows = table.where(policy=policy).rows()
    strongest = max(rows, key=lambda row: row["strength"])
    popular = sorted(row["popularity"] for row in rows)
    above = sum(value <= strongest["popularity"] for value in popular) / len(popular)
    return (
        f"Under {policy}, {len(rows)} pieces are drawn; the strongest has S = {strongest['strength']:.0f} and is as "
        f"popular as or more popular than {above:.0%} of them."
    )


def describe_piece(tables: Tables) -> str:
    """Tell the life of the piece that is drawn."""
    table = tables["store_piece"]
    if not len(table):
        return NOT_OPEN
    days, strength = table["day"], table["strength"]
    recalls = sum(later > earlier for earlier, later in zip(strength.tolist(), strength.tolist()[1:], strict=False))
    end = f"forgotten in the night before day {days[-1]:.0f}" if table["forgotten"][0] else "still stored"
    return (
        f"Told on day {days[0]:.0f}, recalled on {recalls} {'day' if recalls == 1 else 'days'}, {end}: its strength is "
        f"{strength[-1]:.0f} and its lowest retention was {float(table['retention'].min()):.2f}."
    )


STORE_CHARTS = (
    Chart(
        key="store_size",
        title="How many pieces are left",
        x=Axis(title="Day"),
        y=Axis(title="Pieces in the store", zero=True),
        layers=(Layer(mark="line", table="store_days", x="day", y="size", color="policy", label_ends=True),),
        describe=describe_size,
        look_for="Start the program more often: under per load the store empties, under hazard nothing changes.",
        series=POLICIES,
    ),
    Chart(
        key="store_hits",
        title="How many questions are answered",
        x=Axis(title="Day"),
        y=Axis(title="Share answered, mean of a week", domain=(0.0, 1.0)),
        layers=(
            Layer(mark="band", table="store_days", x="day", y="low", y2="high", color="policy"),
            Layer(mark="line", table="store_days", x="day", y="hit_rate", color="policy", label_ends=True),
        ),
        describe=describe_hits,
        look_for="With as many pieces as random, hazard answers more; forgetting nothing answers the most.",
        series=POLICIES,
    ),
    Chart(
        key="store_policies",
        title="The rules over the whole time",
        x=Axis(title="Rule of forgetting", scale="nominal"),
        y=Axis(title="Share of questions answered", domain=(0.0, 1.0)),
        layers=(
            Layer(mark="bar", table="store_policies", x="policy", y="hit_rate"),
            Layer(mark="errorbar", table="store_policies", x="policy", y="low", y2="high"),
        ),
        describe=describe_policies,
        look_for="One life is one draw of luck: raise the number of lives before you believe a small difference.",
    ),
    Chart(
        key="store_strength",
        title="Who survives",
        x=Axis(title="Popularity of the fact", scale="log"),
        y=Axis(title="Strength S", scale="log"),
        layers=(Layer(mark="point", table="store_survivors", x="popularity", y="strength", color="policy"),),
        describe=describe_strength,
        look_for="The most popular facts are strong, and so are some that nobody asks for: a search recalls its near "
        "misses too.",
        series=POLICIES,
    ),
    Chart(
        key="store_piece",
        title="The life of one piece",
        x=Axis(title="Day"),
        y=Axis(title="Retention R = exp(−t/(τ·S))", domain=(0.0, 1.0)),
        layers=(Layer(mark="line", table="store_piece", x="day", y="retention"),),
        describe=describe_piece,
        look_for="Each recall lifts R back to 1 and makes the next fall slower, because S has grown.",
    ),
)
