"""Weights behave as the one array they are parts of."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoogen import Layout, Weights, Zoo

LAYOUT = Layout.of({"fc1.weight": (2, 3), "fc1.bias": (2,), "fc2.weight": (1, 2)})


def numbered_parts(lengths: list[int]) -> list[np.ndarray]:
    """Parts whose numbers are all different, one below another."""
    whole = np.arange(sum(lengths) * LAYOUT.params, dtype=np.float32)
    return np.split(whole.reshape(-1, LAYOUT.params), np.cumsum(lengths)[:-1])


LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=4)


@st.composite
def selections(draw: st.DrawFn, rows: int) -> Any:
    """A slice, a mask, or row numbers in any order, some from the end, some twice."""
    slices = st.slices(rows)
    masks = st.lists(st.booleans(), min_size=rows, max_size=rows).map(
        lambda mask: np.array(mask, bool)
    )
    places = st.lists(st.integers(-rows, max(rows - 1, -rows)), max_size=8 if rows else 0)
    numbers = places.map(lambda chosen: np.array(chosen, np.int64))
    return draw(st.one_of(slices, masks, numbers))


@given(LENGTHS, st.data())
def test_reading_selecting_and_slicing_agree_with_numpy(lengths: list[int], data: st.DataObject):
    parts = numbered_parts(lengths)
    expected, weights = np.concatenate(parts), Weights(parts, LAYOUT)
    for _ in range(3):
        assert (np.asarray(weights) == expected).all()
        assert weights.shape == expected.shape
        assert len(weights) == len(expected)
        for slot in LAYOUT:
            tensor = expected[:, slot.slice].reshape(-1, *slot.shape)
            assert weights.tensor(slot.name).shape == tensor.shape
            assert (weights.tensor(slot.name) == tensor).all()
        chosen = data.draw(selections(len(expected)))
        assert (weights[chosen] == expected[chosen]).all()
        assert weights[chosen].shape == expected[chosen].shape
        weights, expected = weights.take(chosen), expected[chosen]


@given(LENGTHS, st.data())
def test_one_row_is_one_vector(lengths: list[int], data: st.DataObject):
    parts = numbered_parts([*lengths, 1])
    row = data.draw(st.integers(-sum(lengths) - 1, sum(lengths)))
    vector = Weights(parts, LAYOUT)[row]
    assert vector.shape == (LAYOUT.params,)
    assert (vector == np.concatenate(parts)[row]).all()


@given(LENGTHS, st.integers(1, 8))
def test_blocks_are_all_rows_in_order_and_only_the_last_is_shorter(lengths: list[int], rows: int):
    parts = numbered_parts([*lengths, 1])
    blocks = list(Weights(parts, LAYOUT).blocks(rows))
    assert (np.concatenate(blocks) == np.concatenate(parts)).all()
    assert {len(block) for block in blocks[:-1]} <= {rows}
    assert 1 <= len(blocks[-1]) <= rows


@pytest.mark.parametrize("row", [6, -7])
def test_a_row_that_is_not_there_is_refused(row: int):
    with pytest.raises(IndexError, match=str(row)):
        Weights(numbered_parts([4, 2]), LAYOUT)[row]


def test_arrays_are_made_in_the_type_asked_for():
    weights = Weights(numbered_parts([2, 3]), LAYOUT)
    assert np.asarray(weights).dtype == weights.dtype == np.float32
    assert np.asarray(weights, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="always a copy"):
        np.asarray(weights, copy=False)


def test_an_array_read_from_weights_is_ones_own():
    parts = numbered_parts([2, 3])
    for read in (
        np.asarray,
        lambda weights: weights[1:4],
        lambda weights: weights.tensor("fc1.bias"),
    ):
        read(Weights(parts, LAYOUT))[...] = -1
    assert (np.concatenate(parts) >= 0).all()


def test_torch_and_numpy_functions_take_weights_as_they_are():
    weights = Weights(numbered_parts([2, 3]), LAYOUT)
    assert torch.as_tensor(np.asarray(weights)).shape == (5, 10)
    assert np.mean(weights) == np.asarray(weights).mean()


def test_an_unknown_tensor_is_answered_with_those_there_are():
    with pytest.raises(KeyError, match=r"fc1\.weight, fc1\.bias, fc2\.weight"):
        Weights(numbered_parts([2]), LAYOUT).tensor("conv1.weight")


def test_weights_tell_nothing_but_weights_and_layout(mixed_zoo: Zoo):
    public = {name for name in dir(mixed_zoo.train.weights) if not name.startswith("_")}
    assert public == {"blocks", "dtype", "layout", "ndim", "shape", "take", "tensor"}


def test_selecting_reads_nothing(mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Weights, "_read", lambda *_: pytest.fail("read"))
    assert len(mixed_zoo.weights.take(slice(3, 9)).take([2, 1])) == 2
    assert [len(block) for block in mixed_zoo.weights.take(slice(3, 9)).blocks(4)] == [4, 2]
