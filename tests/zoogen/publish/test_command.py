"""``zoogen publish`` in its own process, killed and called again."""

import os
import pty
import signal
import subprocess
import termios
from pathlib import Path

import pytest

from tests.hub import READ, WRITE, Hub, XetStore
from tests.subprocesses import PATIENCE, command, plain_environment, run_zoogen, start_zoogen
from tests.zoogen.publish.test_zoo import REPO, the_zoo_is_there, written
from zoogen import Zoo
from zoogen.store.manifest import MANIFEST


@pytest.fixture(autouse=True)
def way_to_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the endpoint and the token for new processes."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", WRITE)


def test_publishing_says_what_was_sent_and_where_it_is(hub: Hub, mixed_zoo: Zoo):
    plan = run_zoogen("publish", mixed_zoo.folder, REPO, "--dry-run")
    assert (plan.returncode, plan.stderr) == (0, "")
    assert "7 of 7 files" in plan.stdout
    assert "would be sent" in plan.stdout
    assert not written(hub)
    done = run_zoogen("publish", mixed_zoo.folder, REPO, "--private")
    assert (done.returncode, done.stderr) == (0, "")
    table = [line.split() for line in done.stdout.splitlines() if " new" in line]
    assert [row[0] for row in table] == sorted(
        ["README.md", "croissant.json", "snapshots.parquet", MANIFEST]
        + [shard.file for shard in mixed_zoo.manifest.shards]
    )
    assert "were sent" in done.stdout
    assert f"{hub.url}/datasets/{REPO} at main, tag v1" in done.stdout
    assert hub.repository(REPO).private
    the_zoo_is_there(hub, mixed_zoo.folder)
    hub.requests.clear()
    again = run_zoogen("publish", mixed_zoo.folder, REPO, "--private")
    assert again.stdout.startswith("0 of 7 files, 0.000 MB were sent")
    assert not written(hub)


def test_errors_have_no_traceback_and_an_exit_code(
    hub: Hub, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    assert run_zoogen("publish", mixed_zoo.folder).returncode == 2
    monkeypatch.setenv("HF_TOKEN", READ)
    refused = run_zoogen("publish", mixed_zoo.folder, REPO)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: {REPO} on {hub.url}: your token may not do this")
    hub.stop()
    down = run_zoogen("publish", mixed_zoo.folder, REPO)
    assert down.returncode == 1
    assert down.stderr.startswith(f"error: {REPO} on {hub.url}: no connection")


@pytest.mark.parametrize(
    ("store", "method", "path", "skip"),
    [
        ("lfs", "PUT", "storage", 1),
        ("lfs", "POST", "/commit/", 1),
        ("xet", "POST", "/commit/", 0),
        ("xet", "POST", "/commit/", 1),
    ],
)
def test_a_killed_upload_leaves_no_zoo_and_continues(
    hub: Hub,
    mixed_zoo: Zoo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    store: str,
    method: str,
    path: str,
    skip: int,
):
    if store == "xet":
        use_xet(hub, tmp_path, monkeypatch)
    held = hub.hold(method, path, skip=skip)
    process = start_zoogen("publish", mixed_zoo.folder, REPO)
    assert held.reached.wait(PATIENCE), process.communicate()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert MANIFEST not in hub.repository(REPO).tree()
    assert not hub.repository(REPO).tags
    held.release()
    there = set(hub.objects)
    hub.requests.clear()
    again = run_zoogen("publish", mixed_zoo.folder, REPO)
    assert again.returncode == 0, again.stderr
    assert not there & {one.path.rpartition("/")[2] for one in hub.calls("PUT")}
    assert list(hub.repository(REPO).tags) == ["v1"]
    assert MANIFEST in hub.repository(REPO).tree("v1")
    if store == "xet":
        put_together(hub, tmp_path)
    the_zoo_is_there(hub, mixed_zoo.folder)


def use_xet(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new processes use Xet, as the client does by default."""
    monkeypatch.delenv("HF_HUB_DISABLE_XET")
    hub.xet = XetStore(tmp_path / "chunks")


def put_together(hub: Hub, tmp_path: Path) -> None:
    """Join the files that clients uploaded as chunks."""
    assert hub.xet is not None
    assert not hub.objects
    repository = hub.repository(REPO)
    for name, file in repository.tree().items():
        if file.xet:
            repository.alter(name, hub.xet.read(file, tmp_path / "file"))


def test_ctrl_c_stops_at_once_and_says_how_to_continue(hub: Hub, mixed_zoo: Zoo):
    held = hub.hold("POST", "preupload")
    process = start_zoogen("publish", mixed_zoo.folder, REPO)
    assert held.reached.wait(PATIENCE), process.communicate()
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "sent files are kept, the same command continues" in stderr
    assert "Traceback" not in stderr


def read_terminal(terminal: int) -> bytes:
    """Read the next bytes; a terminal whose other end is closed raises an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def test_a_terminal_shows_each_step(hub: Hub, mixed_zoo: Zoo):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    done = subprocess.run(
        command("publish", mixed_zoo.folder, REPO),
        env=plain_environment() | {"TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        timeout=PATIENCE,
        check=True,
    )
    os.close(theirs)
    shown = b"".join(iter(lambda: read_terminal(ours), b""))
    os.close(ours)
    assert done.returncode == 0
    for step in (b"check", b"Upload 4 LFS files", b"verify"):
        assert step in shown
