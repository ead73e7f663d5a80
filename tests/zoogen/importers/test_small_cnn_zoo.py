"""The Small CNN Zoo: every number lands in its place, from a folder or any archive."""

import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, make_archive

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zoogen.importers.small_cnn_files import (
    LAYOUT,
    STEPS,
    metrics,
    shuffled,
    tensorflow_vectors,
    write_small_cnn_zoo,
)
from zoogen import Manifest, Zoo, ZooError, import_zoo, load_zoo
from zoogen.importers.checks import FailedChecksError
from zoogen.importers.small_cnn_zoo.metrics import EPOCHS, run_splits
from zoogen.importers.zoo import FORMATS

FORMAT = "small-cnn-zoo"


def outcomes(manifest: Manifest) -> dict[str, str]:
    return {check.name: check.outcome for check in manifest.checks}


def test_every_snapshot_equals_the_trained_one(imported: Zoo, search_zoo: Zoo):
    order = shuffled(len(search_zoo.weights))
    np.testing.assert_array_equal(np.asarray(imported.weights), search_zoo.weights[order])
    theirs = search_zoo.properties.iloc[order].reset_index(drop=True)
    assert list(imported.properties["epoch"]) == [STEPS[epoch] for epoch in theirs["epoch"]]
    shared = ["activation", "learning_rate", "weight_decay", "dropout", "test_accuracy"]
    shared += ["train_fraction", "train_loss", "test_loss", "train_accuracy", "generalisation_gap"]
    pd.testing.assert_frame_equal(imported.properties[shared], theirs[shared])


def test_each_network_has_the_accuracy_in_its_row(imported: Zoo):
    assert outcomes(imported.manifest)["accuracy measured again"] == "passed"
    assert set(outcomes(imported.manifest).values()) == {"passed", "noted"}


def test_it_is_an_ordinary_zoo(imported: Zoo, images: str):
    assert len(list(imported.verify())) == 1 + len(imported.manifest.shards)
    assert imported.spec.name == "mnist-hyp"
    assert imported.spec.licence == "CC-BY-4.0"
    assert imported.spec.images == images
    assert imported.spec.stored_epochs == EPOCHS
    assert not [name for name in imported.properties if name.startswith("f1_")]
    assert imported.manifest.shared_starts
    assert {"glorot_normal", "RandomNormal"} <= set(imported.spec.initialiser)


def test_the_split_is_that_of_the_2021_paper(imported: Zoo, small_cnn: Path):
    table = pd.read_csv(small_cnn / "metrics.csv.gz", index_col=0)
    runs = table["modeldir"].unique()
    random.seed(42)
    order = list(range(len(runs)))
    random.shuffle(order)
    train = set(runs[order[: int(0.7 * len(runs))]])
    test = set(runs[order[int(0.7 * len(runs)) + int(0.15 * len(runs)) :]])
    by_split = imported.properties.groupby("split")["run"].agg(set)
    assert (by_split["train"], by_split["test"]) == (train, test)


@given(st.integers(1, 400))
def test_every_run_has_one_split(runs: int):
    splits = run_splits(runs)
    counts = {split: splits.count(split) for split in set(splits)}
    assert set(counts) <= {"train", "validation", "test"}
    assert counts.get("train", 0) == int(0.7 * runs)
    assert counts.get("validation", 0) == int(0.15 * runs)


def compressed(kind: str) -> Callable[[Path, Path], Path]:
    def pack(small_cnn: Path, place: Path) -> Path:
        return Path(make_archive(str(place / "mnist"), kind, small_cnn.parent, small_cnn.name))

    return pack


def weights_last(small_cnn: Path, place: Path) -> Path:
    """Pack a zip whose members are not in order of name."""
    path = place / "mnist.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("weights.npy", "metrics.csv.gz", "layout.csv"):
            archive.write(small_cnn / name, f"./deep/er/{name}")
    return path


def weights_first(small_cnn: Path, place: Path) -> Path:
    """Pack a tar whose weights come first."""
    path = place / "mnist.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("weights.npy", "layout.csv", "metrics.csv.gz"):
            archive.add(small_cnn / name, f"mnist/{name}")
    return path


@pytest.mark.parametrize(
    "pack", [*map(compressed, ("zip", "tar", "gztar", "xztar")), weights_last, weights_first]
)
def test_an_archive_gives_the_same_zoo_as_its_folder(
    pack: Callable[[Path, Path], Path], small_cnn: Path, imported: Zoo, tmp_path: Path, images: str
):
    manifest = import_zoo(FORMAT, pack(small_cnn, tmp_path), tmp_path / "zoo", images=images)
    assert manifest.content_sha256 == imported.manifest.content_sha256


