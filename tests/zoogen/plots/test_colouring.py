"""Colours mean the same in every plot."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgba_array
from matplotlib.figure import Figure

from zoogen.plots.colouring import NAMED, PALE, paint_names, paint_numbers, tick_places
from zoogen.plots.figures import NAMES
from zoogen.spec.axes import Range
from zoogen.spec.zoo_spec import Activation


@pytest.fixture
def two_axes() -> tuple[Axes, Axes]:
    """Axes to paint on, and axes for the key."""
    axes, key = Figure().subplots(2, 1, height_ratios=(9, 1))
    return axes, key


@pytest.mark.parametrize("axis", NAMES)
def test_every_name_has_a_colour_of_its_own(axis: str):
    assert len(NAMES[axis]) <= len(NAMED) == len(set(NAMED))


def test_a_name_has_the_same_colour_whatever_other_names_occur(two_axes: tuple[Axes, Axes]):
    axes, key = two_axes
    known = get_args(Activation)
    for names in (["gelu", "tanh"], ["relu", "gelu"]):
        paint_names(axes, key, np.zeros((2, 2)), names, known)
    both, other = (dots.get_facecolor() for dots in axes.collections)
    np.testing.assert_array_equal(both[0], other[1])
    assert len(np.unique([both[0], both[1], other[0]], axis=0)) == 3


def test_the_key_lists_the_names_that_occur(two_axes: tuple[Axes, Axes]):
    axes, key = two_axes
    paint_names(axes, key, np.zeros((3, 2)), ["relu", "tanh", "relu"], get_args(Activation))
    legend = key.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["tanh", "relu"]


def test_listed_numbers_get_darker_to_brighter_colours_evenly_spaced(two_axes: tuple[Axes, Axes]):
    axes, key = two_axes
    paint_numbers(axes, key, np.zeros((3, 2)), np.array([86.0, 0.0, 20.0]), (0, 20, 86))
    dots = axes.collections[-1]
    np.testing.assert_array_equal(np.asarray(dots.get_array()), [2, 0, 1])
    dots.update_scalarmappable()
    brightness = dots.get_facecolor()[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert brightness[1] < brightness[2] < brightness[0]
    assert [label.get_text() for label in key.get_xticklabels()] == ["0", "20", "86"]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_range_has_its_own_continuous_scale(two_axes: tuple[Axes, Axes], scale: Any):
    axes, key = two_axes
    numbers = np.array([0.01, 0.1, 0.3])
    paint_numbers(axes, key, np.zeros((3, 2)), numbers, Range(0.001, 0.5, scale))
    dots = axes.collections[-1]
    assert isinstance(dots.norm, LogNorm) == (scale == "log")
    assert (dots.norm.vmin, dots.norm.vmax) == (0.001, 0.5)
    np.testing.assert_array_equal(np.asarray(dots.get_array()), numbers)


def test_points_without_a_value_are_pale(two_axes: tuple[Axes, Axes]):
    axes, key = two_axes
    points = np.arange(6.0).reshape(3, 2)
    paint_numbers(axes, key, points, np.array([0.1, np.nan, 0.2]), (0.1, 0.2))
    pale, coloured = axes.collections
    np.testing.assert_array_equal(np.asarray(pale.get_offsets()), points[[1]])
    np.testing.assert_array_equal(pale.get_facecolor(), to_rgba_array(PALE))
    np.testing.assert_array_equal(np.asarray(coloured.get_offsets()), points[[0, 2]])


@given(st.integers(1, 200), st.integers(2, 30), st.integers(0, 5))
def test_few_numbers_are_all_labelled_of_many_only_round_ones(count: int, most: int, first: int):
    values = range(first, first + count)
    places = tick_places(values, most)
    if count <= most:
        assert places == list(range(count))
    else:
        assert most / 2.5 - 1 <= len(places) <= most
        assert len(set(np.diff(places))) <= 1
