"""Plots of a zoo go to its folder and onto its card, and change nothing else."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from typer.testing import CliRunner

from tests.conftest import built
from tests.zoogen.build.test_zoo import contents
from zoogen import Weights, Zoo, ZooError, ZooSpec, build_zoo, load_zoo
from zoogen.cli.commands import app
from zoogen.pictures import PIXELS_PER_INCH
from zoogen.plots import zoo as plots
from zoogen.plots.figures import ACCURACY_SIZE, MEAN_WEIGHT_SIZE, accuracy_figure, umap_figure
from zoogen.plots.zoo import (
    CAPTIONS,
    SAMPLE,
    drawn_rows,
    headline,
    mean_weights,
    plot_zoo,
    umap_layout,
)
from zoogen.store.card import CARD, PLOTS, zoo_card
from zoogen.store.manifest import write_manifest

PNG = b"\x89PNG\r\n\x1a\n"


def copied(zoo: Zoo, folder: Path) -> Zoo:
    return load_zoo(copytree(zoo.folder, folder))


@pytest.fixture(scope="module")
def plotted(mixed_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """A copy of ``mixed_zoo`` with plots."""
    zoo = copied(mixed_zoo, tmp_path_factory.mktemp("plotted") / "zoo")
    plot_zoo(zoo)
    return zoo


@pytest.fixture(scope="module")
def plain_zoo(mixed_spec: ZooSpec, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """The first 20 of 2000 models that differ only in the seed."""
    spec = replace(
        mixed_spec,
        name="plain",
        activation=("tanh",),
        initialiser=("uniform",),
        optimiser=("adam",),
        weight_decay=(0.0,),
        dropout=(0.0,),
        seeds=tuple(range(2000)),
    )
    return built(spec, tmp_path_factory.mktemp("plain") / "zoo", models=20)


@pytest.fixture
def drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the drawing by empty pictures, for tests of where pictures go."""
    monkeypatch.setattr(plots, "draw_plots", lambda zoo: dict.fromkeys(CAPTIONS, PNG))


def links(folder: Path) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (folder / CARD).read_text(encoding="utf-8"))


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(PNG)
    return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")


@pytest.mark.parametrize("block", [1, 100, 1024])
def test_mean_weights_are_those_of_each_row(
    mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch, block: int
):
    monkeypatch.setattr(plots, "BLOCK", block)
    expected = np.asarray(mixed_zoo.weights, dtype=float).mean(axis=1)
    np.testing.assert_allclose(mean_weights(mixed_zoo.weights), expected, rtol=1e-12, atol=1e-12)


def test_mean_weights_are_read_a_block_at_a_time(mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch):
    read = []
    take = Weights.take
    monkeypatch.setattr(plots, "BLOCK", 50)
    monkeypatch.setattr(
        Weights, "take", lambda self, rows: read.append(part := take(self, rows)) or part
    )
    mean_weights(mixed_zoo.weights)
    assert [len(part) for part in read] == [50, 50, 50, 50, 50, 50, 50, 34]


@given(st.integers(0, 3 * SAMPLE))
def test_a_sample_has_no_snapshot_twice_and_is_the_same_every_time(snapshots: int):
    drawn = drawn_rows(snapshots)
    assert len(drawn) == len(set(drawn)) == min(snapshots, SAMPLE)
    assert set(drawn) <= set(range(snapshots))
    np.testing.assert_array_equal(drawn, drawn_rows(snapshots))


def test_umap_keeps_kinds_apart_and_is_the_same_every_time():
    draw = np.random.default_rng(0)
    kinds = np.arange(120) % 3
    weights = (draw.standard_normal((3, 40))[kinds] * 5).astype(np.float32)
    weights += 0.1 * draw.standard_normal(weights.shape, dtype=np.float32)
    places = umap_layout(weights)
    np.testing.assert_array_equal(places, umap_layout(weights))
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_array_equal(kinds[apart.argmin(axis=1)], kinds)


def test_titles_say_which_zoo_and_how_much_of_it(mixed_zoo: Zoo, plain_zoo: Zoo):
    assert headline(mixed_zoo) == "mixed: 192 models, 384 snapshots"
    assert headline(plain_zoo) == "plain: 20 of 2,000 models, 40 snapshots"


