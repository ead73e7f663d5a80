"""Publishing: all of a zoo or nothing that looks like one, proved, tagged, and no work twice."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.hub import READ, STRANGER, WRITE, Hub, Repository
from tests.hub.store import stored_file
from tests.zoogen.build.test_zoo import contents
from tests.zoogen.store.test_manifest import edit, flip
from zoogen import ZOOS, IntegrityError, Publication, Zoo, ZooError, load_zoo, publish_zoo
from zoogen.plots.zoo import CAPTIONS
from zoogen.publish.staging import stage_files
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


def test_a_published_zoo_is_all_there_with_the_manifest_last(hub: Hub, mixed_zoo: Zoo):
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


def test_a_zoo_that_is_there_is_not_sent_again(hub: Hub, mixed_zoo: Zoo):
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


def test_only_what_differs_is_sent_and_no_half_of_it_is_a_zoo(hub: Hub, mixed_zoo: Zoo):
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


def test_a_new_picture_does_not_take_the_zoo_away(hub: Hub, copied_zoo: Path):
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
def test_large_files_go_in_parts_if_the_hub_wants_them_so(
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


def test_a_pull_request_leaves_main_alone_and_is_gone_on_with(hub: Hub, mixed_zoo: Zoo):
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


def test_a_pull_request_for_what_is_there_is_not_opened(hub: Hub, mixed_zoo: Zoo):
    published(hub, mixed_zoo.folder)
    assert not published(hub, mixed_zoo.folder, create_pr=True).sent
    assert not hub.repository(REPO).pulls


def test_a_branch_is_made_and_main_left_alone(hub: Hub, mixed_zoo: Zoo):
    for _ in range(2):
        publication = published(hub, mixed_zoo.folder, revision="try")
    repository = hub.repository(REPO)
    assert (publication.revision, publication.tag, publication.sent) == ("try", None, ())
    assert set(repository.tree()) == {".gitattributes"}
    assert MANIFEST in repository.tree("try")
    assert not repository.tags


@pytest.mark.parametrize("file", [TABLE, shard_name(1)])
def test_a_damaged_zoo_is_not_published(hub: Hub, copied_zoo: Path, file: str):
    flip(copied_zoo / file)
    with pytest.raises(IntegrityError, match=f"{file}: sha256"):
        published(hub, copied_zoo)
    assert not hub.requests


def test_a_folder_that_is_no_zoo_is_not_published(hub: Hub, tmp_path: Path):
    with pytest.raises(ZooError, match=r"is not a zoo: it has no zoo\.json"):
        published(hub, tmp_path)
    assert not hub.requests


@pytest.mark.parametrize("file", [shard_name(1), TABLE, "README.md", MANIFEST])
def test_what_arrives_altered_gets_no_tag(hub: Hub, mixed_zoo: Zoo, file: str):
    proof = hub.hold("GET", "/tree/")
    errors: list[ZooError] = []

    def publish_it() -> None:
        with pytest.raises(IntegrityError) as caught:
            published(hub, mixed_zoo.folder)
        errors.append(caught.value)

    publishing = Thread(target=publish_it)
    publishing.start()
    assert proof.reached.wait(30)
    tree = hub.repository(REPO).tree()
    tree[file] = stored_file(file, b" " + tree[file].content)
    proof.release()
    publishing.join()
    assert f"{file} has sha256" in str(errors[0])
    assert "this version has no tag: call the same command again" in str(errors[0])
    assert not hub.repository(REPO).tags
    published(hub, mixed_zoo.folder)
    the_zoo_is_there(hub, mixed_zoo.folder)
    assert list(hub.repository(REPO).tags) == ["v1"]


def test_small_files_are_proved_by_their_bytes(hub: Hub, mixed_zoo: Zoo, tmp_path: Path):
    published(hub, mixed_zoo.folder, cache_dir=tmp_path)
    hub.repository(REPO).alter("README.md", b"# Another\n")
    with pytest.raises(IntegrityError, match=r"README\.md has sha256"):
        published(hub, mixed_zoo.folder, cache_dir=tmp_path)


def test_a_zoo_is_looked_for_where_zoos_are_kept(
    hub: Hub, copied_zoo: Path, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(ZOOS, "copy", mixed_zoo.spec)
    published(hub, "copy", cache_dir=copied_zoo.parent)
    the_zoo_is_there(hub, copied_zoo)


def test_a_shard_that_changes_while_it_is_sent_gets_no_tag(hub: Hub, copied_zoo: Path):
    """It was whole when it was hashed, and what arrived is what lies here now."""
    held = hub.hold("POST", "preupload")
    errors: list[ZooError] = []

    def publish_it() -> None:
        with pytest.raises(IntegrityError) as caught:
            published(hub, copied_zoo)
        errors.append(caught.value)

    publishing = Thread(target=publish_it)
    publishing.start()
    assert held.reached.wait(30)
    flip(copied_zoo / shard_name(1))
    held.release()
    publishing.join()
    assert f"{shard_name(1)} has sha256" in str(errors[0])
    assert not hub.repository(REPO).tags


def test_a_zoo_that_became_another_is_not_staged(copied_zoo: Path, tmp_path: Path):
    zoo = load_zoo(copied_zoo)
    edit(copied_zoo, lambda fields: fields.update(models_planned=1000))
    with pytest.raises(IntegrityError, match="is another zoo than a moment ago; publish it again"):
        stage_files(zoo, tmp_path / "stage")


def test_a_hub_that_is_down_is_named(hub: Hub, mixed_zoo: Zoo):
    hub.stop()
    with pytest.raises(ZooError, match=f"{hub.url}: no connection .*refused.*call the same"):
        published(hub, mixed_zoo.folder)


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "trouble of its own, status 500"), (429, "asks to wait"), (412, "somebody else")],
)
def test_a_hub_in_trouble_is_told_of_and_gone_on_with(
    hub: Hub, mixed_zoo: Zoo, waits: list[float], status: int, words: str
):
    hub.answer(status, "POST", "/commit/", times=10)
    with pytest.raises(ZooError, match=f"{words}.*call the same command again"):
        published(hub, mixed_zoo.folder)
    hub.faults.coming.clear()
    hub.requests.clear()
    published(hub, mixed_zoo.folder)
    assert not hub.calls("PUT")  # the shards had come through
    the_zoo_is_there(hub, mixed_zoo.folder)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "preupload"), ("PUT", "storage"), ("POST", "objects/batch")]
)
def test_a_moment_of_trouble_is_waited_out(
    hub: Hub, mixed_zoo: Zoo, waits: list[float], method: str, path: str
):
    hub.answer(500, method, path)
    hub.answer(429, method, path, retry_after=20)
    published(hub, mixed_zoo.folder)
    the_zoo_is_there(hub, mixed_zoo.folder)
    assert sum(wait > 20 for wait in waits) == 1
    assert len(waits) == 2


@pytest.mark.parametrize("after", [0, 1000])
def test_a_connection_that_is_cut_is_made_again(
    hub: Hub, mixed_zoo: Zoo, waits: list[float], after: int
):
    hub.cut(after, "PUT", "storage", times=2)
    published(hub, mixed_zoo.folder)
    the_zoo_is_there(hub, mixed_zoo.folder)


@pytest.mark.parametrize("package", ["huggingface_hub", "mlcroissant"])
def test_a_missing_package_is_named_with_the_way_out(
    hub: Hub, mixed_zoo: Zoo, package: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ZooError, match=rf"{package}; run: pip install 'zoobench\[hub\]'"):
        published(hub, mixed_zoo.folder)
    assert not written(hub)


def test_more_models_are_another_version(hub: Hub, copied_zoo: Path):
    edit(copied_zoo, lambda fields: fields.update(models_planned=1000))
    published(hub, copied_zoo)
    edit(copied_zoo, lambda fields: fields.update(models_planned=192))
    published(hub, copied_zoo)
    repository = hub.repository(REPO)
    part, whole = (repository.contents(tag) for tag in ("v1-192-models", "v1"))
    assert (part[TABLE], part[MANIFEST] == whole[MANIFEST]) == (whole[TABLE], False)
    assert read_manifest(copied_zoo).is_complete
