"""Publishing sends a complete zoo or nothing that looks like one, verifies it and tags it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.hub import READ, STRANGER, WRITE, Hub, Repository
from tests.zoogen.build.test_zoo import contents
from tests.zoogen.store.test_manifest import edit
from zoogen import ZOOS, Publication, Zoo, ZooError, publish_zoo
from zoogen.plots.zoo import CAPTIONS
from zoogen.store.manifest import MANIFEST, TABLE, read_manifest
from zoogen.store.shards import shard_name

REPO = "org/mixed"
WRITES = {"POST", "PUT", "DELETE"}


def published(hub: Hub, zoo: Path | str, repository: str = REPO, **options: Any) -> Publication:
    return publish_zoo(zoo, repository, **{"endpoint": hub.url, "token": WRITE, **options})


def changes(publication: Publication) -> dict[str, str]:
    return {file.file: file.change for file in publication.sent}


def written(hub: Hub) -> list[str]:
    return [one.path for one in hub.requests if one.method in WRITES]


def titles(repository: Repository, revision: str = "main") -> list[str]:
    return [repository.commits[name].title for name in repository.history(revision)]


def the_zoo_is_there(hub: Hub, folder: Path, repository: str = REPO) -> None:
    there = hub.repository(repository).contents()
    for name, content in contents(folder).items():
        if name not in {"README.md", ".lock"}:
            assert there[name] == content[1], name


def test_a_published_zoo_is_complete_and_its_manifest_comes_last(hub: Hub, mixed_zoo: Zoo):
    publication = published(hub, mixed_zoo.folder, private=True)
    the_zoo_is_there(hub, mixed_zoo.folder)
    repository = hub.repository(REPO)
    assert repository.private
    newest, before, start = repository.history("main")
    assert set(repository.tree(newest)) - set(repository.tree(before)) == {MANIFEST}
    assert set(repository.tree(start)) == {".gitattributes"}
    assert repository.tags == {"v1": newest}
    assert (publication.commit, publication.tag) == (newest, "v1")
    assert publication.page == f"{hub.url}/datasets/{REPO}"
    assert set(changes(publication).values()) == {"new"}


def test_a_published_zoo_is_not_sent_again(hub: Hub, mixed_zoo: Zoo):
    first = published(hub, mixed_zoo.folder)
    hub.requests.clear()
    again = published(hub, mixed_zoo.folder, token=READ)
    assert not again.sent
    assert again.commit == first.commit
    assert hub.requests
    assert not written(hub)


def test_the_next_day_changes_nothing(hub: Hub, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch):
    published(hub, mixed_zoo.folder)

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2199, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(sys.modules[publish_zoo.__module__], "datetime", Tomorrow)
    assert not published(hub, mixed_zoo.folder).sent
    assert b"2199-01-01" not in hub.repository(REPO).contents()["croissant.json"]
    published(hub, mixed_zoo.folder, "org/other")
    assert b"2199-01-01" in hub.repository("org/other").contents()["croissant.json"]


def test_the_zoo_itself_is_only_read(hub: Hub, copied_zoo: Path):
    before = contents(copied_zoo)
    for path in (copied_zoo, copied_zoo / "weights"):
        path.chmod(0o555)
    published(hub, copied_zoo)
    for path in (copied_zoo, copied_zoo / "weights"):
        path.chmod(0o755)
    assert contents(copied_zoo) == before


def test_a_dry_run_only_looks(hub: Hub, mixed_zoo: Zoo):
    plan = published(hub, mixed_zoo.folder, dry_run=True)
    assert (plan.commit, plan.tag) == (None, "v1")
    assert not hub.repositories
    assert not written(hub)
    assert changes(published(hub, mixed_zoo.folder)) == changes(plan)
    hub.requests.clear()
    assert not published(hub, mixed_zoo.folder, dry_run=True).sent
    assert not written(hub)


def test_only_differences_are_sent_and_half_an_upload_is_not_a_zoo(hub: Hub, mixed_zoo: Zoo):
    published(hub, mixed_zoo.folder)
    repository = hub.repository(REPO)
    theirs = {"LICENSE": b"theirs", "weights/notes.txt": b"theirs", "plots/mine.png": b"theirs"}
    extra = {"weights/00099.safetensors": b"old", **theirs}
    repository.put({shard_name(1): b"altered", **extra})
    hub.requests.clear()
    del hub.objects[mixed_zoo.manifest.shards[1].sha256]
    publication = published(hub, mixed_zoo.folder)
    assert changes(publication) == {shard_name(1): "changed", "weights/00099.safetensors": "gone"}
    (sent,) = hub.calls("PUT")
    assert sent.received == (mixed_zoo.folder / shard_name(1)).stat().st_size
    the_zoo_is_there(hub, mixed_zoo.folder)
    newest, between, harmed, tagged, *_ = repository.history("main")
    assert MANIFEST not in repository.tree(between)
    assert MANIFEST in repository.tree(harmed)
    assert set(repository.tree(newest)) - set(repository.tree(tagged)) == set(theirs)
    assert repository.tags == {"v1": tagged}


def test_new_plots_do_not_withdraw_the_manifest(hub: Hub, copied_zoo: Path):
    published(hub, copied_zoo)
    (copied_zoo / "plots").mkdir()
    for name in CAPTIONS:
        (copied_zoo / "plots" / name).write_bytes(name.encode())
    publication = published(hub, copied_zoo)
    pictures = {f"plots/{name}" for name in CAPTIONS}
    assert changes(publication) == {"README.md": "changed"} | dict.fromkeys(pictures, "new")
    repository = hub.repository(REPO)
    assert all(MANIFEST in repository.tree(name) for name in repository.history("main")[:2])
    card = repository.contents()["README.md"].decode()
    assert all(f"]({path})" in card for path in pictures)
    assert pictures <= set(repository.tree())


@pytest.mark.parametrize("part_bytes", [1000, 10**9])
def test_large_files_are_sent_in_parts_if_the_hub_asks_for_parts(
    hub: Hub, mixed_zoo: Zoo, part_bytes: int
):
    hub.part_bytes = part_bytes
    published(hub, mixed_zoo.folder)
    the_zoo_is_there(hub, mixed_zoo.folder)


def test_a_partial_zoo_says_so(hub: Hub, seed_zoo: Zoo):
    publication = published(hub, seed_zoo.folder, "org/part")
    files = hub.repository("org/part").contents()
    assert publication.tag == f"v{seed_zoo.spec.version}-60-models"
    card = files["README.md"].decode()
    assert "This is a part of the zoo: the first 60 of 1,000 models." in card
    assert f'load_zoo("hub:org/part@{publication.tag}")' in card
    assert (
        f'"version": "{seed_zoo.spec.version}.0.0+60.of.1000"' in files["croissant.json"].decode()
    )


def test_a_pull_request_leaves_main_alone_and_continues(hub: Hub, mixed_zoo: Zoo):
    repository = hub.create(REPO)
    hub.answer(403, "POST", "/commit/")
    with pytest.raises(ZooError, match="your token may not do this"):
        published(hub, mixed_zoo.folder, create_pr=True, token=STRANGER)
    publication = published(hub, mixed_zoo.folder, create_pr=True, token=STRANGER)
    assert (publication.revision, publication.tag) == ("refs/pr/1", None)
    assert set(repository.tree()) == {".gitattributes"}
    assert MANIFEST in repository.tree("refs/pr/1")
    hub.requests.clear()
    assert not published(hub, mixed_zoo.folder, create_pr=True, token=STRANGER).sent
    assert not written(hub)
    assert (repository.pulls, repository.tags) == (["Publish mixed v1"], {})
    repository.heads["main"] = repository.heads["refs/pr/1"]
    merged = published(hub, mixed_zoo.folder)
    assert not merged.sent
    assert repository.tags == {"v1": repository.heads["main"]}


def test_no_pull_request_is_opened_without_a_change(hub: Hub, mixed_zoo: Zoo):
    published(hub, mixed_zoo.folder)
    assert not published(hub, mixed_zoo.folder, create_pr=True).sent
    assert not hub.repository(REPO).pulls


def test_a_new_branch_leaves_main_alone(hub: Hub, mixed_zoo: Zoo):
    for _ in range(2):
        publication = published(hub, mixed_zoo.folder, revision="try")
    repository = hub.repository(REPO)
    assert (publication.revision, publication.tag, publication.sent) == ("try", None, ())
    assert set(repository.tree()) == {".gitattributes"}
    assert MANIFEST in repository.tree("try")
    assert not repository.tags


def test_more_models_are_another_version(hub: Hub, copied_zoo: Path):
    edit(copied_zoo, lambda fields: fields.update(models_planned=1000))
    published(hub, copied_zoo)
    edit(copied_zoo, lambda fields: fields.update(models_planned=192))
    published(hub, copied_zoo)
    repository = hub.repository(REPO)
    part, whole = (repository.contents(tag) for tag in ("v1-192-models", "v1"))
    assert (part[TABLE], part[MANIFEST] == whole[MANIFEST]) == (whole[TABLE], False)
    assert read_manifest(copied_zoo).is_complete


def test_a_registered_zoo_is_published_from_the_cache(
    hub: Hub, copied_zoo: Path, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(ZOOS, "copy", mixed_zoo.spec)
    published(hub, "copy", cache_dir=copied_zoo.parent)
    the_zoo_is_there(hub, copied_zoo)
