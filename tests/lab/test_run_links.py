"""Runs asked for again by the links of their pages."""

from __future__ import annotations

import pytest

from mem_core.lab import link
from mem_core.lab.run_links import LONGEST_LINKS, name_of, request_of, requests_of
from mem_core.mechanisms import catalog
from mem_core.mechanisms.controls import SettingsError


def test_a_link_asks_for_the_run_that_its_page_shows() -> None:
    default = catalog.load("memorybank").presets["browser"]
    settings = default.changed(tau=2.0)
    address = "https://host:8000/agents/memorybank/" + link.write(settings, default, 7)
    (request,) = requests_of(f"\n  {address}  \n\n")
    assert (request.slug, request.settings, request.seed) == ("memorybank", settings, 7)
    assert name_of(request) == "memorybank?tau=2&seed=7"
    assert request_of(*name_of(request).split("?")).key == request.key


def test_without_settings_a_link_asks_for_the_defaults() -> None:
    for address in ("/agents/memorybank/", "../../agents/memorybank", "/agents/memorybank/?theme=dark#claims"):
        (request,) = requests_of(address)
        assert request.key == request_of("memorybank").key
        assert name_of(request) == "memorybank"
    assert requests_of("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "'hello' is no link to a mechanism's page"),
        ("https://host/agents/hippocampus/", "is no link to a mechanism's page"),
        ("http://[::1", "is no link"),
        ("x" * (LONGEST_LINKS + 1), "characters, but together"),
        ("/agents/memorybank/?colour=blue", "no setting called 'colour'"),
        ("/agents/memorybank/?tau=99", "tau is '99'"),
        ("/agents/memorybank/?seed=-1", "seed is '-1'"),
        ("/agents/memorybank/\n/agents/memorybank/?tau=x", "tau is 'x'"),
    ],
)
def test_a_link_that_cannot_be_used_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        requests_of(text)
    assert len(str(refused.value)) < 300


def test_a_setting_that_is_wrong_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="tau is '99'"):
        request_of("memorybank", "tau=99")
