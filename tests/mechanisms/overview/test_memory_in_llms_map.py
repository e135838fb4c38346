"""The map over the gallery against the catalog, and the rules that give a memory its type."""

from __future__ import annotations

import pytest

from mem_core.mechanisms import catalog
from mem_core.mechanisms.overview.memory_in_llms.taxonomy import (
    DATA_FILE,
    NOT_MEMORY,
    ROLES,
    TYPE_NAMES,
    classify,
    place_of,
    places,
    read_places,
)

FORTY = [
    "longmamba",
    "memmamba",
    "efficientvim",
    "kmm",
    "decision-mamba",
    "memory-reweaving",
    "mixture-of-memories",
    "bmojo",
    "titans",
    "elm-neuron",
    "neural-memory-controller",
    "rnn-hmm",
    "dynamical-bandits",
    "river-valley",
    "infinite-lr",
    "grokking-li2",
    "grok-or-not",
    "few-shot-memory",
    "nas-controller",
    "brain-rot",
    "stability-gap",
    "view-batch",
    "hebbian-projection",
    "forgetting-prioritized-finetuning",
    "gere",
    "bacs",
    "sefe",
    "synaptic-dampening",
    "analytic-unlearning",
    "pmet",
    "clue",
    "truthprint",
    "representation-shift",
    "memorybank",
    "halumem",
    "mem1",
    "mem-alpha",
    "a-memguard",
    "situational-understanding",
    "memory-in-llms",
]


def test_every_mechanism_of_the_forty_and_our_own_lesson_stands_on_the_map_once():
    assert sorted(places()) == sorted([*FORTY, "scan-kernels"])
    assert len(DATA_FILE.read_text(encoding="utf-8").splitlines()) == 1 + len(places())


@pytest.mark.parametrize("slug", catalog.slugs())
def test_the_map_agrees_with_the_header_of_every_mechanism_there_is(slug):
    place, mechanism = place_of(slug), catalog.load(slug)
    assert place.slug == mechanism.slug
    assert place.family == mechanism.family
    assert place.arxiv == mechanism.paper.arxiv
    assert place.built
    assert all((mechanism.stores, mechanism.written, mechanism.read, mechanism.fades))


ALLOWED_TYPES = {
    "state_space": "CM",
    "architectures": "CPE",
    "learning": "PC",
    "continual": "PE",
    "editing": "PECM",
    "agents": "ERCM",
    "overview": "M",
}


def test_the_types_of_a_family_are_where_its_memory_lives():
    for place in places().values():
        assert set(place.types) <= set(ALLOWED_TYPES[place.family]), place.slug
        assert place.role in ROLES


def test_the_map_says_what_is_built_as_the_catalog_does():
    assert {slug for slug, place in places().items() if place.built} == set(catalog.slugs())


def test_the_heat_map_counts_what_the_data_file_holds(frames):
    table = frames[0].tables["map"]
    assert len(table) == len(TYPE_NAMES) * len(ROLES)
    assert table["mechanisms"].sum() == sum(len(place.types) for place in places().values())
    external = table.where(type="external")
    assert external["yours"].all()
    assert table["yours"].sum() == len(ROLES)


HEADER = "slug,arxiv,family,types,role,lives,lasts,written,read,handle\n"
ROW = "x,1,learning,P,write,a,b,c,d,e\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("role,", "") + ROW, "columns must be slug, arxiv"),
        (HEADER + ROW + ROW, "x stands twice"),
        (HEADER + ROW.replace(",P,", ",Q,"), "type is 'Q'"),
        (HEADER + ROW.replace(",P,", ",P/P,"), "each type once"),
        (HEADER + ROW.replace("write", "shred"), "role is 'shred'"),
        (HEADER + ROW.replace("learning", "music"), "family is 'music'"),
        (HEADER + ROW.replace(",e\n", ",\n"), "handle is empty"),
        (HEADER + ROW.replace(",e\n", "\n"), "Line 2 of the map must have 10 columns"),
        (HEADER + ROW.replace(",e\n", ",e,f\n"), "Line 2 of the map must have 10 columns"),
    ],
)
def test_a_map_that_cannot_be_right_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_places(text)


def test_an_unknown_slug_is_refused():
    with pytest.raises(ValueError, match="slug is 'hippocampus'"):
        place_of("hippocampus")


@pytest.mark.parametrize(
    ("observed", "kind"),
    [
        ((True, True, True, True), "P"),
        ((False, True, True, True), "C"),
        ((False, False, True, True), "E"),
        ((False, False, False, True), "R"),
        ((False, False, False, False), NOT_MEMORY),
    ],
)
def test_the_first_rule_that_applies_decides(observed, kind):
    names = ("recalled_alone", "lost_with_context", "cites_passage", "survives_sessions")
    assert classify(dict(zip(names, observed, strict=True))) == kind


def test_an_unknown_observation_is_refused():
    with pytest.raises(ValueError, match="observation is 'is_pretty'"):
        classify({"is_pretty": True})
