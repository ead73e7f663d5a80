"""Measurements agree with scikit-learn and torch."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score
from torch.nn import functional

from tests.zoogen.train.test_networks import drawn_stack, member
from zoogen import MLP, zoo_spec
from zoogen.images.sets import tetris_set
from zoogen.images.tetris import Tetris
from zoogen.train.loop import DeviceImages
from zoogen.train.measure import measure
from zoogen.train.networks import torch_module
from zoogen.train.tally import properties
from zoogen.train.tuning import images_at_once

NETWORK = MLP(widths=(16, 5, 4))
AT_ONCE = images_at_once(NETWORK, "cpu")
IMAGES = DeviceImages.of(
    tetris_set(Tetris(train_images=AT_ONCE + 4, test_images=AT_ONCE * 2)), "cpu"
)


def test_every_column_is_what_the_module_of_the_model_gives():
    stack = drawn_stack(NETWORK, 5)
    running = np.linspace(0, 1, 5)
    columns = properties(*measure(NETWORK, stack, IMAGES, (("relu", 5),)), running)
    for model in range(5):
        module = torch_module(NETWORK, "relu")
        module.load_state_dict(member(stack, model))
        for part in ("train", "test"):
            images, labels = getattr(IMAGES, f"{part}_images"), getattr(IMAGES, f"{part}_labels")
            logits = module(images).detach()
            accuracy = accuracy_score(labels, logits.argmax(1))
            assert columns[f"{part}_accuracy"][model] == accuracy
            loss = functional.cross_entropy(logits.double(), labels)
            assert columns[f"{part}_loss"][model] == pytest.approx(float(loss), rel=1e-6)
        f1 = f1_score(labels, logits.argmax(1), average=None, labels=range(4), zero_division=0)
        assert [columns[f"f1_class_{label}"][model] for label in range(4)] == pytest.approx(f1)
    assert set(columns) == set(zoo_spec("tetris-seed").measured)
    gap = columns["train_accuracy"] - columns["test_accuracy"]
    assert (columns["generalisation_gap"] == gap).all()
    assert (columns["running_train_accuracy"] == running).all()
