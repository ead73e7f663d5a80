"""Ray Tune trials: both namings, shifted keys, repeated lines, folders and archives."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, make_archive, move, rmtree

import numpy as np
import pandas as pd
import pytest
import torch

from tests.zoogen.importers.ray_files import ray_files
from zoogen import IntegrityError, Manifest, Zoo, ZooError, import_zoo, load_zoo
from zoogen.importers.checks import FailedChecksError
from zoogen.importers.pickles import RefusedGlobalError

FORMAT = "ray-tune"


@pytest.fixture(scope="module")
def files(trial_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ray_files(trial_zoo, tmp_path_factory.mktemp("files") / "cnn_small_hyp")


@pytest.fixture(scope="module")
def plain(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """The zoo imported from the folder."""
    folder = tmp_path_factory.mktemp("plain") / "zoo"
    import_zoo(FORMAT, files.parent, folder, images="none")
    return load_zoo(folder)


@pytest.fixture
def copied(files: Path, tmp_path: Path) -> Path:
    """Trials to damage."""
    return Path(copytree(files, tmp_path / "cnn_small_hyp"))


def trials(folder: Path) -> list[Path]:
    return sorted(folder.glob("NN_*"))


def checks(manifest: Manifest) -> dict[str, tuple[str, str]]:
    return {check.name: (check.outcome, check.detail) for check in manifest.checks}


def skipped(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    return {one.reason: one.epochs for one in manifest.spec.origin.skipped}


def test_every_snapshot_equals_the_trained_one(trial_zoo: Zoo, files: Path, tmp_path: Path):
    manifest = import_zoo(FORMAT, files, tmp_path / "zoo", images=trial_zoo.spec.images)
    zoo = load_zoo(tmp_path / "zoo")
    order = zoo.properties.sort_values(["model", "epoch"]).index.to_numpy()
    np.testing.assert_array_equal(zoo.weights[order], np.asarray(trial_zoo.weights))
    columns = ["model", "epoch", "activation", "initialiser", "optimiser", "learning_rate"]
    columns += ["weight_decay", "dropout", "seed", "test_accuracy", "generalisation_gap"]
    pd.testing.assert_frame_equal(
        zoo.properties.loc[order, columns].reset_index(drop=True), trial_zoo.properties[columns]
    )
    assert {outcome for outcome, _ in checks(manifest).values()} == {"passed"}
    assert zoo.properties["dropout"].nunique() == 2
    assert (manifest.spec.name, manifest.spec.licence) == ("cnn-small-hyp", "unknown")
    assert ("training::batchsize", "16") in manifest.spec.origin.also
    assert manifest.shared_starts
    assert len(list(zoo.verify())) == 1 + len(manifest.shards)


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_an_archive_gives_the_same_zoo_as_its_folder(
    kind: str, files: Path, plain: Zoo, tmp_path: Path
):
    packed = Path(make_archive(str(tmp_path / "zoo"), kind, files.parent, files.name))
    manifest = import_zoo(FORMAT, packed, tmp_path / "packed", images="none")
    zoo = load_zoo(tmp_path / "packed")
    # A tar is read in stored order, so the same rows may come in another order.
    order = zoo.properties.sort_values(["model", "epoch"]).index.to_numpy()
    np.testing.assert_array_equal(zoo.weights[order], np.asarray(plain.weights))
    pd.testing.assert_frame_equal(
        zoo.properties.loc[order].drop(columns="row").reset_index(drop=True),
        plain.properties.drop(columns="row"),
    )
    assert manifest.spec == plain.spec
    assert kind != "zip" or manifest.content_sha256 == plain.manifest.content_sha256


def test_the_old_naming_of_checkpoints_gives_the_same_snapshots(
    trial_zoo: Zoo, files: Path, tmp_path: Path
):
    old = ray_files(trial_zoo, tmp_path / "old" / "cnn_small_hyp", digits=1)
    first = import_zoo(FORMAT, files, tmp_path / "new_zoo")
    second = import_zoo(FORMAT, old, tmp_path / "old_zoo")
    assert second.table.sha256 == first.table.sha256
    assert [one.sha256 for one in second.shards] == [one.sha256 for one in first.shards]


def test_splits_depend_on_the_names_alone(files: Path, copied: Path, tmp_path: Path):
    first = import_zoo(FORMAT, files, tmp_path / "first")
    for trial in reversed(trials(copied)):  # another order of creation
        move(trial, tmp_path / trial.name)
        move(tmp_path / trial.name, trial)
    assert import_zoo(FORMAT, copied, tmp_path / "second").split_sha256 == first.split_sha256


def test_the_last_of_repeated_lines_counts_in_any_order(
    trial_zoo: Zoo, copied: Path, tmp_path: Path
):
    path = trials(copied)[0] / "result.json"
    lines = path.read_text().splitlines()
    stale = json.dumps({**json.loads(lines[1]), "test_acc": 0.987654})
    path.write_text("\n".join([lines[3], stale, lines[0], lines[1], lines[2]]) + "\n")
    manifest = import_zoo(FORMAT, copied, tmp_path / "zoo", images=trial_zoo.spec.images)
    assert checks(manifest)["lines of results"] == (
        "noted",
        "1 repeated, the last one counts; 0 unreadable",
    )
    first = load_zoo(tmp_path / "zoo").properties.query("model == 0").sort_values("epoch")
    theirs = trial_zoo.properties.query("model == 0")
    assert list(first["test_accuracy"]) == list(theirs["test_accuracy"])


def test_missing_or_damaged_snapshots_are_left_out_with_a_reason(copied: Path, tmp_path: Path):
    first, second, third, fourth, *_ = trials(copied)
    rmtree(first / "checkpoint_000002")
    (second / "checkpoint_000001" / "checkpoints").write_bytes(b"PK\x03\x04 and then no more")
    lines = (third / "result.json").read_text().splitlines()
    (third / "result.json").write_text("\n".join([*lines[:2], lines[2][:40]]))
    torch.save({"module_list.0.weight": torch.zeros(3)}, fourth / "checkpoint_000003/checkpoints")
    manifest = import_zoo(FORMAT, copied, tmp_path / "zoo")
    assert manifest.table.rows == 32 * 4 - 5
    assert skipped(manifest) == {
        "no checkpoint for the result": (2,),
        "no result for the checkpoint": (2, 3),
        "checkpoint not readable: tensors are [3]": (3,),
        **{reason: (1,) for reason in skipped(manifest) if "torch.save" in reason},
    }
    assert checks(manifest)["lines of results"][1].endswith("1 unreadable")


def test_a_trial_that_ended_early_is_kept_and_reported(copied: Path, tmp_path: Path):
    short = trials(copied)[5]
    for epoch in (2, 3):
        rmtree(short / f"checkpoint_{epoch:06d}")
    lines = (short / "result.json").read_text().splitlines()
    (short / "result.json").write_text("\n".join(lines[:2]) + "\n")
    manifest = import_zoo(FORMAT, copied, tmp_path / "zoo")
    assert skipped(manifest) == {"the trial ended early": (2, 3)}
    assert manifest.models_built == 32


def test_settings_may_be_only_in_the_result_lines(files: Path, copied: Path, tmp_path: Path):
    for trial in trials(copied):
        (trial / "params.json").unlink()
    first = import_zoo(FORMAT, files, tmp_path / "first")
    assert import_zoo(FORMAT, copied, tmp_path / "second").table.sha256 == first.table.sha256


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model::init_type", ["uniform"], r"initialiser is \['uniform'\], expected a word or a"),
        ("model::nlin", {"a": 1}, r"activation is \{'a': 1\}, expected a word or a number"),
        ("seed", 10**400, "seed is 1000.*, expected a number"),
        ("optim::lr", "fast", "learning_rate is 'fast', expected a number"),
    ],
)
def test_settings_of_the_wrong_type_are_reported(
    key: str, value: object, message: str, copied: Path, tmp_path: Path
):
    path = trials(copied)[1] / "params.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ZooError, match=f"00001.*: {message}"):
        import_zoo(FORMAT, copied, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


@pytest.mark.parametrize("value", [10**400, "good", None, [0.5]])
def test_a_snapshot_whose_result_is_not_a_number_is_left_out(
    value: object, copied: Path, tmp_path: Path
):
    path = trials(copied)[1] / "result.json"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[2]["test_acc"] = value
    path.write_text("\n".join(map(json.dumps, lines)))
    manifest = import_zoo(FORMAT, copied, tmp_path / "zoo")
    assert {reason.split(" missing")[1] for reason in skipped(manifest)} == {" or not finite"}
    assert {*skipped(manifest).values()} == {(2,)}


def test_a_checkpoint_with_too_many_tensors_is_left_out_unread(copied: Path, tmp_path: Path):
    """Ten thousand views of one storage would take 40 GB if they were read."""
    storage = torch.zeros(1 << 20)
    path = trials(copied)[0] / "checkpoint_000001" / "checkpoints"
    torch.save({f"{number}": storage for number in range(10_000)}, path)
    manifest = import_zoo(FORMAT, copied, tmp_path / "zoo")
    ((reason, epochs),) = skipped(manifest).items()
    assert epochs == (1,)
    assert reason.startswith("checkpoint not readable: tensors are [1048576], [1048576]")


def test_the_records_together_have_a_size_limit(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zoogen.importers.ray_tune.trials.LARGEST_RECORDS", 10_000)
    with pytest.raises(IntegrityError, match=r"more than 10000 bytes of result\.json and settings"):
        import_zoo(FORMAT, copied, tmp_path / "zoo")


def test_a_damaged_zip_ends_the_import_and_leaves_nothing_behind(files: Path, tmp_path: Path):
    """It was damaged in transit, unlike a checkpoint that was published damaged."""
    packed = Path(make_archive(str(tmp_path / "zoo"), "zip", files.parent, files.name))
    with zipfile.ZipFile(packed) as archive:
        entry = [one for one in archive.infolist() if one.filename.endswith("/checkpoints")][40]
        assert entry.compress_type == zipfile.ZIP_DEFLATED
    blob = bytearray(packed.read_bytes())
    blob[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 1
    packed.write_bytes(blob)
    words = f"{packed}: {entry.filename} is damaged: .*; get the file again"
    with pytest.raises(IntegrityError, match=words):
        import_zoo(FORMAT, packed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_that_would_run_code_ends_the_import(copied: Path, tmp_path: Path):
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return len, ("poisoned",)  # not print: Ray replaces it when loaded

    path = trials(copied)[3] / "checkpoint_000002" / "checkpoints"
    torch.save({"module_list.0.weight": Evil()}, path)
    with pytest.raises(RefusedGlobalError, match=r"asks for '__builtin__\.len'"):
        import_zoo(FORMAT, copied, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


def test_results_of_another_model_end_the_import(trial_zoo: Zoo, copied: Path, tmp_path: Path):
    best = trial_zoo.properties.groupby("model")["test_accuracy"].max()
    first, second = (trials(copied)[int(model)] for model in (best.idxmax(), best.idxmin()))
    move(first / "result.json", tmp_path / "kept")
    move(second / "result.json", first / "result.json")
    move(tmp_path / "kept", second / "result.json")
    with pytest.raises(FailedChecksError, match="accuracy measured again: 32 models on"):
        import_zoo(FORMAT, copied, tmp_path / "zoo", images=trial_zoo.spec.images)
    assert not (tmp_path / "zoo").exists()


def test_two_checkpoints_for_one_epoch_are_refused(copied: Path, tmp_path: Path):
    trial = trials(copied)[0]
    copytree(trial / "checkpoint_000002", trial / "checkpoint_2")
    with pytest.raises(ZooError, match=r"checkpoint_2/checkpoints and .* are of the same epoch"):
        import_zoo(FORMAT, copied, tmp_path / "zoo")


def test_a_folder_without_trials_or_with_an_unknown_network_is_reported(
    copied: Path, tmp_path: Path
):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="has no trial: expected folders with result"):
        import_zoo(FORMAT, tmp_path / "empty", tmp_path / "zoo")
    for path in copied.glob("*/checkpoint_*/checkpoints"):
        torch.save({"weight": torch.zeros(7, 3)}, path)
    with pytest.raises(ZooError, match=r"tensors \[7, 3\], which fit no known network"):
        import_zoo(FORMAT, copied, tmp_path / "zoo")
    for path in copied.glob("*/checkpoint_*/checkpoints"):
        path.unlink()
    with pytest.raises(ZooError, match="has no readable checkpoint"):
        import_zoo(FORMAT, copied, tmp_path / "zoo")
