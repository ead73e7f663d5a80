"""Fetching: one commit, every hash checked, only what is asked for, nothing twice, nothing half."""

import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from tests.hub import STRANGER, WRITE, Hub
from tests.hub.faults import Answer
from tests.zoogen.build.test_zoo import contents
from zoogen import (
    SPLITS,
    Fetched,
    Zoo,
    ZooError,
    fetch_zoo,
    load_zoo,
    publish_zoo,
)
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name
from zoogen.store.subset import Shelves

NAME = "hub:org/mixed@v1"
SHARDS = [shard_name(number) for number in range(3)]


def downloads(hub: Hub) -> list[str]:
    """The files of which any bytes were sent."""
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
    zoo = load_zoo(NAME, **at)
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
    """A tag or branch that moves between two requests must not mix two zoos."""
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


def test_what_is_there_is_not_asked_for_again(hub: Hub, commit: str, at: dict[str, Any]):
    load_zoo(NAME, **at)
    hub.requests.clear()
    load_zoo(NAME, **at)
    assert [one.path for one in hub.requests] == ["/api/datasets/org/mixed/revision/v1"]
    hub.requests.clear()
    load_zoo(f"hub:org/mixed@{commit}", **at)
    assert not hub.requests
    fetched = fetch_zoo(NAME, **at)
    assert fetched.downloaded == ()
    assert not downloads(hub) or downloads(hub) == [MANIFEST]


@pytest.mark.parametrize("models", [1, 64, range(10), [3, 3, 60]])
def test_only_the_shards_with_the_models_asked_for_are_fetched(
    hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any], models: Any
):
    zoo = load_zoo(NAME, models=models, **at)
    assert set(downloads(hub)) == {MANIFEST, TABLE, SHARDS[0], "README.md"}
    numbers = range(models) if isinstance(models, int) else models
    there = mixed_zoo.properties
    chosen = there["model"].isin(numbers).to_numpy()
    assert zoo.properties.equals(there[chosen].reset_index(drop=True))
    assert (np.asarray(zoo.weights) == np.asarray(mixed_zoo.weights)[chosen]).all()
    hub.requests.clear()
    assert the_same(load_zoo(NAME, **at), mixed_zoo)
    assert set(downloads(hub)) == {MANIFEST, *SHARDS[1:]}


@pytest.mark.usefixtures("commit")
def test_a_split_is_fetched_without_the_shards_that_have_none_of_it(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any]
):
    table = mixed_zoo.properties
    kept = sorted(table[table["split"] == "test"]["model"].unique())[:2]
    zoo = load_zoo(NAME, split="test", models=[int(model) for model in kept], **at)
    needed = set(table[table["model"].isin(kept)]["shard"])
    assert {name for name in downloads(hub) if name in SHARDS} == {SHARDS[n] for n in needed}
    assert set(zoo.properties["split"]) == {"test"}
    assert set(zoo.properties["model"]) == set(kept)


@pytest.mark.parametrize("split", SPLITS)
def test_a_part_of_a_local_zoo_is_those_rows(mixed_zoo: Zoo, split: Any):
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
        ({"models": 193}, ZooError, "mixed has the models 0 to 191, not 192"),
        ({"models": 0}, ZooError, "models 0: expected how many, or their numbers"),
        ({"models": [-1]}, ZooError, "expected how many"),
        ({"models": []}, ZooError, "expected how many"),
        ({"models": 10**15}, ZooError, "mixed has the models 0 to 191, not 999999999999999"),
        ({"models": range(10**15, 0, -1)}, ZooError, "the models 0 to 191, not 1000000000000000"),
    ],
)
def test_models_that_are_not_there_are_refused(
    mixed_zoo: Zoo, asked: dict[str, Any], error: type[Exception], words: str
):
    with pytest.raises(error, match=words):
        load_zoo(mixed_zoo.folder, **asked)