def test_a_zoo_that_varies_nothing_but_the_seed_is_coloured_by_epoch(plain_zoo: Zoo):
    figure = umap_figure(plain_zoo.properties, np.zeros((40, 2)), plain_zoo.spec, "")
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == ["epoch"]


def test_a_sample_is_announced_and_keeps_rows_and_places_together(
    mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    drawn: dict[str, Any] = {}

    def noted(
        rows: pd.DataFrame, places: np.ndarray, spec: ZooSpec, title: str, also: Any = ()
    ) -> Figure:
        drawn.update(rows=rows, places=places, title=title)
        return accuracy_figure(rows, title)

    monkeypatch.setattr(plots, "SAMPLE", 100)
    monkeypatch.setattr(plots, "umap_layout", lambda weights: weights[:, :2])
    monkeypatch.setattr(plots, "umap_figure", noted)
    plots.draw_plots(mixed_zoo)
    assert drawn["title"].endswith("UMAP of the weights, 100 snapshots drawn at random")
    rows = drawn["rows"].index.to_numpy()
    assert len(rows) == 100
    np.testing.assert_array_equal(drawn["places"], mixed_zoo.weights[rows][:, :2])


def test_the_files_are_pictures_of_the_right_size(plotted: Zoo):
    accuracy, mean_weight, umap = (
        size((plotted.folder / PLOTS / name).read_bytes()) for name in CAPTIONS
    )
    assert accuracy == tuple(round(PIXELS_PER_INCH * inches) for inches in ACCURACY_SIZE)
    assert mean_weight == tuple(round(PIXELS_PER_INCH * inches) for inches in MEAN_WEIGHT_SIZE)
    assert min(umap) > 1000  # six panels
    assert sorted(path.name for path in (plotted.folder / PLOTS).iterdir()) == sorted(CAPTIONS)


def test_plotting_again_changes_no_byte(plotted: Zoo, tmp_path: Path):
    again = plot_zoo(plotted, tmp_path / "new" / "folder")
    assert [path.name for path in again] == list(CAPTIONS)
    for path in again:
        assert path.read_bytes() == (plotted.folder / PLOTS / path.name).read_bytes()


def test_the_style_of_the_user_changes_no_byte(mixed_zoo: Zoo, plotted: Zoo):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10}):
        picture = plots.as_png(lambda: accuracy_figure(mixed_zoo.properties, headline(mixed_zoo)))
        assert mpl.rcParams["font.size"] == 30
    assert picture == (plotted.folder / PLOTS / "accuracy.png").read_bytes()


def test_the_card_shows_every_plot_by_a_relative_link(plotted: Zoo):
    shown = links(plotted.folder)
    assert len(shown) == len(CAPTIONS)
    for link in shown:
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", link)
        assert not PurePosixPath(link).is_absolute()
        assert (plotted.folder / link).is_file()


def test_nothing_else_on_the_card_changes(plotted: Zoo, mixed_zoo: Zoo):
    lines = (plotted.folder / CARD).read_text().splitlines()
    rest = [line for line in lines if not line.startswith("![")]
    before = (mixed_zoo.folder / CARD).read_text().splitlines()
    assert [line for line in rest if line] == [line for line in before if line]
    assert zoo_card(plotted.manifest, plotted.properties, CAPTIONS).splitlines() == lines


def test_a_zoo_with_plots_is_verified_and_built_as_before(plotted: Zoo, mixed_spec: ZooSpec):
    assert len(list(load_zoo(plotted.folder).verify())) == 4
    before = contents(plotted.folder)
    assert build_zoo(mixed_spec, plotted.folder) == plotted.manifest
    assert contents(plotted.folder) == before


def test_overwriting_a_zoo_deletes_its_plots(plotted: Zoo, mixed_spec: ZooSpec, tmp_path: Path):
    zoo = copied(plotted, tmp_path / "zoo")
    build_zoo(replace(mixed_spec, epochs=1), zoo.folder, models=3, workers=1, overwrite=True)
    assert not (zoo.folder / PLOTS).exists()
    assert links(zoo.folder) == []


