"""A zoo with a registered name is fetched from its owner, or built, or the command is named."""

import shutil
from typing import Any

import pytest

from tests.hub import Hub
from tests.zoogen.hub.test_fetch import the_same
from zoogen import ZOOS, UnknownNameError, Zoo, ZooError, fetch_zoo, load_zoo
from zoogen.load import locate


@pytest.fixture
def registered(mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register ``mixed`` as a zoo that ``org`` publishes."""
    monkeypatch.setitem(ZOOS, "mixed", mixed_zoo.spec)
    monkeypatch.setenv("ZOOGEN_HUB", "org")


@pytest.mark.usefixtures("registered", "commit")
def test_a_registered_zoo_is_fetched_from_its_owner_then_found_in_the_cache(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]
):
    zoo = load_zoo("mixed", **at)
    assert zoo.folder == at["cache_dir"] / "mixed"
    assert the_same(zoo, mixed_zoo)
    hub.stop()
    assert the_same(load_zoo("mixed", **at), mixed_zoo)


@pytest.mark.usefixtures("registered", "commit")
def test_a_part_of_a_registered_zoo_is_not_taken_for_the_whole(mixed_zoo: Zoo, at: dict[str, Any]):
    assert len(load_zoo("mixed", models=5, **at).weights) == 10
    assert not (at["cache_dir"] / "mixed").exists()
    assert the_same(load_zoo("mixed", **at), mixed_zoo)


@pytest.mark.usefixtures("registered")
def test_an_unpublished_zoo_is_built_or_the_command_is_named(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    words = (
        "mixed is not in .*, and org/mixed on .*: there is no such data set.*; run: zoogen build"
    )
    with pytest.raises(ZooError, match=words):
        load_zoo("mixed", **at)
    monkeypatch.setattr(locate, "BUILT_ON_DEMAND", ("mixed",))
    monkeypatch.setattr(
        locate, "build_zoo", lambda _, folder: shutil.copytree(mixed_zoo.folder, folder)
    )
    built = load_zoo("mixed", **at)
    assert built.manifest.content_sha256 == mixed_zoo.manifest.content_sha256


def test_a_zoo_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ZOOGEN_HUB", raising=False)
    with pytest.raises(ZooError, match="nobody has said where mnist-seed is published; set ZOOGEN"):
        fetch_zoo("mnist-seed")
    with pytest.raises(UnknownNameError, match="no zoo called 'mnist-sed'; closest: mnist-seed"):
        fetch_zoo("mnist-sed")
    with pytest.raises(ZooError, match="has a revision already; leave out --revision v2"):
        fetch_zoo("hub:org/mixed@v1", revision="v2")