def test_a_fetch_that_failed_goes_on_with_what_is_missing(
    hub: Hub, commit: str, at: dict[str, Any], waits: list[float]
):
    hub.answer(500, "GET", SHARDS[2], times=100)
    with pytest.raises(ZooError, match="trouble of its own, status 500"):
        fetch_zoo(NAME, **at)
    folder = at["cache_dir"] / "hub" / "org--mixed" / commit
    assert not (folder / MANIFEST).exists()
    assert not (folder / ".download").exists()
    with pytest.raises(ZooError, match=r"is not a zoo: it has no zoo\.json"):
        load_zoo(folder)
    hub.faults.coming.clear()
    hub.requests.clear()
    there = {name for name in SHARDS if (folder / name).exists()}
    fetched = fetch_zoo(NAME, **at)
    assert set(fetched.downloaded) == {*SHARDS, "README.md"} - there
    assert there.isdisjoint(downloads(hub))
    assert MANIFEST in contents(folder)


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("after", [0, 1000])
def test_a_connection_that_is_cut_is_gone_on_with(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], after: int, monkeypatch: pytest.MonkeyPatch
):
    from huggingface_hub import file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    hub.cut(after, "GET", SHARDS[1], times=2)
    assert the_same(load_zoo(NAME, **at), mixed_zoo)
    assert len(hub.calls("GET", SHARDS[1])) == 3


def test_a_damaged_file_is_fetched_again_by_fetch(
    hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any]
):
    folder = load_zoo(NAME, **at).folder
    blob = bytearray((folder / SHARDS[1]).read_bytes())
    blob[-1] ^= 1
    (folder / SHARDS[1]).write_bytes(blob)
    (folder / TABLE).unlink()
    assert set(fetch_zoo(NAME, **at).downloaded) == {SHARDS[1], TABLE}
    assert the_same(load_zoo(folder), mixed_zoo)


@pytest.mark.usefixtures("commit")
def test_a_hub_that_is_down_does_not_matter_if_everything_is_there(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    load_zoo(NAME, models=3, **at)
    hub.stop()
    with caplog.at_level(logging.WARNING):
        assert len(load_zoo(NAME, models=2, **at).weights) == 4
    assert "no connection" in caplog.text
    assert "going by what hub:org/mixed@v1 was the last time" in caplog.text
    with pytest.raises(ZooError, match=f"{hub.url}: no connection .*refused"):
        load_zoo(NAME, **at)
    with pytest.raises(ZooError, match="no connection"):
        load_zoo("hub:org/mixed@v2", **at)


@pytest.mark.usefixtures("commit")
def test_offline_what_is_there_is_used(
    hub: Hub, mixed_zoo: Zoo, at: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    load_zoo(NAME, **at)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert the_same(load_zoo(NAME, **at), mixed_zoo)
    with pytest.raises(ZooError, match="offline; unset HF_HUB_OFFLINE to reach it"):
        load_zoo("hub:org/other", **at)
    assert not hub.requests


def test_a_tag_that_was_taken_away_is_not_remembered(hub: Hub, commit: str, at: dict[str, Any]):
    load_zoo(NAME, **at)
    del hub.repository("org/mixed").tags["v1"]
    with pytest.raises(ZooError, match="no such revision"):
        load_zoo(NAME, **at)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hub:org/nothing", r"org/nothing on .*: there is no such data set, or it is private"),
        ("hub:org/mixed@v9", "org/mixed on .*: it has no such revision"),
        ("hub:org/mixed@" + "0" * 40, "no such revision"),
        ("hub:org", "names no repository of the Hub: expected OWNER/NAME"),
        ("hub:../../etc@v1", "names no repository of the Hub"),
        ("hub:org/mixed@", "names no revision after the @"),
        ("hub:org/mixed@" + "v" * 300, "'vvv.*' names no revision: expected a branch"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(
    hub: Hub, commit: str, at: dict[str, Any], tmp_path: Path, name: str, words: str
):
    for load in (load_zoo, fetch_zoo):
        with pytest.raises(ZooError, match=words):
            load(name, **at)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "", r"your token may not do this \(injected\); take one that may$"),
        (403, "GatedRepo", "its owner chooses who may have it: ask on its page, then log in"),
        (503, "", "trouble of its own, status 503"),
    ],
)
def test_a_hub_that_refuses_is_understood(
    hub: Hub, commit: str, at: dict[str, Any], status: int, code: str, words: str
):
    headers = {"X-Error-Code": code} if code else {}
    hub.faults.add(Answer(status, headers), "GET", "/revision/", times=10)
    with pytest.raises(ZooError, match=words):
        fetch_zoo(NAME, **at)


