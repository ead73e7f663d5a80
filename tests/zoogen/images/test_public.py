"""Files of the public image sets: only the published ones are used; a named folder is only read."""

import gc
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import get_args

import numpy as np
import pytest
import torch

from tests.tiny_images import Publication, Server, md5, publish
from zoogen import ZooError
from zoogen.images.natural import channels_first, read_portion
from zoogen.images.public import (
    IDX_MD5,
    Source,
    download_command,
    faults,
    published_files,
    published_root,
)

SOURCES: tuple[Source, ...] = get_args(Source)
every_source = pytest.mark.parametrize("source", SOURCES)
Publish = Callable[[Source], Publication]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.may_answer.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def published(server: Server, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish a miniature image set on the server."""
    monkeypatch.setenv("no_proxy", "*")

    def on_our_server(source: Source) -> Publication:
        publication = publish(source, server.url, monkeypatch)
        server.held |= publication.archives
        return publication

    return on_our_server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that image sets are downloaded to."""
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "images"


def lay_out(publication: Publication, root: Path) -> None:
    for name, data in publication.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def contents(root: Path) -> dict[Path, tuple[int, bytes | None]]:
    """Time and bytes of everything in a folder."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in root.rglob("*")
    }


def assert_whole(publication: Publication, root: Path) -> None:
    for name, data in publication.files.items():
        assert (root / name).read_bytes() == data


def complaint(source: Source, root: Path | None = None) -> str:
    """Return the error message, one line."""
    with pytest.raises(ZooError) as raised:
        published_root(source, root)
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    return message


def follow(source: Source, message: str) -> None:
    """Run the command that a message gives, in this process."""
    (command,) = re.findall(r"python -c '.*\)\]?'", message)
    _, _, code = shlex.split(command)
    exec(code, {})


@every_source
def test_a_set_is_downloaded_once_and_read_as_published(
    source: Source, published: Publish, server: Server, cache: Path
):
    publication = published(source)
    assert published_root(source, None) == cache
    assert_whole(publication, cache)
    asked = list(server.asked)
    assert set(asked) == set(publication.archives)
    assert published_root(source, None) == cache
    assert server.asked == asked
    for part in ("train", "test"):
        pixels, labels = read_portion(source, cache, part)
        np.testing.assert_array_equal(channels_first(pixels), publication.pixels[part])
        np.testing.assert_array_equal(labels, publication.labels[part])


@every_source
@pytest.mark.parametrize("harm", ["missing", "half", "altered", "half with its archive"])
def test_missing_or_damaged_files_in_the_cache_are_replaced(
    source: Source, harm: str, published: Publish, cache: Path
):
    publication = published(source)
    published_root(source, None)
    for name, data in publication.files.items():
        whole = {"missing": b"", "altered": data[:-1] + bytes([data[-1] ^ 1])}
        (cache / name).write_bytes(whole.get(harm, data[: len(data) // 2]))
        if harm == "missing":
            (cache / name).unlink()
    if "archive" in harm:
        for path in (path for name in publication.archives for path in cache.rglob(name)):
            path.write_bytes(path.read_bytes()[:-5])
    published_root(source, None)
    assert_whole(publication, cache)


@every_source
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # urllib after errors
@pytest.mark.parametrize("manner", ["refused", "not found", "garbage", "hang up", "half"])
def test_a_failed_download_is_one_line_with_file_checksum_and_way_out(
    source: Source, manner: str, published: Publish, server: Server, cache: Path
):
    published(source)
    server.manner = manner
    if manner == "refused":
        server.server_close()
    (first, expected), *others = published_files(source).items()
    message = complaint(source)
    assert message.startswith(f"{cache / first} is ")
    assert f" {expected} (and {len(others)} more); the download failed (" in message
    assert "--images or ZOOGEN_IMAGES" in message
    assert len(message) < 1000
    assert len(faults(source, cache)) == 1 + len(others)
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_download_that_fails_halfway_names_the_first_missing_file(
    published: Publish, server: Server, cache: Path
):
    publication = published("MNIST")
    _, second, *_ = publication.archives
    whole = server.held.pop(second)
    expected = f"MNIST/raw/{Path(second).stem} is missing, expected the published file with MD5 "
    assert complaint("MNIST").startswith(str(cache / expected))
    server.held[second] = whole
    server.asked.clear()
    published_root("MNIST", None)
    assert_whole(publication, cache)
    assert next(iter(publication.archives)) not in server.asked
    gc.collect()


@every_source
def test_an_altered_download_is_never_used_and_replaced_by_the_next(
    source: Source, published: Publish, server: Server, cache: Path
):
    publication = published(source)
    for name, data in publication.archives.items():
        server.held[name] = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
    assert "the download failed" in complaint(source)
    assert "the download failed" in complaint(source)
    server.held |= publication.archives
    published_root(source, None)
    assert_whole(publication, cache)


def test_an_archive_of_other_files_is_never_used(
    published: Publish, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    published("MNIST")
    monkeypatch.setitem(IDX_MD5, "MNIST", dict.fromkeys(IDX_MD5["MNIST"], "0" * 32))
    message = complaint("MNIST")
    assert " is damaged: its MD5 is " in message
    assert f"expected {'0' * 32} (and 3 more), after the download; run the same" in message


@every_source
@pytest.mark.parametrize("state", ["absent", "empty", "a file is missing", "a file is damaged"])
def test_a_folder_named_by_the_user_is_only_read(
    source: Source,
    state: str,
    published: Publish,
    server: Server,
    cache: Path,
    tmp_path: Path,
):
    publication, root = published(source), tmp_path / "named"
    (first, data), *others = publication.files.items()
    if state != "absent":
        root.mkdir()
    if state.startswith("a file"):
        lay_out(publication, root)
        (root / first).unlink() if "missing" in state else (root / first).write_bytes(data[:-1])
    before = contents(tmp_path)
    message = complaint(source, root)
    assert str(root / first) in message
    assert md5(data) in message
    assert (f"(and {len(others)} more)" in message) == (state in {"absent", "empty"})
    assert (f"damaged: its MD5 is {md5(data[:-1])}" in message) == ("damaged" in state)
    assert contents(tmp_path) == before
    assert server.asked == []


@every_source
def test_a_complete_folder_named_by_the_user_is_used_unchanged(
    source: Source, published: Publish, server: Server, cache: Path, tmp_path: Path
):
    lay_out(published(source), tmp_path / "named")
    before = contents(tmp_path)
    assert published_root(source, tmp_path / "named") == tmp_path / "named"
    assert contents(tmp_path) == before
    assert server.asked == []


@every_source
def test_following_the_message_repairs_a_folder(source: Source, published: Publish, tmp_path: Path):
    publication, root = published(source), tmp_path / 'my "best" images'
    follow(source, complaint(source, root))
    assert published_root(source, root) == root
    first = root / next(iter(publication.files))
    first.write_bytes(b"damaged")
    message = complaint(source, root)
    assert "delete the damaged files" in message
    first.unlink()
    follow(source, message)
    assert published_root(source, root) == root


def test_the_command_in_a_message_quotes_any_folder(tmp_path: Path):
    for name in ("it's", 'so "called"', "a b", "$HOME", "back\\slash", "é"):
        _, _, code = shlex.split(download_command("MNIST", tmp_path / name))
        named = re.findall(r'D\((".*"), download=True\)', code)
        assert [eval(text) for text in named] == [str(tmp_path / name)]


def test_a_path_that_is_not_a_file_is_not_called_missing(published: Publish, tmp_path: Path):
    first = next(iter(published("MNIST").files))
    (tmp_path / first).mkdir(parents=True)
    assert f"{tmp_path / first} cannot be read (Is a directory)" in complaint("MNIST", tmp_path)
    (tmp_path / "file").touch()
    assert "cannot be read (Not a directory)" in complaint("MNIST", tmp_path / "file")


def test_files_of_an_old_torchvision_are_ignored(published: Publish, tmp_path: Path):
    publication, processed = published("MNIST"), tmp_path / "MNIST" / "processed"
    lay_out(publication, tmp_path)
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(1, 28, 28, dtype=torch.uint8), torch.zeros(1)), processed / name)
    pixels, _ = read_portion("MNIST", published_root("MNIST", tmp_path), "train")
    np.testing.assert_array_equal(channels_first(pixels), publication.pixels["train"])


def test_two_builds_that_need_the_same_images_download_them_once(
    published: Publish,
    server: Server,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    publication = published("SVHN")  # without archives: a second download cannot be missed
    published_root("SVHN", None)
    once = Counter(server.asked)
    server.asked.clear()
    server.may_answer.clear()
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path / "another"))
    caplog.clear()
    builds = [Thread(target=published_root, args=("SVHN", None)) for _ in range(2)]
    for build in builds:
        build.start()
    end = monotonic() + 60
    while len(caplog.records) < 2 and monotonic() < end:
        sleep(0.01)
    assert len(caplog.records) == 2
    server.may_answer.set()
    for build in builds:
        build.join()
    assert Counter(server.asked) == once
    assert_whole(publication, tmp_path / "another" / "images")
