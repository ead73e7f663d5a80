"""Public image sets: the pixels that torchvision's own transforms give, and the real files."""

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from torchvision import datasets, transforms

from zoogen.images import natural
from zoogen.images.natural import NATURAL, Natural, centre, channels_first, prepared, scaled
from zoogen.images.public import faults, published_files
from zoogen.images.sets import ImageSet, natural_set

HERE = os.environ.get("ZOOGEN_IMAGES")

NORMALISED = (transforms.ToTensor(), transforms.Normalize(0.5, 0.5))
"""Torchvision's transforms of a picture with one channel."""


def pixels(channels: int, sides: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """A few uint8 images, ``[images, channels, height, width]``."""
    shape = st.tuples(st.integers(1, 3), st.just(channels), sides, sides)
    return shape.flatmap(lambda shape: arrays(np.uint8, shape))


def through(steps: tuple[Any, ...], images: np.ndarray) -> np.ndarray:
    """Apply torchvision's transforms to images, one by one, as Pillow images."""
    transform = transforms.Compose(steps)
    pictures = (Image.fromarray(image.transpose(1, 2, 0).squeeze()) for image in images)
    return np.stack([transform(picture).numpy() for picture in pictures])


@given(pixels(1, st.integers(2, 9)))
def test_grey_images_are_scaled_as_torchvision_normalises_them(images: np.ndarray):
    peer = through(NORMALISED, images)
    np.testing.assert_array_equal(prepared(Natural(source="MNIST"), images), peer)


@given(pixels(1, st.integers(2, 9)))
def test_mnist_standard_is_scaled_by_the_mean_and_deviation_of_mnist(images: np.ndarray):
    peer = through((transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))), images)
    np.testing.assert_array_equal(prepared(NATURAL["mnist-standard"], images), peer)


@given(pixels(3, st.integers(28, 33)))
def test_svhn_28_is_torchvisions_grayscale_and_centre_crop(images: np.ndarray):
    peer = through((transforms.Grayscale(), transforms.CenterCrop(28), *NORMALISED), images)
    np.testing.assert_array_equal(prepared(NATURAL["svhn-28"], images), peer)


def test_luma_equals_pillows_for_any_colour():
    colours = np.random.default_rng(0).integers(0, 256, (1, 3, 400, 400), np.uint8)
    peer = through((transforms.Grayscale(), *NORMALISED), colours)
    np.testing.assert_array_equal(prepared(Natural(source="SVHN", grey="luma"), colours), peer)


@given(pixels(3, st.integers(2, 9)))
def test_mean_grey_is_the_mean_of_the_scaled_colours(images: np.ndarray):
    peer = through(NORMALISED, images).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(prepared(NATURAL["cifar10-grey"], images), peer, atol=1e-6)


@given(pixels(3, st.integers(2, 9)), st.permutations(range(3)))
def test_the_mean_treats_all_colours_alike(images: np.ndarray, order: list[int]):
    exact = prepared(NATURAL["cifar10-grey"], images)
    np.testing.assert_array_equal(prepared(NATURAL["cifar10-grey"], images[:, order]), exact)


@pytest.mark.parametrize("grey", ["mean", "luma"])
def test_a_grey_picture_keeps_its_levels(grey: natural.Grey):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    seen = prepared(Natural(source="CIFAR10", grey=grey), levels.repeat(3, axis=1))
    np.testing.assert_array_equal(seen, scaled(levels))


def test_scaling_maps_bytes_to_minus_one_to_one_in_order():
    levels = scaled(np.arange(256, dtype=np.uint8))
    assert (levels[0], levels[-1]) == (-1, 1)
    assert (np.diff(levels) > 0).all()


def test_scaling_does_not_change_its_argument():
    levels = np.full(3, 255, np.float32)
    assert scaled(levels).tolist() == [1, 1, 1]
    assert levels.tolist() == [255, 255, 255]


