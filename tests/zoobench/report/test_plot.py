"""The picture of embeddings: what it shows, and that it is written whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from typer.testing import CliRunner

from zoobench.cli.commands import app
from zoobench.report.plot import plot_embeddings
from zoogen import Zoo, ZooError
from zoogen.plots.figures import umap_figure
from zoogen.plots.zoo import umap_layout


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOBENCH_CACHE", str(tmp_path / "cache"))


def test_there_is_a_panel_for_each_varied_axis_the_epoch_and_the_accuracy(hyp_zoo: Zoo):
    rows = hyp_zoo.properties
    places = umap_layout(hyp_zoo.weights[:])
    figure = umap_figure(rows, places, hyp_zoo.spec, "all", also=("test_accuracy",))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles[-2:] == ["epoch", "test accuracy"]
    assert {"activation", "initialiser", "learning rate"} <= set(titles)


def test_the_command_writes_a_picture_and_prints_its_path(hyp_zoo: Zoo, tmp_path: Path):
    path = tmp_path / "new" / "picture.png"
    command = ["plot", "weight-statistics", "--zoo", str(hyp_zoo.folder), "--write", str(path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(path)
    pixels = imread(path)
    assert min(pixels.shape[:2]) > 500
    assert pixels[..., :3].std() > 0.05


def test_the_same_embeddings_give_the_same_picture(seed_zoo: Zoo, tmp_path: Path):
    first, again = (
        plot_embeddings("raw-weights", {}, str(seed_zoo.folder), tmp_path / f"{n}.png")
        for n in range(2)
    )
    assert first.read_bytes() == again.read_bytes()


def test_a_picture_that_cannot_be_written_is_an_error(seed_zoo: Zoo, tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ZooError, match="file"):
        plot_embeddings("raw-weights", {}, str(seed_zoo.folder), tmp_path / "file" / "a.png")


def test_every_dot_has_the_properties_of_its_snapshot(
    seed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    laid_out: list[np.ndarray] = []
    drawn: list[pd.DataFrame] = []

    def noted(rows: pd.DataFrame, *_: Any, **__: Any) -> Figure:
        drawn.append(rows)
        return Figure()

    monkeypatch.setattr("zoogen.plots.zoo.umap_layout", laid_out.append)
    monkeypatch.setattr("zoogen.plots.zoo.umap_figure", noted)
    plot_embeddings("raw-weights", {}, str(seed_zoo.folder), tmp_path / "a.png")
    found = {row.tobytes(): place for place, row in enumerate(seed_zoo.weights[:])}
    places = [found[row.tobytes()] for row in laid_out[0]]
    assert len(set(places)) == len(seed_zoo.weights)
    columns = ["model", "epoch"]
    expected = seed_zoo.properties.iloc[places][columns].to_numpy()
    assert np.array_equal(drawn[0][columns].to_numpy(), expected)


def test_a_long_title_stays_inside_of_the_picture(seed_zoo: Zoo):
    rows = seed_zoo.properties
    places = np.random.default_rng(0).normal(size=(len(rows), 2))
    title = "UMAP of the embeddings by self-supervised-fast,epochs=1,hidden=64,width=96, a sample"
    figure = umap_figure(rows, places, seed_zoo.spec, title, also=("test_accuracy",))
    figure.canvas.draw()
    written = next(text for text in figure.texts if text.get_text() == title)
    extent = written.get_window_extent()
    assert extent.x0 >= 0
    assert extent.x1 <= figure.bbox.width
