"""The user's own images: valid ones are read unchanged, invalid ones refused by name and value."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.subprocesses import run_zoogen
from zoogen import MLP, ZooError, ZooSpec, build_zoo
from zoogen.images.natural import NATURAL, prepared
from zoogen.images.own import ARRAYS, OWN_FORMATS
from zoogen.images.sets import ImageSet, load_images
from zoogen.store.manifest import read_manifest

Arrays = dict[str, Any]
Save = Callable[[Arrays, Path], None]

WRITERS: dict[str, Save] = {
    ".npz": lambda arrays, path: np.savez(path, **arrays),
    ".safetensors": save_file,
}
every_format = pytest.mark.parametrize("ending", OWN_FORMATS)


def drawn(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def few_arrays() -> Arrays:
    """Six train and four test images of 3×2 bytes in three classes."""
    return {
        "train_images": drawn(6, 3, 2),
        "train_labels": np.array([0, 1, 2, 2, 1, 0]),
        "test_images": drawn(4, 3, 2),
        "test_labels": np.array([2, 0, 1, 1]),
    }


@pytest.fixture
def arrays() -> Arrays:
    return few_arrays()


def written(arrays: Arrays, path: Path) -> Path:
    WRITERS[path.suffix](arrays, path)
    return path


def complaint(path: Path) -> str:
    """Return the error message, one line, without the file name it starts with."""
    with pytest.raises(ZooError) as raised:
        load_images(str(path))
    message = str(raised.value)
    assert message.startswith(str(path))
    assert len(message.splitlines()) == 1
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("shape", "seen"),
    [((3, 2), (1, 3, 2)), ((1, 3, 2), (1, 3, 2)), ((3, 4, 5), (3, 4, 5)), ((7,), (7,))],
)
@every_format
def test_images_with_channels_without_channels_and_flat_ones_are_read(
    shape: tuple[int, ...], seen: tuple[int, ...], ending: str, arrays: Arrays, tmp_path: Path
):
    arrays |= {"train_images": drawn(6, *shape), "test_images": drawn(4, *shape)}
    images = load_images(str(written(arrays, tmp_path / f"own{ending}")))
    assert images.image_shape == seen
    assert images.classes == 3
    for part in ("train", "test"):
        mine, given = getattr(images, f"{part}_images"), arrays[f"{part}_images"]
        np.testing.assert_allclose(mine.reshape(given.shape), given / 127.5 - 1, atol=1e-6)
        np.testing.assert_array_equal(getattr(images, f"{part}_labels"), arrays[f"{part}_labels"])


@every_format
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_not_changed(dtype: str, ending: str, arrays: Arrays, tmp_path: Path):
    for part, images in (("train", 6), ("test", 4)):
        arrays[f"{part}_images"] = drawn(images, 3, 2, dtype=dtype)
    images = load_images(str(written(arrays, tmp_path / f"own{ending}")))
    np.testing.assert_array_equal(images.train_images[:, 0], arrays["train_images"])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint64", ">i4"])
def test_labels_may_have_any_integer_type(dtype: str, arrays: Arrays, tmp_path: Path):
    arrays["train_labels"] = arrays["train_labels"].astype(dtype)
    images = load_images(str(written(arrays, tmp_path / "own.npz")))
    assert images.train_labels.tolist() == [0, 1, 2, 2, 1, 0]


def test_the_checksum_does_not_depend_on_the_file_format(arrays: Arrays, tmp_path: Path):
    paths = [written(arrays, tmp_path / f"own{ending}") for ending in OWN_FORMATS]
    np.savez_compressed(tmp_path / "small.npz", **arrays)
    paths.append(tmp_path / "small.npz")
    assert len({load_images(str(path)).checksum for path in paths}) == 1


def test_other_arrays_of_the_file_are_ignored(arrays: Arrays, tmp_path: Path):
    names = np.array(["cat", "dog", {"not": "numbers"}], dtype=object)
    np.savez(tmp_path / "own.npz", **arrays, names=names)
    assert load_images(str(tmp_path / "own.npz")).classes == 3


def test_an_image_set_written_to_a_file_keeps_its_checksum(images_28: ImageSet, tmp_path: Path):
    path = written(
        {name: getattr(images_28, name) for name in ARRAYS}, tmp_path / "own.safetensors"
    )
    assert load_images(str(path)).checksum == images_28.checksum


def test_bytes_are_scaled_like_the_public_image_sets(arrays: Arrays, tmp_path: Path):
    path = written(arrays, tmp_path / "own.npz")
    seen = prepared(NATURAL["mnist"], arrays["train_images"][:, None])
    np.testing.assert_array_equal(load_images(str(path)).train_images, seen)


def test_a_replaced_file_is_read_again(arrays: Arrays, tmp_path: Path):
    path = written(arrays, tmp_path / "own.npz")
    before = load_images(str(path)).checksum
    arrays["train_images"] = 255 - arrays["train_images"]
    assert load_images(str(written(arrays, path))).checksum != before


def test_a_name_that_is_neither_registered_nor_an_image_file_is_refused():
    with pytest.raises(
        ZooError, match=r"no image set or \.npz or \.safetensors file called 'x.npy'"
    ):
        load_images("x.npy")


@every_format
@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array_is_named_with_the_arrays_found(
    name: str, ending: str, arrays: Arrays, tmp_path: Path
):
    del arrays[name]
    message = complaint(written(arrays, tmp_path / f"own{ending}"))
    assert message.startswith(f" has no {name}; it holds {', '.join(sorted(arrays))}, expected")


HARM: dict[str, tuple[str, Callable[[np.ndarray], Any], str]] = {
    "no images": ("test_images", lambda old: old[:0], "[0, 3, 2], expected [images, height, wid"),
    "no pixels": ("train_images", lambda old: old[:, :0], "[6, 0, 2], expected [images, height,"),
    "one number": ("train_images", lambda old: old[0, 0, 0], "[], expected [images, height, wid"),
    "a list": ("train_images", lambda old: old[:, 0, 0], "[6], expected [images, height, width]"),
    "a film": ("train_images", lambda old: old[None, None], "[1, 1, 6, 3, 2], expected [images,"),
    "integers": ("train_images", lambda old: old.astype(np.int32), "int32, expected uint8 or fl"),
    "yes or no": ("test_images", lambda old: old > 0, "bool, expected uint8 or floating point"),
    "complex": ("test_images", lambda old: old * 1j, "complex128, expected uint8 or floating"),
    "text": ("train_images", lambda old: old.astype(str), "<U3, expected uint8 or floating poi"),
    "too few": ("train_labels", lambda old: old[:5], "[5], expected [6], one label per image"),
    "too many": ("test_labels", lambda old: old.repeat(2), "[8], expected [4], one label per i"),
    "one-hot": ("test_labels", lambda old: np.eye(4), "[4, 4], expected [4], one label per imag"),
    "fractions": ("train_labels", lambda old: old / 2, "float64, expected whole numbers"),
    "names": ("test_labels", lambda old: old.astype(str), "<U21, expected whole numbers"),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_wrong_shape_or_type_is_named_with_array_and_value(
    harm: str, arrays: Arrays, tmp_path: Path
):
    name, harmed, message = HARM[harm]
    arrays[name] = harmed(arrays[name])
    assert f": {name} is {message}" in complaint(written(arrays, tmp_path / "own.npz"))


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        ("train_labels", [1, 2, 3, 3, 2, 1], "train_labels has 1 where 0 is expected"),
        ("train_labels", [0, 1, 3, 3, 1, 0], "train_labels has 3 where 2 is expected"),
        ("train_labels", [0, 1, 2, -1, 1, 0], "train_labels has -1 where 0 is expected"),
        ("train_labels", [0, 1, 2, 2**63, 1, 0], f"train_labels has {2**63} where 3 is expected"),
        ("test_labels", [2, 0, 3, 1], "test_labels has 3, expected 0 to 2 as in train_labels"),
        ("test_labels", [2, 0, -7, 1], "test_labels has -7, expected 0 to 2 as in train_labels"),
        ("test_labels", [2, 0, 2**63, 1], f"test_labels has {2**63}, expected 0 to 2"),
    ],
)
def test_a_label_out_of_range_is_named(
    name: str, labels: list[int], message: str, arrays: Arrays, tmp_path: Path
):
    arrays[name] = np.array(labels, np.int64 if max(labels) < 2**63 else np.uint64)
    assert message in complaint(written(arrays, tmp_path / "own.npz"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("name", ["train_images", "test_images"])
def test_a_pixel_that_is_not_finite_is_named_with_its_position(
    value: float, name: str, arrays: Arrays, tmp_path: Path
):
    for part in ("train_images", "test_images"):
        arrays[part] = arrays[part].astype(float)
    arrays[name][3, 2, 1] = value
    message = complaint(written(arrays, tmp_path / "own.npz"))
    assert message == f": {name}[3, 2, 1] is {value}, expected a finite float32 number"


def test_train_and_test_images_of_different_shapes_are_refused(arrays: Arrays, tmp_path: Path):
    arrays["test_images"] = drawn(4, 2, 3)
    message = complaint(written(arrays, tmp_path / "own.npz"))
    assert "one image of train_images is [3, 2], one of test_images [2, 3]" in message


def test_bytes_mixed_with_floats_are_refused(arrays: Arrays, tmp_path: Path):
    arrays["test_images"] = arrays["test_images"] / 255
    message = complaint(written(arrays, tmp_path / "own.npz"))
    assert "train_images is uint8, test_images float64; expected both as uint8" in message


@pytest.fixture
def own_spec(arrays: Arrays, tmp_path: Path) -> ZooSpec:
    """A spec of two networks for the images of ``arrays``, flat and in a file."""
    for part in ("train_images", "test_images"):
        arrays[part] = arrays[part].reshape(-1, 6)
    return ZooSpec(
        name="own-images",
        version=1,
        images=str(written(arrays, tmp_path / "own.npz")),
        network=MLP(widths=(6, 4, 3)),
        activation=("tanh",),
        initialiser=("uniform",),
        learning_rate=(1e-2,),
        seeds=(1, 2),
        epochs=1,
        batch_size=2,
    )


@every_format
def test_a_zoo_trained_on_the_users_own_images_has_their_checksum(
    ending: str, own_spec: ZooSpec, arrays: Arrays, tmp_path: Path
):
    path = written(arrays, tmp_path / f"own{ending}")
    manifest = build_zoo(replace(own_spec, images=str(path)), tmp_path / "zoo", workers=1)
    assert manifest.models_built == 2
    assert manifest.images_sha256 == load_images(str(path)).checksum


def test_other_images_under_the_same_name_are_refused(
    own_spec: ZooSpec, arrays: Arrays, tmp_path: Path
):
    build_zoo(own_spec, tmp_path / "zoo", workers=1)
    written(arrays | {"train_images": 255 - arrays["train_images"]}, Path(own_spec.images))
    with pytest.raises(ZooError, match=r"was trained on other .*own\.npz images"):
        build_zoo(own_spec, tmp_path / "zoo", workers=1)


@pytest.mark.parametrize("widths", [(6, 4, 2), (5, 4, 3)])
def test_images_that_do_not_fit_the_network_are_refused(
    widths: tuple[int, ...], own_spec: ZooSpec, tmp_path: Path
):
    fault = rf"made for {widths[0]} pixels and {widths[-1]} classes, .* has 6 pixels and 3 classes"
    with pytest.raises(ZooError, match=fault):
        build_zoo(replace(own_spec, network=MLP(widths=widths)), tmp_path / "zoo", workers=1)
    assert not (tmp_path / "zoo").exists()


@every_format
def test_the_command_line_reads_an_image_file(ending: str, arrays: Arrays, tmp_path: Path):
    arrays["train_labels"] = np.array([0, 1, 2, 3, 1, 0])
    arrays |= {"train_images": drawn(6, 16), "test_images": drawn(4, 16)}
    path = written(arrays, tmp_path / f"own{ending}")
    call = ("build", "tetris-seed", "--images", path.name, "--models", 2, "--epochs", 1)
    refused = run_zoogen(*call[:4], cwd=tmp_path)
    assert refused.returncode == 2
    assert "--out" in refused.stderr
    done = run_zoogen(*call, "--out", "zoo", "--workers", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(tmp_path / "zoo")
    assert manifest.spec.images == path.name
    assert manifest.images_sha256 == load_images(str(path)).checksum


def test_the_command_line_names_a_missing_file_in_one_line(tmp_path: Path):
    call = ("build", "tetris-seed", "--images", "absent.npz", "--out", "zoo")
    done = run_zoogen(*call, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: absent.npz is not a file; expected .npz or .safetensors\n"
    assert not any(tmp_path.iterdir())
