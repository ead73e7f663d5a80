"""The pickles of the 2021 paper: read without running code, with the published splits."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.zoogen.importers.weight_space_files import (
    GoogleDatasetSimCLR,
    as_the_authors,
    weight_space_file,
)
from zoogen import IntegrityError, Manifest, Zoo, ZooError, import_zoo, load_zoo
from zoogen.importers.checks import FailedChecksError
from zoogen.importers.pickles import RefusedGlobalError

FORMAT = "weight-space-2021"
SEED_FILE, HYP_FILE = "dataset_11_tetris_seed.pt", "dataset_24_mnist_hyp_5_fix_seeds.pt"


@pytest.fixture(scope="module")
def seed_file(seed_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weight_space_file(seed_zoo, tmp_path_factory.mktemp("files") / SEED_FILE)


@pytest.fixture(scope="module")
def hyp_file(trial_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weight_space_file(trial_zoo, tmp_path_factory.mktemp("files") / HYP_FILE, varied=True)


def outcomes(manifest: Manifest) -> dict[str, str]:
    return {check.name: check.outcome for check in manifest.checks}


def in_file_order(zoo: Zoo) -> "pd.Index[int]":
    """Return the rows of a zoo in the order of the three data sets."""
    splits = zoo.properties["split"]
    parts = (zoo.properties.index[splits == s] for s in ("train", "validation", "test"))
    return pd.Index(np.concatenate(list(parts)))


def assert_same_snapshots(imported: Zoo, original: Zoo, columns: list[str]) -> None:
    order = in_file_order(original)
    np.testing.assert_array_equal(np.asarray(imported.weights), original.weights[order.to_numpy()])
    theirs = original.properties.loc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(imported.properties[columns], theirs[columns])


def test_a_tetris_zoo_has_its_split_and_the_settings_in_the_paper(
    seed_zoo: Zoo, seed_file: Path, tmp_path: Path
):
    import_zoo(FORMAT, seed_file, tmp_path / "zoo", images="tetris")
    zoo = load_zoo(tmp_path / "zoo")
    assert_same_snapshots(zoo, seed_zoo, ["epoch", "split", "test_accuracy", "generalisation_gap"])
    assert len(list(zoo.verify())) == 1 + len(zoo.manifest.shards)
    assert set(outcomes(zoo.manifest).values()) == {"passed"}
    assert (zoo.spec.name, zoo.spec.licence) == ("tetris-seed", "unknown")
    assert (zoo.spec.activation, zoo.spec.learning_rate) == (("tanh",), (3e-5,))
    assert not {"seed", "train_accuracy", "f1_class_0", "init_std"} & set(zoo.properties)
    assert not zoo.spec.varied


def test_axes_that_vary_are_read_from_the_properties(
    trial_zoo: Zoo, hyp_file: Path, tmp_path: Path
):
    import_zoo(FORMAT, hyp_file, tmp_path / "zoo", images=trial_zoo.spec.images)
    zoo = load_zoo(tmp_path / "zoo")
    columns = ["activation", "initialiser", "dropout", "learning_rate", "weight_decay"]
    assert_same_snapshots(zoo, trial_zoo, ["epoch", "split", *columns, "test_accuracy"])
    assert zoo.spec.varied == ("activation", "initialiser", "dropout")
    assert "optimiser" not in zoo.properties
    assert zoo.spec.optimiser == ()
    assert outcomes(zoo.manifest)["accuracy measured again"] == "passed"
    assert zoo.manifest.shared_starts


def test_without_the_papers_images_accuracies_are_reported_as_not_checked(
    seed_file: Path, tmp_path: Path
):
    manifest = import_zoo(FORMAT, seed_file, tmp_path / "zoo")
    (check,) = (one for one in manifest.checks if one.name == "accuracy measured again")
    assert (check.outcome, manifest.images_sha256) == ("not checked", None)
    assert check.detail.startswith("images not published")
    assert manifest.spec.images == "unknown"


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_in_a_zip_gives_the_same_zoo(kind: int, seed_file: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", kind) as archive:
        archive.write(seed_file, f"datasets/{SEED_FILE}")
    packed = import_zoo(FORMAT, tmp_path / "all.zip", tmp_path / "packed", images="tetris")
    plain = import_zoo(FORMAT, seed_file.parent, tmp_path / "plain", images="tetris")
    assert packed.content_sha256 == plain.content_sha256


def test_labels_that_disagree_with_their_properties_end_the_import(seed_zoo: Zoo, tmp_path: Path):
    def shift(data_set: Any) -> None:
        logged = data_set.properties["training_iteration"]
        data_set.properties["training_iteration"] = [logged[-1], *logged[:-1]]

    path = weight_space_file(seed_zoo, tmp_path / SEED_FILE, testset=shift)
    with pytest.raises(FailedChecksError, match="labels disagree with training_iteration"):
        import_zoo(FORMAT, path, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


def test_a_model_in_two_splits_ends_the_import(seed_zoo: Zoo, tmp_path: Path):
    def borrow(data_set: Any) -> None:
        run = "/zoos/tetris-seed/NN_tune_trainable_00000_seed=0"
        data_set.labels_in[-1] = f"{run}#_#epoch_9#_#layer_x"
        data_set.properties["training_iteration"][-1] = 9

    both = {"trainset": borrow, "testset": borrow}
    path = weight_space_file(seed_zoo, tmp_path / SEED_FILE, **both)
    with pytest.raises(FailedChecksError, match=r"models are in several splits, such as .*seed=0"):
        import_zoo(FORMAT, path, tmp_path / "zoo")


def test_a_file_with_an_unknown_name_needs_the_name_of_its_zoo(seed_zoo: Zoo, tmp_path: Path):
    path = weight_space_file(seed_zoo, tmp_path / "mine.pt")
    with pytest.raises(ZooError, match=r"pass --name, or give the file its .*dataset_11"):
        import_zoo(FORMAT, path, tmp_path / "zoo")
    import_zoo(FORMAT, path, tmp_path / "zoo", name="tetris-seed")
    with pytest.raises(IntegrityError, match=r"tensors \[\[5, 16\], \[4, 5\]\], expected \[\[8, 1"):
        import_zoo(FORMAT, path, tmp_path / "other", name="mnist-seed")


def test_the_google_data_sets_are_refused_with_advice(tmp_path: Path):
    with as_the_authors():
        held = dict.fromkeys(("trainset", "valset", "testset"), GoogleDatasetSimCLR())
        torch.save(held, tmp_path / HYP_FILE)
    with pytest.raises(RefusedGlobalError, match=r"GoogleDatasetSimCLR.*format small-cnn-zoo"):
        import_zoo(FORMAT, tmp_path / HYP_FILE, tmp_path / "zoo")


class Evil:
    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (os.system, r"(posix|nt)\.system"),
        (eval, r"__builtin__\.eval"),
        (getattr, r"__builtin__\.getattr"),
    ],
)
def test_a_pickle_that_would_run_code_is_refused_by_name_and_runs_nothing(
    call: Callable[..., Any], message: str, seed_zoo: Zoo, tmp_path: Path
):
    trace = tmp_path / "trace"
    arguments = (f"touch {trace}",) if call is os.system else (f"open({str(trace)!r}, 'w')",)

    def poison(data_set: Any) -> None:
        data_set.erase_augment = Evil(call, *arguments)

    path = weight_space_file(seed_zoo, tmp_path / SEED_FILE, valset=poison)
    with pytest.raises(
        RefusedGlobalError, match=rf"asks for '{message}', which is not on the list"
    ):
        import_zoo(FORMAT, path, tmp_path / "zoo")
    assert not trace.exists()
    assert not (tmp_path / "zoo").exists()


def set_all(key: str, value: Any) -> Callable[[Any], None]:
    def change(data_set: Any) -> None:
        data_set.properties[key] = [value] * len(data_set.labels_in)

    return change


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model::init_type", ["uniform"], r"initialiser is \['uniform'\], expected a word"),
        ("optim::lr", 10**400, "learning_rate is 1000.*, expected a number"),
        ("training_iteration", "two", "labels disagree with .*, training_iteration two"),
    ],
)
def test_properties_of_the_wrong_type_are_reported(
    key: str, value: Any, message: str, seed_zoo: Zoo, tmp_path: Path
):
    path = weight_space_file(seed_zoo, tmp_path / SEED_FILE, trainset=set_all(key, value))
    with pytest.raises(ZooError, match=message):
        import_zoo(FORMAT, path, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


def test_a_number_in_a_string_is_read(seed_zoo: Zoo, tmp_path: Path):
    path = weight_space_file(seed_zoo, tmp_path / SEED_FILE, testset=set_all("test_acc", "1e-1"))
    import_zoo(FORMAT, path, tmp_path / "zoo")
    assert set(load_zoo(tmp_path / "zoo").test.properties["test_accuracy"]) == {0.1}


def test_a_file_above_the_size_limit_is_refused(
    seed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zoogen.importers.weight_space_2021.data_sets.LARGEST_FILE", 1000)
    with pytest.raises(IntegrityError, match=r"seed\.pt has \d+ bytes, expected at most 1000"):
        import_zoo(FORMAT, seed_file, tmp_path / "zoo")


def test_a_full_temporary_folder_is_reported(seed_file: Path, tmp_path: Path):
    """A limit on file size makes writes fail as a full disk does."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        f"sys.argv = ['zoogen', 'import', {FORMAT!r}, {str(seed_file)!r}, 'zoo'];"
        "from zoogen.cli.commands import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "seed.pt cannot be copied to " in done.stderr
    assert "File too large; make room there, or set TMPDIR to another folder" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one.data_in.pop(), "testset has data_in, .*; expected data_in, labels_in"),
        (lambda one: delattr(one, "properties"), "testset has data_in, .*; expected data_in"),
        (lambda one: one.data_in.__setitem__(0, torch.zeros(99)), r"\[99\], expected float32 \[10"),
        (lambda one: one.data_in.__setitem__(0, torch.zeros(100).double()), "is float64"),
        (lambda one: one.data_in.__setitem__(0, "no tensor"), "found a str, not a tensor"),
        (
            lambda one: one.labels_in.__setitem__(0, "run"),
            "cannot parse label 'run', expected PATH",
        ),
        (lambda one: one.properties.update(test_acc=["x"] * len(one.labels_in)), None),
    ],
)
def test_an_invalid_data_set_is_refused(
    change: Callable[[Any], Any], message: str | None, seed_zoo: Zoo, tmp_path: Path
):
    path = weight_space_file(seed_zoo, tmp_path / SEED_FILE, testset=change)
    if message is None:  # a row whose property is not a number is left out with the reason
        manifest = import_zoo(FORMAT, path, tmp_path / "zoo")
        assert {one.reason for one in manifest.spec.origin.skipped} == {
            "test_accuracy missing or not finite"
        }
        return
    with pytest.raises(IntegrityError, match=message):
        import_zoo(FORMAT, path, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


def test_the_manifest_of_an_imported_zoo_says_where_it_came_from(seed_file: Path, tmp_path: Path):
    import_zoo(FORMAT, seed_file, tmp_path / "zoo", licence="CC-BY-4.0")
    origin = json.loads((tmp_path / "zoo" / "zoo.json").read_text())["spec"]["origin"]
    assert (origin["format"], origin["files"]) == (FORMAT, 1)
    assert origin["split"] == "70/15/15 by model, as published"
    assert "license: cc-by-4.0" in (tmp_path / "zoo" / "README.md").read_text()
