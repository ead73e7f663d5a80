"""``zoogen import``: what it prints, what it writes, and what it leaves when stopped."""

import os
import signal
from errno import ENOSPC
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.subprocesses import run_zoogen, start_zoogen, wait_for
from tests.zoogen.build.test_zoo import contents
from tests.zoogen.importers.small_cnn_files import (
    metrics,
    tensorflow_vectors,
    write_small_cnn_zoo,
)
from tests.zoogen.importers.weight_space_files import weight_space_file
from zoobench.task.tasks import tasks_of
from zoogen import Zoo, ZooError, build_zoo, import_zoo, load_zoo, zoo_spec
from zoogen.cli.commands import app
from zoogen.importers.zoo import FORMATS
from zoogen.plots.zoo import plot_zoo
from zoogen.store.manifest import MANIFEST, read_manifest

FORMAT = "small-cnn-zoo"


def columns(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_an_import_prints_its_checks_and_writes_a_zoo_that_verifies(
    small_cnn: Path, images: str, tmp_path: Path
):
    before = contents(small_cnn)
    done = run_zoogen("import", FORMAT, small_cnn, "zoo", "--images", images, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for message in ("every row accounted for", "180 of 180 stored", "hidden units may be permuted"):
        assert message in " ".join(done.stdout.split())
    assert done.stdout.endswith("mnist-hyp: 20 of 29997 models, 180 snapshots in zoo\n")
    assert columns(done.stdout) <= 80
    assert contents(small_cnn) == before
    for command in (("verify", "zoo"), ("show", "zoo")):
        done = run_zoogen(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert columns(done.stdout.replace("imported from", "")) > 0


def test_a_failed_check_prints_the_table_and_leaves_nothing_behind(
    search_zoo: Zoo, images: str, tmp_path: Path
):
    table = metrics(search_zoo)
    table["test_accuracy"] = np.roll(table["test_accuracy"], 1)
    source = write_small_cnn_zoo(tmp_path / "files", table, tensorflow_vectors(search_zoo))
    done = run_zoogen("import", FORMAT, source, "zoo", "--images", images, cwd=tmp_path)
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "was not imported and nothing was kept: accuracy" in done.stderr
    assert not (tmp_path / "zoo").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("small-cnn", "x", "y"), "no format called 'small-cnn'; closest: small-cnn-zoo"),
        ((FORMAT, "x", "y"), "x does not exist"),
        ((FORMAT, "files", "y", "--images", "mnits"), "called 'mnits'; closest: mnist"),
        ((FORMAT, "files", "files"), "is not a zoo's folder: it holds"),
        (
            ("ray-tune", "files", "y", "--name", "My Zoo"),
            "invalid zoo name 'My Zoo': expected lower-case",
        ),
    ],
)
def test_a_wrong_call_says_why(
    arguments: tuple[str, ...], message: str, small_cnn: Path, tmp_path: Path
):
    copytree(small_cnn, tmp_path / "files")
    done = run_zoogen("import", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "y").exists()
    assert contents(tmp_path / "files") == contents(small_cnn)


def test_an_existing_zoo_is_not_touched(imported: Zoo, small_cnn: Path):
    before = contents(imported.folder)
    with pytest.raises(ZooError, match="already holds a zoo; choose another folder or delete it"):
        import_zoo(FORMAT, small_cnn, imported.folder)
    with pytest.raises(ZooError, match="holds mnist-hyp as it was imported from small-cnn-zoo"):
        build_zoo(zoo_spec("tetris-seed"), imported.folder)
    assert contents(imported.folder) == before


