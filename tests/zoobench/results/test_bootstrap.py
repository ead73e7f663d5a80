"""Bootstrap intervals against resampling rows explicitly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoobench.results.bootstrap import (
    model_counts,
    model_interval,
    paired_interval,
    resampled_scores,
)
from zoobench.task.metrics import METRICS

RESAMPLES = 40


def table(metric: str, sizes: list[int], seeds: int, seed: int):
    """Return shuffled targets, predictions and models; few distinct values make many ties."""
    rng = np.random.default_rng(seed)
    models = rng.permutation(np.repeat(rng.permutation(100)[: len(sizes)], sizes))
    if metric == "accuracy":
        targets = rng.integers(0, 3, len(models))
        return targets, rng.integers(0, 3, (seeds, len(models))), models
    targets = rng.integers(0, 5, len(models)) / 10 + 100
    return targets, targets + rng.integers(-3, 4, (seeds, len(models))) / 10, models


def scores_of_explicit_rows(metric, targets, predictions, models, seed):
    """Repeat the rows of each model as often as it is drawn; yield their score."""
    ids = np.unique(models)
    for counts in model_counts(len(ids), resamples=RESAMPLES, seed=seed):
        drawn = [
            np.flatnonzero(models == model)
            for model, count in zip(ids, counts, strict=True)
            for _ in range(count)
        ]
        rows = np.concatenate(drawn)
        yield np.mean([METRICS[metric](targets[rows], one[rows]) for one in predictions])


@settings(max_examples=40)
@given(
    metric=st.sampled_from(sorted(METRICS)),
    sizes=st.lists(st.integers(1, 7), min_size=2, max_size=8),
    seeds=st.integers(1, 3),
    seed=st.integers(0, 2**31),
)
def test_sums_per_model_score_as_the_resampled_rows_do(metric, sizes, seeds, seed):
    data = table(metric, sizes, seeds, seed)
    scores = resampled_scores(metric, *data, resamples=RESAMPLES, seed=seed)
    expected = list(scores_of_explicit_rows(metric, *data, seed))
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)


def test_every_resample_draws_as_many_models_as_there_are():
    counts = model_counts(30, resamples=2000, seed=0)
    assert (counts.sum(axis=1) == 30).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(counts.var(axis=0), 1 - 1 / 30, atol=0.2)


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_more_snapshots_of_the_same_models_do_not_narrow_an_interval(metric):
    targets, predictions, models = table(metric, [3] * 12, 2, 0)
    once = model_interval(metric, targets, predictions, models)
    often = model_interval(
        metric, np.tile(targets, 9), np.tile(predictions, (1, 9)), np.tile(models, 9)
    )
    assert often == pytest.approx(once)


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_the_order_of_rows_does_not_matter(metric):
    targets, predictions, models = table(metric, [4, 2, 5, 3], 2, 1)
    order = np.random.default_rng(2).permutation(len(models))
    shuffled = model_interval(metric, targets[order], predictions[:, order], models[order])
    assert shuffled == pytest.approx(model_interval(metric, targets, predictions, models))


def test_a_higher_level_encloses_a_lower_one():
    data = table("r2", [3] * 20, 1, 3)
    (outer_low, outer_high), (low, high) = (
        model_interval("r2", *data, level=level) for level in (0.95, 0.5)
    )
    assert outer_low < low < high < outer_high


def test_intervals_cover_the_true_score_about_as_often_as_claimed():
    rng = np.random.default_rng(4)
    covered = 0
    for seed in range(300):
        hits = np.repeat(rng.random(60) < 0.7, 5).astype(int)
        low, high = model_interval(
            "accuracy", np.ones_like(hits), hits[None], np.repeat(np.arange(60), 5), seed=seed
        )
        covered += low <= 0.7 <= high
    assert 0.90 <= covered / 300 <= 0.98


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_one_model_has_no_interval(metric):
    targets, predictions, _ = table(metric, [20], 2, 5)
    bounds = model_interval(metric, targets, predictions, np.full(20, 7))
    assert np.isnan(bounds).all()


@pytest.mark.parametrize("metric", ["r2", "kendall_tau"])
def test_constant_targets_have_no_interval(metric):
    rng = np.random.default_rng(6)
    predictions, models = rng.normal(size=(2, 40)), np.repeat(np.arange(8), 5)
    assert np.isnan(model_interval(metric, np.full(40, 0.1), predictions, models)).all()


def test_resamples_with_constant_targets_are_left_out():
    models = np.repeat([0, 1], 10)
    targets = models * 0.1 + 0.3
    predictions = targets[None] + np.random.default_rng(7).normal(size=(1, 20)) / 100
    scores = resampled_scores("r2", targets, predictions, models, resamples=100, seed=0)
    assert 20 < np.isnan(scores).sum() < 80
    assert np.isfinite(model_interval("r2", targets, predictions, models)).all()


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_paired_interval_is_that_of_the_differences(metric):
    targets, a, models = table(metric, [3] * 15, 2, 8)
    b = np.roll(a, 1, axis=1)
    differences = np.subtract(
        *(resampled_scores(metric, targets, x, models, resamples=200, seed=9) for x in (a, b))
    )
    bounds = paired_interval(metric, targets, a, b, models, resamples=200, seed=9)
    assert bounds == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))
    assert paired_interval(metric, targets, a, a, models) == (0, 0)


def test_pairing_sees_a_small_difference_that_both_intervals_hide():
    rng = np.random.default_rng(10)
    models = np.repeat(np.arange(40), 5)
    targets = rng.normal(size=200)
    hard = np.repeat(rng.lognormal(sigma=1.5, size=40), 5) * rng.normal(size=200)
    a, b = targets + hard, targets + 1.1 * hard
    lowest_of_a = model_interval("r2", targets, a[None], models)[0]
    highest_of_b = model_interval("r2", targets, b[None], models)[1]
    assert highest_of_b > lowest_of_a
    assert paired_interval("r2", targets, a[None], b[None], models)[0] > 0
