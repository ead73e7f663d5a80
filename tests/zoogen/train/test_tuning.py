"""The CPU computes a bounded number of images at once, a GPU all of them."""

import pytest

from zoogen import ZOOS
from zoogen.train.tuning import images_at_once, images_per_gradient, models_per_stack

CNN, MLP = ZOOS["mnist-hyp"].network, ZOOS["tetris-seed"].network


@pytest.mark.parametrize("batch_size", [1, 8, 16, 64, 100, 512, 60_000])
def test_a_stack_of_cnns_shows_about_as_many_images_whatever_the_batch(batch_size: int):
    shown = images_per_gradient(CNN, batch_size, "cpu")
    models = models_per_stack(CNN, batch_size, "cpu")
    assert shown == min(batch_size, 64)
    assert 2 <= models <= 32
    assert models * shown <= 256
    assert (models + 1) * shown > 256 or models == 32


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_on_a_gpu_batches_stay_whole_and_stacks_are_large(device: str):
    assert images_per_gradient(CNN, 512, device) == 512
    assert models_per_stack(CNN, 512, device) == models_per_stack(MLP, 1, "cpu")
    assert images_at_once(CNN, device) > images_at_once(CNN, "cpu")
