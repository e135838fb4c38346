"""The map of the gallery as a page shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from mem_core.lab import memory_map
from mem_core.mechanisms import catalog
from mem_core.mechanisms.overview.memory_in_llms.taxonomy import ROLES, TYPE_NAMES, places


def slugs(html: str) -> list[str]:
    return re.findall(r"data-slug='([^']+)'", html)


ALL = {"type": "all", "role": "all", "built": "false"}


def test_the_table_of_the_map_has_every_mechanism_and_links_only_to_pages_that_exist() -> None:
    html = memory_map.table(ALL).text
    assert slugs(html) == list(places())
    links = set(re.findall(r"href='\.\./\.\./([a-z_]+)/([a-z0-9-]+)/'", html))
    assert links == {(place.family, slug) for slug, place in places().items() if place.built}
    assert {slug for _, slug in links} == set(catalog.slugs())
    assert html.count("not built yet") == len(places()) - len(catalog.slugs())


@pytest.mark.parametrize(("kind", "letter"), [("external", "E"), ("contextual", "C"), ("a method or a test", "M")])
def test_the_filters_let_through_what_they_say(kind: str, letter: str) -> None:
    shown = slugs(memory_map.table(ALL | {"type": kind}).text)
    assert shown == [slug for slug, place in places().items() if letter in place.types]
    built = slugs(memory_map.table(ALL | {"type": kind, "built": "true"}).text)
    assert built == [slug for slug in shown if slug in catalog.slugs()]
    reading = slugs(memory_map.table(ALL | {"role": "read", "type": kind}).text)
    assert reading == [slug for slug in shown if places()[slug].role == "read"]


def test_a_filter_that_there_is_not_is_one_sentence() -> None:
    html = memory_map.table(ALL | {"type": "muscle"}).text
    assert "type is &#x27;muscle&#x27;, but it must be one of all, parametric" in html
    assert "<table" not in html


def test_the_filters_offer_every_type_and_role_and_show_all_at_first() -> None:
    panel = memory_map.filters()
    assert panel.value == ALL
    for kind in TYPE_NAMES.values():
        assert slugs(memory_map.table(ALL | {"type": kind}).text), kind
    by_role = [slugs(memory_map.table(ALL | {"role": role}).text) for role in ROLES]
    assert sorted(slug for found in by_role for slug in found) == sorted(places())  # each changes one thing


def test_every_row_gives_the_quadruple_with_the_headings_that_narrow_pages_need() -> None:
    html = memory_map.table(ALL).text
    rows = dict(re.findall(r"<tr data-slug='([^']+)'>(.*?)</tr>", html, flags=re.DOTALL))
    for slug, row in rows.items():
        assert re.findall(r"<td data-head='([^']+)'", row) == [
            head.replace(">", "&gt;") for head in memory_map.HEADS[1:]
        ], slug
        assert f"https://arxiv.org/abs/{places()[slug].arxiv}" in row
    assert "R = exp(−t/S)" in rows["memorybank"]
    assert "external, procedural or episodic" in rows["memorybank"]


def test_what_is_not_built_has_no_link_and_what_is_built_later_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    some: Mapping[str, str] = {"titans": "mem_core.mechanisms.architectures.titans"}
    monkeypatch.setattr(catalog, "modules", lambda: some)
    html = memory_map.table(ALL).text
    assert re.findall(r"href='\.\./\.\./([^']+)'", html) == ["architectures/titans/"]
    assert html.count("not built yet") == len(places()) - 1
    assert f"{len(places())} of {len(places())} mechanisms, 1 of them with a page here." in html
    assert slugs(memory_map.table(ALL | {"built": "true"}).text) == ["titans"]


def test_a_table_escapes_its_words() -> None:
    assert memory_map.cell("a'b", "x") == "<td data-head='a&#x27;b' class=''>x</td>"
    assert "<th scope='col'>a&lt;b</th>" in memory_map.html_table(("a<b",), "", "no rows").text
