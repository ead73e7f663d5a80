"""Progress bars: what they show, nested, on a terminal of 80 columns."""

import pytest

from zoogen import progress
from zoogen.progress import DISPLAY, progress_bar


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
            if display := DISPLAY.get():
                display.refresh()
        outer(1)


@pytest.mark.usefixtures("terminal")
def test_a_nested_bar_is_fully_visible_and_disappears_when_it_is_done(
    capfd: pytest.CaptureFixture[str],
):
    nested()
    shown = capfd.readouterr().err
    assert "…" not in shown
    assert all(words in shown for words in ("1/2 seeds", "3/3 epochs", "R² 81.2 %"))
    assert "train" not in shown[shown.rindex("1/2 seeds") :]
    assert DISPLAY.get() is None


def test_without_a_terminal_a_line_is_printed_from_time_to_time(
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


def test_a_short_task_without_a_terminal_prints_nothing(capfd: pytest.CaptureFixture[str]):
    nested()
    assert capfd.readouterr().err.strip() == ""


@pytest.mark.usefixtures("terminal")
def test_an_error_inside_a_bar_removes_the_display():
    with pytest.raises(RuntimeError), progress_bar("one", things="x", total=1, unit="x"):
        raise RuntimeError
    assert DISPLAY.get() is None
