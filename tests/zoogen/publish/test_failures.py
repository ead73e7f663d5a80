"""Publishing gives no tag to a zoo that is damaged or altered, and continues after failures."""

import sys
from pathlib import Path
from threading import Thread

import pytest

from tests.hub import Hub
from tests.hub.store import stored_file
from tests.zoogen.publish.test_zoo import REPO, published, the_zoo_is_there, written
from tests.zoogen.store.test_manifest import edit, flip
from zoogen import IntegrityError, Zoo, ZooError, load_zoo
from zoogen.publish.staging import stage_files
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name


@pytest.mark.parametrize("file", [TABLE, shard_name(1)])
def test_a_damaged_zoo_is_not_published(hub: Hub, copied_zoo: Path, file: str):
    flip(copied_zoo / file)
    with pytest.raises(IntegrityError, match=f"{file}: sha256"):
        published(hub, copied_zoo)
    assert not hub.requests


def test_a_folder_that_is_not_a_zoo_is_not_published(hub: Hub, tmp_path: Path):
    with pytest.raises(ZooError, match=r"is not a zoo: it has no zoo\.json"):
        published(hub, tmp_path)
    assert not hub.requests


@pytest.mark.parametrize("file", [shard_name(1), TABLE, "README.md", MANIFEST])
def test_a_file_that_arrives_altered_gets_no_tag(hub: Hub, mixed_zoo: Zoo, file: str):
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
    assert "this version has no tag: run the same command again" in str(errors[0])
    assert not hub.repository(REPO).tags
    published(hub, mixed_zoo.folder)
    the_zoo_is_there(hub, mixed_zoo.folder)
    assert list(hub.repository(REPO).tags) == ["v1"]


def test_small_files_are_verified_by_their_bytes(hub: Hub, mixed_zoo: Zoo, tmp_path: Path):
    published(hub, mixed_zoo.folder, cache_dir=tmp_path)
    hub.repository(REPO).alter("README.md", b"# Another\n")
    with pytest.raises(IntegrityError, match=r"README\.md has sha256"):
        published(hub, mixed_zoo.folder, cache_dir=tmp_path)


def test_a_shard_that_changes_while_it_is_sent_gets_no_tag(hub: Hub, copied_zoo: Path):
    """It was intact when it was hashed, and the Hub has the file as it is now."""
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


def test_a_zoo_that_changed_since_it_was_loaded_is_not_staged(copied_zoo: Path, tmp_path: Path):
    zoo = load_zoo(copied_zoo)
    edit(copied_zoo, lambda fields: fields.update(models_planned=1000))
    with pytest.raises(IntegrityError, match="changed while it was read; publish it again"):
        stage_files(zoo, tmp_path / "stage")


def test_a_hub_that_is_down_is_named(hub: Hub, mixed_zoo: Zoo):
    hub.stop()
    with pytest.raises(ZooError, match=f"{hub.url}: no connection .*refused.*run the same"):
        published(hub, mixed_zoo.folder)


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "failed with status 500"), (429, "too many requests"), (412, "somebody else")],
)
def test_publishing_continues_after_a_failure_of_the_hub(
    hub: Hub, mixed_zoo: Zoo, waits: list[float], status: int, words: str
):
    hub.answer(status, "POST", "/commit/", times=10)
    with pytest.raises(ZooError, match=f"{words}.*run the same command again"):
        published(hub, mixed_zoo.folder)
    hub.faults.coming.clear()
    hub.requests.clear()
    published(hub, mixed_zoo.folder)
    assert not hub.calls("PUT")  # the shards had arrived
    the_zoo_is_there(hub, mixed_zoo.folder)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "preupload"), ("PUT", "storage"), ("POST", "objects/batch")]
)
def test_short_failures_of_the_hub_are_retried(
    hub: Hub, mixed_zoo: Zoo, waits: list[float], method: str, path: str
):
    hub.answer(500, method, path)
    hub.answer(429, method, path, retry_after=20)
    published(hub, mixed_zoo.folder)
    the_zoo_is_there(hub, mixed_zoo.folder)
    assert sum(wait > 20 for wait in waits) == 1
    assert len(waits) == 2


@pytest.mark.parametrize("after", [0, 1000])
def test_a_cut_connection_is_made_again(hub: Hub, mixed_zoo: Zoo, waits: list[float], after: int):
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
