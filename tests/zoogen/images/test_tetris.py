"""The Tetris images: four distinct shapes, balanced, with the stated noise."""

from dataclasses import replace

import numpy as np
import pytest

from zoogen.images.tetris import TETROMINOES, Placement, Tetris, placed, tetris_arrays

SETTING = Tetris()
CLEAN = replace(SETTING, train_noise=0.0, test_noise=0.0)
PLACEMENTS: tuple[Placement, ...] = ("centre", "two", "all")


@pytest.mark.parametrize("shape", TETROMINOES)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_tetromino_has_four_connected_cells_in_every_position(shape: str, placement: Placement):
    for canvas in placed(shape, placement):
        cells = {divmod(int(cell), 4) for cell in np.flatnonzero(canvas)}
        assert set(np.unique(canvas)) == {0.0, 1.0}
        reached = {min(cells)}
        for _ in range(4):
            reached |= {
                (y, x) for y, x in cells for v, u in reached if abs(y - v) + abs(x - u) == 1
            }
        assert len(cells) == 4
        assert reached == cells


@pytest.mark.parametrize("shape", TETROMINOES)
def test_no_position_is_drawn_twice(shape: str):
    everywhere = placed(shape, "all")
    assert len(np.unique(everywhere, axis=0)) == len(everywhere)
    assert len(placed(shape, "centre")) == 1
    assert len(placed(shape, "two")) == 2


def test_no_two_classes_share_an_image():
    canvases = [placed(shape, SETTING.placement) for shape in SETTING.shapes]
    assert len(np.unique(np.concatenate(canvases), axis=0)) == sum(map(len, canvases))


@pytest.mark.parametrize("part", ["train", "test"])
def test_classes_are_equally_frequent(part: str):
    labels = tetris_arrays(SETTING)[f"{part}_labels"]
    assert len(labels) == getattr(SETTING, f"{part}_images")
    assert np.ptp(np.bincount(labels, minlength=len(SETTING.shapes))) == 0


@pytest.mark.parametrize("part", ["train", "test"])
def test_every_pixel_has_gaussian_noise_of_the_stated_width(part: str):
    noise = tetris_arrays(SETTING)[f"{part}_images"] - tetris_arrays(CLEAN)[f"{part}_images"]
    width = getattr(SETTING, f"{part}_noise")
    images = len(noise)
    assert np.abs(noise.mean(axis=0)).max() < 5 * width / np.sqrt(images)
    assert noise.std(axis=0) == pytest.approx(np.full(16, width), rel=5 / np.sqrt(2 * images))
    assert (np.abs(noise) < width).mean() == pytest.approx(0.683, abs=0.01)


def test_without_noise_an_image_is_its_shape_minus_the_mean():
    arrays = tetris_arrays(replace(CLEAN, placement="centre"))
    for label, shape in enumerate(SETTING.shapes):
        mine = arrays["train_images"][arrays["train_labels"] == label]
        drawn = placed(shape, "centre")[0] - SETTING.mean
        assert mine == pytest.approx(np.broadcast_to(drawn, mine.shape), abs=1e-7)


def test_train_and_test_images_share_no_noise():
    alike = replace(SETTING, train_noise=0.5, test_noise=0.5)
    arrays = tetris_arrays(alike)
    assert not np.isin(arrays["test_images"], arrays["train_images"]).all(axis=1).any()


def test_the_seed_changes_the_noise_and_nothing_else():
    one, same, other = (tetris_arrays(replace(SETTING, seed=seed)) for seed in (1, 1, 2))
    assert (one["train_images"] == same["train_images"]).all()
    assert (one["train_images"] == other["train_images"]).mean() < 0.01
    assert (one["train_labels"] == other["train_labels"]).all()
