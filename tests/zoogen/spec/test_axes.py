"""Ranges and random seeds: what they draw, and what is refused."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from zoogen.spec.axes import RandomSeeds, Range

shares = st.floats(0, 1, exclude_max=True)


@given(shares, st.sampled_from([Range(0.5, 2.0), Range(1e-8, 1e-2, "log"), Range(-3.0, 0.0)]))
def test_a_drawn_number_lies_in_the_range(share: float, values: Range):
    assert values.low <= values.at(share) <= values.high


@given(shares, shares)
def test_a_larger_share_gives_no_smaller_number(one: float, two: float):
    for values in (Range(0.5, 2.0), Range(1e-8, 1e-2, "log")):
        assert (values.at(one) <= values.at(two)) == (one <= two) or values.at(one) == values.at(
            two
        )


def test_half_of_a_logarithmic_range_lies_below_its_geometric_mean():
    assert Range(1e-4, 1e-2, "log").at(0.5) == 1e-3
    assert Range(0.0, 0.7).at(0.5) == 0.35


@given(shares)
def test_a_drawn_number_has_six_digits(share: float):
    value = Range(1e-3, 0.5, "log").at(share)
    assert float(f"{value:.6g}") == value


@pytest.mark.parametrize(
    ("low", "high", "scale", "complaint"),
    [
        (1.0, 1.0, "linear", "is empty"),
        (2.0, 1.0, "linear", "is empty"),
        (0.0, 1.0, "log", "must start above 0, not at 0"),
        (nan, 1.0, "linear", "finite"),
        (0.0, inf, "linear", "finite"),
        (0.0, 1.0, "cubic", "linear"),
    ],
)
def test_an_empty_or_infinite_range_is_refused(low: float, high: float, scale: Any, complaint: str):
    with pytest.raises(ValidationError, match=complaint):
        Range(low, high, scale)


@given(st.integers(0, 20), st.integers(0, 20), shares)
def test_every_seed_between_the_bounds_can_be_drawn_and_no_other(low: int, more: int, share: float):
    seeds = RandomSeeds(each=2, low=low, high=low + more)
    assert low <= seeds.at(share) <= low + more
    drawn = {seeds.at((step + 0.5) / (more + 1)) for step in range(more + 1)}
    assert drawn == set(range(low, low + more + 1))
    assert (seeds.at(0.0), seeds.at(1 - 2**-48)) == (low, low + more)
    assert len(seeds) == 2


def test_bounds_without_a_seed_between_them_are_refused():
    with pytest.raises(ValidationError, match="no seed lies between 3 and 2"):
        RandomSeeds(each=1, low=3, high=2)