def test_a_zoo_that_grows_loses_its_old_plots(
    mixed_spec: ZooSpec, tmp_path: Path, drawn_at_once: None
):
    spec = replace(mixed_spec, models_per_shard=8)
    build_zoo(spec, tmp_path, models=8, workers=1)
    plot_zoo(load_zoo(tmp_path))
    assert len(links(tmp_path)) == len(CAPTIONS)
    build_zoo(spec, tmp_path, models=16, workers=1)
    assert links(tmp_path) == []
    assert not (tmp_path / PLOTS).exists()
    plot_zoo(zoo := load_zoo(tmp_path))
    assert len(links(tmp_path)) == len(CAPTIONS)
    assert len(list(zoo.verify())) == 3


def test_a_folder_with_only_plots_is_not_a_zoo(mixed_spec: ZooSpec, tmp_path: Path):
    (tmp_path / PLOTS).mkdir()
    with pytest.raises(ZooError, match="it holds plots"):
        build_zoo(mixed_spec, tmp_path)


def test_a_zoo_rebuilt_in_the_meantime_keeps_its_card(
    plotted: Zoo, tmp_path: Path, drawn_at_once: None
):
    zoo = copied(plotted, tmp_path / "zoo")
    write_manifest(zoo.folder, replace(zoo.manifest, models_built=191))
    before = contents(zoo.folder)
    with pytest.raises(ZooError, match="rebuilt in the meantime; run the same command again"):
        plot_zoo(zoo)
    assert contents(zoo.folder) == before


@pytest.mark.parametrize(("package", "extra"), [("matplotlib", "plots,umap"), ("umap", "umap")])
def test_a_missing_package_is_named_with_the_extras(
    mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str, extra: str
):
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"a plot needs the package {package}; run: pip install 'zoobench\[{extra}\]'"
    with pytest.raises(ZooError, match=message):
        plot_zoo(mixed_zoo, tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_zoo_of_failed_models_is_refused(mixed_spec: ZooSpec, tmp_path: Path):
    spec = replace(mixed_spec, optimiser=("sgd",), learning_rate=(1e38,), seeds=(1,), epochs=1)
    build_zoo(spec, tmp_path / "zoo", models=2, workers=1)
    with pytest.raises(ZooError, match=r"0 snapshots \(2 of 2 models failed\), .* at least 3"):
        plot_zoo(load_zoo(tmp_path / "zoo"))
    assert not (tmp_path / "zoo" / PLOTS).exists()


def test_the_smallest_zoo_that_can_be_plotted(mixed_spec: ZooSpec, tmp_path: Path):
    build_zoo(replace(mixed_spec, epochs=1), tmp_path / "zoo", models=plots.FEWEST, workers=1)
    written_to = plot_zoo(load_zoo(tmp_path / "zoo"), tmp_path / "plots")
    assert all(size(path.read_bytes()) for path in written_to)


def test_plotting_to_another_folder_leaves_the_zoo_unchanged(mixed_zoo: Zoo, tmp_path: Path):
    before = contents(mixed_zoo.folder)
    done = CliRunner().invoke(app, ["plot", str(mixed_zoo.folder), "--out", str(tmp_path)])
    assert done.exit_code == 0
    assert done.stdout.split() == [str(tmp_path / name) for name in CAPTIONS]
    assert done.stderr == ""
    assert contents(mixed_zoo.folder) == before


def test_plots_are_not_written_among_the_files_of_a_zoo(mixed_zoo: Zoo):
    before = contents(mixed_zoo.folder)
    with pytest.raises(ZooError, match="leave out --out"):
        plot_zoo(mixed_zoo, mixed_zoo.folder)
    assert contents(mixed_zoo.folder) == before


def test_no_other_command_waits_for_matplotlib_and_plots_open_no_window():
    script = """
import sys, zoogen.cli.commands
assert not {"matplotlib", "umap", "numba", "pandas"} & set(sys.modules)
import pandas as pd
from zoogen.pictures import as_png
from zoogen.plots.figures import accuracy_figure
as_png(lambda: accuracy_figure(pd.DataFrame({"epoch": [1], "test_accuracy": [0.5]}), "one"))
assert "matplotlib.pyplot" not in sys.modules
"""
    environment = os.environ | {"MPLBACKEND": "tkagg"}
    subprocess.run([sys.executable, "-W", "error", "-c", script], env=environment, check=True)