@given(st.integers(1, 40), st.integers(0, 9))
def test_the_centre_equals_torchvisions_centre_crop(side: int, margin: int):
    length = side + margin
    images = np.arange(length**2).reshape(1, 1, length, length).astype(np.uint8)
    peer = transforms.CenterCrop(side)(Image.fromarray(images[0, 0]))
    np.testing.assert_array_equal(centre(images, side)[0, 0], np.asarray(peer))


def test_all_three_pixel_layouts_become_channels_first():
    image = np.arange(3 * 32 * 32).reshape(1, 3, 32, 32).astype(np.uint8)
    np.testing.assert_array_equal(channels_first(image), image)
    np.testing.assert_array_equal(channels_first(image.transpose(0, 2, 3, 1)), image)
    np.testing.assert_array_equal(channels_first(image[:, 0]), image[:, :1])


def test_an_image_does_not_depend_on_the_images_prepared_with_it(monkeypatch: pytest.MonkeyPatch):
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32), np.uint8)
    for way in NATURAL.values():
        together = prepared(way, images)
        monkeypatch.setattr(natural, "CHUNK", 3)
        np.testing.assert_array_equal(prepared(way, images), together)
        np.testing.assert_array_equal(prepared(way, images[7:8]), together[7:8])
        monkeypatch.undo()


@pytest.mark.parametrize("name", ["cifar10-grey", "svhn-28"])
def test_colours_are_never_all_in_memory_as_floats(name: str):
    images = np.random.default_rng(0).integers(0, 256, (8000, 3, 32, 32), np.uint8)
    tracemalloc.start()
    try:
        seen = prepared(NATURAL[name], images)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1.5 * seen.nbytes


FACTS: dict[str, tuple[list[int], list[int], float]] = {
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        0.1307,
    ),
    "fashion-mnist": ([6000] * 10, [1000] * 10, 0.2860),
    "cifar10-grey": ([5000] * 10, [1000] * 10, (0.4914 + 0.4822 + 0.4465) / 3),
}
"""Known facts: train and test images of each class, mean of the train pixels in [0, 1]."""

real_files = pytest.mark.skipif(not HERE, reason="ZOOGEN_IMAGES names no folder of real images")


@pytest.fixture(scope="module", params=FACTS)
def real(request: pytest.FixtureRequest) -> tuple[str, ImageSet]:
    """A public image set, from the files in ``ZOOGEN_IMAGES``."""
    return request.param, natural_set(request.param, Path(str(HERE)))


@real_files
def test_every_real_file_is_the_published_one():
    for name in FACTS:
        source = NATURAL[name].source
        assert published_files(source)
        assert faults(source, Path(str(HERE))) == {}


@real_files
def test_the_real_images_agree_with_the_known_facts(real: tuple[str, ImageSet]):
    name, images = real
    train, test, mean = FACTS[name]
    side = 32 if "cifar10" in name else 28
    assert images.train_images.shape == (sum(train), 1, side, side)
    assert images.test_images.shape == (sum(test), 1, side, side)
    assert np.bincount(images.train_labels).tolist() == train
    assert np.bincount(images.test_labels).tolist() == test
    assert images.classes == 10
    for pixels in (images.train_images, images.test_images):
        assert (pixels.min(), pixels.max()) == (-1, 1)
    assert (images.train_images.mean(dtype=float) + 1) / 2 == pytest.approx(mean, abs=5e-5)


@real_files
def test_the_real_images_equal_torchvisions(real: tuple[str, ImageSet]):
    name, images = real
    opener = getattr(datasets, NATURAL[name].source)
    for part in ("train", "test"):
        shown = opener(HERE, train=part == "train", transform=transforms.Compose(NORMALISED))
        for place in (0, 1, 4999, len(shown) - 1):
            picture, label = shown[place]
            mine = getattr(images, f"{part}_images")[place]
            np.testing.assert_allclose(mine, picture.mean(dim=0, keepdim=True), atol=1e-6)
            assert getattr(images, f"{part}_labels")[place] == label