def large_source(search_zoo: Zoo, folder: Path) -> Path:
    """Write enough rows for several shards, so that the import takes a while."""
    table, vectors = metrics(search_zoo), tensorflow_vectors(search_zoo)
    runs = [table.assign(modeldir=table["modeldir"] + f"-{copy}") for copy in range(60)]
    return write_small_cnn_zoo(folder, pd.concat(runs), np.tile(vectors, (60, 1)))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_import_leaves_no_zoo_and_can_be_run_again(
    end: signal.Signals, search_zoo: Zoo, tmp_path: Path
):
    source = large_source(search_zoo, tmp_path / "files")
    arguments = ("import", FORMAT, source, tmp_path / "zoo", "--images", "none")
    process = start_zoogen(*arguments)
    wait_for(tmp_path / "zoo" / "weights" / "00000.safetensors", process)
    process.send_signal(end)
    _, printed = process.communicate()
    assert not (tmp_path / "zoo" / MANIFEST).exists()
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert printed.endswith("stopped; nothing of the import is kept\n")
        assert not (tmp_path / "zoo").exists()
    done = run_zoogen(*arguments)
    assert done.returncode == 0, done.stderr
    assert not [path for path in (tmp_path / "zoo").rglob(".*") if path.name != ".lock"]
    assert len(list(load_zoo(tmp_path / "zoo").verify())) == 5


def test_a_full_disk_ends_the_import_and_leaves_nothing_behind(
    small_cnn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(fd: int) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("zoogen.atomic.os.fsync", full)
        with pytest.raises(ZooError, match="No space left on device; nothing of the import was"):
            import_zoo(FORMAT, small_cnn, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()
    with monkeypatch.context() as patch:
        patch.setattr("zoogen.importers.transfer.SPARE_BYTES", 1 << 60)
        with pytest.raises(ZooError, match="GB free, mnist-hyp needs"):
            import_zoo(FORMAT, small_cnn, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


def test_an_unfinished_build_is_not_deleted(small_cnn: Path, tmp_path: Path):
    parts = tmp_path / "zoo" / "parts"
    parts.mkdir(parents=True)
    (parts / "00000.parquet").write_bytes(b"hours of work")
    (tmp_path / "zoo" / ".lock").touch()
    with pytest.raises(ZooError, match="holds an unfinished build"):
        import_zoo(FORMAT, small_cnn, tmp_path / "zoo")
    assert (parts / "00000.parquet").read_bytes() == b"hours of work"


def test_only_measured_properties_have_a_task(imported: Zoo, search_zoo: Zoo):
    ours, theirs = tasks_of(imported.spec), tasks_of(search_zoo.spec)
    assert not [name for name in ours if name.startswith("f1_")]
    assert set(ours) == {name for name in theirs if not name.startswith("f1_")}


def test_an_imported_zoo_is_evaluated_like_any_other(imported: Zoo, tmp_path: Path):
    from baselines.weight_statistics import embedder
    from zoobench.evaluation.evaluate import evaluate
    from zoobench.evaluation.reference_rows import evaluate_reference
    from zoobench.probes.probe import PROBES

    tasks = list(tasks_of(imported.spec).values())
    result = evaluate(embedder, imported, tasks, probe=PROBES["standard"], folder=tmp_path / "a")
    assert {task.task for task in result.tasks} == set(tasks_of(imported.spec))
    evaluate_reference("hyper-parameters", imported, tasks, folder=tmp_path / "b")


def test_an_imported_zoo_is_plotted_like_any_other(imported: Zoo, tmp_path: Path):
    for path in plot_zoo(imported, tmp_path / "plots"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_card_says_what_was_checked_and_what_is_unknown(seed_zoo: Zoo, tmp_path: Path):
    path = weight_space_file(seed_zoo, tmp_path / "dataset_11_tetris_seed.pt")
    import_zoo("weight-space-2021", path, tmp_path / "zoo")
    card = (tmp_path / "zoo" / "README.md").read_text()
    assert "| accuracy measured again | not checked | images not published" in card
    assert "Splits are 70/15/15 by model, as published" in card
    assert 'license: other\nlicense_name: "unknown"' in card


def test_the_manifest_of_a_trained_zoo_has_no_import_fields(mixed_zoo: Zoo):
    text = (mixed_zoo.folder / MANIFEST).read_text()
    assert '"checks"' not in text
    assert '"measured"' not in text
    assert read_manifest(mixed_zoo.folder) == mixed_zoo.manifest


def test_help_names_every_format():
    shown = CliRunner().invoke(app, ["import", "--help"])
    assert all(name in shown.output for name in FORMATS)
