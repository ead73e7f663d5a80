"""The metrics against scikit-learn, SciPy and their own definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score

from zoobench.task.metrics import accuracy, kendall_tau, kendall_tau_ceiling, r2

tied = st.lists(st.integers(0, 6), min_size=2, max_size=30).filter(
    lambda values: len({*values}) > 1
)


def test_r2_and_accuracy_are_scikit_learns():
    rng = np.random.default_rng(0)
    targets, predictions = rng.normal(size=(2, 50))
    labels, guesses = rng.integers(0, 3, size=(2, 50))
    assert r2(targets, predictions) == pytest.approx(r2_score(targets, predictions))
    assert r2(targets, predictions.astype(np.float32)) == pytest.approx(
        r2_score(targets, predictions), rel=1e-5
    )
    assert accuracy(labels, guesses) == accuracy_score(labels, guesses)


def test_predicting_the_mean_of_the_split_scores_zero():
    targets = np.random.default_rng(1).normal(size=40)
    assert r2(targets, np.full(40, targets.mean())) == pytest.approx(0)
    assert r2(targets, targets) == 1


@pytest.mark.parametrize("metric", [r2, kendall_tau])
def test_no_score_is_defined_on_constant_targets(metric):
    predictions = np.random.default_rng(2).normal(size=1000)
    assert np.isnan(metric(np.full(1000, 0.1), predictions))


def test_constant_predictions_have_no_order():
    assert np.isnan(kendall_tau(np.arange(5.0), np.zeros(5)))


@given(tied, st.randoms(use_true_random=False))
def test_kendalls_tau_is_its_formula_over_pairs(values, random):
    targets = np.array(values, dtype=float)
    predictions = np.array([random.randint(0, 4) for _ in values], dtype=float)
    signs = [np.sign(side[:, None] - side[None]) for side in (targets, predictions)]
    pairs = np.sqrt(np.square(signs[0]).sum() * np.square(signs[1]).sum())
    if pairs:
        expected = (signs[0] * signs[1]).sum() / pairs
        assert kendall_tau(targets, predictions) == pytest.approx(expected)


@given(tied, st.randoms(use_true_random=False))
def test_predictions_without_ties_reach_the_ceiling_and_never_pass_it(values, random):
    targets = np.array(values, dtype=float)
    ceiling = kendall_tau_ceiling(targets)
    best = np.empty(len(targets))
    best[np.argsort(targets, kind="stable")] = np.arange(len(targets))
    assert kendall_tau(targets, best) == pytest.approx(ceiling)
    random.shuffle(values_in_other_order := best.tolist())
    assert kendall_tau(targets, np.array(values_in_other_order)) <= ceiling + 1e-12


def test_the_ceiling_is_one_without_ties_and_undefined_if_all_are_tied():
    assert kendall_tau_ceiling(np.arange(9.0)) == 1
    assert np.isnan(kendall_tau_ceiling(np.ones(9)))
