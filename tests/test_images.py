"""Image sets: found by name, read once, known by a checksum that nothing escapes."""

from dataclasses import replace

import numpy as np
import pytest

from zoogen import UnknownNameError
from zoogen.images import IMAGES, ImageSet, load_images, tetris_set
from zoogen.tetris import Tetris


@pytest.fixture
def images() -> ImageSet:
    return tetris_set(Tetris(train_images=8, test_images=12))


def test_an_unknown_image_set_is_answered_with_the_closest_name():
    with pytest.raises(UnknownNameError, match="no image set called 'tetriz'; closest: tetris"):
        load_images("tetriz")


def test_an_image_set_is_drawn_once_per_process():
    assert load_images("tetris") is load_images("tetris")


def test_the_published_set_is_the_published_setting():
    assert IMAGES["tetris"](None).checksum == tetris_set(Tetris()).checksum


@pytest.mark.parametrize("field", ["train_images", "train_labels", "test_images", "test_labels"])
def test_one_changed_number_changes_the_checksum(images: ImageSet, field: str):
    values = getattr(images, field).copy()
    values.reshape(-1)[-1] += 1
    assert replace(images, **{field: values}).checksum != images.checksum


def test_the_shape_and_the_classes_are_part_of_the_checksum(images: ImageSet):
    square = replace(images, train_images=images.train_images.reshape(8, 4, 4))
    assert square.checksum != images.checksum
    assert replace(images, classes=5).checksum != images.checksum


def test_the_order_in_memory_is_no_part_of_the_checksum(images: ImageSet):
    turned = replace(images, train_images=np.asfortranarray(images.train_images))
    assert turned.checksum == images.checksum
