"""A fetch that cannot succeed names the reason and changes nothing."""

import json
import os
import re
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from tests.hub import Hub
from tests.hub.faults import Answer
from tests.zoogen.build.test_zoo import contents
from tests.zoogen.hub.test_fetch import ADDRESS
from zoogen import Zoo, ZooError, fetch_zoo, load_zoo
from zoogen.store.manifest import MANIFEST


def test_a_deleted_tag_is_not_remembered(hub: Hub, commit: str, at: dict[str, Any]):
    load_zoo(ADDRESS, **at)
    del hub.repository("org/mixed").tags["v1"]
    with pytest.raises(ZooError, match="no such revision"):
        load_zoo(ADDRESS, **at)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hub:org/nothing", r"org/nothing on .*: there is no such data set, or it is private"),
        ("hub:org/mixed@v9", "org/mixed on .*: it has no such revision"),
        ("hub:org/mixed@" + "0" * 40, "no such revision"),
        ("hub:org", "is not a repository of the Hub; expected OWNER/NAME"),
        ("hub:../../etc@v1", "is not a repository of the Hub"),
        ("hub:org/mixed@", "has no revision after the @"),
        ("hub:org/mixed@" + "v" * 300, "'vvv.*' is not a revision; expected a branch"),
    ],
)
def test_a_missing_repository_or_revision_is_named_and_nothing_is_written(
    hub: Hub, commit: str, at: dict[str, Any], tmp_path: Path, name: str, words: str
):
    for load in (load_zoo, fetch_zoo):
        with pytest.raises(ZooError, match=words):
            load(name, **at)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "", r"your token may not do this \(injected\); use one that may$"),
        (403, "GatedRepo", "its owner grants access: ask on its page, then log in"),
        (503, "", "the Hub failed with status 503"),
    ],
)
def test_refusals_of_the_hub_are_explained(
    hub: Hub, commit: str, at: dict[str, Any], status: int, code: str, words: str
):
    headers = {"X-Error-Code": code} if code else {}
    hub.faults.add(Answer(status, headers), "GET", "/revision/", times=10)
    with pytest.raises(ZooError, match=words):
        fetch_zoo(ADDRESS, **at)


@pytest.mark.parametrize(
    "endpoint", ["huggingface.co", "ftp://127.0.0.1", "http://", "http://[::1", "http://a:port"]
)
def test_an_endpoint_that_is_not_a_url_is_named(at: dict[str, Any], endpoint: str):
    with pytest.raises(
        ZooError, match=f"'{re.escape(endpoint)}' is not the URL of a Hub; expected"
    ):
        fetch_zoo(ADDRESS, **{**at, "endpoint": endpoint})


def test_an_empty_revision_is_not_main(commit: str, at: dict[str, Any]):
    with pytest.raises(ZooError, match="'' is not a revision; expected a branch, a tag or a"):
        fetch_zoo("hub:org/mixed", revision="", **at)


@pytest.mark.usefixtures("commit")
def test_a_folder_that_cannot_be_written_is_named(
    at: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, target: Path) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(ZooError, match=r"cannot write .*snapshots\.parquet: No space left on"):
            fetch_zoo(ADDRESS, out=tmp_path / "zoo", **at)
    assert not (tmp_path / "zoo").exists()


def test_a_repository_without_a_zoo_is_refused(hub: Hub, at: dict[str, Any], tmp_path: Path):
    hub.create("org/texts").put({"README.md": b"# texts", "train.txt": b"hello"})
    with pytest.raises(ZooError, match=r"texts/tree/.* is not a zoo: it has no zoo\.json"):
        load_zoo("hub:org/texts", **at)
    assert not list(tmp_path.iterdir())


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
        (holds_half_a_build, "holds an unfinished build; finish it with zoogen build"),
    ],
)
def test_a_folder_that_holds_something_else_is_not_changed(
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
        fetch_zoo(ADDRESS, out=folder, **at)
    assert contents(folder) == before
