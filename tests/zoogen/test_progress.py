"""Progress bars: what they say, one inside another, on a terminal of 80 columns."""

import pytest

from zoogen import progress, progress_bar
from zoogen.progress import SHOWN


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def nested() -> None:
    title = "self-supervised-fast on tetris-hyp"
    with progress_bar(title, things="seeds", total=2, unit="seeds") as outer:
        with progress_bar("train", things="epochs", total=3, unit="epochs", steps=7) as inner:
            inner(3)
            inner(4, "train: loss 1.2345, R² 81.2 %")
            if display := SHOWN.get():
                display.refresh()
        outer(1)


@pytest.mark.usefixtures("terminal")
def test_a_bar_inside_another_is_read_whole_and_goes_when_it_is_done(
    capfd: pytest.CaptureFixture[str],
):
    nested()
    shown = capfd.readouterr().err
    assert "…" not in shown
    assert all(words in shown for words in ("1/2 seeds", "3/3 epochs", "R² 81.2 %"))
    assert "train" not in shown[shown.rindex("1/2 seeds") :]
    assert SHOWN.get() is None


def test_without_a_terminal_a_line_is_written_now_and_then(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress_bar("mnist-seed", things="models", total=4, unit="images", steps=8) as report:
        report(2)
        report(4, "fashion-seed")
    first, second = capfd.readouterr().err.splitlines()
    assert first.startswith("mnist-seed: 1/4 models")
    assert second.startswith("fashion-seed: 3/4 models")
    assert all("images/s" in line and line.endswith("left") for line in (first, second))


def test_nothing_is_shown_where_nobody_watches(capfd: pytest.CaptureFixture[str]):
    nested()
    assert capfd.readouterr().err.strip() == ""


@pytest.mark.usefixtures("terminal")
def test_a_bar_that_fails_leaves_no_display_behind():
    with pytest.raises(RuntimeError), progress_bar("one", things="x", total=1, unit="x"):
        raise RuntimeError
    assert SHOWN.get() is None
