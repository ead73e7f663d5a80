"""A layout divides a flat vector into tensors without gaps or overlaps."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoogen import Layout

SHAPES = st.dictionaries(
    st.text("abc.", min_size=1, max_size=6),
    st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple),
    min_size=1,
)


@given(SHAPES)
def test_slots_tile_the_vector_in_the_order_given(shapes: dict[str, tuple[int, ...]]):
    layout = Layout.of(shapes)
    columns = [column for slot in layout for column in range(layout.params)[slot.slice]]
    assert columns == list(range(layout.params))
    assert [slot.name for slot in layout] == list(shapes)
    assert all(slot.size == prod(shapes[slot.name]) for slot in layout)


@given(SHAPES)
def test_a_layout_can_be_rebuilt_from_its_shapes(shapes: dict[str, tuple[int, ...]]):
    layout = Layout.of(shapes)
    assert Layout.of(layout.shapes) == layout
    assert all(layout[name].shape == shape for name, shape in shapes.items())


def test_the_message_for_an_unknown_tensor_lists_the_tensors():
    with pytest.raises(KeyError, match=r"fc3\.weight.*fc1\.weight, fc2\.weight"):
        Layout.of({"fc1.weight": (5, 16), "fc2.weight": (4, 5)})["fc3.weight"]
