"""A fetch reads one commit, checks every hash, and downloads only what is missing."""

import logging
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from tests.hub import STRANGER, WRITE, Hub
from tests.zoogen.build.test_zoo import contents
from zoogen import SPLITS, Fetched, Zoo, ZooError, fetch_zoo, load_zoo, publish_zoo
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name
from zoogen.store.subset import Shelves

ADDRESS = "hub:org/mixed@v1"
SHARDS = [shard_name(number) for number in range(3)]


def downloads(hub: Hub) -> list[str]:
    """Return the files of which the Hub sent any bytes."""
    return [
        one.path.partition("/resolve/")[2].partition("/")[2]
        for one in hub.calls("GET", "/resolve/")
    ]


def the_same(zoo: Zoo, other: Zoo) -> bool:
    return (
        zoo.manifest == other.manifest
        and zoo.properties.equals(other.properties)
        and np.asarray(zoo.weights).tobytes() == np.asarray(other.weights).tobytes()
    )


@pytest.mark.usefixtures("commit")
def test_a_fetched_zoo_is_the_built_one(hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]):
    zoo = load_zoo(ADDRESS, **at)
    assert the_same(zoo, mixed_zoo)
    assert zoo.manifest.content_sha256 == mixed_zoo.manifest.content_sha256
    assert len(list(zoo.verify())) == 4
    built, fetched = (contents(folder) for folder in (mixed_zoo.folder, zoo.folder))
    assert {name: blob for name, (_, blob) in built.items()} == {
        name: blob for name, (_, blob) in fetched.items()
    }


def test_a_published_zoo_comes_back(hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]):
    publish_zoo(mixed_zoo.folder, "org/round", endpoint=hub.url, token=WRITE, private=True)
    zoo = load_zoo("hub:org/round@v1", token=WRITE, **at)
    assert the_same(zoo, mixed_zoo)
    assert "hub:org/round@v1" in (zoo.folder / "README.md").read_text()
    with pytest.raises(ZooError, match="no such data set, or it is private"):
        load_zoo("hub:org/round@v1", token=STRANGER, **at)


def test_a_revision_is_resolved_once_and_all_is_read_at_its_commit(
    hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any]
):
    """If a tag or a branch moves between two requests, two zoos must not mix."""
    held = hub.hold("GET", "/tree/")
    results: list[Zoo] = []
    loading = Thread(target=lambda: results.append(load_zoo("hub:org/mixed", **at)))
    loading.start()
    assert held.reached.wait(30)
    hub.repository("org/mixed").put({MANIFEST: b"{}", SHARDS[0]: b"another"})
    held.release()
    loading.join()
    assert the_same(results[0], mixed_zoo)
    revisions = [one.path for one in hub.requests if "/main" in one.path]
    assert len(revisions) == 1
    assert results[0].folder.name == commit


def test_fetched_files_are_not_requested_again(hub: Hub, commit: str, at: dict[str, Any]):
    load_zoo(ADDRESS, **at)
    hub.requests.clear()
    load_zoo(ADDRESS, **at)
    assert [one.path for one in hub.requests] == ["/api/datasets/org/mixed/revision/v1"]
    hub.requests.clear()
    load_zoo(f"hub:org/mixed@{commit}", **at)
    assert not hub.requests
    fetched = fetch_zoo(ADDRESS, **at)
    assert fetched.downloaded == ()
    assert not downloads(hub) or downloads(hub) == [MANIFEST]


@pytest.mark.parametrize("models", [1, 64, range(10), [3, 3, 60]])
def test_only_shards_with_requested_models_are_fetched(
    hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any], models: Any
):
    zoo = load_zoo(ADDRESS, models=models, **at)
    assert set(downloads(hub)) == {MANIFEST, TABLE, SHARDS[0], "README.md"}
    numbers = range(models) if isinstance(models, int) else models
    there = mixed_zoo.properties
    chosen = there["model"].isin(numbers).to_numpy()
    assert zoo.properties.equals(there[chosen].reset_index(drop=True))
    assert (np.asarray(zoo.weights) == np.asarray(mixed_zoo.weights)[chosen]).all()
    hub.requests.clear()
    assert the_same(load_zoo(ADDRESS, **at), mixed_zoo)
    assert set(downloads(hub)) == {MANIFEST, *SHARDS[1:]}


@pytest.mark.usefixtures("commit")
def test_only_shards_with_the_requested_split_are_fetched(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]
):
    table = mixed_zoo.properties
    kept = sorted(table[table["split"] == "test"]["model"].unique())[:2]
    zoo = load_zoo(ADDRESS, split="test", models=[int(model) for model in kept], **at)
    needed = set(table[table["model"].isin(kept)]["shard"])
    assert {name for name in downloads(hub) if name in SHARDS} == {SHARDS[n] for n in needed}
    assert set(zoo.properties["split"]) == {"test"}
    assert set(zoo.properties["model"]) == set(kept)


@pytest.mark.parametrize("split", SPLITS)
def test_a_part_of_a_local_zoo_has_the_rows_of_its_split(mixed_zoo: Zoo, split: Any):
    part, whole = load_zoo(mixed_zoo.folder, split=split), mixed_zoo.part(split)
    assert part.properties.equals(whole.properties.reset_index(drop=True))
    assert (np.asarray(part.weights) == np.asarray(whole.weights)).all()
    assert (part.weights[5] == part.weights[[5]][0]).all()
    row = len(part.weights) - 1
    assert part.state_dict(row).keys() == mixed_zoo.state_dict(0).keys()
    assert len(part.part(split).weights) == len(part.weights)


