"""The command line: quick help, errors without tracebacks, reliable exit codes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.subprocesses import run_zoogen
from tests.zoogen.build.test_zoo import contents
from tests.zoogen.store.test_manifest import flip
from zoogen import ZOOS
from zoogen.atomic import sha256_of
from zoogen.store.manifest import MANIFEST, read_manifest
from zoogen.store.shards import shard_name

HEAVY = {
    "torch",
    "torchvision",
    "pandas",
    "pyarrow",
    "sklearn",
    "scipy",
    "matplotlib",
    "umap",
    "ray",
    "huggingface_hub",
    "datasets",
    "mlcroissant",
}
COMMANDS = ("list", "show", "build", "verify", "plot", "publish", "fetch", "import")


@pytest.fixture
def copied_own_zoo(own_zoo: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(own_zoo, tmp_path / "copy"))


def columns(text: str) -> int:
    return max(map(len, text.splitlines()))


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
def test_help_is_complete_and_fits_the_screen(command: tuple[str, ...]):
    done = run_zoogen(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert columns(done.stdout) <= 80
    assert not re.search(r"\w…", done.stdout), "a word is cut off"
    if not command:
        assert all(name in done.stdout for name in COMMANDS)


def test_commands_are_listed_in_the_order_of_first_use():
    lines = [
        line.strip("│ ").partition(" ")[0] for line in run_zoogen("--help").stdout.splitlines()
    ]
    assert [line for line in lines if line in COMMANDS] == list(COMMANDS)


def modules_after(script: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after a script."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("package", ["zoogen", "zoobench"])
def test_all_exported_names_load_without_torch_and_pandas(package: str):
    loaded = modules_after(f"import {package}\n[getattr({package}, n) for n in {package}.__all__]")
    assert {"zoogen.load.open", "zoogen.store.weights"} <= loaded
    assert not HEAVY & loaded


def test_a_command_does_not_import_the_others():
    assert not {"zoogen.build.zoo", "zoogen.load.open", "rich.table"} & modules_after(
        "import zoogen.cli.commands"
    )


def test_list_names_every_zoo_and_how_much_of_it_is_built():
    done = run_zoogen("list")
    assert done.returncode == 0
    assert columns(done.stdout) <= 80
    for name, spec in ZOOS.items():
        (row,) = (line.strip() for line in done.stdout.splitlines() if name in line.split())
        assert f"{spec.models} × {len(spec.stored_epochs)}" in row
        assert row.endswith("–")


@pytest.mark.parametrize("command", ["show", "build", "verify", "plot"])
def test_an_unknown_zoo_is_answered_with_the_closest_name(command: str):
    done = run_zoogen(command, "tetris-sed")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no zoo called 'tetris-sed'; closest: tetris-seed")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("tetris-seed", "--epochs", "2"), "--out"),
        (("tetris-seed", "--epochs", "0", "--out", "zoo"), "--epochs"),
        (("tetris-seed", "--models", "0", "--out", "zoo"), "--models"),
        (("tetris-seed", "--workers", "0", "--out", "zoo"), "--workers"),
        (("tetris-seed", "--speed", "9"), "--speed"),
        ((), "ZOO"),
    ],
)
def test_a_wrong_call_is_refused_with_the_option(
    tmp_path: Path, arguments: tuple[str, ...], complaint: str
):
    done = run_zoogen("build", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--models", "1001"), "1001 models asked for, tetris-seed has 1 to 1000"),
        (("--device", "cuda:77"), "device 'cuda:77' cannot be used"),
        (("--out", "/proc/zoo"), "cannot write to /proc/zoo"),
    ],
)
def test_an_impossible_build_ends_with_one_clear_line(arguments: tuple[str, ...], complaint: str):
    done = run_zoogen("build", "tetris-seed", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {complaint}")
    assert len(done.stderr.splitlines()) == 1


def test_a_finished_zoo_is_reported_and_not_built_again(own_zoo: Path):
    before = contents(own_zoo)
    done = run_zoogen("build", "own_zoo:SPEC", "--out", own_zoo, cwd=own_zoo.parent)
    assert done.returncode == 0
    assert done.stdout == f"own: 10 of 10 models, 20 snapshots in {own_zoo}\n"
    assert done.stderr == ""
    assert contents(own_zoo) == before


def test_another_number_of_epochs_is_another_zoo(own_zoo: Path):
    done = run_zoogen("build", "own_zoo:SPEC", "--epochs", 3, "--out", own_zoo, cwd=own_zoo.parent)
    assert done.returncode == 1
    assert "holds own with epochs 2, not 3" in done.stderr


def test_show_prints_the_facts_of_a_zoo(own_zoo: Path):
    done = run_zoogen("show", own_zoo)
    assert done.returncode == 0
    assert columns(done.stdout) <= 80
    for expected in ("10 of 10, 0 failed", "MLP 16-5-4, 100 weights", "f1_class_3", "few, batch"):
        assert expected in done.stdout


def test_show_and_verify_train_nothing_and_name_the_command():
    shown = run_zoogen("show", "tetris-seed")
    assert shown.returncode == 0
    assert "MLP 16-5-4, 100 weights" in shown.stdout
    assert shown.stdout.endswith("; run: zoogen build tetris-seed\n")
    verified = run_zoogen("verify", "tetris-seed")
    assert verified.returncode == 1
    assert "zoogen build" in verified.stderr


def test_verify_confirms_an_intact_zoo(own_zoo: Path):
    done = run_zoogen("verify", own_zoo)
    assert done.returncode == 0
    content = read_manifest(own_zoo).content_sha256
    assert done.stdout == f"own: 6 files are intact, content {content}\n"
    assert done.stderr == ""


@pytest.mark.parametrize("file", ["snapshots.parquet", shard_name(3)])
def test_verify_shows_both_hashes_of_an_altered_file(copied_own_zoo: Path, file: str):
    promised = sha256_of(copied_own_zoo / file)
    flip(copied_own_zoo / file)
    done = run_zoogen("verify", copied_own_zoo)
    assert done.returncode == 1
    assert str(copied_own_zoo / file) in done.stderr
    assert promised in done.stderr
    assert sha256_of(copied_own_zoo / file) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_is_not_a_zoo_is_refused(tmp_path: Path):
    for command in ("show", "verify"):
        done = run_zoogen(command, tmp_path)
        assert done.returncode == 1
        assert "is not a zoo: it has no zoo.json" in done.stderr


def test_a_damaged_zoo_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path))
    (folder := tmp_path / "tetris-seed").mkdir()
    (folder / MANIFEST).write_text("{")
    done = run_zoogen("list")
    assert done.returncode == 0
    assert "damaged" in done.stdout
    assert "tetris-hyp" in done.stdout
