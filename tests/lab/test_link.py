from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem_core.lab import link
from mem_core.mechanisms import catalog

SLUGS = catalog.slugs()
queries = st.dictionaries(
    st.one_of(st.text(max_size=20), st.sampled_from(["seed", "file", "steps", "weight_decay", "tau"])),
    st.one_of(st.text(max_size=50), st.lists(st.text(max_size=10), max_size=3)),
    max_size=5,
)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_link_restores_every_control_and_the_seed(slug: str) -> None:
    mechanism = catalog.load(slug)
    default = mechanism.presets["browser"]
    for settings in mechanism.presets.values():
        query = link.write(settings, default, 7)
        opened = link.read(default, dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True)))
        assert (opened.settings, opened.seed, opened.problem) == (settings, 7, "")


@pytest.mark.parametrize("slug", SLUGS)
@given(query=queries)
def test_any_query_gives_settings_that_can_run_and_says_what_it_could_not_read(
    slug: str, query: dict[str, str | list[str]]
) -> None:
    default = catalog.load(slug).presets["browser"]
    opened = link.read(default, query)
    if opened.problem:
        assert (opened.settings, opened.seed) == (default, 0)
        assert opened.problem.startswith("This link could not be read, so the page starts from its defaults. ")
        assert opened.problem.endswith(".")
    else:
        assert set(query) <= {*default.controls(), "seed", *link.FOREIGN}


def test_a_value_that_stands_twice_is_refused() -> None:
    opened = link.read(catalog.load(SLUGS[0]).presets["browser"], {"seed": ["1", "2"]})
    assert "seed stands 2 times" in opened.problem


def test_an_endless_value_is_refused_before_it_is_read() -> None:
    opened = link.read(catalog.load(SLUGS[0]).presets["browser"], {"seed": "1" * 10_000})
    assert "10000 characters" in opened.problem


def test_the_link_of_the_defaults_is_empty() -> None:
    default = catalog.load(SLUGS[0]).presets["browser"]
    assert link.write(default, default, 0) == "?"
