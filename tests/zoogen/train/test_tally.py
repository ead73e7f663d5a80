"""The scores that follow from a tally are those of scikit-learn."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, f1_score

from zoogen.train.measure import tally
from zoogen.train.tally import Tally, properties

CLASSES = st.integers(0, 3)


def tally_of(predicted: np.ndarray, labels: np.ndarray, loss: float = 0.0) -> Tally:
    """Tally the predictions of some models for images of four classes."""
    losses = torch.full((len(predicted),), loss, dtype=torch.float64)
    return tally(torch.from_numpy(predicted), losses, torch.from_numpy(labels), 4)


@given(arrays(np.int64, (2, 12), elements=CLASSES), arrays(np.int64, 12, elements=CLASSES))
def test_f1_is_that_of_scikit_learn_and_zero_where_there_is_nothing(
    predicted: np.ndarray, labels: np.ndarray
):
    for mine, claims in zip(tally_of(predicted, labels).f1, predicted, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = f1_score(labels, claims, average=None, labels=range(4), zero_division=0)
        assert mine == pytest.approx(theirs)


@given(arrays(np.int64, (2, 12), elements=CLASSES), arrays(np.int64, 12, elements=CLASSES))
def test_accuracy_is_that_of_scikit_learn(predicted: np.ndarray, labels: np.ndarray):
    theirs = [accuracy_score(labels, claims) for claims in predicted]
    assert tally_of(predicted, labels).accuracy.tolist() == theirs


@given(arrays(np.int64, (2, 12), elements=CLASSES), arrays(np.int64, 12, elements=CLASSES))
def test_every_image_is_claimed_by_one_class_and_a_hit_is_claimed_and_present(
    predicted: np.ndarray, labels: np.ndarray
):
    counted = tally_of(predicted, labels)
    assert (counted.claimed.sum(1) == 12).all()
    assert counted.present.sum() == 12
    assert (counted.hits <= np.minimum(counted.claimed, counted.present)).all()


def test_f1_is_of_the_test_images_and_the_gap_is_train_minus_test():
    train = tally_of(np.array([[0, 1, 2, 3]]), np.array([0, 1, 2, 3]), loss=0.5)
    test = tally_of(np.array([[0, 0, 2, 2]]), np.array([0, 1, 2, 3]), loss=0.75)
    columns = properties(train, test, np.array([0.25]))
    assert {name: float(column[0]) for name, column in columns.items()} == {
        "train_loss": 0.5,
        "train_accuracy": 1.0,
        "running_train_accuracy": 0.25,
        "test_loss": 0.75,
        "test_accuracy": 0.5,
        "generalisation_gap": 0.5,
        "f1_class_0": pytest.approx(2 / 3),
        "f1_class_1": 0.0,
        "f1_class_2": pytest.approx(2 / 3),
        "f1_class_3": 0.0,
    }