def test_old_names_and_uncompressed_tables_are_read_too(
    small_cnn: Path, imported: Zoo, tmp_path: Path, images: str
):
    old = tmp_path / "old"
    old.mkdir()
    (old / "all_weights.npy").symlink_to(small_cnn / "weights.npy")
    pd.read_csv(small_cnn / "metrics.csv.gz", index_col=0).assign(laststep=True).to_csv(
        old / "all_metrics.csv"
    )
    (old / "layout.csv").write_text(LAYOUT)
    import_zoo(FORMAT, old, tmp_path / "zoo", images="none")
    zoo = load_zoo(tmp_path / "zoo")
    pd.testing.assert_frame_equal(zoo.properties, imported.properties)
    assert outcomes(zoo.manifest)["accuracy measured again"] == "not checked"


def altered(zoo: Zoo, folder: Path, change: Callable[[pd.DataFrame, np.ndarray], None]) -> Path:
    table, vectors = metrics(zoo), tensorflow_vectors(zoo)
    change(table, vectors)
    return write_small_cnn_zoo(folder, table, vectors)


def test_snapshots_that_are_not_finite_are_left_out_and_reported(
    search_zoo: Zoo, tmp_path: Path, images: str
):
    def change(table: pd.DataFrame, vectors: np.ndarray) -> None:
        vectors[3, 17] = np.nan
        table.iloc[5, table.columns.get_loc("test_loss")] = np.inf

    source = altered(search_zoo, tmp_path / "files", change)
    manifest = import_zoo(FORMAT, source, tmp_path / "zoo", images=images)
    assert manifest.table.rows == len(search_zoo.weights) - 2
    table = metrics(search_zoo)
    named = {(one.run, one.epochs, one.reason) for one in manifest.spec.origin.skipped}
    assert named == {
        (table["modeldir"].iloc[3], (EPOCHS[3],), "weights not finite"),
        (table["modeldir"].iloc[5], (EPOCHS[5],), "test_loss missing or not finite"),
    }


def test_a_run_cut_short_is_kept_and_its_missing_epochs_are_reported(
    search_zoo: Zoo, tmp_path: Path, images: str
):
    source = write_small_cnn_zoo(
        tmp_path / "files", metrics(search_zoo).iloc[2:], tensorflow_vectors(search_zoo)[2:]
    )
    manifest = import_zoo(FORMAT, source, tmp_path / "zoo", images=images)
    (lacking,) = manifest.spec.origin.skipped
    assert lacking.run == metrics(search_zoo)["modeldir"].iloc[0]
    assert (lacking.epochs, lacking.reason) == (EPOCHS[:2], "not in the original")
    assert manifest.models_built == 20