def test_shards_without_rows_do_not_shift_the_others(mixed_zoo: Zoo):
    manifest = mixed_zoo.manifest
    empty = replace(manifest.shards[0], rows=0)
    shelves = Shelves(replace(manifest, shards=(empty, *manifest.shards[:2], empty)))
    rows = np.array([0, 127, 128, 255])
    assert shelves.shards_of(rows).tolist() == [1, 1, 2, 2]
    assert shelves.among(np.array([128, 255])).tolist() == [0, 127]


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"models": 193}, ZooError, "mixed has models 0 to 191, not 192"),
        ({"models": 0}, ZooError, "models 0: expected a count of 1 or more, or model numbers"),
        ({"models": [-1]}, ZooError, "expected a count"),
        ({"models": []}, ZooError, "expected a count"),
        ({"models": 10**15}, ZooError, "mixed has models 0 to 191, not 999999999999999"),
        ({"models": range(10**15, 0, -1)}, ZooError, "models 0 to 191, not 1000000000000000"),
    ],
)
def test_models_that_a_zoo_lacks_are_refused(
    mixed_zoo: Zoo, asked: dict[str, Any], error: type[Exception], words: str
):
    with pytest.raises(error, match=words):
        load_zoo(mixed_zoo.folder, **asked)


def test_a_failed_fetch_continues_with_the_missing_files(
    hub: Hub, commit: str, at: dict[str, Any], waits: list[float]
):
    hub.answer(500, "GET", SHARDS[2], times=100)
    with pytest.raises(ZooError, match="the Hub failed with status 500"):
        fetch_zoo(ADDRESS, **at)
    folder = at["cache_dir"] / "hub" / "org--mixed" / commit
    assert not (folder / MANIFEST).exists()
    assert not (folder / ".download").exists()
    with pytest.raises(ZooError, match=r"is not a zoo: it has no zoo\.json"):
        load_zoo(folder)
    hub.faults.coming.clear()
    hub.requests.clear()
    there = {name for name in SHARDS if (folder / name).exists()}
    fetched = fetch_zoo(ADDRESS, **at)
    assert set(fetched.downloaded) == {*SHARDS, "README.md"} - there
    assert there.isdisjoint(downloads(hub))
    assert MANIFEST in contents(folder)


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("after", [0, 1000])
def test_a_download_continues_after_a_cut_connection(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], after: int, monkeypatch: pytest.MonkeyPatch
):
    from huggingface_hub import file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    hub.cut(after, "GET", SHARDS[1], times=2)
    assert the_same(load_zoo(ADDRESS, **at), mixed_zoo)
    assert len(hub.calls("GET", SHARDS[1])) == 3


def test_a_damaged_file_is_fetched_again(hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any]):
    folder = load_zoo(ADDRESS, **at).folder
    blob = bytearray((folder / SHARDS[1]).read_bytes())
    blob[-1] ^= 1
    (folder / SHARDS[1]).write_bytes(blob)
    (folder / TABLE).unlink()
    assert set(fetch_zoo(ADDRESS, **at).downloaded) == {SHARDS[1], TABLE}
    assert the_same(load_zoo(folder), mixed_zoo)


@pytest.mark.usefixtures("commit")
def test_a_fetched_zoo_loads_while_the_hub_is_down(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    load_zoo(ADDRESS, models=3, **at)
    hub.stop()
    with caplog.at_level(logging.WARNING):
        assert len(load_zoo(ADDRESS, models=2, **at).weights) == 4
    assert "no connection" in caplog.text
    assert "using the last known commit of hub:org/mixed@v1" in caplog.text
    with pytest.raises(ZooError, match=f"{hub.url}: no connection .*refused"):
        load_zoo(ADDRESS, **at)
    with pytest.raises(ZooError, match="no connection"):
        load_zoo("hub:org/mixed@v2", **at)


@pytest.mark.usefixtures("commit")
def test_a_fetched_zoo_loads_in_offline_mode(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    load_zoo(ADDRESS, **at)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert the_same(load_zoo(ADDRESS, **at), mixed_zoo)
    with pytest.raises(ZooError, match="offline mode is on; unset HF_HUB_OFFLINE"):
        load_zoo("hub:org/other", **at)
    assert not hub.requests


def test_a_fetch_into_a_given_folder_writes_nothing_elsewhere(
    hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any], tmp_path: Path
):
    fetched: Fetched = fetch_zoo(ADDRESS, out=tmp_path / "mine", models=2, **at)
    assert fetched.commit == commit
    assert fetched.shards == (SHARDS[0],)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert set(contents(tmp_path / "mine")) == {MANIFEST, TABLE, SHARDS[0], "README.md"}
    assert len(load_zoo(tmp_path / "mine", models=2).weights) == 4
    with pytest.raises(ZooError, match=f"{SHARDS[1]} is missing; build or fetch"):
        load_zoo(tmp_path / "mine")
    assert set(fetch_zoo(ADDRESS, out=tmp_path / "mine", **at).downloaded) == set(SHARDS[1:])