@pytest.mark.parametrize(
    "endpoint", ["huggingface.co", "ftp://127.0.0.1", "http://", "http://[::1", "http://a:port"]
)
def test_what_is_no_address_of_a_hub_is_named(at: dict[str, Any], endpoint: str):
    with pytest.raises(ZooError, match=f"'{re.escape(endpoint)}' is no address of a Hub: expected"):
        fetch_zoo(NAME, **{**at, "endpoint": endpoint})


def test_an_empty_revision_is_not_main(commit: str, at: dict[str, Any]):
    with pytest.raises(ZooError, match="'' names no revision: expected a branch, a tag or a"):
        fetch_zoo("hub:org/mixed", revision="", **at)


@pytest.mark.usefixtures("commit")
def test_a_folder_that_cannot_take_a_file_is_named(
    at: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, target: Path) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(ZooError, match=r"cannot write .*snapshots\.parquet: No space left on"):
            fetch_zoo(NAME, out=tmp_path / "zoo", **at)
    assert not (tmp_path / "zoo").exists()


def test_a_repository_that_is_no_zoo_is_told_so(hub: Hub, at: dict[str, Any], tmp_path: Path):
    hub.create("org/texts").put({"README.md": b"# texts", "train.txt": b"hello"})
    with pytest.raises(ZooError, match=r"texts/tree/.* is not a zoo: it has no zoo\.json"):
        load_zoo("hub:org/texts", **at)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_ones_own_is_fetched_into_and_nothing_beside_it(
    hub: Hub, mixed_zoo: Zoo, commit: str, at: dict[str, Any], tmp_path: Path
):
    fetched: Fetched = fetch_zoo(NAME, out=tmp_path / "mine", models=2, **at)
    assert fetched.commit == commit
    assert fetched.shards == (SHARDS[0],)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert set(contents(tmp_path / "mine")) == {MANIFEST, TABLE, SHARDS[0], "README.md"}
    assert len(load_zoo(tmp_path / "mine", models=2).weights) == 4
    with pytest.raises(ZooError, match=f"{SHARDS[1]} is missing; build or fetch"):
        load_zoo(tmp_path / "mine")
    assert set(fetch_zoo(NAME, out=tmp_path / "mine", **at).downloaded) == set(SHARDS[1:])


def holds_texts(folder: Path, zoo: Zoo) -> None:
    (folder / "text").write_text("mine")


def holds_another_zoo(folder: Path, zoo: Zoo) -> None:
    fields = json.loads((zoo.folder / MANIFEST).read_text())
    fields["spec"]["epochs"] = 3
    (folder / MANIFEST).write_text(json.dumps(fields))


def holds_half_a_build(folder: Path, zoo: Zoo) -> None:
    (folder / ".lock").touch()
    (folder / "parts").mkdir()
    (folder / "parts" / "00000.parquet").write_bytes(b"hours of work")


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize(
    ("put", "words"),
    [
        (holds_texts, "is not a zoo's folder: it holds text"),
        (holds_another_zoo, "holds mixed with content .* choose another folder with --out"),
        (holds_half_a_build, "half built; go on with zoogen build"),
    ],
)
def test_a_folder_that_holds_something_else_is_left_as_it_is(
    mixed_zoo: Zoo,
    at: dict[str, Any],
    tmp_path: Path,
    put: Callable[[Path, Zoo], None],
    words: str,
):
    (folder := tmp_path / "folder").mkdir()
    put(folder, mixed_zoo)
    before = contents(folder)
    with pytest.raises(ZooError, match=words):
        fetch_zoo(NAME, out=folder, **at)
    assert contents(folder) == before
