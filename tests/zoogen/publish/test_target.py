"""A zoo that may not go to a repository changes nothing there, and the error says why."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.hub import READ, STRANGER, Hub, Repository
from tests.zoogen.publish.test_zoo import REPO, published, written
from tests.zoogen.store.test_manifest import edit
from zoogen import Zoo, ZooError
from zoogen.store.manifest import MANIFEST


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (READ, "your token may not do this.*write access"),
        (STRANGER, "your token may not do this.*--create-pr"),
        ("hf_none", "your token is missing or unknown there.*hf auth login"),
        (None, "your token is missing or unknown there.*hf auth login"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_token_without_rights_is_refused(
    hub: Hub, mixed_zoo: Zoo, token: str | None, words: str, there: bool
):
    if there:
        hub.create(REPO)
    with pytest.raises(ZooError, match=words):
        published(hub, mixed_zoo.folder, token=token)
    assert len(hub.repositories) == there
    assert not hub.objects
    assert not there or len(hub.repository(REPO).commits) == 1


def holds_a_text_collection(repository: Repository, zoo: Zoo) -> None:
    repository.put({"README.md": b"# texts", "texts/train.txt": b"hello"})


def holds_weights_of_its_own(repository: Repository, zoo: Zoo) -> None:
    repository.put({"README.md": b"# mine", "weights/best.safetensors": b"a year of work"})


def holds_plots_of_its_own(repository: Repository, zoo: Zoo) -> None:
    repository.put({"README.md": b"# mine", "plots/loss.png": b"a year of work"})


def holds_another_zoo(repository: Repository, zoo: Zoo) -> None:
    manifest = (zoo.folder / MANIFEST).read_bytes()
    repository.put({MANIFEST: manifest.replace(b'"name": "mixed"', b'"name": "other"')})


def holds_a_damaged_manifest(repository: Repository, zoo: Zoo) -> None:
    repository.put({MANIFEST: b"{"})


def has_the_tag_with_other_content(repository: Repository, zoo: Zoo) -> None:
    sha256 = zoo.manifest.table.sha256.encode()
    manifest = (zoo.folder / MANIFEST).read_bytes().replace(sha256, b"0" * 64)
    repository.tags["v1"] = repository.put({MANIFEST: manifest})


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (holds_a_text_collection, r"is not a zoo: it holds texts/train\.txt; choose another"),
        (holds_weights_of_its_own, r"is not a zoo: it holds weights/best\.safetensors; choose"),
        (holds_plots_of_its_own, r"is not a zoo: it holds plots/loss\.png; choose another"),
        (holds_another_zoo, "holds the zoo other, not mixed; choose another"),
        (holds_a_damaged_manifest, r"holds a zoo\.json that cannot be read.*or delete it there"),
        (has_the_tag_with_other_content, "has a v1 already, .* raise version"),
    ],
)
def test_content_of_others_is_not_replaced(
    hub: Hub, mixed_zoo: Zoo, harm: Callable[[Repository, Zoo], None], words: str
):
    harm(hub.create(REPO), mixed_zoo)
    with pytest.raises(ZooError, match=words):
        published(hub, mixed_zoo.folder)
    assert not written(hub)


def test_a_public_repository_is_refused_for_private_publishing(hub: Hub, mixed_zoo: Zoo):
    hub.create(REPO)
    with pytest.raises(ZooError, match=r"is public; make it private .* leave out --private"):
        published(hub, mixed_zoo.folder, private=True)
    assert not written(hub)


@pytest.mark.parametrize("options", [{"create_pr": True}, {"revision": "refs/pr/7"}])
def test_a_pull_request_needs_an_existing_repository(
    hub: Hub, mixed_zoo: Zoo, options: dict[str, Any]
):
    with pytest.raises(ZooError, match="no such data set to send a pull request to"):
        published(hub, mixed_zoo.folder, **options)
    hub.create(REPO)
    with pytest.raises(ZooError, match="no such revision"):
        published(hub, mixed_zoo.folder, revision="refs/pr/7")
    assert not written(hub)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"models_built": 100}, "version 1 with 192 models, yours is version 1 with 100"),
        ({"spec": {"version": 0}}, "version 2 with 192 models, yours is version 1 with 192"),
    ],
)
def test_main_never_goes_back(
    hub: Hub, mixed_zoo: Zoo, tmp_path: Path, change: dict[str, Any], words: str
):
    later, earlier = (copytree(mixed_zoo.folder, tmp_path / name) for name in ("later", "earlier"))
    if "spec" in change:
        edit(later, lambda fields: fields["spec"].update(version=2))
    else:
        edit(earlier, lambda fields: fields.update(change))
    published(hub, later)
    before = hub.repository(REPO).contents()
    hub.requests.clear()
    for dry_run in (True, False):
        with pytest.raises(ZooError, match=f"{words}; main never goes back: name a branch"):
            published(hub, earlier, dry_run=dry_run)
    assert not written(hub)
    published(hub, earlier, revision="earlier")
    assert hub.repository(REPO).contents() == before
    there = hub.repository(REPO).contents("earlier")[MANIFEST]
    assert there == (earlier / MANIFEST).read_bytes()


def test_tags_and_commits_are_not_published_to(hub: Hub, mixed_zoo: Zoo):
    commit = published(hub, mixed_zoo.folder).commit
    hub.requests.clear()
    for revision in ("v1", commit):
        with pytest.raises(ZooError, match=f"{revision} of .* is a tag or a commit, which never"):
            published(hub, mixed_zoo.folder, revision=revision)
    with pytest.raises(ZooError, match="'' is not a revision; expected a branch"):
        published(hub, mixed_zoo.folder, revision="")
    assert not written(hub)
    with pytest.raises(ZooError, match="is a tag or a commit"):
        published(hub, mixed_zoo.folder, "org/new", revision="0" * 40)
    assert list(hub.repositories) == [("datasets", REPO)]


def test_without_a_token_there_is_no_pull_request(hub: Hub, mixed_zoo: Zoo):
    hub.create(REPO)
    with pytest.raises(ZooError, match="it needs a token and you have none; run: hf auth login"):
        published(hub, mixed_zoo.folder, token=None, create_pr=True)
    assert not written(hub)


def test_a_pull_request_to_a_branch_is_refused(hub: Hub, mixed_zoo: Zoo):
    with pytest.raises(ZooError, match="leave out either --revision or --create-pr"):
        published(hub, mixed_zoo.folder, create_pr=True, revision="main")
    assert not hub.requests


@pytest.mark.parametrize(
    "name",
    ["mixed", "org/", "/mixed", "org/a/b", "org/a b", "../mixed", "org/a--b", "o/" + "a" * 99],
)
def test_an_impossible_name_of_a_repository_is_refused(hub: Hub, mixed_zoo: Zoo, name: str):
    with pytest.raises(ZooError, match="is not a repository of the Hub; expected OWNER/NAME"):
        published(hub, mixed_zoo.folder, name)
    assert not hub.requests
