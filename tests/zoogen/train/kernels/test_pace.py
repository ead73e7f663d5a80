"""Long work is cut into pieces, short enough for Ctrl-C and the progress bar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoogen.train.kernels import pace
from zoogen.train.kernels.pace import SECONDS, Pace


@given(total=st.integers(0, 500), unit=st.integers(1, 40), size=st.integers(1, 1000))
def test_pieces_are_whole_units_and_leave_nothing_out(total: int, unit: int, size: int):
    pieces = list(Pace(size).pieces(total, unit))
    assert [place for piece in pieces for place in range(total)[piece]] == list(range(total))
    assert all(piece.start % unit == 0 for piece in pieces)
    assert all((piece.stop - piece.start) % unit == 0 for piece in pieces[:-1])


@pytest.mark.parametrize("seconds_an_item", [1e-7, 1e-4, 3e-3])
def test_pieces_grow_until_one_takes_a_tenth_of_a_second(
    monkeypatch: pytest.MonkeyPatch, seconds_an_item: float
):
    now = 0.0
    monkeypatch.setattr(pace, "perf_counter", lambda: now)
    steady = Pace()
    lengths = []
    for piece in steady.pieces(int(20 / seconds_an_item), 1):
        now += (piece.stop - piece.start) * seconds_an_item
        lengths.append(piece.stop - piece.start)
    assert lengths[0] == 1
    assert max(lengths) * seconds_an_item == pytest.approx(SECONDS, rel=0.1)
    again = next(steady.pieces(10**9, 1))
    assert again.stop * seconds_an_item == pytest.approx(SECONDS, rel=0.1)
