"""Measurements are what scikit-learn and torch measure."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, f1_score
from torch.nn import functional

from tests.test_networks import drawn_stack, member
from zoogen import MLP, zoo_spec
from zoogen.images import tetris_set
from zoogen.measure import class_f1, measure, most_likely
from zoogen.networks import torch_module
from zoogen.tetris import Tetris
from zoogen.train import DeviceImages
from zoogen.tuning import images_at_once

NETWORK = MLP(widths=(16, 5, 4))
AT_ONCE = images_at_once(NETWORK, "cpu")
IMAGES = DeviceImages.of(
    tetris_set(Tetris(train_images=AT_ONCE + 4, test_images=AT_ONCE * 2)), "cpu"
)


def test_every_column_is_what_the_module_of_the_model_gives():
    stack = drawn_stack(NETWORK, 5)
    columns = measure(NETWORK, stack, IMAGES, (("relu", 5),))
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
    assert torch.equal(columns["generalisation_gap"], gap)


@given(arrays(np.int64, (2, 12), elements=st.integers(0, 3)), st.data())
def test_f1_is_that_of_scikit_learn_and_zero_where_there_is_nothing(
    predicted: np.ndarray, data: st.DataObject
):
    labels = data.draw(arrays(np.int64, 12, elements=st.integers(0, 3)))
    ours = class_f1(torch.from_numpy(predicted), torch.from_numpy(labels), 4)
    for mine, claims in zip(ours, predicted, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = f1_score(labels, claims, average=None, labels=range(4), zero_division=0)
        assert mine.numpy() == pytest.approx(theirs)


@given(arrays(np.float32, (3, 4, 9), elements=st.integers(-2, 2).map(float)))
def test_the_first_of_equal_logits_wins(logits: np.ndarray):
    assert (most_likely(torch.from_numpy(logits)).numpy() == logits.argmax(axis=1)).all()