@pytest.mark.parametrize(
    ("layout", "check"),
    [
        # ProbeX and others read it so, with the kernel axes of torch.
        (LAYOUT.replace('"(3, 3, 16, 16)"', '"(16, 16, 3, 3)"'), "does not fit conv2.weight"),
        (LAYOUT.replace(",2480,2496,", ",2320,2336,"), "from 2320 to 2336, after 2480"),
        (LAYOUT.replace('"(16, 10)"', '"(10, 16)"'), "does not fit fc1.weight"),
        (LAYOUT.replace('"(16,)"', "\"__import__('os').getcwd()\"", 1), "cannot be read"),
        (LAYOUT.rpartition("sequential")[0], "expected 4 layers"),
        ("", "expected 4 layers"),
    ],
)
def test_a_layout_that_does_not_fit_the_network_is_refused(
    layout: str, check: str, search_zoo: Zoo, tmp_path: Path
):
    source = write_small_cnn_zoo(
        tmp_path / "files", metrics(search_zoo), tensorflow_vectors(search_zoo), layout
    )
    with pytest.raises(ZooError, match=check):
        import_zoo(FORMAT, source, tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


def kernels_not_transposed(table: pd.DataFrame, vectors: np.ndarray) -> None:
    kernel = vectors[:, 176:2480].reshape(-1, 3, 3, 16, 16)
    vectors[:, 176:2480] = kernel.transpose(0, 4, 3, 1, 2).reshape(len(vectors), -1)


def labels_shifted(table: pd.DataFrame, vectors: np.ndarray) -> None:
    column = table.columns.get_loc("test_accuracy")
    table.iloc[:, column] = np.roll(table.iloc[:, column], 1)


@pytest.mark.parametrize("change", [kernels_not_transposed, labels_shifted])
def test_accuracies_that_do_not_match_the_weights_end_the_import(
    change: Callable[[pd.DataFrame, np.ndarray], None], search_zoo: Zoo, tmp_path: Path, images: str
):
    source = altered(search_zoo, tmp_path / "files", change)
    with pytest.raises(FailedChecksError, match=r"accuracy measured again: 20 models on .*digits"):
        import_zoo(FORMAT, source, tmp_path / "zoo", images=images)
    assert not (tmp_path / "zoo").exists()


def test_two_rows_for_one_checkpoint_end_the_import(search_zoo: Zoo, tmp_path: Path, images: str):
    def change(table: pd.DataFrame, vectors: np.ndarray) -> None:
        table.iloc[1, table.columns.get_loc("step")] = 0

    source = altered(search_zoo, tmp_path / "files", change)
    with pytest.raises(
        FailedChecksError, match=r"2 rows share a model and epoch, such as .*, epoch 0"
    ):
        import_zoo(FORMAT, source, tmp_path / "zoo", images=images)
    assert not (tmp_path / "zoo").exists()


def test_the_permutation_check_fails_on_wrong_axes(
    search_zoo: Zoo, small_cnn: Path, tmp_path: Path, images: str
):
    """One project read these files as if outputs came first."""
    from dataclasses import replace

    from zoogen.importers.checks import permutation_check
    from zoogen.importers.request import ImportRequest

    foreign = FORMATS[FORMAT](ImportRequest(source=small_cnn, images=images))
    originals = tensorflow_vectors(search_zoo)[8::9]
    activations = list(search_zoo.properties["activation"][8::9])
    assert permutation_check(originals, activations, foreign).outcome == "passed"
    layout = foreign.layout
    second = layout.hidden[1]
    kernel = second.incoming[0][0]
    wrong = (replace(second, incoming=((kernel, 2), *second.incoming[1:])),)
    turned = replace(foreign, layout=replace(layout, hidden=wrong))
    assert permutation_check(originals, activations, turned).outcome == "failed"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("step", "two", "is not a metrics table .*conversion error to int64: invalid value 'two'"),
        ("test_accuracy", "good", "conversion error to double: invalid value 'good'"),
        ("step", -1, "found epoch -1, expected whole numbers from 0"),
        ("config.dataset", "imagenet", "'imagenet', expected one of mnist, fashion_mnist"),
        ("config.activation", "swish", "unknown activation 'swish'"),
        ("config.learning_rate", "fast", "learning_rate is 'fast', expected a number"),
    ],
)
def test_invalid_values_are_reported(
    column: str, value: str, message: str, search_zoo: Zoo, tmp_path: Path
):
    table = metrics(search_zoo).assign(**{column: value})
    source = write_small_cnn_zoo(tmp_path / "files", table, tensorflow_vectors(search_zoo))
    with pytest.raises(ZooError, match=message):
        import_zoo(FORMAT, source, tmp_path / "zoo")


def test_two_data_sets_in_one_source_are_not_mixed(small_cnn: Path, tmp_path: Path):
    for name in ("cifar10", "mnist"):
        copytree(small_cnn, tmp_path / "both" / name)
    with pytest.raises(
        ZooError, match=r"has cifar10/weights\.npy and mnist/weights\.npy; import one"
    ):
        import_zoo(FORMAT, tmp_path / "both", tmp_path / "zoo", images="none")
    assert not (tmp_path / "zoo").exists()


def test_a_missing_file_or_column_is_reported(search_zoo: Zoo, tmp_path: Path):
    table, vectors = metrics(search_zoo), tensorflow_vectors(search_zoo)
    source = write_small_cnn_zoo(tmp_path / "files", table.drop(columns="test_accuracy"), vectors)
    with pytest.raises(ZooError, match=r"no column test_accuracy; it has , config.activation"):
        import_zoo(FORMAT, source, tmp_path / "zoo")
    write_small_cnn_zoo(source, table, vectors)
    for name in ("weights.npy", "metrics.csv.gz", "layout.csv"):
        (source / name).rename(tmp_path / name)
        with pytest.raises(ZooError, match=rf"{source} has no {name}"):
            import_zoo(FORMAT, source, tmp_path / "zoo")
        (tmp_path / name).rename(source / name)
    assert not (tmp_path / "zoo").exists()
