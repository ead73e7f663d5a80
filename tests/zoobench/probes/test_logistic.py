"""The standard classification probe against scikit-learn's solution of the same problem."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from zoobench.probes import logistic
from zoobench.probes.linear import Fit
from zoobench.probes.logistic import (
    PENALTIES,
    coordinates,
    logistic_path,
    penalised_loss,
    standard_logistic,
)
from zoobench.task.metrics import accuracy
from zoogen import ZooError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, since threads of small products wait for a free core."""
    with threadpool_limits(1):
        yield


def problem(train: int, dim: int, *, classes: int = 3, spread: float = 1.5, seed: int = 0):
    """Return overlapping classes of unequal size in correlated features."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, size=train + 90, p=np.arange(1, classes + 1) / 6)
    centres = rng.normal(size=(classes, dim))
    mix = rng.normal(size=(dim, dim)) * rng.lognormal(size=dim)
    features = (centres[labels] + spread * rng.normal(size=(train + 90, dim))) @ mix + 3
    return features[:train], labels[:train], features[train:], labels[train:]


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def objective(labels, weights, logits, penalty):
    """Return what the probe minimises; ``weights`` are those of standardised features."""
    loss = -np.log(softmax(logits)[np.arange(len(labels)), labels]).mean()
    return loss + penalty / 2 * np.square(weights).sum()


@pytest.mark.parametrize(("snapshots", "dim"), [(300, 4), (200, 30), (25, 40)])
def test_every_penalty_is_scikit_learns_logistic_regression_on_standardised_features(
    snapshots, dim
):
    train, labels, validation, _ = problem(snapshots, dim)
    scaler = StandardScaler().fit(train)
    scaled, held_out = scaler.transform(train), scaler.transform(validation)
    fits = list(logistic_path(train, labels, classes=3))
    for penalty, logits in zip(PENALTIES, fits, strict=True):
        model = LogisticRegression(C=1 / (penalty * snapshots), tol=1e-9, max_iter=100_000)
        model.fit(scaled, labels)
        weights = logits.weights * scaler.scale_[:, None]
        minimum = objective(labels, model.coef_, model.decision_function(scaled), penalty)
        assert objective(labels, weights, logits(train), penalty) < minimum + 1e-7
        if penalty >= 1e-3:
            expected = model.predict_proba(held_out)
            np.testing.assert_allclose(softmax(logits(validation)), expected, atol=5e-3)


def test_the_chosen_penalty_is_the_strongest_of_the_best_in_validation():
    train, labels, validation, validation_labels = problem(60, 20)
    fit = standard_logistic(train, labels, validation, validation_labels, classes=3)
    scores = [
        accuracy(validation_labels, logits(validation).argmax(axis=1))
        for logits in logistic_path(train, labels, classes=3)
    ]
    assert len(set(scores)) > 2
    assert fit.penalties == (PENALTIES[scores.index(max(scores))],)
    assert fit.validation_scores == (max(scores),)


@pytest.mark.parametrize("penalty", [1e-1, 1e-3, 1e-6])
def test_the_gradient_is_that_of_the_loss(penalty):
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(50, 4)).astype(np.float32)
    means, shares = rng.normal(size=(4, 3)), np.array([0.2, 0.3, 0.5])
    start, moves = rng.normal(size=(5, 3)), rng.normal(size=(15, 15))
    loss = penalised_loss(scores, means, shares, start=start, moves=moves, penalty=penalty)
    at, direction = rng.normal(size=15), rng.normal(size=15)
    slope = (loss(at + 1e-5 * direction)[0] - loss(at - 1e-5 * direction)[0]) / 2e-5
    assert loss(at)[1] @ direction == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("penalty", [1e-1, 1e-3, 1e-6])
def test_the_curvature_is_one_along_every_move(penalty):
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(300, 4)).astype(np.float32) * [1.0, 3.0, 0.1, 0.5]
    scores = scores.astype(np.float32)
    means, shares = rng.normal(size=(4, 3)), np.array([0.2, 0.3, 0.5])
    start = rng.normal(size=(5, 3)) / 4
    moves = coordinates(scores, start, scores.var(axis=0, dtype=np.float64), penalty)
    loss = penalised_loss(scores, means, shares, start=start, moves=moves, penalty=penalty)
    steps = 1e-4 * np.eye(15)
    curvature = np.array([(loss(step)[1] - loss(-step)[1]) / 2e-4 for step in steps])
    values = np.linalg.eigvalsh((curvature + curvature.T) / 2)
    assert values[0] == pytest.approx(0, abs=1e-5)  # all intercepts alike
    assert values[1:] == pytest.approx(1, abs=1e-4)


def test_many_unknowns_give_the_same_solution_as_few(monkeypatch):
    data = problem(400, 6)
    few = standard_logistic(*data, classes=3)
    monkeypatch.setattr(logistic, "DENSE", 0)
    many = standard_logistic(*data, classes=3)
    np.testing.assert_allclose(many.map(data[2]), few.map(data[2]), atol=5e-3)


@cache
def unscaled_fit() -> Fit:
    return standard_logistic(*problem(120, 5), classes=3)


@settings(max_examples=15)
@given(exponents=st.lists(st.floats(-12, 12), min_size=5, max_size=5), offset=st.floats(-100, 100))
def test_scale_and_offset_of_features_do_not_change_the_probe(exponents, offset):
    train, labels, validation, validation_labels = problem(120, 5)
    scales, plain = 10.0 ** np.array(exponents), unscaled_fit()
    moved = (validation + offset) * scales
    fit = standard_logistic((train + offset) * scales, labels, moved, validation_labels, classes=3)
    assert fit.validation_scores == plain.validation_scores
    np.testing.assert_allclose(softmax(fit.map(moved)), softmax(plain.map(validation)), atol=1e-3)


def test_separable_classes_are_separated():
    train, labels, validation, validation_labels = problem(200, 10, spread=0.05)
    fit = standard_logistic(train, labels, validation, validation_labels, classes=3)
    assert fit.validation_scores == (1.0,)
    assert accuracy(labels, fit.map(train).argmax(axis=1)) == 1


def test_equal_scores_keep_the_strongest_penalty():
    train, labels, validation, validation_labels = problem(200, 10, spread=0.05)
    fits: list[Fit] = [
        standard_logistic(features, labels, held_out, validation_labels, classes=3)
        for features, held_out in [(train, validation), (0 * train, 0 * validation)]
    ]
    assert [fit.penalties for fit in fits] == [(PENALTIES[0],)] * 2


def test_constant_features_give_the_shares_of_the_classes():
    _, labels, _, validation_labels = problem(200, 2)
    ones = np.ones((290, 2))
    fit = standard_logistic(ones[:200], labels, ones[200:], validation_labels, classes=3)
    np.testing.assert_allclose(softmax(fit.map(ones[:1]))[0], np.bincount(labels) / 200, atol=1e-6)


def test_the_number_of_a_class_missing_in_train_is_named():
    train, labels, validation, validation_labels = problem(60, 2)
    kept = labels != 1
    with pytest.raises(ZooError, match="class 1, expected all of 0 to 2"):
        standard_logistic(train[kept], labels[kept], validation, validation_labels, classes=3)
    with pytest.raises(ZooError, match="class 3, 4, expected all of 0 to 4"):
        standard_logistic(train, labels, validation, validation_labels, classes=5)


def test_a_single_class_is_refused():
    train, _, validation, _ = problem(60, 2)
    with pytest.raises(ZooError, match="the same class, expected at least 2"):
        standard_logistic(train, np.zeros(60, int), validation, np.zeros(90, int), classes=1)
