"""Standings: normalised means, ranks with ties, mean ranks; missing scores stay missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoobench.board.aggregate import Scores, holm, interval, mean, mean_ranks, normalised, ranks
from zoobench.results.bootstrap import resampled_scores, resampled_tables

NAN = float("nan")


def column(*values: float, noise: float = 0.0, seed: int = 0) -> Scores:
    """Return scores whose resamples differ by independent noise for each entry."""
    draws = np.random.default_rng(seed).normal(size=(len(values), 200))
    return Scores(np.array(values), np.array(values)[:, None] + noise * draws)


def test_a_score_is_normalised_between_chance_and_perfection():
    found = normalised(column(0.5, 1.0, 0.75, -3.0, NAN), chance=0.5)
    np.testing.assert_allclose(found.values, [0, 1, 0.5, 0, NAN])
    assert np.isnan(normalised(column(0.5), chance=NAN).values).all()
    assert np.isnan(normalised(column(1.0), chance=1.0).values).all()


def test_a_missing_score_is_missing_in_the_mean_and_never_zero():
    found = mean([column(0.5, 0.5), column(0.7, NAN)])
    np.testing.assert_allclose(found.values, [0.6, NAN])
    assert np.isnan(interval(found.resampled)[:, 1]).all()
    assert np.isnan(ranks(column(0.5, NAN))).tolist() == [False, True]
    assert np.isnan(mean_ranks([column(0.5, 0.4, 0.3), column(0.7, NAN, 0.1)]).values[1])


def test_sure_differences_give_different_ranks_and_others_tie():
    assert ranks(column(0.9, 0.5, 0.1, noise=0.01)).tolist() == [1, 2, 3]
    assert ranks(column(0.9, 0.51, 0.5, 0.1, noise=0.05)).tolist() == [1, 2, 2, 4]
    assert ranks(column(0.5, 0.5)).tolist() == [1, 1]


def test_pairs_are_compared_on_the_same_resamples():
    shared = np.random.default_rng(0).normal(scale=0.2, size=200)
    values = np.array([0.51, 0.5])
    own = np.random.default_rng(1).normal(scale=1e-3, size=(2, 200))
    found = Scores(values, values[:, None] + shared + own)
    low, high = interval(found.resampled)
    assert low[0] < high[1]  # the intervals overlap
    assert ranks(found).tolist() == [1, 2]


@given(chances=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_rejects_no_less_than_bonferroni_and_no_more_than_one_test(chances: list[float]):
    values = np.array(chances)
    sure = holm(values, 0.05)
    assert np.all(sure[values < 0.05 / len(values)])
    assert not np.any(sure[values > 0.05])


def test_holm_is_the_step_down_procedure_of_a_textbook():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005]), 0.05).tolist() == [True, False, False, True]


def test_mean_ranks_average_over_columns_and_share_equal_scores():
    found = mean_ranks([column(0.9, 0.5, 0.1), column(0.4, 0.4, 0.8)])
    np.testing.assert_allclose(found.values, [(1 + 2.5) / 2, (2 + 2.5) / 2, (3 + 1) / 2])


@pytest.mark.parametrize("metric", ["r2", "accuracy", "kendall_tau"])
def test_many_tables_together_score_as_each_alone(metric: str):
    draws = np.random.default_rng(0)
    models = np.repeat(np.arange(12), 3)
    if metric == "accuracy":
        targets, tables = draws.integers(3, size=36), list(draws.integers(3, size=(4, 2, 36)))
    else:
        targets, tables = draws.normal(size=36), list(draws.normal(size=(4, 2, 36)))
    found = resampled_tables(metric, targets, tables, models, resamples=50)  # type: ignore[arg-type]
    for row, table in zip(found, tables, strict=True):
        alone = resampled_scores(metric, targets, table, models, resamples=50, seed=0)  # type: ignore[arg-type]
        np.testing.assert_allclose(row, alone, rtol=1e-12, atol=1e-12)
