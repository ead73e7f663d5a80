"""Figures show the table and the weights."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from zoogen import Zoo
from zoogen.plots.figures import (
    QUANTILES,
    accuracy_figure,
    accuracy_quantiles,
    coloured_by,
    linear_up_to,
    mean_weight_figure,
    umap_figure,
)
from zoogen.plots.zoo import mean_weights
from zoogen.spec.axes import Range


def test_boxes_are_the_quantiles_of_each_epoch_alone(mixed_zoo: Zoo):
    rows = mixed_zoo.properties
    boxes = accuracy_quantiles(rows)
    assert list(boxes.index) == [1, 2]
    for epoch, box in boxes.iterrows():
        accuracies = rows.loc[rows["epoch"] == epoch, "test_accuracy"]
        assert box[0.5] == accuracies.median()
        np.testing.assert_allclose(box, np.quantile(accuracies, QUANTILES), rtol=1e-12)


def test_the_medians_drawn_are_those_of_the_table(mixed_zoo: Zoo):
    rows = mixed_zoo.properties
    (axes,) = accuracy_figure(rows, "").axes
    medians = rows.groupby("epoch")["test_accuracy"].median()
    flat = [line.get_ydata() for line in axes.lines if line.get_linewidth() == 2]
    np.testing.assert_array_equal(flat, [[median, median] for median in medians])


def test_epochs_are_evenly_spaced_whatever_lies_between_them():
    epochs = (0, 1, 2, 3, 20, 40, 60, 80, 86)
    rows = pd.DataFrame({"epoch": np.repeat(epochs, 3), "test_accuracy": np.linspace(0, 1, 27)})
    (axes,) = accuracy_figure(rows, "").axes
    assert list(axes.get_xticks()) == list(range(9))
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(at) for at in epochs]


def test_every_snapshot_is_a_dot_at_its_mean_weight_and_accuracy(mixed_zoo: Zoo):
    rows, means = mixed_zoo.properties, mean_weights(mixed_zoo.weights)
    axes, _ = mean_weight_figure(rows, means, mixed_zoo.spec, "").axes
    dots = np.asarray(axes.collections[-1].get_offsets())
    expected = np.column_stack([means, rows["test_accuracy"]])
    assert sorted(map(tuple, dots)) == sorted(map(tuple, expected))


def test_each_axis_that_varies_has_a_panel_and_so_does_the_epoch(mixed_zoo: Zoo):
    rows, spec = mixed_zoo.properties, mixed_zoo.spec
    mixed = ["activation", "initialiser", "optimiser", "weight_decay", "dropout", "epoch"]
    assert coloured_by(rows, spec) == mixed
    alike = rows[rows["model"] == 0]
    assert coloured_by(alike, spec) == ["epoch"]
    figure = umap_figure(rows, np.zeros((len(rows), 2)), spec, "")
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [name.replace("_", " ") for name in mixed]


def test_an_axis_with_one_value_in_a_partial_zoo_has_no_panel(mixed_zoo: Zoo):
    rows = mixed_zoo.properties
    assert "activation" not in coloured_by(rows[rows["activation"] == "relu"], mixed_zoo.spec)


def test_a_standard_deviation_colours_only_models_that_use_it(mixed_zoo: Zoo):
    spec = replace(
        mixed_zoo.spec,
        initialiser=("normal", "orthogonal"),
        init_std=Range(0.1, 1.0),
        random_points=4,
    )
    rows = pd.DataFrame(
        {
            "epoch": 1,
            "initialiser": ["normal", "orthogonal"] * 2,
            "init_std": [0.1, 0.2, 0.3, 0.4],
        }
    ).assign(**dict.fromkeys(["activation", "optimiser", "weight_decay", "dropout"], 0))
    figure = umap_figure(rows, np.zeros((4, 2)), spec, "")
    (panel,) = (axes for axes in figure.axes if axes.get_title().startswith("init std"))
    np.testing.assert_array_equal(np.asarray(panel.collections[-1].get_array()), [0.1, 0.3])


def test_outliers_need_a_logarithmic_scale():
    draw = np.random.default_rng(0)
    means = draw.normal(0, 0.01, 1000)
    assert linear_up_to(means) is None
    assert linear_up_to(np.append(means, -14)) == pytest.approx(0.1)
    assert linear_up_to(np.append(np.zeros(1000), 25)) == pytest.approx(0.01)
    assert linear_up_to(np.full(10, 0.5)) is None
