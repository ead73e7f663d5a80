"""Image sets: found by name, read once, identified by a checksum of everything in them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.subprocesses import run_zoogen
from tests.zoogen.build.test_zoo import contents
from zoogen import UnknownNameError, ZooError, build_zoo, load_zoo, zoo_spec
from zoogen.images.natural import NATURAL
from zoogen.images.sets import IMAGES, ImageSet, load_images, tetris_set
from zoogen.images.tetris import Tetris
from zoogen.places import cache_folder, named_image_folder


@pytest.fixture
def images() -> ImageSet:
    return tetris_set(Tetris(train_images=8, test_images=12))


def test_the_message_for_an_unknown_image_set_names_the_closest():
    with pytest.raises(UnknownNameError, match=r"called 'tetriz'; closest: tetris"):
        load_images("tetriz")


def test_an_image_set_is_drawn_once_per_process():
    assert load_images("tetris") is load_images("tetris")


def test_every_public_image_set_is_searched_in_the_named_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ZOOGEN_IMAGES", str(tmp_path / "variable"))
    for name in NATURAL:
        with pytest.raises(ZooError, match=f"{tmp_path}/argument/.* is missing"):
            load_images(name, tmp_path / "argument")
        with pytest.raises(ZooError, match=f"{tmp_path}/variable/.* is missing"):
            load_images(name)


def test_the_command_line_names_a_missing_file_of_a_public_image_set_in_one_line(tmp_path: Path):
    call = ("build", "cifar10-hyp", "--images", "absent", "--out", "zoo")
    done = run_zoogen(*call, cwd=tmp_path)
    assert done.returncode == 1
    first = (
        "absent/cifar-10-batches-py/data_batch_1 is missing, expected the published file with MD5"
    )
    assert done.stderr.startswith(f"error: {first} c99cafc152244af753f735de768cd75f (and 6 more); ")
    assert len(done.stderr.splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_an_empty_environment_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch):
    for variable in ("ZOOGEN_CACHE", "XDG_CACHE_HOME", "ZOOGEN_IMAGES"):
        monkeypatch.setenv(variable, "")
    assert cache_folder() == Path.home() / ".cache" / "zoogen"
    assert named_image_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert cache_folder() == Path("/var/cache/zoogen")
    for variable in ("ZOOGEN_CACHE", "ZOOGEN_IMAGES"):
        monkeypatch.setenv(variable, "~/mine")
    assert cache_folder() == named_image_folder() == Path.home() / "mine"


def test_the_registered_tetris_set_has_the_default_setting():
    assert IMAGES["tetris"](None).checksum == tetris_set(Tetris()).checksum


@pytest.mark.parametrize("field", ["train_images", "train_labels", "test_images", "test_labels"])
def test_one_changed_number_changes_the_checksum(images: ImageSet, field: str):
    values = getattr(images, field).copy()
    values.reshape(-1)[-1] += 1
    assert replace(images, **{field: values}).checksum != images.checksum


def test_shapes_and_classes_change_the_checksum(images: ImageSet):
    square = replace(images, train_images=images.train_images.reshape(8, 4, 4))
    assert square.checksum != images.checksum
    assert replace(images, classes=5).checksum != images.checksum


def test_the_order_in_memory_does_not_change_the_checksum(images: ImageSet):
    fortran = replace(images, train_images=np.asfortranarray(images.train_images))
    assert fortran.checksum == images.checksum


def test_images_registered_by_a_users_module_reach_the_worker_processes(
    own_zoo: Path, tmp_path: Path
):
    call = ("build", "own_zoo:SPEC", "--out", tmp_path / "zoo", "--workers", 2)
    done = run_zoogen(*call, cwd=own_zoo.parent)
    assert done.returncode == 0, done.stderr
    assert {name: data for name, (_, data) in contents(tmp_path / "zoo").items()} == {
        name: data for name, (_, data) in contents(own_zoo).items()
    }


def test_networks_learn_from_real_images(
    images_28: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(IMAGES, "images-28", lambda _: images_28)
    spec = replace(
        zoo_spec("mnist-seed"),
        images="images-28",
        activation=("relu",),
        initialiser=("kaiming_normal",),
        learning_rate=(3e-3,),
        train_fraction=(1500 / len(images_28.train_labels),),
        seeds=(1, 2),
        epochs=3,
    )
    manifest = build_zoo(spec, tmp_path / "zoo", workers=1)
    assert manifest.images_sha256 == images_28.checksum
    last = load_zoo(tmp_path / "zoo").properties.query("epoch == 3")
    assert (last["test_accuracy"] > 0.5).all(), last["test_accuracy"]
