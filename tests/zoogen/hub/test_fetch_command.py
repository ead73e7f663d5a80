"""``zoogen fetch`` in its own process: killed, called again, and used by ``zoobench``."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub import WRITE, Hub
from tests.subprocesses import PATIENCE, plain_environment, run_zoogen, start_zoogen, wait_for
from tests.zoogen.build.test_zoo import contents
from tests.zoogen.hub.test_fetch import downloads
from tests.zoogen.publish.test_command import use_xet
from zoogen import Zoo, load_zoo
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name

ADDRESS = "hub:org/mixed@v1"
SHARDS = [shard_name(number) for number in range(3)]


@pytest.fixture(autouse=True)
def cache(hub: Hub, mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put ``mixed_zoo`` on the Hub, and set its endpoint for new processes; return the cache."""
    hub.put_folder(mixed_zoo.folder, "org/mixed", tag="v1")
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZOOBENCH_CACHE", str(tmp_path / "embeddings"))
    return tmp_path / "cache"


def test_fetch_says_what_was_fetched_and_where_it_is(hub: Hub, mixed_zoo: Zoo, cache: Path):
    part = run_zoogen("fetch", ADDRESS, "--models", "60-63")
    assert (part.returncode, part.stderr) == (0, "")
    assert "1 of 3 shards checked, 3 files downloaded" in part.stdout
    assert part.stdout.endswith("a part of the zoo\n")
    whole = run_zoogen("fetch", "hub:org/mixed", "--revision", "v1")
    assert "3 of 3 shards checked, 2 files downloaded" in whole.stdout
    assert f"content {mixed_zoo.manifest.content_sha256}" in whole.stdout
    assert f"in {cache}/hub/org--mixed/" in whole.stdout
    hub.stop()
    for command in ("verify", "show"):
        done = run_zoogen(command, ADDRESS)
        assert done.returncode == 0, done.stderr
        assert "mixed" in done.stdout
    assert run_zoogen("verify", ADDRESS).stdout.startswith("mixed: 4 files are intact")


def test_a_zoo_is_fetched_through_xet(
    hub: Hub, mixed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    use_xet(hub, tmp_path, monkeypatch)
    monkeypatch.setenv("HF_TOKEN", WRITE)
    sent = run_zoogen("publish", mixed_zoo.folder, "org/chunks")
    assert sent.returncode == 0, sent.stderr
    hub.requests.clear()
    done = run_zoogen("fetch", "hub:org/chunks@v1", "--out", tmp_path / "zoo")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"content {mixed_zoo.manifest.content_sha256}" in done.stdout
    assert not {*SHARDS, TABLE} & set(downloads(hub))
    assert len(list(load_zoo(tmp_path / "zoo").verify())) == 4


def test_a_killed_fetch_leaves_no_zoo_and_continues(hub: Hub, mixed_zoo: Zoo, tmp_path: Path):
    zoo = tmp_path / "zoo"
    held = hub.hold("GET", SHARDS[2])
    process = start_zoogen("fetch", ADDRESS, "--out", zoo)
    assert held.reached.wait(PATIENCE), process.communicate()
    for name in SHARDS[:2]:
        wait_for(zoo / name, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    held.release()
    assert {TABLE, *SHARDS[:2]} <= set(contents(zoo))
    assert MANIFEST not in contents(zoo)
    hub.requests.clear()
    done = run_zoogen("fetch", ADDRESS, "--out", zoo)
    assert (done.returncode, done.stderr) == (0, "")
    assert {name for name in downloads(hub) if name != MANIFEST} <= {SHARDS[2], "README.md"}
    assert SHARDS[2] in downloads(hub)
    assert load_zoo(zoo).manifest == mixed_zoo.manifest
    assert len(list(load_zoo(zoo).verify())) == 4
    assert {path.name for path in zoo.iterdir()} == {
        "weights",
        "README.md",
        ".lock",
        MANIFEST,
        TABLE,
    }


def test_an_interrupted_fetch_ends_at_once_and_says_so(hub: Hub, tmp_path: Path):
    held = hub.hold("GET", SHARDS[2])
    process = start_zoogen("fetch", ADDRESS, "--out", tmp_path / "zoo")
    assert held.reached.wait(PATIENCE), process.communicate()
    process.send_signal(signal.SIGINT)
    held.release()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors == "stopped; finished files are kept, the same command continues\n"
    assert MANIFEST not in contents(tmp_path / "zoo")
    assert not (tmp_path / "zoo" / ".download").exists()


def test_a_full_disk_is_not_reported_as_a_broken_connection(tmp_path: Path):
    """A limit on the size of files stands for the full disk: both make a write fail."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000));"
        f"sys.argv = ['zoogen', 'fetch', {ADDRESS!r}, '--out', 'zoo'];"
        "from zoogen.cli.commands import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be written here ([Errno 27] File too large); make room, then" in done.stderr
    assert MANIFEST not in contents(tmp_path / "zoo")
    assert not (tmp_path / "zoo" / ".download").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("hub:org/mixed@v9",), 1, "error: org/mixed on http://127.0.0.1"),
        (("mnist-seed",), 1, "nobody has said where mnist-seed is published; set ZOOGEN_HUB"),
        ((ADDRESS, "--split", "tset"), 1, "error: no split called 'tset'; closest: test"),
        ((ADDRESS, "--models", "1000"), 1, "error: mixed has models 0 to 191, not 999"),
        ((ADDRESS, "--models", "few"), 2, "expected a number, or a range"),
        ((ADDRESS, "--models", "9-5"), 2, "expected a number, or a range"),
        ((ADDRESS, "--models", "9" * 5000), 2, "expected a number, or a range"),
        (("hub:org/mixed", "--revision", ""), 1, "'' is not a revision"),
    ],
)
def test_errors_have_no_traceback_and_an_exit_code(
    cache: Path, arguments: tuple[str, ...], status: int, words: str
):
    done = run_zoogen("fetch", *arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert MANIFEST not in {path.name for path in cache.rglob("*")}


def test_zoobench_lists_the_tasks_of_a_zoo_from_the_hub_without_its_weights(
    hub: Hub, mixed_zoo: Zoo
):
    def tasks(zoo: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zoobench", "tasks", str(zoo)],
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    fetched = tasks(ADDRESS)
    assert fetched.returncode == 0, fetched.stderr
    assert {"acc", "act", "init", "opt", "drop"} <= set(fetched.stdout.split())
    assert fetched.stdout == tasks(mixed_zoo.folder).stdout
    assert not {*SHARDS} & set(downloads(hub))
    missing = tasks("hub:org/mixed@v9")
    assert (missing.returncode, "Traceback" in missing.stderr) == (1, False)
    assert "it has no such revision" in missing.stderr


def test_zoobench_scores_a_zoo_from_the_hub_as_the_one_that_was_built(
    mixed_zoo: Zoo, tmp_path: Path
):
    def result(zoo: str | Path, out: str) -> str:
        arguments = ("evaluate", "weight-statistics", "--zoo", zoo, "--task", "acc", "--out", out)
        done = subprocess.run(
            [sys.executable, "-m", "zoobench", *map(str, arguments), "--no-references"],
            cwd=tmp_path,
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (path,) = (tmp_path / out).rglob("result.json")
        return path.read_text()

    fetched, built = result(ADDRESS, "fetched"), result(mixed_zoo.folder, "built")
    assert f'"content_sha256": "{mixed_zoo.manifest.content_sha256}"' in fetched
    scores = [text.partition('"tasks"')[2].partition('"seconds"')[0] for text in (fetched, built)]
    assert scores[0] == scores[1] != ""
